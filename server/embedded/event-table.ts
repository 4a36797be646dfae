import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { StoredEvent } from '../ports/event-log.ts';

/** Most events that one trim step removes. */
const trimStep = 5000;

/** Events on the worker's side; `data` stays JSON on its way between the threads. */
export class EventTable {
  readonly #append;
  readonly #read;
  readonly #readOf;
  readonly #latest;
  readonly #latestOf;
  readonly #extent;
  readonly #trim;

  constructor(database: DatabaseSync) {
    this.#append = database.prepare('INSERT INTO event (type, endpoint, at, data) VALUES (?, ?, ?, ?)');
    this.#read = database.prepare('SELECT * FROM event WHERE id > ? ORDER BY id LIMIT ?');
    this.#readOf = database.prepare('SELECT * FROM event WHERE endpoint = ? AND id > ? ORDER BY id LIMIT ?');
    this.#latest = database.prepare('SELECT * FROM event ORDER BY id DESC LIMIT ?');
    this.#latestOf = database.prepare('SELECT * FROM event WHERE endpoint = ? ORDER BY id DESC LIMIT ?');
    this.#extent = database.prepare(
      `SELECT (SELECT id FROM event ORDER BY id LIMIT 1) AS oldest,
         coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0) AS newest`,
    );
    this.#trim = database.prepare(
      `DELETE FROM event WHERE id IN (SELECT id FROM event
         WHERE id <= (SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?) ORDER BY id LIMIT ?)`,
    );
  }

  /** Each event: type, endpoint or null, at, data. Returns their ids. */
  append(events: readonly (readonly [string, string | null, number, string])[]): readonly number[] {
    return events.map((event) => Number(this.#append.run(...event).lastInsertRowid));
  }

  read(after: number, endpoint: string | undefined, limit: number): readonly StoredEvent[] {
    const rows =
      endpoint === undefined ? this.#read.all(after, limit) : this.#readOf.all(endpoint, after, limit);
    return rows.map(eventOf);
  }

  latest(endpoint: string | undefined, limit: number): readonly StoredEvent[] {
    return (endpoint === undefined ? this.#latest.all(limit) : this.#latestOf.all(endpoint, limit)).map(
      eventOf,
    );
  }

  /** As of a log: oldest is that after the newest where all were removed. */
  extent(): { oldest: number; newest: number } {
    const row = this.#extent.get();
    const newest = row?.['newest'] as number;
    return { oldest: (row?.['oldest'] as number | null) ?? (newest === 0 ? 0 : newest + 1), newest };
  }

  /** One step; true where there may be more to remove. */
  trim(keep: number): boolean {
    return this.#trim.run(keep, trimStep).changes === trimStep;
  }
}

function eventOf(row: Record<string, SQLOutputValue>): StoredEvent {
  return {
    id: row['id'] as number,
    type: row['type'] as string,
    ...(row['endpoint'] === null ? {} : { endpoint: row['endpoint'] as string }),
    at: row['at'] as number,
    data: JSON.parse(row['data'] as string),
  };
}
