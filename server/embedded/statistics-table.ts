import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { StatisticsRow, StatisticsSample } from '../ports/statistics-store.ts';

const stepLengths = { minute: 60_000, hour: 3_600_000 } as const;
type Step = keyof typeof stepLengths;

/** Figures of minutes and hours; gauges and counters are JSON. */
export class StatisticsTable {
  readonly #get;
  readonly #put;
  readonly #read;
  readonly #trim;

  constructor(database: DatabaseSync) {
    this.#get = database.prepare('SELECT * FROM statistic WHERE step = ? AND at = ?');
    this.#put = database.prepare(
      'INSERT OR REPLACE INTO statistic (step, at, minutes, gauges, counters) VALUES (?, ?, ?, ?, ?)',
    );
    this.#read = database.prepare(
      'SELECT * FROM statistic WHERE step = ? AND at >= ? AND at < ? ORDER BY at',
    );
    this.#trim = database.prepare('DELETE FROM statistic WHERE step = ? AND at < ?');
  }

  add(sample: StatisticsSample): void {
    const anew = this.#add('minute', sample, 1);
    this.#add('hour', sample, anew ? 1 : 0);
  }

  read(step: Step, from: number, to: number): readonly StatisticsRow[] {
    return this.#read.all(stepLengths[step], from, to).map(rowOf);
  }

  trim(minutesBefore: number, hoursBefore: number): void {
    this.#trim.run(stepLengths.minute, minutesBefore);
    this.#trim.run(stepLengths.hour, hoursBefore);
  }

  /** True where it is the first of its minute or hour. */
  #add(step: Step, sample: StatisticsSample, minutes: number): boolean {
    const length = stepLengths[step];
    const at = Math.floor(sample.at / length) * length;
    const found = this.#get.get(length, at);
    const before = found === undefined ? undefined : rowOf(found);
    const counters: Record<string, number> = { ...before?.counters };
    for (const [name, count] of Object.entries(sample.counters)) {
      counters[name] = (counters[name] ?? 0) + count;
    }
    const total = before === undefined ? 1 : step === 'minute' ? 1 : before.minutes + minutes;
    const gauges = { ...before?.gauges, ...sample.gauges };
    this.#put.run(length, at, total, JSON.stringify(gauges), JSON.stringify(counters));
    return before === undefined;
  }
}

function rowOf(row: Record<string, SQLOutputValue>): StatisticsRow {
  return {
    at: row['at'] as number,
    minutes: row['minutes'] as number,
    gauges: JSON.parse(row['gauges'] as string),
    counters: JSON.parse(row['counters'] as string),
  };
}
