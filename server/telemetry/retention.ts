import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { Stores } from '../ports/stores.ts';

/** How often what is too old goes, ms. */
const INTERVAL = 10 * 60_000;
/** Commands that one step removes: appends have their turn between two. */
const COMMANDS_AT_ONCE = 500;
/** Events that are kept. */
const MAX_EVENTS = 1_000_000;
/** A step of the civil time against the monotonic one after which nothing goes until a sweep confirms it, ms. */
const MAX_STEP = 3_600_000;

export interface RetentionBounds {
  /** Of readings, ms. */
  readonly maxAge: number;
  /** Of readings in the log, in history, and of their roll-ups, bytes each. */
  readonly maxBytes: number;
  /** Of roll-ups, ms. */
  readonly rollUpsMaxAge: number;
  /** Of commands that have ended, ms. */
  readonly commandsMaxAge: number;
  readonly commandsMaxCount: number;
  /** Of jobs that have ended, ms. */
  readonly jobsMaxAge: number;
  readonly jobsMaxCount: number;
  /** Of the audit log, ms. */
  readonly auditMaxAge: number;
  readonly auditMaxCount: number;
}

/** Bounds log, history, events, the audit log, and commands and jobs that have ended, by age and size. */
export class Retention {
  readonly #stores: Pick<Stores, 'log' | 'history' | 'events' | 'commands' | 'jobs' | 'audit'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #bounds: RetentionBounds;
  readonly #level: (() => Promise<void>) | undefined;
  /** Civil less monotonic time at the last sweep: it changes only where the system's clock is set. ms. */
  #offset: number;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  /**
   * `level` resolves when the log's readers have read all that is in it now; where it rejects, the log stays
   * as it is.
   */
  constructor(
    stores: Pick<Stores, 'log' | 'history' | 'events' | 'commands' | 'jobs' | 'audit'>,
    clock: Clock,
    logger: Logger,
    bounds: RetentionBounds,
    level?: () => Promise<void>,
  ) {
    this.#stores = stores;
    this.#clock = clock;
    this.#logger = logger;
    this.#bounds = bounds;
    this.#level = level;
    this.#offset = clock.wallTime() - clock.now();
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

  /** Removes what is beyond the bounds; nothing where the clock was stepped since the last time. */
  async sweep(): Promise<void> {
    const now = this.#clock.wallTime();
    const offset = now - this.#clock.now();
    const step = offset - this.#offset;
    this.#offset = offset;
    if (Math.abs(step) > MAX_STEP) {
      this.#logger.warn({ step }, 'the clock was stepped; nothing is removed unless it stays so');
      return;
    }
    const { maxAge, maxBytes, rollUpsMaxAge } = this.#bounds;
    const removed = (await this.#isRead()) ? await this.#stores.log.trim({ now, maxAge, maxBytes }) : 0;
    await this.#stores.history.trim({
      readingsBefore: (now - maxAge) * 1000,
      rollUpsBefore: (now - rollUpsMaxAge) * 1000,
      maxBytes,
    });
    await this.#stores.events.trim(MAX_EVENTS);
    await this.#trimCommands(now);
    const { jobsMaxAge, jobsMaxCount } = this.#bounds;
    await this.#stores.jobs.trim({ endedBefore: now - jobsMaxAge, keep: jobsMaxCount });
    const { auditMaxAge, auditMaxCount } = this.#bounds;
    await this.#stores.audit.trim({ before: now - auditMaxAge, keep: auditMaxCount });
    if (removed > 0) this.#logger.info({ removed }, 'old readings removed');
  }

  async #trimCommands(now: number): Promise<void> {
    const { commandsMaxAge, commandsMaxCount } = this.#bounds;
    const bounds = {
      endedBefore: now - commandsMaxAge,
      keep: commandsMaxCount,
      limit: COMMANDS_AT_ONCE,
    };
    while (!this.#closed && (await this.#stores.commands.trim(bounds)) === COMMANDS_AT_ONCE);
  }

  /** False where the log holds what its readers could not read yet. */
  async #isRead(): Promise<boolean> {
    try {
      await this.#level?.();
      return true;
    } catch (error) {
      this.#logger.warn({ error }, 'the log is not cut: what is in it has not been read yet');
      return false;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }
}
