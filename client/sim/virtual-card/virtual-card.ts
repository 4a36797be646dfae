import { type Clock, systemClock, type Timer } from '../../../protocol/clock.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { StateFileError } from '../../atomic-file.ts';
import { type CommandApdu, decodeCommand, encodeResponse, Ins, StatusWord } from '../apdu.ts';
import { CardAbsentError, type CardTransport, CardTransportError } from '../card-transport.ts';
import { fromHex } from '../hex.ts';
import type { CardApplication } from './card-application.ts';
import { type CardContents, type CardKind, newCardContents } from './card-contents.ts';
import { type CardFault, CardFaults, type FaultTarget } from './card-faults.ts';
import { type CardMemory, volatileCardMemory } from './card-memory.ts';
import { CardProcessor } from './card-processor.ts';
import type { CardProfile } from './card-profiles.ts';
import { CardStatus } from './card-status.ts';
import { CardStore } from './card-store.ts';
import { FileIns } from './file-system.ts';

/** ATR of a T=0 card that speaks of its toolkit and its eUICC functions. */
const atr = fromHex('3B9F96801FC78031A073BE21136743200718000001A5');
/** How late a slow card answers by default, ms. */
const slowDelay = 1_000;
const technicalProblem = 0x6f00;

export interface VirtualCardOptions {
  /** Nine digits at most; of a card that `memory` does not hold yet. */
  readonly serial: number;
  /** Default: lasts as long as this object. */
  readonly memory?: CardMemory;
  /** Of a card that `memory` does not hold yet. Default `euicc`. */
  readonly kind?: CardKind;
  /** Place of the profile that a new card has enabled. Default 0. */
  readonly initialProfile?: number;
  /** Milliseconds that the card works on enabling or disabling a profile. Default 0. */
  readonly switchLatency?: number;
  /** What is installed on it, besides USIM and ISD-R. */
  readonly applications?: readonly CardApplication[];
  readonly clock?: Clock;
  /** Begins when the card is connected and again after a close; returns what ends it at `close`. */
  readonly whileOpen?: (faults: CardFaults) => () => void;
}

/**
 * A multi-carrier card in this process, that answers APDUs as a T=0 card does: file system of the enabled
 * profile with PINs and AUTHENTICATE, toolkit, applications, and on an eUICC the ISD-R. This class is what
 * a reader adds to the card: power, presence, and what can go wrong on the line.
 *
 * A profile change with refresh happens with the TERMINAL RESPONSE to the REFRESH or with a reset,
 * whichever is first (GSMA SGP.22 §5.7.16), and nowhere else: that is when `memory` is written. When the
 * card is pulled before, it stays as it was.
 */
export class VirtualCard implements CardTransport {
  /** What goes wrong: to be changed at any time. */
  readonly faults: CardFaults;
  readonly #store: CardStore;
  readonly #processor: CardProcessor;
  readonly #clock: Clock;
  readonly #whileOpen: VirtualCardOptions['whileOpen'];
  readonly #listeners = new Set<(state: 'present' | 'absent') => void>();
  /** What waits for the card, to be told that it waits in vain. */
  readonly #waiting = new Set<(error: CardTransportError) => void>();
  #endOpen: (() => void) | undefined;
  #present = true;
  #powered = true;
  /** It does not answer until the next reset. */
  #mute = false;
  /** Counts resets and losses of power: what was begun under another one is not carried out any more. */
  #power = 0;
  #return: Timer | undefined;

  /** @throws StateFileError what `memory` holds is no card, or another process has it */
  constructor(options: VirtualCardOptions) {
    this.#clock = options.clock ?? systemClock;
    const { serial, initialProfile, kind } = options;
    this.#store = new CardStore(options.memory ?? volatileCardMemory(), () =>
      newCardContents(serial, initialProfile ?? 0, kind),
    );
    this.faults = new CardFaults(() => this.#followPresence());
    this.#processor = new CardProcessor({
      store: this.#store,
      faults: this.faults,
      clock: this.#clock,
      switchLatency: options.switchLatency ?? 0,
    });
    for (const application of options.applications ?? []) this.install(application);
    this.#whileOpen = options.whileOpen;
    this.#endOpen = this.#whileOpen?.(this.faults);
  }

  get serial(): number {
    return this.#store.contents.serial;
  }

  get kind(): CardKind {
    return this.#store.contents.kind;
  }

  get eid(): string {
    return this.#store.contents.eid;
  }

  get profiles(): readonly CardProfile[] {
    return this.#store.contents.profiles;
  }

  /** The enabled profile, for tests and displays: the modem asks by APDU. */
  get enabledProfile(): CardProfile | undefined {
    return this.#store.enabled;
  }

  /** All that the card keeps, its secrets included: for tests and for tools that own the card. */
  get contents(): CardContents {
    return this.#store.contents;
  }

  /** Puts an application on the card, for as long as this object lasts; what it keeps is in the card's memory. */
  install(application: CardApplication): void {
    this.#processor.install(application);
  }

  /** Tells when the card is pulled or put back; returns what ends that. */
  subscribe(listener: (state: 'present' | 'absent') => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async connect(): Promise<Uint8Array> {
    if (this.#endOpen === undefined && this.#whileOpen !== undefined) {
      this.#store.open();
      this.#endOpen = this.#whileOpen(this.faults);
    }
    return this.reset();
  }

  async reset(): Promise<Uint8Array> {
    if (!this.#present) throw absent();
    this.#interrupt(new CardTransportError('the card was reset during a command'));
    this.#power++;
    try {
      this.#processor.reset();
    } catch (error) {
      if (error instanceof StateFileError) throw new CardTransportError(error.message, { cause: error });
      throw error;
    }
    this.#powered = true;
    this.#mute = false;
    return atr;
  }

  async close(): Promise<void> {
    if (this.#mute) this.#interrupt(new CardTransportError('the way to the card was closed'));
    this.#endOpen?.();
    this.#endOpen = undefined;
    this.#store.close();
  }

  async transmit(bytes: Uint8Array): Promise<Uint8Array> {
    if (!this.#present) throw absent();
    if (!this.#powered)
      throw new CardTransportError('the card was put back, and is without power until it is reset');
    const command = decode(bytes);
    const fault = command === undefined ? undefined : this.faults.take(targetsOf(command));
    if (this.#mute) return this.#unlessInterrupted(never);
    if (fault !== undefined) return this.#unlessInterrupted(() => this.#answerWithFault(fault, command));
    const answer = this.#answer(command);
    return answer instanceof Promise ? this.#unlessInterrupted(() => answer) : answer;
  }

  #answer(command: CommandApdu | undefined): Uint8Array | Promise<Uint8Array> {
    if (command === undefined) return statusWord(StatusWord.WRONG_LENGTH);
    try {
      const answer = this.#processor.answer(command);
      return answer instanceof Promise
        ? answer.then(encodeResponse).catch(memoryProblem)
        : encodeResponse(answer);
    } catch (error) {
      return memoryProblem(error);
    }
  }

  async #answerWithFault(fault: CardFault, command: CommandApdu | undefined): Promise<Uint8Array> {
    switch (fault.kind) {
      case 'slow': {
        const power = this.#power;
        await new Promise<void>((resolve) => this.#clock.setTimer(fault.delay ?? slowDelay, resolve));
        return power === this.#power ? this.#answer(command) : never();
      }
      case 'mute':
        this.#mute = true;
        if (fault.when === 'after') await this.#answer(command);
        return never();
      case 'removed':
        if (fault.when === 'after') await this.#answer(command);
        this.faults.set({ kind: 'absent', ...(fault.delay === undefined ? {} : { delay: fault.delay }) });
        return never();
      case 'wrong-length':
        return statusWord(StatusWord.WRONG_LENGTH);
      case 'technical':
        return statusWord(technicalProblem);
      case 'truncated': {
        const whole = await this.#answer(command);
        return whole.length > 2
          ? Uint8Array.of(...whole.subarray(0, -3), ...whole.subarray(-2))
          : whole.slice(0, 1);
      }
      case 'garbage':
        return Uint8Array.from({ length: Math.floor(this.faults.chance() * 40) }, () =>
          Math.floor(this.faults.chance() * 256),
        );
      default:
        return this.#answer(command);
    }
  }

  /** Waits for what `answering` begins, unless the card is reset, pulled or closed meanwhile. */
  #unlessInterrupted(answering: () => Promise<Uint8Array>): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      answering()
        .then(resolve, reject)
        .finally(() => this.#waiting.delete(reject));
    });
  }

  #interrupt(error: CardTransportError): void {
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  #followPresence(): void {
    const fault = this.faults.get('absent');
    const present = fault === undefined;
    if (present === this.#present) return;
    this.#present = present;
    this.#return?.cancel();
    if (!present) {
      this.#powered = false;
      this.#mute = false;
      this.#power++;
      this.#processor.losePower();
      this.#interrupt(new CardAbsentError('the card was pulled out during a command'));
      if (fault.delay !== undefined) {
        this.#return = this.#clock.setTimer(fault.delay, () => this.faults.clear('absent'));
      }
    }
    for (const listener of this.#listeners) listener(present ? 'present' : 'absent');
  }
}

/** The file does not take what the card is to keep: the card is as it was, and says that its memory has a problem. */
function memoryProblem(error: unknown): Uint8Array {
  if (error instanceof StateFileError) return statusWord(CardStatus.MEMORY_PROBLEM);
  throw error;
}

function absent(): CardAbsentError {
  return new CardAbsentError('there is no card in the slot');
}

function never(): Promise<Uint8Array> {
  return new Promise(() => {});
}

function decode(bytes: Uint8Array): CommandApdu | undefined {
  try {
    return decodeCommand(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

const toolkitInstructions: readonly number[] = [
  Ins.TERMINAL_PROFILE,
  Ins.FETCH,
  Ins.TERMINAL_RESPONSE,
  Ins.STATUS,
  0xc2,
];

/** A change of the enabled profile begins with BF31 or BF32 in its first segment (GSMA SGP.22 §5.7.16, §5.7.17). */
function targetsOf({ ins, data }: CommandApdu): readonly FaultTarget[] {
  if (ins === Ins.STORE_DATA && data?.[0] === 0xbf && (data[1] === 0x31 || data[1] === 0x32)) {
    return ['any', 'switch'];
  }
  if (ins === FileIns.READ_BINARY || ins === FileIns.READ_RECORD) return ['any', 'read'];
  return toolkitInstructions.includes(ins) ? ['any', 'toolkit'] : ['any'];
}

function statusWord(sw: number): Uint8Array {
  return Uint8Array.of(sw >> 8, sw & 0xff);
}
