import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { decodeBody } from '../history/reading-body.ts';
import { charted, quarter, quarterOf, Summaries, Summary } from '../history/summary.ts';
import { type HistorySizes, rollUpBytes } from './history-sizes.ts';
import type { DueQuarter, RolledUpQuarter, RollUpReader, SummaryColumns } from './rollup-reader.ts';

/** Bytes of a row of `rollup` beside its minutes. */
const rowBytes = 100;

/** Where a walk through what is due goes on. */
export type DuePlace = Pick<DueQuarter, 'series' | 'start'>;

/** The roll-ups on the worker's side. */
export class RollUpTable {
  readonly #reader: RollUpReader;
  readonly #sizes: HistorySizes;
  readonly #mark;
  readonly #due;
  readonly #dueOfSeries;
  readonly #take;
  readonly #finish;
  readonly #forgetDue;
  readonly #get;
  readonly #put;
  readonly #remove;
  readonly #dropBefore;
  readonly #dropSome;
  readonly #withMinutes;
  readonly #newest;
  readonly #any;
  /** Rises with each round; of another life of this thread none has the same. */
  #round = Date.now() * 1000;

  constructor(database: DatabaseSync, reader: RollUpReader, sizes: HistorySizes) {
    this.#reader = reader;
    this.#sizes = sizes;
    this.#mark = database.prepare(
      'INSERT INTO rollup_due VALUES (?, ?, 0) ON CONFLICT DO UPDATE SET taken = 0 WHERE taken <> 0',
    );
    this.#due = database.prepare(
      `SELECT series, start FROM rollup_due INDEXED BY rollup_due_start
       WHERE (start, series) > (?, ?) AND start < ? ORDER BY start, series LIMIT ?`,
    );
    this.#dueOfSeries = database.prepare(
      'SELECT series, start FROM rollup_due WHERE series = ? AND start > ? AND start < ? ORDER BY start LIMIT ?',
    );
    this.#take = database.prepare('UPDATE rollup_due SET taken = ? WHERE series = ? AND start = ?');
    this.#finish = database.prepare('DELETE FROM rollup_due WHERE series = ? AND start = ? AND taken = ?');
    this.#forgetDue = database.prepare('DELETE FROM rollup_due WHERE series = ?');
    this.#get = database.prepare('SELECT * FROM rollup WHERE series = ? AND start = ?');
    this.#put = database.prepare('INSERT OR REPLACE INTO rollup VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM rollup WHERE series = ? AND start = ?');
    const returned = 'RETURNING start, length(minutes) AS minutes';
    this.#dropBefore = database.prepare(`DELETE FROM rollup WHERE series = ? AND start < ? ${returned}`);
    this.#dropSome = database.prepare(
      `DELETE FROM rollup WHERE series = ?1 AND start IN
         (SELECT start FROM rollup WHERE series = ?1 ORDER BY start LIMIT ?2) ${returned}`,
    );
    this.#withMinutes = database.prepare(
      'SELECT * FROM rollup WHERE series = ? AND start >= ? AND start < ? AND minutes IS NOT NULL',
    );
    this.#newest = database.prepare('SELECT max(start) AS start FROM rollup WHERE series = ?');
    this.#any = database.prepare(
      `SELECT 1 FROM rollup WHERE series = ?1 UNION ALL SELECT 1 FROM rollup_due WHERE series = ?1 LIMIT 1`,
    );
  }

  /** The quarters from that of `first` to that of `last` have got readings; the time that they take. */
  mark(series: number, first: number, last: number): [from: number, to: number] {
    const from = quarterOf(first);
    let start = from;
    for (; start <= last; start += quarter) this.#mark.run(series, start);
    return [from, start];
  }

  /** So many quarters that are due and begin before, beyond a place; of one series where it is named. */
  take(before: number, after: DuePlace | undefined, limit: number, series?: number): readonly DueQuarter[] {
    const { start, series: last } = after ?? { start: Number.NEGATIVE_INFINITY, series: 0 };
    const rows =
      series === undefined
        ? this.#due.all(start, last, before, limit)
        : this.#dueOfSeries.all(series, start, before, limit);
    this.#round += 1;
    return rows.map((row) => {
      const due = { series: row['series'] as number, start: row['start'] as number, taken: this.#round };
      this.#take.run(due.taken, due.series, due.start);
      return due;
    });
  }

  /** Those that got readings since they were taken stay due, and are left as they were. */
  store(quarters: readonly RolledUpQuarter[]): void {
    for (const { series, start, taken, summary, minutes } of quarters) {
      if (this.#finish.run(series, start, taken).changes === 0) continue;
      this.#replace(series, start, summary, minutes);
    }
  }

  /** Adds readings of before `sealed`, whose quarters cannot be made of their readings again. */
  add(series: number, position: number, body: Uint8Array, sealed: number): void {
    const added = new Summaries(quarter);
    decodeBody(body, (takenAt, _receivedAt, value) => {
      const number = charted(value);
      if (number !== undefined && takenAt < sealed) added.add(takenAt, number, position);
    });
    for (const [start, summary] of added.entries()) {
      const whole = new Summary();
      const before = this.#get.get(series, start);
      if (before !== undefined) whole.merge(columnsOf(before));
      whole.merge(summary, position);
      this.#replace(series, start, whole, null);
    }
  }

  /**
   * Makes all roll-ups of before, for readings are about to go; the time before which the series is sealed then.
   * No further than it reaches: a time far in the future, of a clock that was wrong, must not seal what is to come.
   */
  seal(series: number, before: number, sealed: number): number {
    for (const due of this.take(before, undefined, Number.MAX_SAFE_INTEGER, series)) {
      this.store(this.#reader.rollUp([due]));
    }
    const newest = this.#newest.get(series)?.['start'] as number | null;
    if (newest === null) return sealed;
    const end = Math.min(Math.ceil(before / quarter) * quarter, newest + quarter);
    if (end <= sealed) return sealed;
    for (const row of this.#withMinutes.all(series, sealed, end)) {
      this.#replace(series, row['start'] as number, columnsOf(row), null);
    }
    return end;
  }

  trim(series: number, before: number): void {
    this.#removed(this.#dropBefore.all(series, quarterOf(before)));
  }

  /** Removes so many of a series that is removed; how many there were. */
  purge(series: number, limit: number): number {
    this.#forgetDue.run(series);
    const rows = this.#dropSome.all(series, limit);
    this.#removed(rows);
    return rows.length;
  }

  has(series: number): boolean {
    return this.#any.get(series) !== undefined;
  }

  #replace(
    series: number,
    start: number,
    summary: SummaryColumns | undefined,
    minutes: Uint8Array | null,
  ): void {
    const before = this.#get.get(series, start);
    if (before !== undefined) {
      const length = (before['minutes'] as Uint8Array | null)?.length ?? 0;
      this.#sizes.change(rollUpBytes, start, -rowBytes - length);
    }
    if (summary === undefined) {
      if (before !== undefined) this.#remove.run(series, start);
      return;
    }
    const { count, min, max, mean, last, lastAt } = summary;
    this.#put.run(series, start, count, min, max, mean, last, lastAt, minutes);
    this.#sizes.change(rollUpBytes, start, rowBytes + (minutes?.length ?? 0));
  }

  #removed(rows: readonly Record<string, SQLOutputValue>[]): void {
    for (const row of rows) {
      const minutes = (row['minutes'] as number | null) ?? 0;
      this.#sizes.change(rollUpBytes, row['start'] as number, -rowBytes - minutes);
    }
  }
}

function columnsOf(row: Record<string, SQLOutputValue>): SummaryColumns {
  return {
    count: row['count'] as number,
    min: row['min'] as number,
    max: row['max'] as number,
    mean: row['mean'] as number,
    last: row['last'] as number,
    lastAt: row['last_at'] as number,
  };
}
