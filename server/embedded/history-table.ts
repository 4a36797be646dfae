import type { DatabaseSync } from 'node:sqlite';
import type { HistoryQuery, HistoryReading } from '../ports/history.ts';
import { decodeBody, type EncodedChunks, encodeBody, longestSpan } from './history-chunk.ts';
import { comparePaths } from './last-value-table.ts';

/** Series whose ids are kept in memory. */
const cachedSeries = 50_000;

/** Chunks that one step of a removal takes at most, and series that one step of a trim looks at. */
const chunksPerStep = 2000;
const seriesPerStep = 500;

/** What a query found, by takenAt: columns, for they cross between threads much faster than objects. */
export interface ReadingColumns {
  readonly takenAt: Float64Array<ArrayBuffer>;
  readonly receivedAt: Float64Array<ArrayBuffer>;
  /** Typed where all are numbers. */
  readonly values: Float64Array<ArrayBuffer> | readonly HistoryReading['value'][];
  /** By index, where there are any. */
  readonly claimedAt: ReadonlyMap<number, number> | undefined;
}

/** History on the worker's side. */
export class HistoryTable {
  readonly #findSeries;
  readonly #addSeries;
  readonly #insert;
  readonly #chunks;
  readonly #body;
  readonly #paths;
  readonly #seriesAfter;
  readonly #dropBefore;
  readonly #straddling;
  readonly #removeChunk;
  readonly #seriesEmpty;
  readonly #removeSeries;
  readonly #orphan;
  readonly #dropChunks;
  /** Endpoint and path → id. */
  readonly #series = new Map<string, number>();

  constructor(database: DatabaseSync) {
    this.#findSeries = database.prepare('SELECT id FROM series WHERE endpoint = ? AND path = ?');
    this.#addSeries = database.prepare('INSERT INTO series (endpoint, path) VALUES (?, ?)');
    this.#insert = database.prepare(
      'INSERT OR IGNORE INTO chunk (series, first, last, position, part, body) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#chunks = database.prepare(
      `SELECT id, last, position, part FROM chunk INDEXED BY chunk_time
       WHERE series = ? AND last >= ? AND last < ? AND first < ?
       ORDER BY last DESC, position DESC, part DESC`,
    );
    this.#chunks.setReturnArrays(true);
    this.#body = database.prepare('SELECT body FROM chunk WHERE id = ?');
    this.#paths = database.prepare('SELECT path FROM series WHERE endpoint = ?');
    this.#seriesAfter = database.prepare('SELECT id FROM series WHERE id > ? ORDER BY id LIMIT ?');
    this.#dropBefore = database.prepare(
      'DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE series = ? AND last < ? ORDER BY last LIMIT ?)',
    );
    this.#straddling = database.prepare(
      'SELECT * FROM chunk WHERE series = ? AND last >= ? AND last < ? AND first < ?',
    );
    this.#removeChunk = database.prepare('DELETE FROM chunk WHERE id = ?');
    this.#seriesEmpty = database.prepare('SELECT 1 FROM chunk WHERE series = ? LIMIT 1');
    this.#removeSeries = database.prepare('DELETE FROM series WHERE id = ?');
    this.#orphan = database.prepare('SELECT id FROM series WHERE endpoint IS NULL LIMIT 1');
    this.#dropChunks = database.prepare(
      'DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE series = ? LIMIT ?)',
    );
  }

  /** Forgets ids that may not exist any more: after a rollback, and when series were removed. */
  forget(): void {
    this.#series.clear();
  }

  append({ rows, bodies }: EncodedChunks): void {
    let start = 0;
    for (const [endpoint, path, position, part, first, last, end] of rows) {
      const series = this.#seriesId(endpoint, path);
      this.#insert.run(series, first, last, position, part, bodies.subarray(start, end));
      start = end;
    }
  }

  query({ endpoint, path, from, to, limit }: HistoryQuery): ReadingColumns {
    const found: Found[] = [];
    const lower = from ?? Number.NEGATIVE_INFINITY;
    const upper = to ?? Number.POSITIVE_INFINITY;
    const series = this.#findSeries.get(endpoint, path)?.['id'] as number | undefined;
    if (series === undefined || limit <= 0 || lower >= upper) return columns(found);
    // A chunk that has readings before `to` ends less than longestSpan after it.
    const lastBefore = upper === Number.POSITIVE_INFINITY ? upper : upper + longestSpan;
    // The limit-th newest reading so far: a chunk that ends before it has nothing to add.
    let enough = Number.NEGATIVE_INFINITY;
    for (const row of this.#chunks.iterate(series, lower, lastBefore, upper)) {
      const [id, last, position, part] = row as unknown as [number, number, number, number];
      if (last < enough) break;
      const body = this.#body.get(id)?.['body'] as Uint8Array;
      let index = 0;
      decodeBody(body, (takenAt, receivedAt, value, claimedAt) => {
        if (takenAt >= lower && takenAt < upper && takenAt >= enough) {
          found.push({ takenAt, receivedAt, value, claimedAt, position, part, index });
        }
        index += 1;
      });
      if (found.length >= limit * 2 || (found.length >= limit && enough === Number.NEGATIVE_INFINITY)) {
        enough = keepNewest(found, limit);
      }
    }
    keepNewest(found, limit);
    return columns(found.reverse());
  }

  paths(endpoint: string): readonly string[] {
    return this.#paths
      .all(endpoint)
      .map((row) => row['path'] as string)
      .sort(comparePaths);
  }

  /** One step of a trim, from the series after this one; the last series looked at, or undefined at the end. */
  trim(before: number, after: number): number | undefined {
    let budget = chunksPerStep;
    let done = after;
    const series = this.#seriesAfter.all(after, seriesPerStep);
    for (const row of series) {
      const id = row['id'] as number;
      budget -= Number(this.#dropBefore.run(id, before, budget).changes);
      if (budget <= 0) return done;
      this.#shorten(id, before);
      if (this.#seriesEmpty.get(id) === undefined) {
        this.#removeSeries.run(id);
        this.forget();
      }
      done = id;
    }
    return series.length < seriesPerStep ? undefined : done;
  }

  /** One step of removing the chunks of removed devices; true while there are more. */
  purge(): boolean {
    const id = this.#orphan.get()?.['id'] as number | undefined;
    if (id === undefined) return false;
    if (this.#dropChunks.run(id, chunksPerStep).changes < chunksPerStep) this.#removeSeries.run(id);
    return true;
  }

  /**
   * Chunks that began before the time and end after it lose their older readings. `first` stays: it is a
   * bound for the search, and keeps the chunk from being appended once more.
   */
  #shorten(series: number, before: number): void {
    for (const row of this.#straddling.all(series, before, before + longestSpan, before)) {
      const kept: HistoryReading[] = [];
      decodeBody(row['body'] as Uint8Array, (takenAt, receivedAt, value, claimedAt) => {
        if (takenAt < before) return;
        kept.push({ takenAt, receivedAt, value, ...(claimedAt === undefined ? {} : { claimedAt }) });
      });
      this.#removeChunk.run(row['id'] as number);
      this.#insert.run(
        series,
        row['first'] as number,
        row['last'] as number,
        row['position'] as number,
        row['part'] as number,
        encodeBody(kept),
      );
    }
  }

  #seriesId(endpoint: string, path: string): number {
    // A path begins with a slash and holds no space.
    const name = `${path} ${endpoint}`;
    const known = this.#series.get(name);
    if (known !== undefined) return known;
    const stored = this.#findSeries.get(endpoint, path)?.['id'] as number | undefined;
    const id = stored ?? Number(this.#addSeries.run(endpoint, path).lastInsertRowid);
    if (this.#series.size >= cachedSeries) this.#series.clear();
    this.#series.set(name, id);
    return id;
  }
}

interface Found {
  readonly takenAt: number;
  readonly receivedAt: number;
  readonly value: HistoryReading['value'];
  readonly claimedAt: number | undefined;
  readonly position: number;
  readonly part: number;
  readonly index: number;
}

/** Sorts, newest first, keeps so many, and returns when the oldest kept was taken; −∞ while there are fewer. */
function keepNewest(found: Found[], limit: number): number {
  found.sort(
    (a, b) => b.takenAt - a.takenAt || b.position - a.position || b.part - a.part || b.index - a.index,
  );
  if (found.length > limit) found.length = limit;
  return found.length < limit
    ? Number.NEGATIVE_INFINITY
    : (found.at(-1)?.takenAt ?? Number.NEGATIVE_INFINITY);
}

function columns(found: readonly Found[]): ReadingColumns {
  const takenAt = Float64Array.from(found, (reading) => reading.takenAt);
  const receivedAt = Float64Array.from(found, (reading) => reading.receivedAt);
  const values = found.every((reading) => typeof reading.value === 'number')
    ? Float64Array.from(found, (reading) => reading.value as number)
    : found.map((reading) => reading.value);
  const claimed = new Map<number, number>();
  for (const [index, reading] of found.entries()) {
    if (reading.claimedAt !== undefined) claimed.set(index, reading.claimedAt);
  }
  return { takenAt, receivedAt, values, claimedAt: claimed.size === 0 ? undefined : claimed };
}
