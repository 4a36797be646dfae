import { foreignCursor } from '../ports/cursor.ts';
import type { HistoryReading } from '../ports/history.ts';
import { longestSpan } from './reading-body.ts';

/** In the order of a series: takenAt, position of the log entry, part of it, index in the part. */
export type Place = readonly [takenAt: number, position: number, part: number, index: number];

export interface FoundReading {
  readonly place: Place;
  readonly takenAt: number;
  readonly receivedAt: number;
  readonly value: HistoryReading['value'];
  readonly claimedAt: number | undefined;
}

export function isBefore(a: Place, b: Place): boolean {
  return comparePlaces(a, b) < 0;
}

function comparePlaces(a: Place, b: Place): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];
}

/** @throws RequestError */
export function decodePlace(text: string): Place {
  const place = text.split(' ').map(Number);
  if (place.length !== 4 || !place.every(Number.isFinite)) {
    throw foreignCursor();
  }
  return place as unknown as Place;
}

/** The newest or the oldest so many of what is added. */
export class Found {
  readonly #newest: boolean;
  readonly #limit: number;
  readonly #items: FoundReading[] = [];
  /** When the last of as many as are wanted was taken: nothing beyond it is wanted. */
  #edge: number;

  constructor(newest: boolean, limit: number) {
    this.#newest = newest;
    this.#limit = limit;
    this.#edge = newest ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }

  /** Whether no chunk that is walked to later can have a reading that is wanted. */
  isPast(last: number): boolean {
    // They are walked by where they end, and none is longer than longestSpan.
    return this.#newest ? last < this.#edge : last - longestSpan > this.#edge;
  }

  /** Whether a reading of this stretch may be wanted. */
  wants(first: number, last: number): boolean {
    return this.#newest ? last >= this.#edge : first <= this.#edge;
  }

  add(reading: FoundReading): void {
    this.#items.push(reading);
    const isFirstTime = !Number.isFinite(this.#edge) && this.#items.length >= this.#limit;
    if (isFirstTime || this.#items.length >= this.#limit * 2) this.#cut();
  }

  /** Oldest first; `more` where there were more than these. */
  take(limit: number): { readonly items: readonly FoundReading[]; readonly more: boolean } {
    this.#cut();
    const more = this.#items.length > limit;
    const items = this.#items.slice(0, limit);
    return { items: this.#newest ? items.reverse() : items, more };
  }

  #cut(): void {
    const sign = this.#newest ? -1 : 1;
    this.#items.sort((a, b) => sign * comparePlaces(a.place, b.place));
    if (this.#items.length > this.#limit) this.#items.length = this.#limit;
    if (this.#items.length === this.#limit) this.#edge = this.#items.at(-1)?.takenAt as number;
  }
}
