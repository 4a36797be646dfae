import type { LiveEntry, LivePosition } from '../events.ts';
import type { Batch, Subscriber } from './subscriber.ts';
import type { Wishes } from './wishes.ts';

/** Subscribers with equal wishes: what is published for them is collected, and made ready, once. */
export class Group {
  readonly wishes: Wishes;
  readonly members = new Set<Subscriber>();
  /** Members that are live: for the others nothing is collected. */
  live = 0;
  /** Traces that were not collected, for nobody was live. */
  passedBy = 0;
  /** Batches that are cut and not yet handed to all. */
  underWay = 0;
  #entries: LiveEntry[] = [];
  #firstEvent = Number.POSITIVE_INFINITY;
  #firstPack = Number.POSITIVE_INFINITY;

  constructor(wishes: Wishes) {
    this.wishes = wishes;
  }

  get isDelivered(): boolean {
    return this.#entries.length === 0 && this.underWay === 0;
  }

  /** True when it is the first since the last cut. */
  collect(entry: LiveEntry): boolean {
    const { item } = entry;
    if (item.kind === 'event') this.#firstEvent = Math.min(this.#firstEvent, item.event.id);
    else if (item.kind === 'readings') this.#firstPack = Math.min(this.#firstPack, item.readings.position);
    return this.#entries.push(entry) === 1;
  }

  /** What was collected. @param end where one stands who has it */
  cut(end: LivePosition): Batch {
    const batch = {
      entries: this.#entries,
      firstEvent: this.#firstEvent,
      firstPack: this.#firstPack,
      end,
    };
    this.#entries = [];
    this.#firstEvent = Number.POSITIVE_INFINITY;
    this.#firstPack = Number.POSITIVE_INFINITY;
    return batch;
  }
}
