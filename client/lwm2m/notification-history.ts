import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';

/** The most values that wait for one server, whatever it asks for. */
const mostRecords = 10_000;

/** How many values wait in all the histories that share it. */
export interface HistoryBudget {
  used: number;
}

interface Entry {
  readonly record: LwM2mRecord;
  /** Which notification it would have been in. */
  readonly order: number;
}

/**
 * Values of one observation that were to be told and could not be: while the client is offline or disabled, and
 * while a notification is under way (OMA-TS-LightweightM2M_Core-V1_2 §5.1.2, hqmax). Of each path the newest,
 * as many as it may have.
 */
export class NotificationHistory {
  readonly #budget: HistoryBudget;
  readonly #paths = new Map<string, Entry[]>();
  #length = 0;
  #order = 0;

  constructor(budget: HistoryBudget = { used: 0 }) {
    this.#budget = budget;
  }

  /** Values that wait. */
  get length(): number {
    return this.#length;
  }

  /** Keeps the values of one moment. `most` is how many of a path are kept; 0 or undefined: none. */
  add(records: readonly LwM2mRecord[], most: (path: string) => number | undefined): void {
    this.#order++;
    for (const record of records) this.#push({ record, order: this.#order }, most(record.path) ?? 0);
  }

  /** Takes the oldest out, at most so many: moment by moment, each whole where it fits. */
  take(most: number): LwM2mRecord[] {
    const taken: LwM2mRecord[] = [];
    while (this.#length > 0 && taken.length < most) taken.push(...this.takeMoment());
    return taken;
  }

  /** Takes out what belongs to the oldest notification. */
  takeMoment(): LwM2mRecord[] {
    let oldest = Number.POSITIVE_INFINITY;
    for (const [first] of this.#paths.values()) oldest = Math.min(oldest, first?.order ?? oldest);
    const taken: LwM2mRecord[] = [];
    for (const [path, entries] of this.#paths) {
      if (entries[0]?.order !== oldest) continue;
      taken.push((entries.shift() as Entry).record);
      if (entries.length === 0) this.#paths.delete(path);
    }
    this.#count(-taken.length);
    return taken;
  }

  /** What was taken out of these was not delivered: it stands before what came since. */
  restore(records: readonly LwM2mRecord[], most: (path: string) => number | undefined): void {
    const newer = [...this.#paths.values()].flat().sort((a, b) => a.order - b.order);
    this.clear();
    let order = -records.length;
    let time: number | undefined;
    for (const record of records) {
      if (record.time !== time) order++;
      time = record.time;
      this.#push({ record, order }, most(record.path) ?? 0);
    }
    for (const entry of newer) this.#push(entry, most(entry.record.path) ?? 0);
  }

  clear(): void {
    this.#paths.clear();
    this.#count(-this.#length);
  }

  #count(change: number): void {
    this.#length += change;
    this.#budget.used += change;
  }

  #push(entry: Entry, most: number): void {
    if (most <= 0) return;
    const { path } = entry.record;
    const entries = this.#paths.get(path) ?? [];
    while (entries.length > 0 && (entries.length >= most || this.#budget.used >= mostRecords)) {
      entries.shift();
      this.#count(-1);
    }
    if (this.#budget.used >= mostRecords) {
      this.#paths.delete(path);
      return;
    }
    entries.push(entry);
    this.#count(1);
    this.#paths.set(path, entries);
  }
}
