import type { DatabaseSync } from 'node:sqlite';
import {
  decodeMinutes,
  encodeMinutes,
  minute,
  quarter,
  quarterOf,
  Summaries,
  Summary,
} from '../history/summary.ts';
import type { HistorySeriesQuery } from '../ports/history.ts';
import { stepFor } from '../ports/history-steps.ts';
import type { HistoryReader } from './history-reader.ts';

/** A quarter that is to be rolled up; by `taken` it is known whether it got readings meanwhile. */
export interface DueQuarter {
  readonly series: number;
  readonly start: number;
  readonly taken: number;
}

/** What the columns of `rollup` hold of a step. */
export type SummaryColumns = Pick<Summary, 'count' | 'min' | 'max' | 'mean' | 'last' | 'lastAt'>;

export interface RolledUpQuarter extends DueQuarter {
  /** Undefined where none of its readings has a place in a chart. */
  readonly summary: SummaryColumns | undefined;
  readonly minutes: Uint8Array;
}

/** A series in steps, as columns. */
export interface SummaryTable {
  readonly step: number;
  readonly at: Float64Array<ArrayBuffer>;
  readonly count: Float64Array<ArrayBuffer>;
  readonly min: Float64Array<ArrayBuffer>;
  readonly max: Float64Array<ArrayBuffer>;
  readonly mean: Float64Array<ArrayBuffer>;
  readonly last: Float64Array<ArrayBuffer>;
}

/** Chunks that steps of less than a minute may be made of. */
const chunksForShortSteps = 30_000;
/** Chunks looked through for readings to be shown one by one, beside one for each. */
const chunksBeside = 5_000;
/** Quarters that are made of readings for one answer; where more are due they are rolled up first. */
const dueInAnswer = 8;

/** Roll-ups on either thread: what a quarter's readings come to, and series for charts. */
export class RollUpReader {
  readonly #reader: HistoryReader;
  readonly #find;
  readonly #due;
  readonly #quarters;
  readonly #minutes;
  readonly #begin;
  readonly #end;

  constructor(database: DatabaseSync, reader: HistoryReader) {
    this.#reader = reader;
    this.#find = database.prepare('SELECT id, sealed, backlog FROM series WHERE endpoint = ? AND path = ?');
    this.#due = database.prepare(
      'SELECT start FROM rollup_due WHERE series = ? AND start >= ? AND start < ? ORDER BY start',
    );
    this.#quarters = database.prepare(
      'SELECT start, count, min, max, mean, last, last_at FROM rollup WHERE series = ? AND start >= ? AND start < ?',
    );
    this.#quarters.setReturnArrays(true);
    this.#minutes = database.prepare(
      'SELECT start, minutes FROM rollup WHERE series = ? AND start >= ? AND start < ?',
    );
    // What one answer is made of is of one moment. Part of a transaction where there is one.
    this.#begin = database.prepare('SAVEPOINT series');
    this.#end = database.prepare('RELEASE series');
  }

  rollUp(due: readonly DueQuarter[]): readonly RolledUpQuarter[] {
    return due.map((one) => {
      const minutes = new Summaries(minute);
      this.#reader.visit(
        one.series,
        one.start,
        one.start + quarter,
        Number.POSITIVE_INFINITY,
        (takenAt, value, position) => minutes.add(takenAt, value, position),
      );
      const whole = new Summary();
      for (const [, summary] of minutes.entries()) whole.merge(summary);
      const { count, min, max, mean, last, lastAt } = whole;
      const summary = count === 0 ? undefined : { count, min, max, mean, last, lastAt };
      return { ...one, summary, minutes: encodeMinutes(one.start, minutes) };
    });
  }

  /** `behind` where the series' roll-ups are to be made first; `patient`: not even then. */
  series(query: HistorySeriesQuery, patient: boolean): SummaryTable | 'behind' {
    this.#begin.run();
    try {
      return this.#series(query, patient);
    } finally {
      this.#end.run();
    }
  }

  #series(
    { endpoint, path, from, to, points }: HistorySeriesQuery,
    patient: boolean,
  ): SummaryTable | 'behind' {
    const series = this.#find.get(endpoint, path);
    if (series === undefined || from >= to) return tableOf(0, []);
    const id = series['id'] as number;
    const isWhole = from >= (series['sealed'] as number);
    const single = isWhole ? this.#readings(id, from, to, points) : undefined;
    if (single !== undefined) return tableOf(0, single);
    let step = stepFor(to - from, points, isWhole ? 0 : quarter);
    if (step < minute) {
      const summaries = new Summaries(step);
      const [start, end] = extended(from, to, step);
      const added = this.#reader.visit(id, start, end, chunksForShortSteps, (takenAt, value, position) =>
        summaries.add(takenAt, value, position),
      );
      if (added) return tableOf(step, summaries.entries());
      step = stepFor(to - from, points, minute);
    }
    const [start, end] = extended(from, to, step);
    const due = this.#due.all(id, quarterOf(start), end).map((row) => row['start'] as number);
    if (!patient && (series['backlog'] !== null || due.length > dueInAnswer)) return 'behind';
    return tableOf(step, this.#rolledUp(id, start, end, step, new Set(due)));
  }

  /** Each by itself; undefined where there are more than so many. */
  #readings(series: number, from: number, to: number, points: number) {
    const found: { readonly takenAt: number; readonly value: number; readonly position: number }[] = [];
    const all = this.#reader.visit(series, from, to, points + chunksBeside, (takenAt, value, position) => {
      found.push({ takenAt, value, position });
      return found.length > points ? false : undefined;
    });
    if (!all) return undefined;
    found.sort((a, b) => a.takenAt - b.takenAt || a.position - b.position);
    return found.map(({ takenAt, value, position }) => {
      const summary = new Summary();
      summary.add(takenAt, value, position);
      return [takenAt, summary] as const;
    });
  }

  #rolledUp(series: number, from: number, to: number, step: number, due: ReadonlySet<number>) {
    const summaries = new Summaries(step);
    if (step < quarter) {
      for (const row of this.#minutes.iterate(series, quarterOf(from), to)) {
        const start = row['start'] as number;
        const minutes = row['minutes'] as Uint8Array | null;
        if (due.has(start) || minutes === null) continue;
        decodeMinutes(start, minutes, (at, summary) => {
          if (at >= from && at < to) summaries.merge(at, summary);
        });
      }
    } else {
      for (const row of this.#quarters.iterate(series, from, to)) {
        const [start, count, min, max, mean, last, lastAt] = row as unknown as readonly [
          number,
          number,
          number,
          number,
          number,
          number,
          number,
        ];
        if (!due.has(start)) summaries.merge(start, { count, min, max, mean, last, lastAt });
      }
    }
    for (const start of due) {
      const [first, end] = [Math.max(start, from), Math.min(start + quarter, to)];
      this.#reader.visit(series, first, end, Number.POSITIVE_INFINITY, (takenAt, value, position) =>
        summaries.add(takenAt, value, position),
      );
    }
    return summaries.entries();
  }
}

/** To whole steps. */
function extended(from: number, to: number, step: number): readonly [from: number, to: number] {
  return [Math.floor(from / step) * step, Math.ceil(to / step) * step];
}

function tableOf(step: number, entries: readonly (readonly [at: number, summary: Summary])[]): SummaryTable {
  const column = (of: (summary: Summary) => number) =>
    Float64Array.from(entries, ([, summary]) => of(summary));
  return {
    step,
    at: Float64Array.from(entries, ([at]) => at),
    count: column(({ count }) => count),
    min: column(({ min }) => min),
    max: column(({ max }) => max),
    mean: column(({ mean }) => mean),
    last: column(({ last }) => last),
  };
}
