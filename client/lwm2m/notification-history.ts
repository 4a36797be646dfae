import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';

/** The most that waits for one server, whatever it asks for: so many numbers, or texts and bytes of their weight. */
const mostWeight = 10_000;
/** Bytes, or characters, that weigh as much as a number. */
const bytesPerWeight = 64;

/** The weight of the values that wait in all the histories that share it. */
export interface HistoryBudget {
  used: number;
}

function weightOf({ value }: LwM2mRecord): number {
  const isLong = typeof value === 'string' || value instanceof Uint8Array;
  return isLong ? 1 + Math.floor(value.length / bytesPerWeight) : 1;
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

  /** Takes the oldest out, moment by moment, until they weigh so much. */
  take(most: number): LwM2mRecord[] {
    const taken: LwM2mRecord[] = [];
    for (let weight = 0; this.#length > 0 && weight < most; ) {
      const moment = this.takeMoment();
      for (const record of moment) weight += weightOf(record);
      taken.push(...moment);
    }
    return taken;
  }

  /** Takes out what belongs to the oldest notification. */
  takeMoment(): LwM2mRecord[] {
    let oldest = Number.POSITIVE_INFINITY;
    for (const [first] of this.#paths.values()) oldest = Math.min(oldest, first?.order ?? oldest);
    const taken: LwM2mRecord[] = [];
    for (const [path, entries] of this.#paths) {
      if (entries[0]?.order !== oldest) continue;
      taken.push(this.#shift(entries));
      if (entries.length === 0) this.#paths.delete(path);
    }
    return taken;
  }

  /** What was taken out of these was not delivered: it stands before what came since. */
  restore(records: readonly LwM2mRecord[], most: (path: string) => number | undefined): void {
    const newer = [...this.#paths.values()].flat().sort((a, b) => a.order - b.order);
    this.clear();
    let order = Math.min(0, newer[0]?.order ?? 0) - records.length - 1;
    let time: number | undefined;
    for (const record of records) {
      if (record.time !== time) order++;
      time = record.time;
      this.#push({ record, order }, most(record.path) ?? 0);
    }
    for (const entry of newer) this.#push(entry, most(entry.record.path) ?? 0);
  }

  clear(): void {
    for (const { record } of [...this.#paths.values()].flat()) this.#budget.used -= weightOf(record);
    this.#paths.clear();
    this.#length = 0;
  }

  #shift(entries: Entry[]): LwM2mRecord {
    const { record } = entries.shift() as Entry;
    this.#length--;
    this.#budget.used -= weightOf(record);
    return record;
  }

  #push(entry: Entry, most: number): void {
    if (most <= 0) return;
    const { path } = entry.record;
    const weight = weightOf(entry.record);
    const entries = this.#paths.get(path) ?? [];
    const isFull = (): boolean => this.#budget.used + weight > mostWeight;
    while (entries.length > 0 && (entries.length >= most || isFull())) this.#shift(entries);
    if (isFull()) {
      this.#paths.delete(path);
      return;
    }
    entries.push(entry);
    this.#length++;
    this.#budget.used += weight;
    this.#paths.set(path, entries);
  }
}
