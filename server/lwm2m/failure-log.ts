import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';

/** Lines of the same kind in one period; what is beyond is counted. */
const LINES = 20;
/** ms */
const PERIOD = 10_000;

/** Tells what is expected to fail now and then, without letting anybody fill the log with it. */
export class FailureLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #message: string;
  #since = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #untold = 0;

  constructor(log: Logger, clock: Clock, message: string) {
    this.#log = log;
    this.#clock = clock;
    this.#message = message;
  }

  tell(endpoint: string, error: unknown): void {
    const now = this.#clock.now();
    if (now - this.#since >= PERIOD) {
      const untold = this.#untold;
      this.#since = now;
      this.#lines = 0;
      this.#untold = 0;
      if (untold > 0) this.#log.info({ untold }, `${this.#message}: more devices than are named here`);
    }
    if (this.#lines >= LINES) {
      this.#untold++;
      return;
    }
    this.#lines++;
    this.#log.info({ endpoint, reason: String(error) }, this.#message);
  }
}
