import { rmSync, statSync } from 'node:fs';
import type { Clock, Timer } from '../../../protocol/clock.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { AtomicFile, StateFileError } from '../../atomic-file.ts';
import type { CardFaults } from './card-faults.ts';
import { formatFault, formatRandomFaults, type GivenFaults, parseFaults } from './fault-text.ts';

/** How often a running card looks whether its faults were changed, ms. */
const interval = 100;

/** The faults of the card in `cardFile` are beside it, so that another process can change them while it runs. */
export function faultFileOf(cardFile: string): string {
  return `${cardFile}.faults`;
}

/** What was written for the card in `cardFile`; nothing where there is no such file. @throws StateFileError */
export function readFaultFile(cardFile: string): GivenFaults {
  const file = new AtomicFile(faultFileOf(cardFile));
  return file.readJson('list of card faults', parseContents) ?? { faults: [], random: undefined };
}

/** Replaces the faults of the card in `cardFile`, whether it runs or not. None: the file is removed. */
export function writeFaultFile(cardFile: string, { faults, random }: GivenFaults): void {
  const path = faultFileOf(cardFile);
  if (faults.length === 0 && random === undefined) {
    rmSync(path, { force: true });
    return;
  }
  const list = [...faults.map(formatFault), ...(random === undefined ? [] : [formatRandomFaults(random)])];
  new AtomicFile(path).write(`${JSON.stringify({ faults: list }, undefined, 1)}\n`);
}

function parseContents(value: Readonly<Record<string, unknown>>): GivenFaults | undefined {
  const list = value.faults;
  if (!Array.isArray(list) || !list.every((text) => typeof text === 'string')) return undefined;
  try {
    return parseFaults(list as readonly string[]);
  } catch (error) {
    if (error instanceof RequestError) return undefined;
    throw error;
  }
}

/**
 * Follows the fault file of a running card: what another process writes there holds within `interval`. A
 * file that cannot be understood changes nothing, and is told to `onLog` once.
 */
export class FaultFileFollower {
  readonly #cardFile: string;
  readonly #clock: Clock;
  readonly #onLog: (message: string) => void;
  #seen = '';
  #timer: Timer | undefined;

  constructor(cardFile: string, clock: Clock, onLog: (message: string) => void) {
    this.#cardFile = cardFile;
    this.#clock = clock;
    this.#onLog = onLog;
  }

  /** From now on, until what is returned is called; what changed in between holds at once. */
  follow(faults: CardFaults): () => void {
    this.#look(faults);
    return () => this.#timer?.cancel();
  }

  #look(faults: CardFaults): void {
    const now = stamp(faultFileOf(this.#cardFile));
    if (now !== this.#seen) {
      this.#seen = now;
      try {
        const found = readFaultFile(this.#cardFile);
        faults.replace(found.faults, found.random);
      } catch (error) {
        if (!(error instanceof StateFileError)) throw error;
        this.#onLog(error.message);
      }
    }
    this.#timer = this.#clock.setTimer(interval, () => this.#look(faults));
  }
}

/** Changes whenever the file is replaced; empty where there is none. */
function stamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? '' : `${stat.ino}.${stat.mtimeNs}.${stat.size}`;
}
