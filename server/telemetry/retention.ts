import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { Stores } from '../ports/stores.ts';

/** How often what is too old goes, ms. */
const INTERVAL = 10 * 60_000;
/** Events that are kept. */
const MAX_EVENTS = 1_000_000;

/** Bounds log, history and events by age and size. */
export class Retention {
  readonly #stores: Pick<Stores, 'log' | 'history' | 'events'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** ms */
  readonly #maxAge: number;
  readonly #maxBytes: number;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(
    stores: Pick<Stores, 'log' | 'history' | 'events'>,
    clock: Clock,
    logger: Logger,
    bounds: { readonly maxAge: number; readonly maxBytes: number },
  ) {
    this.#stores = stores;
    this.#clock = clock;
    this.#logger = logger;
    this.#maxAge = bounds.maxAge;
    this.#maxBytes = bounds.maxBytes;
  }

  start(): void {
    if (this.#closed) return;
    this.#timer = this.#clock.setTimer(INTERVAL, () => {
      this.#running = this.sweep()
        .catch((error: unknown) =>
          this.#logger.warn({ error }, 'old readings were not removed; tried again later'),
        )
        .finally(() => {
          this.#running = undefined;
          this.start();
        });
    });
  }

  async sweep(): Promise<void> {
    const now = this.#clock.wallTime();
    const removed = await this.#stores.log.trim({ now, maxAge: this.#maxAge, maxBytes: this.#maxBytes });
    await this.#stores.history.trim((now - this.#maxAge) * 1000);
    await this.#stores.events.trim(MAX_EVENTS);
    if (removed > 0) this.#logger.info({ removed }, 'old readings removed');
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }
}
