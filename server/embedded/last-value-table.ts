import type { DatabaseSync } from 'node:sqlite';
import { type LastValue, plausiblyAhead } from '../ports/last-values.ts';
import { comparePaths } from '../ports/path-order.ts';

/** Last values of any devices on their way to the worker. */
export interface LastValueColumns {
  /** By turns: endpoint, path, value as JSON. */
  readonly names: readonly string[];
  /** By turns: when it was taken, and received; µs since the epoch. */
  readonly times: Float64Array<ArrayBuffer>;
}

/** Last values on the worker's side. */
export class LastValueTable {
  readonly #set;
  readonly #get;

  constructor(database: DatabaseSync) {
    this.#set = database.prepare(
      `INSERT INTO last_value VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value, taken_at = excluded.taken_at,
         received_at = excluded.received_at
       WHERE excluded.taken_at >= taken_at OR taken_at > excluded.received_at + ${plausiblyAhead}`,
    );
    this.#get = database.prepare(
      'SELECT path, value, taken_at, received_at FROM last_value WHERE endpoint = ?',
    );
  }

  set({ names, times }: LastValueColumns): void {
    for (let name = 0, time = 0; time < times.length; name += 3, time += 2) {
      const [endpoint, path, value] = [names[name], names[name + 1], names[name + 2]] as [
        string,
        string,
        string,
      ];
      this.#set.run(endpoint, path, value, times[time] as number, times[time + 1] as number);
    }
  }

  get(endpoint: string, prefix = '/'): readonly LastValue[] {
    const below = prefix.endsWith('/') ? prefix : `${prefix}/`;
    const values: LastValue[] = [];
    for (const row of this.#get.iterate(endpoint)) {
      const path = row['path'] as string;
      if (path !== prefix && !path.startsWith(below)) continue;
      values.push({
        path,
        // JSON has no NaN and no infinity: they come back as NaN.
        value: JSON.parse(row['value'] as string) ?? Number.NaN,
        takenAt: row['taken_at'] as number,
        receivedAt: row['received_at'] as number,
      });
    }
    return values.sort((a, b) => comparePaths(a.path, b.path));
  }
}
