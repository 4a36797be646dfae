import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { EventLog, StoredEvent } from '../ports/event-log.ts';

/** An event on its way to the worker: type, endpoint, at, data as JSON, 1 where it is trouble. */
export type EventRow = readonly [string, string | null, number, string, number];

export type LatestEvents = Parameters<EventLog['latest']>[0];

/** Most events that one trim step removes. */
const trimStep = 5000;

/** Events on the worker's side; `data` stays JSON on its way between the threads. */
export class EventTable {
  readonly #database: DatabaseSync;
  readonly #append;
  readonly #read;
  readonly #readOf;
  readonly #extent;
  readonly #trim;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#append = database.prepare(
      'INSERT INTO event (type, endpoint, at, data, trouble) VALUES (?, ?, ?, ?, ?)',
    );
    this.#read = database.prepare('SELECT * FROM event WHERE id > ? ORDER BY id LIMIT ?');
    this.#readOf = database.prepare('SELECT * FROM event WHERE endpoint = ? AND id > ? ORDER BY id LIMIT ?');
    this.#extent = database.prepare(
      `SELECT (SELECT id FROM event ORDER BY id LIMIT 1) AS oldest,
         coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0) AS newest`,
    );
    this.#trim = database.prepare(
      `DELETE FROM event WHERE id IN (SELECT id FROM event
         WHERE id <= (SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?) ORDER BY id LIMIT ?)`,
    );
  }

  /** Returns their ids. */
  append(events: readonly EventRow[]): readonly number[] {
    return events.map((event) => Number(this.#append.run(...event).lastInsertRowid));
  }

  read(after: number, endpoint: string | undefined, limit: number): readonly StoredEvent[] {
    const rows =
      endpoint === undefined ? this.#read.all(after, limit) : this.#readOf.all(endpoint, after, limit);
    return rows.map(eventOf);
  }

  latest({ endpoint, types, trouble, before, limit }: LatestEvents): readonly StoredEvent[] {
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    if (endpoint !== undefined) {
      conditions.push('endpoint = ?');
      values.push(endpoint);
    }
    if (trouble === true) conditions.push('trouble = 1');
    if (before !== undefined) {
      conditions.push('id < ?');
      values.push(before);
    }
    const newest = (type: readonly string[]): readonly StoredEvent[] => {
      const all = type.length === 0 ? conditions : [...conditions, 'type = ?'];
      const where = all.length === 0 ? '' : `WHERE ${all.join(' AND ')}`;
      const rows = this.#database.prepare(`SELECT * FROM event ${where} ORDER BY id DESC LIMIT ?`);
      return rows.all(...values, ...type, limit).map(eventOf);
    };
    if (types === undefined) return newest([]);
    // Each by the index of its type: of a rare one, the newest may be far behind.
    const found = [...new Set(types)].flatMap((type) => newest([type]));
    return found.sort((a, b) => b.id - a.id).slice(0, limit);
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
    ...(row['trouble'] === 1 ? { trouble: true } : {}),
  };
}
