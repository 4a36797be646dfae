import type { HistorySummary } from '../ports/history.ts';

/** The steps whose roll-ups are stored, µs: a quarter of an hour, and its minutes while their readings are kept. */
export const quarter = 900_000_000;
export const minute = 60_000_000;

/** The quarter that a time is in, by its beginning. */
export function quarterOf(time: number): number {
  return Math.floor(time / quarter) * quarter;
}

/** What the readings of one step come to, while they are gone through in any order. */
export class Summary {
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  mean = 0;
  last = 0;
  lastAt = Number.NEGATIVE_INFINITY;
  /** Of the log entry that `last` is from: the later one wins where two were taken at the same time. */
  lastPosition = -1;

  add(takenAt: number, value: number, position: number): void {
    this.count += 1;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.mean = towards(this.mean, value, 1 / this.count);
    this.#take(takenAt, value, position);
  }

  /** `other` is of other readings. */
  merge(other: Readonly<Pick<Summary, 'count' | 'min' | 'max' | 'mean' | 'last' | 'lastAt'>>, position = 0) {
    if (other.count === 0) return;
    this.count += other.count;
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
    this.mean = towards(this.mean, other.mean, other.count / this.count);
    this.#take(other.lastAt, other.last, position);
  }

  present(at: number): HistorySummary {
    const { count, min, max, mean, last } = this;
    return { at, count, min, max, mean, last };
  }

  #take(takenAt: number, value: number, position: number): void {
    if (takenAt < this.lastAt || (takenAt === this.lastAt && position < this.lastPosition)) return;
    this.last = value;
    this.lastAt = takenAt;
    this.lastPosition = position;
  }
}

/** The mean moved by this share of its way to a value: exact where both are equal, and never beyond either. */
function towards(mean: number, value: number, share: number): number {
  const way = value - mean;
  // Two numbers at the two ends of what a float64 holds are further apart than any.
  const moved = Number.isFinite(way) ? mean + way * share : mean * (1 - share) + value * share;
  return share === 1 ? value : moved;
}

/** A value's place in a chart; undefined for what has none. */
export function charted(value: number | string | boolean): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  return typeof value === 'boolean' ? Number(value) : undefined;
}

/** Summaries by where their steps begin. */
export class Summaries {
  readonly step: number;
  readonly #byStart = new Map<number, Summary>();
  #start = Number.NaN;
  #current: Summary | undefined;

  constructor(step: number) {
    this.step = step;
  }

  add(takenAt: number, value: number, position: number): void {
    this.#at(takenAt).add(takenAt, value, position);
  }

  merge(start: number, other: Parameters<Summary['merge']>[0]): void {
    this.#at(start).merge(other);
  }

  /** Oldest first. */
  entries(): readonly (readonly [start: number, summary: Summary])[] {
    return [...this.#byStart].sort(([a], [b]) => a - b);
  }

  #at(time: number): Summary {
    const start = Math.floor(time / this.step) * this.step;
    if (this.#current !== undefined && start === this.#start) return this.#current;
    let summary = this.#byStart.get(start);
    if (summary === undefined) {
      summary = new Summary();
      this.#byStart.set(start, summary);
    }
    this.#start = start;
    this.#current = summary;
    return summary;
  }
}

/** Of each minute: its number in the quarter (u8), count (u32), min, max, mean, last, lastAt (float64). Little-endian. */
const minuteSize = 45;

/** The minutes of one quarter. */
export function encodeMinutes(start: number, minutes: Summaries): Uint8Array {
  const entries = minutes.entries();
  const bytes = new Uint8Array(entries.length * minuteSize);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [time, { count, min, max, mean, last, lastAt }] of entries) {
    view.setUint8(at, (time - start) / minute);
    view.setUint32(at + 1, count, true);
    for (const [index, value] of [min, max, mean, last, lastAt].entries()) {
      view.setFloat64(at + 5 + index * 8, value, true);
    }
    at += minuteSize;
  }
  return bytes;
}

export function decodeMinutes(
  start: number,
  bytes: Uint8Array,
  visit: (start: number, summary: Parameters<Summary['merge']>[0]) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += minuteSize) {
    visit(start + view.getUint8(at) * minute, {
      count: view.getUint32(at + 1, true),
      min: view.getFloat64(at + 5, true),
      max: view.getFloat64(at + 13, true),
      mean: view.getFloat64(at + 21, true),
      last: view.getFloat64(at + 29, true),
      lastAt: view.getFloat64(at + 37, true),
    });
  }
}
