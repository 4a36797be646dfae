import type { Logger } from 'pino';
import type { EventType } from '../events.ts';
import type { EventLog, StoredEvent } from '../ports/event-log.ts';
import type { LiveHub } from './hub.ts';

/** Events that wait for the store: beyond it the oldest are given up, counted and logged. */
const MAX_WAITING = 20_000;
/** Events in one append. */
const BATCH = 1_000;

type NewEvent = Omit<StoredEvent, 'id'>;

/** Writes events to their log, in order and in batches, and then tells those who listen. */
export class EventPublisher {
  readonly #events: EventLog;
  readonly #hub: LiveHub;
  readonly #log: Logger;
  #waiting: NewEvent[] = [];
  #draining: Promise<void> | undefined;
  /** Given up since the start, because the store did not take them. */
  lost = 0;

  constructor(events: EventLog, hub: LiveHub, log: Logger) {
    this.#events = events;
    this.#hub = hub;
    this.#log = log;
  }

  /** `at` in ms since the epoch; the fraction is dropped. */
  publish(type: EventType, endpoint: string | undefined, time: number, data: NewEvent['data']): void {
    const at = Math.floor(time);
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.shift();
      this.lost++;
    }
    this.#waiting.push(endpoint === undefined ? { type, at, data } : { type, endpoint, at, data });
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
    });
  }

  /** Resolves when what was published is in the log, or given up. */
  async flush(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining;
  }

  async #drain(): Promise<void> {
    // Others of this turn join the batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      this.#waiting = this.#waiting.slice(batch.length);
      try {
        const ids = await this.#events.append(batch);
        ids.forEach((id, index) => {
          const event = batch[index];
          if (event !== undefined) this.#hub.publishEvent({ ...event, id });
        });
      } catch (error) {
        this.lost += batch.length;
        this.#log.error({ error, events: batch.length }, 'events were not stored');
      }
    }
  }
}
