import type { DatabaseSync } from 'node:sqlite';
import { decodePlace, Found, type FoundReading, isBefore, type Place } from '../history/found-readings.ts';
import { decodeBody, longestSpan } from '../history/reading-body.ts';
import { charted } from '../history/summary.ts';
import { decodeCursor, encodeCursor } from '../ports/cursor.ts';
import type { HistoryPageQuery, HistoryQuery, HistoryReading } from '../ports/history.ts';

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
