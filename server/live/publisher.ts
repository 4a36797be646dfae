import type { Logger } from 'pino';
import { type Clock, systemClock, type Timer } from '../../protocol/clock.ts';
import type { EventType } from '../events.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { EventLog, StoredEvent } from '../ports/event-log.ts';
import { isAwaited } from './awaited.ts';
import type { LiveHub } from './hub.ts';
import { isTrouble } from './trouble.ts';

/** Events that wait for the store: beyond it the oldest are given up, counted and logged. */
const MAX_WAITING = 20_000;
/** Events in one append. */
const BATCH = 1_000;
/**
 * Appends are at least so far apart, ms: what comes after a rest goes out at once, what comes close behind it goes with
 * others. Each append is a step of the store, and on disk a sync. What somebody waits for ends the rest.
 */
const SPACING = 20;
/** Wait before a batch that the store refused is given to it again, ms. */
const RETRY = 500;
/** How often a batch is given to a store that is not out, and refuses it: something is wrong with the batch. */
const MAX_REFUSALS = 5;
/** How long `flush` waits for the store, ms. */
const FLUSH_LIMIT = 5_000;

type NewEvent = Omit<StoredEvent, 'id'>;

/**
 * Writes events to their log, in order and in batches, and then tells those who listen. While the store is
 * out they wait.
 */
export class EventPublisher {
  readonly #events: EventLog;
  readonly #hub: Pick<LiveHub, 'publishEvent'>;
  readonly #log: Logger;
  readonly #clock: Clock;
  #waiting: NewEvent[] = [];
  /** What is with the store now, or was refused by it and is given to it again: older than all that waits. */
  #batch: readonly NewEvent[] = [];
  #draining: Promise<void> | undefined;
  /** Ends the rest between two appends. */
  #rested: (() => void) | undefined;
  /** How many wait until all is stored. */
  #flushing = 0;
  /** Somebody waits for one of those that wait. */
  #awaited = false;
  /** Ends the pause before the next try. */
  #wake: (() => void) | undefined;
  /** When the last append began, by the process's own clock: what is spaced is work, whatever time it is. */
  #appendedAt = Number.NEGATIVE_INFINITY;
  /** Lost since that was last logged. */
  #untold = 0;
  /** Since the start. */
  published = 0;
  /** Published since the start, by type. */
  readonly counts = new Map<string, number>();
  /** Given up since the start, because the store did not take them. */
  lost = 0;

  constructor(events: EventLog, hub: Pick<LiveHub, 'publishEvent'>, log: Logger, clock: Clock = systemClock) {
    this.#events = events;
    this.#hub = hub;
    this.#log = log;
    this.#clock = clock;
  }

  /** `at` in ms since the epoch; the fraction is dropped. */
  publish(type: EventType, endpoint: string | undefined, time: number, data: NewEvent['data']): void {
    const at = Math.floor(time);
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
    if (this.#waiting.length + this.#batch.length >= MAX_WAITING && this.#waiting.shift() !== undefined) {
      this.#lose(1);
    }
    this.published += 1;
    this.#waiting.push({
      type,
      ...(endpoint === undefined ? {} : { endpoint }),
      at,
      data,
      ...(isTrouble(type, data) ? { trouble: true } : {}),
    });
    if (isAwaited({ type, data })) {
      this.#awaited = true;
      this.#rested?.();
    }
    this.#draining ??= this.#drain();
  }

  /**
   * Resolves when what was published is in the log, or is given up: a store that does not take it within
   * five seconds is not waited for.
   */
  async flush(): Promise<void> {
    let limit: Timer | undefined;
    const expired = new Promise<void>((resolve) => {
      limit = this.#clock.setTimer(FLUSH_LIMIT, () => {
        this.#giveUp();
        resolve();
      });
    });
    this.#flushing += 1;
    this.#rested?.();
    while (this.#draining !== undefined) await Promise.race([this.#draining, expired]);
    this.#flushing -= 1;
    limit?.cancel();
  }

  async #drain(): Promise<void> {
    // Others of this turn join the batch.
    await Promise.resolve();
    let refusals = 0;
    let told = false;
    let awaited = false;
    while (this.#waiting.length > 0 || this.#batch.length > 0) {
      if (this.#batch.length === 0) {
        await this.#space();
        this.#batch = this.#waiting.splice(0, BATCH);
        awaited = this.#awaited || this.#flushing > 0;
        this.#awaited = false;
      }
      const batch = this.#batch;
      let ids: readonly number[];
      this.#appendedAt = performance.now();
      try {
        ids = await this.#events.append(batch, awaited);
      } catch (error) {
        // Given up meanwhile, and perhaps another has taken over.
        if (this.#batch !== batch) return;
        if (!told) this.#log.warn({ error }, 'events are not stored now; they wait');
        told = true;
        if (!(error instanceof StoreUnavailableError) && ++refusals >= MAX_REFUSALS) {
          this.#log.error({ error }, 'events are refused by the store, and given up');
          this.#lose(batch.length);
          this.#batch = [];
          refusals = 0;
        } else {
          await this.#pause();
          if (this.#batch !== batch) return;
        }
        continue;
      }
      const mine = this.#batch === batch;
      if (mine) this.#batch = [];
      refusals = 0;
      told = false;
      ids.forEach((id, index) => {
        const event = batch[index];
        if (event !== undefined) this.#hub.publishEvent({ ...event, id });
      });
      if (!mine) return;
    }
    this.#tellLost();
    // In the same turn as the last look: what is published from now on begins anew.
    this.#draining = undefined;
  }

  /** Until the next append may begin; at once where a whole batch waits, or somebody waits for what is in it. */
  async #space(): Promise<void> {
    const rest = this.#appendedAt + SPACING - performance.now();
    if (rest <= 0 || this.#flushing > 0 || this.#awaited || this.#waiting.length >= BATCH) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.ceil(rest));
      this.#rested = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#rested = undefined;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#wake = undefined;
        timer.cancel();
        resolve();
      };
      const timer = this.#clock.setTimer(RETRY, end);
      this.#wake = end;
    });
  }

  #lose(count: number): void {
    this.lost += count;
    this.#untold += count;
  }

  #giveUp(): void {
    this.#lose(this.#batch.length + this.#waiting.length);
    this.#batch = [];
    this.#waiting = [];
    this.#draining = undefined;
    this.#wake?.();
    this.#tellLost();
  }

  #tellLost(): void {
    if (this.#untold > 0) this.#log.error({ events: this.#untold }, 'events were not stored');
    this.#untold = 0;
  }
}
