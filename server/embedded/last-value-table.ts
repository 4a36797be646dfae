import type { DatabaseSync } from 'node:sqlite';
import { type LastValue, plausiblyAhead } from '../ports/last-values.ts';
import { comparePaths } from '../ports/path-order.ts';

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

  set(endpoint: string, values: readonly LastValue[]): void {
    for (const { path, value, takenAt, receivedAt } of values) {
      this.#set.run(endpoint, path, JSON.stringify(value), takenAt, receivedAt);
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
