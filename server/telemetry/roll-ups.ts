import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { History } from '../ports/history.ts';

/** How often what has ended is rolled up, ms. */
const INTERVAL = 60_000;
/** How long a step is left alone after its end, ms: most late readings are there by then, and it is done once. */
const SETTLING = 120_000;

/** Has history roll up what has settled. A step that gets readings later is rolled up again. */
export class RollUps {
  readonly #history: Pick<History, 'rollUp'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(history: Pick<History, 'rollUp'>, clock: Clock, logger: Logger) {
    this.#history = history;
    this.#clock = clock;
    this.#logger = logger;
  }

  start(): void {
    if (this.#closed) return;
    this.#timer = this.#clock.setTimer(INTERVAL, () => {
      this.#running = this.#history
        .rollUp((this.#clock.wallTime() - SETTLING) * 1000)
        .catch((error: unknown) =>
          this.#logger.warn({ error }, 'readings were not rolled up; tried again later'),
        )
        .finally(() => {
          this.#running = undefined;
          this.start();
        });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }
}
