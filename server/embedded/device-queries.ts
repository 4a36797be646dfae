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
import type { Changes } from './changed-devices.ts';
import { type DeviceRow, deviceSelection } from './device-table.ts';

/**
 * Questions about many devices. They are answered out of an index in memory, which takes in the devices that have
 * changed since it was asked last, as it is told with each question, and in the same transaction the rows of the page
 * are read.
 */
export class DeviceQueries {
  readonly #database: DatabaseSync;
  readonly #get;
  readonly #all;
  readonly #one;
  /** Undefined: nothing was taken in yet. */
  #index: DeviceIndex | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const arrays = (sql: string) => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#get = arrays(`${deviceSelection} WHERE d.endpoint = ?`);
    this.#all = arrays(`SELECT ${indexColumns} FROM device ORDER BY endpoint`);
    this.#one = arrays(`SELECT ${indexColumns} FROM device WHERE endpoint = ?`);
  }

  list(
    query: DeviceQuery,
    changes: Changes,
  ): {
    readonly items: readonly DeviceRow[];
    readonly total: number;
    readonly next: string | undefined;
  } {
    return this.#consistent(changes, (index) => {
      const { endpoints, total, next } = pageOf(index, query);
      const items = endpoints.map((endpoint) => this.#get.get(endpoint) as unknown as DeviceRow);
      return { items, total, next };
    });
  }

  facets(
    by: readonly (DeviceText | 'state')[],
    filter: DeviceFilter,
    now: number,
    changes: Changes,
  ): DeviceFacets {
    return this.#consistent(changes, (index) => index.facets(by, filter, now));
  }

  endpoints(
    filter: DeviceFilter,
    now: number,
    after: string | undefined,
    limit: number,
    changes: Changes,
  ): readonly string[] {
    return this.#consistent(changes, (index) => index.endpoints(filter, now, after, limit));
  }

  counts(now: number, changes: Changes): DeviceCounts {
    return this.#consistent(changes, (index) => index.counts(now));
  }

  /** After a rollback: what was taken in may never have been. */
  forget(): void {
    this.#index = undefined;
  }

  /** Runs a question on one state of the database, with the index level with it. */
  #consistent<T>(changes: Changes, question: (index: DeviceIndex) => T): T {
    // Where the one connection does all, it may be in the middle of a transaction already.
    const own = !this.#database.isTransaction;
    if (own) this.#database.exec('BEGIN');
    try {
      return question(this.#takeIn(changes));
    } finally {
      if (own && this.#database.isTransaction) this.#database.exec('COMMIT');
    }
  }

  #takeIn(changes: Changes): DeviceIndex {
    let index = this.#index;
    if (index === undefined || changes === undefined) {
      index = new DeviceIndex();
      for (const row of this.#all.iterate()) index.put(row as unknown as IndexRow);
      this.#index = index;
      return index;
    }
    for (const endpoint of changes) {
      const row = this.#one.get(endpoint) as unknown as IndexRow | undefined;
      if (row === undefined) index.remove(endpoint);
      else index.put(row);
    }
    return index;
  }
}
