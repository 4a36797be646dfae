import type { Clock, Timer } from '../../clock.ts';

/** ms, RFC 6347 §4.2.4.1. */
const FIRST_TIMEOUT = 1_000;
const LONGEST_TIMEOUT = 60_000;

/** Says when a flight is to be sent again: after a second, and after twice as long each time, up to a minute. */
export class Retransmission {
  readonly #clock: Clock;
  readonly #due: () => void;
  #timer: Timer | undefined;
  #interval = FIRST_TIMEOUT;

  constructor(clock: Clock, due: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** A new flight was sent. */
  start(): void {
    this.#interval = FIRST_TIMEOUT;
    this.#arm();
  }

  /** The flight was sent again. */
  again(): void {
    this.#interval = Math.min(2 * this.#interval, LONGEST_TIMEOUT);
    this.#arm();
  }

  /** Asks once more at the latest in so many ms. */
  within(delay: number): void {
    this.#interval = Math.min(this.#interval, delay);
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(this.#interval, this.#due);
  }
}
