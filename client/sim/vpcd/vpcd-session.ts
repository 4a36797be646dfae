import type { Socket } from 'node:net';
import type { Clock } from '../../../protocol/clock.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { CardAbsentError, type CardTransport, CardTransportError } from '../card-transport.ts';
import { Control, encodeFrame, FrameReader } from './frames.ts';
import { ShortResponses } from './short-responses.ts';

/** vpcd asks one thing at a time; a peer that has so many unanswered is no vpcd. */
const longestQueue = 16;
/**
 * A real reader gives up a card that does not answer, and tells; vpcd and pcscd wait for ever, and take no reset
 * meanwhile. After this the card is taken out, ms: longer than a modem waits, which then says so itself.
 */
const answerTime = 15_000;

/** Why a session is over. */
export type SessionEnd =
  /** pcscd ended, or the connection broke. */
  | 'closed'
  /** The card was taken out of its slot. */
  | 'absent'
  /** The card gave no ATR, or the peer does not speak vpcd's protocol. */
  | 'failed';

export interface SessionEvents {
  /** pcscd has looked for the card for the first time. */
  readonly onSeen: () => void;
  readonly onEnd: (end: SessionEnd, reason: string) => void;
  /** A bug. */
  readonly onFault: (error: unknown) => void;
}

/** One connection to vpcd: answers for the card until either goes away. */
export class VpcdSession {
  readonly #socket: Socket;
  readonly #card: CardTransport;
  readonly #short = new ShortResponses();
  readonly #clock: Clock;
  readonly #events: SessionEvents;
  #work: Promise<void>;
  #queued = 0;
  #atr: Uint8Array = new Uint8Array(0);
  /** The high byte of the next response's length is out already. */
  #begun = false;
  #seen = false;
  #ended = false;

  /** @param socket connected to vpcd. The card is powered up at once. */
  constructor(socket: Socket, card: CardTransport, clock: Clock, events: SessionEvents) {
    this.#socket = socket;
    this.#card = card;
    this.#clock = clock;
    this.#events = events;
    socket.setNoDelay(true);
    const frames = new FrameReader({
      onHeader: (length) => this.#begin(length),
      onFrame: (body) => this.#take(body),
    });
    this.#work = this.#guarded(() => this.#powerUp());
    socket.on('data', (bytes) => {
      try {
        if (!this.#ended) frames.push(bytes);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        this.end('failed', error.message);
      }
    });
    socket.on('error', (error) => this.end('closed', error.message));
    socket.on('close', () => this.end('closed', 'vpcd closed the connection'));
  }

  /** Closes the connection: to pcscd the card is out. Idempotent. */
  end(end: SessionEnd, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    // pcscd dies of a length that is cut short: what was begun is ended, by an answer of nothing.
    if (this.#begun) this.#socket.write(Uint8Array.of(0));
    this.#socket.end();
    this.#socket.destroySoon();
    this.#events.onEnd(end, reason);
  }

  /**
   * vpcd 3.3 sends length and body by two calls, and Nagle's algorithm holds the body back until the length is
   * acknowledged, which TCP delays by 40 ms. The first byte of our answer is known (responses are short, so it
   * is 0): sent now, it carries the acknowledgement. Control messages are left out, for most get no answer.
   */
  #begin(length: number): void {
    if (length <= 1 || this.#queued > 0) return;
    this.#begun = true;
    this.#socket.write(Uint8Array.of(0));
  }

  #take(body: Uint8Array): void {
    if (++this.#queued > longestQueue) {
      this.end('failed', `${longestQueue} messages of vpcd wait: it does not take turns`);
      return;
    }
    this.#work = this.#work.then(async () => {
      if (!this.#ended)
        await this.#guarded(() => (body.length === 1 ? this.#control(body[0]) : this.#apdu(body)));
      this.#queued--;
    });
  }

  async #control(code: number | undefined): Promise<void> {
    if (code === Control.POWER_ON) await this.#powerUp();
    else if (code === Control.RESET) this.#powered(await this.#card.reset());
    else if (code === Control.GET_ATR) {
      this.#answer(this.#atr);
      if (!this.#seen) this.#events.onSeen();
      this.#seen = true;
    }
  }

  async #powerUp(): Promise<void> {
    this.#powered(await this.#card.connect());
  }

  #powered(atr: Uint8Array): void {
    this.#atr = atr;
    this.#short.forget();
  }

  async #apdu(command: Uint8Array): Promise<void> {
    const kept = this.#short.answer(command);
    if (kept !== undefined) {
      this.#answer(kept);
      return;
    }
    const timer = this.#clock.setTimer(answerTime, () =>
      this.end('failed', `the card did not answer within ${answerTime / 1_000} s`),
    );
    try {
      this.#answer(this.#short.shorten(await this.#card.transmit(command)));
    } finally {
      timer.cancel();
    }
  }

  #answer(body: Uint8Array): void {
    if (this.#ended) return;
    // vpcd 3.3 waits for the body of a frame of nothing until the next frame, which never comes.
    if (body.length === 0) {
      this.end('failed', 'the card answered nothing');
      return;
    }
    const frame = encodeFrame(body);
    this.#socket.write(this.#begun ? frame.subarray(1) : frame);
    this.#begun = false;
  }

  /** What the card can do wrong ends the session; anything else is a bug. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof CardAbsentError) this.end('absent', error.message);
      else if (error instanceof CardTransportError) this.end('failed', error.message);
      else this.#events.onFault(error);
    }
  }
}
