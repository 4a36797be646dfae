import type { DatabaseSync } from 'node:sqlite';
import { type IndexRow, indexColumns } from '../inventory/device-columns.ts';
import { DeviceIndex } from '../inventory/device-index.ts';
import { pageOf } from '../inventory/device-pages.ts';
import type {
  DeviceCounts,
  DeviceFacets,
  DeviceFilter,
  DeviceQuery,
  DeviceText,
} from '../ports/device-store.ts';
import { type DeviceRow, deviceSelection } from './device-table.ts';

/**
 * Questions about many devices. They are answered out of an index in memory, which takes in what was changed in
 * the table since it was asked last (`device.change`), and in the same transaction the rows of the page are read.
 */
export class DeviceQueries {
  readonly #database: DatabaseSync;
  readonly #get;
  readonly #all;
  readonly #changed;
  readonly #removed;
  #index = new DeviceIndex();
  /** What was taken in; undefined: nothing yet. */
  #level: number | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const arrays = (sql: string) => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#get = arrays(`${deviceSelection} WHERE d.endpoint = ?`);
    this.#all = arrays(`SELECT ${indexColumns}, change FROM device ORDER BY endpoint`);
    this.#changed = arrays(`SELECT ${indexColumns}, change FROM device WHERE change > ? ORDER BY change`);
    this.#removed = arrays('SELECT endpoint, change FROM device_removed WHERE change > ?');
  }

  list(query: DeviceQuery): {
    readonly items: readonly DeviceRow[];
    readonly total: number;
    readonly next: string | undefined;
  } {
    return this.#consistent(() => {
      const { endpoints, total, next } = pageOf(this.#index, query);
      const items = endpoints.map((endpoint) => this.#get.get(endpoint) as unknown as DeviceRow);
      return { items, total, next };
    });
  }

  facets(by: readonly (DeviceText | 'state')[], filter: DeviceFilter, now: number): DeviceFacets {
    return this.#consistent(() => this.#index.facets(by, filter, now));
  }

  endpoints(filter: DeviceFilter, now: number, after: string | undefined, limit: number): readonly string[] {
    return this.#consistent(() => this.#index.endpoints(filter, now, after, limit));
  }

  counts(now: number): DeviceCounts {
    return this.#consistent(() => this.#index.counts(now));
  }

  /** After a rollback: what was taken in may never have been. */
  forget(): void {
    this.#index = new DeviceIndex();
    this.#level = undefined;
  }

  /** Runs a question on one state of the database, with the index level with it. */
  #consistent<T>(question: () => T): T {
    // Where the one connection does all, it may be in the middle of a transaction already.
    const own = !this.#database.isTransaction;
    if (own) this.#database.exec('BEGIN');
    try {
      this.#takeIn();
      return question();
    } finally {
      if (own && this.#database.isTransaction) this.#database.exec('COMMIT');
    }
  }

  #takeIn(): void {
    const first = this.#level === undefined;
    let level = this.#level ?? 0;
    for (const [endpoint, change] of this.#removed.iterate(level) as unknown as Iterable<[string, number]>) {
      if (!first) this.#index.remove(endpoint);
      this.#level = Math.max(this.#level ?? 0, change);
    }
    const rows = first ? this.#all.iterate() : this.#changed.iterate(level);
    for (const row of rows as unknown as Iterable<readonly (string | number | null)[]>) {
      this.#index.put(row as unknown as IndexRow);
      level = Math.max(level, row.at(-1) as number);
    }
    this.#level = Math.max(this.#level ?? 0, level);
  }
}
