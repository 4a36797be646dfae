import type { DatabaseSync } from 'node:sqlite';
import { decodeBody, encodeBody, longestSpan } from '../history/reading-body.ts';
import type { HistoryReading } from '../ports/history.ts';
import { comparePaths } from '../ports/path-order.ts';
import type { LogPosition } from '../ports/telemetry-log.ts';
import { type EncodedChunks, seriesName } from './history-chunk.ts';
import { HistoryReader } from './history-reader.ts';
import { HistorySizes, readingBytes, rollUpBytes } from './history-sizes.ts';
import { type DueQuarter, type RolledUpQuarter, RollUpReader } from './rollup-reader.ts';
import { type DuePlace, RollUpTable } from './rollup-table.ts';

/** Series whose ids are kept in memory. */
const cachedSeries = 50_000;

/** Chunks that one step of a removal takes at most, and series that one step of a trim looks at. */
const chunksPerStep = 2000;
const seriesPerStep = 500;

/** Bytes of a row of `chunk` and its place in the index, beside its body. */
const rowBytes = 90;

/** A series as appends know it. */
interface KnownSeries {
  readonly id: number;
  /** Readings before may be gone; µs. */
  readonly sealed: number;
  /** What has a position up to this one is there, or was. */
  position: LogPosition;
  /** The stretch of time last marked as due for a roll-up. */
  dueFrom: number;
  dueTo: number;
}

/** What a trim goes by; µs since the epoch. */
export interface TrimTimes {
  readonly readingsBefore: number;
  readonly rollUpsBefore: number;
}

/** History on the worker's side. */
export class HistoryTable {
  readonly #sizes: HistorySizes;
  readonly #rollUps: RollUpTable;
  readonly #findSeries;
  readonly #addSeries;
  readonly #setSealed;
  readonly #insert;
  readonly #paths;
  readonly #seriesAfter;
  readonly #dropBefore;
  readonly #straddling;
  readonly #removeChunk;
  readonly #anyChunk;
  readonly #anyBefore;
  readonly #removeSeries;
  readonly #orphan;
  readonly #dropChunks;
  readonly #setPosition;
  readonly #migrated: number;
  readonly #anyBacklog;
  readonly #backlogOf;
  readonly #backlogEnd;
  readonly #backlogChunks;
  readonly #setBacklog;
  /** Endpoint and path → the series. */
  readonly #series = new Map<string, KnownSeries>();
  readonly #seriesById = new Map<number, KnownSeries>();

  constructor(database: DatabaseSync) {
    const reader = new HistoryReader(database);
    this.#sizes = new HistorySizes(database);
    this.#rollUps = new RollUpTable(database, new RollUpReader(database, reader), this.#sizes);
    this.#findSeries = database.prepare(
      'SELECT id, sealed, position FROM series WHERE endpoint = ? AND path = ?',
    );
    this.#addSeries = database.prepare(
      'INSERT INTO series (endpoint, path) VALUES (?, ?) RETURNING id, sealed, position',
    );
    this.#setSealed = database.prepare('UPDATE series SET sealed = ? WHERE id = ?');
    this.#insert = database.prepare(
      'INSERT INTO chunk (series, first, last, position, part, body) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#paths = database.prepare('SELECT path FROM series WHERE endpoint = ?');
    this.#seriesAfter = database.prepare(
      'SELECT id, sealed, backlog FROM series WHERE id > ? ORDER BY id LIMIT ?',
    );
    this.#dropBefore = database.prepare(
      `DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE series = ? AND last < ? ORDER BY last LIMIT ?)
       RETURNING last, length(body) AS bytes`,
    );
    this.#straddling = database.prepare(
      'SELECT * FROM chunk WHERE series = ? AND last >= ? AND last < ? AND first < ?',
    );
    this.#removeChunk = database.prepare('DELETE FROM chunk WHERE id = ?');
    this.#anyChunk = database.prepare('SELECT 1 FROM chunk WHERE series = ? LIMIT 1');
    this.#anyBefore = database.prepare(
      'SELECT 1 FROM chunk INDEXED BY chunk_time WHERE series = ? AND last < ? AND first < ? LIMIT 1',
    );
    this.#removeSeries = database.prepare('DELETE FROM series WHERE id = ?');
    this.#orphan = database.prepare('SELECT id, backlog FROM series WHERE endpoint IS NULL LIMIT 1');
    this.#dropChunks = database.prepare(
      `DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE series = ? LIMIT ?)
       RETURNING id, last, length(body) AS bytes`,
    );
    this.#setPosition = database.prepare('UPDATE series SET position = ? WHERE id = ?');
    this.#migrated = database.prepare('SELECT migrated FROM history_state').get()?.['migrated'] as number;
    this.#anyBacklog = database.prepare('SELECT id, backlog FROM series WHERE backlog IS NOT NULL LIMIT 1');
    this.#backlogOf = database.prepare(
      'SELECT id, backlog FROM series WHERE endpoint = ? AND path = ? AND backlog IS NOT NULL',
    );
    this.#backlogEnd = database.prepare(
      'SELECT last FROM chunk WHERE series = ? AND last > ? ORDER BY last LIMIT 1 OFFSET ?',
    );
    this.#backlogChunks = database.prepare(
      'SELECT id, first, last, length(body) AS bytes FROM chunk WHERE series = ? AND last > ? AND last <= ?',
    );
    this.#setBacklog = database.prepare('UPDATE series SET backlog = ? WHERE id = ?');
  }

  /** Forgets what may not be so any more: after a rollback, and when series were removed. */
  forget(): void {
    this.#forgetSeries();
    this.#sizes.forget();
  }

  /**
   * Stores what is new. Of series of which a row has readings both of positions that are known and of others nothing is
   * stored: they are returned by name, each with the position up to which it is known.
   */
  append({ rows, bodies }: EncodedChunks): readonly (readonly [name: string, level: LogPosition])[] {
    let start = 0;
    const mixed: (readonly [string, LogPosition])[] = [];
    const moved = new Map<KnownSeries, LogPosition>();
    for (const [endpoint, path, oldest, newest, part, first, last, end, isCharted] of rows) {
      const name = seriesName(endpoint, path);
      const series = this.#seriesOf(endpoint, path, name);
      const body = bodies.subarray(start, end);
      start = end;
      if (oldest <= series.position) {
        if (newest > series.position) mixed.push([name, series.position]);
        continue;
      }
      moved.set(series, newest);
      this.#insert.run(series.id, first, last, newest, part, body);
      this.#sizes.change(readingBytes, last, rowBytes + body.length);
      if (isCharted) this.#rollUpLater(series, first, last, body, newest);
    }
    // Behind all rows, for a series may have several parts.
    for (const [series, position] of moved) {
      series.position = position;
      this.#setPosition.run(position, series.id);
    }
    this.#sizes.flush();
    return mixed;
  }

  /** A step of what was there before there were roll-ups; true while there is more. */
  catchUp(name?: SeriesName): boolean {
    const row = name === undefined ? this.#anyBacklog.get() : this.#backlogOf.get(...name);
    if (row === undefined) return false;
    this.#takeBacklog(row['id'] as number, row['backlog'] as number);
    this.#sizes.flush();
    return true;
  }

  /** Quarters that begin before and are due, beyond a place, for RollUpReader.rollUp; of one series where it is named. */
  takeDue(
    before: number,
    after: DuePlace | undefined,
    limit: number,
    name?: SeriesName,
  ): readonly DueQuarter[] {
    const id = name === undefined ? undefined : (this.#findSeries.get(...name)?.['id'] as number | undefined);
    if (name !== undefined && id === undefined) return [];
    const due = this.#rollUps.take(before, after, limit, id);
    for (const { series } of due) {
      // What comes now is to be marked anew.
      const known = this.#seriesById.get(series);
      if (known !== undefined) known.dueTo = Number.NEGATIVE_INFINITY;
    }
    return due;
  }

  storeRollUps(quarters: readonly RolledUpQuarter[]): void {
    this.#rollUps.store(quarters);
    this.#sizes.flush();
  }

  paths(endpoint: string): readonly string[] {
    return this.#paths
      .all(endpoint)
      .map((row) => row['path'] as string)
      .sort(comparePaths);
  }

  /** The times that a bound by size comes to, where they are later than those given. */
  trimTimes(readingsBefore: number, rollUpsBefore: number, maxBytes: number): TrimTimes {
    const readings = Math.max(readingsBefore, this.#sizes.excess(readingBytes, maxBytes));
    const rollUps = Math.max(rollUpsBefore, this.#sizes.excess(rollUpBytes, maxBytes));
    // A roll-up is never gone before its readings.
    return { readingsBefore: readings, rollUpsBefore: Math.min(rollUps, readings) };
  }

  /** One step of a trim, from the series after this one; the last series looked at, or undefined at the end. */
  trim({ readingsBefore, rollUpsBefore }: TrimTimes, after: number): number | undefined {
    let budget = chunksPerStep;
    let done = after;
    const all = this.#seriesAfter.all(after, seriesPerStep);
    try {
      for (const row of all) {
        const id = row['id'] as number;
        if (row['backlog'] !== null) {
          this.#takeBacklog(id, row['backlog'] as number);
          return done;
        }
        budget -= this.#trimReadings(id, row['sealed'] as number, readingsBefore, budget);
        if (budget <= 0) return done;
        this.#rollUps.trim(id, rollUpsBefore);
        if (this.#anyChunk.get(id) === undefined && !this.#rollUps.has(id)) {
          this.#removeSeries.run(id);
          this.#forgetSeries();
        }
        done = id;
      }
      return all.length < seriesPerStep ? undefined : done;
    } finally {
      this.#sizes.flush();
    }
  }

  /** One step of removing what removed devices have left; true while there is more. */
  purge(): boolean {
    const orphan = this.#orphan.get();
    if (orphan === undefined) return false;
    const id = orphan['id'] as number;
    const backlog = (orphan['backlog'] as number | null) ?? Number.POSITIVE_INFINITY;
    const chunks = this.#dropChunks.all(id, chunksPerStep);
    for (const row of chunks) {
      // Chunks of before the last migration are counted as the backlog is taken.
      if ((row['id'] as number) <= this.#migrated && (row['last'] as number) > backlog) continue;
      this.#sizes.change(readingBytes, row['last'] as number, -rowBytes - (row['bytes'] as number));
    }
    const rollUps = this.#rollUps.purge(id, chunksPerStep);
    if (chunks.length < chunksPerStep && rollUps < chunksPerStep) this.#removeSeries.run(id);
    this.#sizes.flush();
    return true;
  }

  /** Most readings are of the quarter of the one before: that costs a comparison. */
  #rollUpLater(
    series: KnownSeries,
    first: number,
    last: number,
    body: Uint8Array,
    position: LogPosition,
  ): void {
    if (first < series.sealed) this.#rollUps.add(series.id, position, body, series.sealed);
    if (last < series.sealed) return;
    const from = Math.max(first, series.sealed);
    if (from >= series.dueFrom && last < series.dueTo) return;
    [series.dueFrom, series.dueTo] = this.#rollUps.mark(series.id, from, last);
  }

  /** How many chunks went. */
  #trimReadings(series: number, sealed: number, before: number, budget: number): number {
    if (this.#anyBefore.get(series, before + longestSpan, before) === undefined) return 0;
    const end = this.#rollUps.seal(series, before, sealed);
    if (end > sealed) {
      this.#setSealed.run(end, series);
      this.#forgetSeries();
    }
    const dropped = this.#dropBefore.all(series, before, budget);
    for (const row of dropped) {
      this.#sizes.change(readingBytes, row['last'] as number, -rowBytes - (row['bytes'] as number));
    }
    if (dropped.length < budget) this.#shorten(series, before);
    return dropped.length;
  }

  /**
   * Chunks that began before the time and end after it lose their older readings. `first` stays: it is a
   * bound for the search.
   */
  #shorten(series: number, before: number): void {
    for (const row of this.#straddling.all(series, before, before + longestSpan, before)) {
      const kept: HistoryReading[] = [];
      const body = row['body'] as Uint8Array;
      decodeBody(body, (takenAt, receivedAt, value, claimedAt) => {
        if (takenAt < before) return;
        kept.push({ takenAt, receivedAt, value, ...(claimedAt === undefined ? {} : { claimedAt }) });
      });
      const shortened = encodeBody(kept);
      if (shortened.length === body.length) continue;
      const [first, last] = [row['first'] as number, row['last'] as number];
      this.#removeChunk.run(row['id'] as number);
      this.#insert.run(series, first, last, row['position'] as number, row['part'] as number, shortened);
      this.#sizes.change(readingBytes, last, shortened.length - body.length);
    }
  }

  /** A step of a series' chunks of before there were roll-ups: they are counted, and what they are of is due. */
  #takeBacklog(series: number, after: number): void {
    const end = this.#backlogEnd.get(series, after, chunksPerStep)?.['last'] as number | undefined;
    for (const row of this.#backlogChunks.iterate(series, after, end ?? Number.POSITIVE_INFINITY)) {
      const last = row['last'] as number;
      this.#rollUps.mark(series, row['first'] as number, last);
      if ((row['id'] as number) > this.#migrated) continue;
      this.#sizes.change(readingBytes, last, rowBytes + (row['bytes'] as number));
    }
    this.#setBacklog.run(end ?? null, series);
  }

  #seriesOf(endpoint: string, path: string, name: string): KnownSeries {
    const known = this.#series.get(name);
    if (known !== undefined) return known;
    const row = this.#findSeries.get(endpoint, path) ?? this.#addSeries.get(endpoint, path);
    const series = {
      id: row?.['id'] as number,
      sealed: row?.['sealed'] as number,
      position: row?.['position'] as number,
      dueFrom: Number.POSITIVE_INFINITY,
      dueTo: Number.NEGATIVE_INFINITY,
    };
    if (this.#series.size >= cachedSeries) this.#forgetSeries();
    this.#series.set(name, series);
    this.#seriesById.set(series.id, series);
    return series;
  }

  #forgetSeries(): void {
    this.#series.clear();
    this.#seriesById.clear();
  }
}

/** Endpoint and path. */
export type SeriesName = readonly [endpoint: string, path: string];
