import type { DatabaseSync } from 'node:sqlite';
import { RequestError } from '../../protocol/errors.ts';
import { decodeCursor, encodeCursor } from '../ports/cursor.ts';
import type { HistoryPageQuery, HistoryQuery, HistoryReading } from '../ports/history.ts';
import { decodeBody, longestSpan } from './history-chunk.ts';
import { charted } from './history-summary.ts';

/** What a query found, by takenAt: columns, for they cross between threads much faster than objects. */
export interface ReadingColumns {
  readonly takenAt: Float64Array<ArrayBuffer>;
  readonly receivedAt: Float64Array<ArrayBuffer>;
  /** Typed where all are numbers. */
  readonly values: Float64Array<ArrayBuffer> | readonly HistoryReading['value'][];
  /** By index, where there are any. */
  readonly claimedAt: ReadonlyMap<number, number> | undefined;
  /** Leads to the page after this one; undefined where there is none. */
  readonly next: string | undefined;
}

/** Rows of a chunk as the walks select them: id, first, last, position, part. */
type ChunkPlace = readonly [number, number, number, number, number];

/** The readings of history on either thread. */
export class HistoryReader {
  readonly #findSeries;
  readonly #newestFirst;
  readonly #oldestFirst;
  readonly #body;
  readonly #bodies;

  constructor(database: DatabaseSync) {
    this.#findSeries = database.prepare('SELECT id FROM series WHERE endpoint = ? AND path = ?');
    const chunks = (columns: string, order: string) => {
      const statement = database.prepare(
        `SELECT ${columns} FROM chunk INDEXED BY chunk_time
         WHERE series = ? AND last >= ? AND last < ? AND first < ? ORDER BY ${order}`,
      );
      statement.setReturnArrays(true);
      return statement;
    };
    const place = 'id, first, last, position, part';
    this.#newestFirst = chunks(place, 'last DESC, position DESC, part DESC');
    this.#oldestFirst = chunks(place, 'last, position, part');
    this.#bodies = chunks('position, body', 'last, position, part');
    this.#body = database.prepare('SELECT body FROM chunk WHERE id = ?');
  }

  seriesId(endpoint: string, path: string): number | undefined {
    return this.#findSeries.get(endpoint, path)?.['id'] as number | undefined;
  }

  query(query: HistoryQuery): ReadingColumns {
    return this.page({ ...query, order: 'newest' });
  }

  page({ endpoint, path, from, to, limit, order, cursor }: HistoryPageQuery): ReadingColumns {
    const newest = order === 'newest';
    const kind = `readings ${order}`;
    const after = cursor === undefined ? undefined : decodePlace(decodeCursor(kind, cursor, 'string'));
    const lower = from ?? Number.NEGATIVE_INFINITY;
    const upper = to ?? Number.POSITIVE_INFINITY;
    const series = this.seriesId(endpoint, path);
    if (series === undefined || limit <= 0 || lower >= upper) return columns([], undefined);
    const found = new Found(newest, limit + 1);
    // What lies beyond the cursor's time is of pages before.
    const start = newest || after === undefined ? lower : Math.max(lower, after[0]);
    const end = newest && after !== undefined ? Math.min(upper, after[0] + 1) : upper;
    const walk = newest ? this.#newestFirst : this.#oldestFirst;
    // A chunk that has readings before the end ends less than longestSpan after it.
    for (const row of walk.iterate(series, start, end + longestSpan, end)) {
      const [id, first, last, position, part] = row as unknown as ChunkPlace;
      if (found.isPast(last)) break;
      if (!found.wants(first, last)) continue;
      let index = 0;
      decodeBody(this.#body.get(id)?.['body'] as Uint8Array, (takenAt, receivedAt, value, claimedAt) => {
        const place: Place = [takenAt, position, part, index];
        index += 1;
        if (takenAt < lower || takenAt >= upper || !found.wants(takenAt, takenAt)) return;
        if (after !== undefined && !(newest ? isBefore(place, after) : isBefore(after, place))) return;
        found.add({ place, takenAt, receivedAt, value, claimedAt });
      });
    }
    const { items, more } = found.take(limit);
    const edge = newest ? items[0] : items.at(-1);
    return columns(items, more && edge !== undefined ? encodeCursor(kind, edge.place.join(' ')) : undefined);
  }

  /**
   * Calls back for each reading of the range that has a place in a chart, in no order that could be relied on.
   * False where it stopped because there are more than so many chunks, or because the callback said so by `false`.
   */
  visit(
    series: number,
    from: number,
    to: number,
    mostChunks: number,
    take: (takenAt: number, value: number, position: number) => unknown,
  ): boolean {
    let chunks = 0;
    let stopped = false;
    for (const row of this.#bodies.iterate(series, from, to + longestSpan, to)) {
      chunks += 1;
      if (chunks > mostChunks) return false;
      const [position, body] = row as unknown as [number, Uint8Array];
      decodeBody(body, (takenAt, _receivedAt, value) => {
        if (stopped || takenAt < from || takenAt >= to) return;
        const number = charted(value);
        if (number !== undefined && take(takenAt, number, position) === false) stopped = true;
      });
      if (stopped) return false;
    }
    return true;
  }
}

/** In the order of a series: takenAt, position of the log entry, part of it, index in the part. */
type Place = readonly [takenAt: number, position: number, part: number, index: number];

interface FoundReading {
  readonly place: Place;
  readonly takenAt: number;
  readonly receivedAt: number;
  readonly value: HistoryReading['value'];
  readonly claimedAt: number | undefined;
}

function isBefore(a: Place, b: Place): boolean {
  return comparePlaces(a, b) < 0;
}

function comparePlaces(a: Place, b: Place): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];
}

/** @throws RequestError */
function decodePlace(text: string): Place {
  const place = text.split(' ').map(Number);
  if (place.length !== 4 || !place.every(Number.isFinite)) {
    throw new RequestError('the cursor is not one that this list gave');
  }
  return place as unknown as Place;
}

/** The newest or the oldest so many of what is added. */
class Found {
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

function columns(found: readonly FoundReading[], next: string | undefined): ReadingColumns {
  const takenAt = Float64Array.from(found, (reading) => reading.takenAt);
  const receivedAt = Float64Array.from(found, (reading) => reading.receivedAt);
  const values = found.every((reading) => typeof reading.value === 'number')
    ? Float64Array.from(found, (reading) => reading.value as number)
    : found.map((reading) => reading.value);
  const claimed = new Map<number, number>();
  for (const [index, reading] of found.entries()) {
    if (reading.claimedAt !== undefined) claimed.set(index, reading.claimedAt);
  }
  return { takenAt, receivedAt, values, claimedAt: claimed.size === 0 ? undefined : claimed, next };
}
