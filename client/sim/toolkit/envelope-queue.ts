import type { Clock, Timer } from '../../../protocol/clock.ts';
import { describeStatusWord, Ins, isOk, StatusWord } from '../apdu.ts';
import type { CardSession } from '../card-session.ts';
import { type Envelope, encodeEnvelope } from './envelope.ts';

/** Envelopes that found the toolkit busy are sent again after this, ms. */
const busyRetry = 1_000;

export interface EnvelopeQueueOptions {
  readonly session: CardSession;
  readonly clock: Clock;
  /** Work that nobody waits for: has it done, at the card, as a piece of its own. */
  readonly later: (work: () => Promise<void>) => void;
  /** For people. */
  readonly onLog: (message: string) => void;
}

/**
 * What the card is to be told by ENVELOPE. Each is made when it is its turn, and of those about the same thing the
 * newest stands for all: so there are never more than there are channels and timers.
 */
export class EnvelopeQueue {
  readonly #options: EnvelopeQueueOptions;
  readonly #waiting = new Map<string, () => Envelope | undefined>();
  #retry: Timer | undefined;

  constructor(options: EnvelopeQueueOptions) {
    this.#options = options;
  }

  /** `envelope`: undefined where there is nothing to tell any more. */
  add(about: string, envelope: () => Envelope | undefined): void {
    this.#waiting.set(about, envelope);
    this.#options.later(() => this.send());
  }

  clear(): void {
    this.#waiting.clear();
    this.#retry?.cancel();
  }

  /** One after the other; when the toolkit is busy (9300), they wait. @throws CardTransportError, DecodeError */
  async send(): Promise<void> {
    const { session, onLog } = this.#options;
    for (const [about, make] of [...this.#waiting]) {
      // It was told meanwhile, or the card was reset.
      if (this.#waiting.get(about) !== make) continue;
      this.#waiting.delete(about);
      const envelope = make();
      if (envelope === undefined) continue;
      const data = encodeEnvelope(envelope);
      const { sw } = await session.send({ cla: 0x80, ins: Ins.ENVELOPE, p1: 0, p2: 0, data });
      if (sw === StatusWord.TOOLKIT_BUSY) {
        this.#again(about, make);
        return;
      }
      if (!isOk(sw)) onLog(`the card does not take an envelope (${about}): ${describeStatusWord(sw)}`);
    }
  }

  #again(about: string, make: () => Envelope | undefined): void {
    const { clock, later } = this.#options;
    if (!this.#waiting.has(about)) this.#waiting.set(about, make);
    this.#retry?.cancel();
    this.#retry = clock.setTimer(busyRetry, () => later(() => this.send()));
  }
}
