import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { EventType } from '../events.ts';
import type { EventLog, StoredEvent } from '../ports/event-log.ts';

/** An event on its way to the worker: type, endpoint, at, data as JSON, 1 where it is trouble. */
export type EventRow = readonly [string, string | null, number, string, number];

export type LatestEvents = Parameters<EventLog['latest']>[0];

/** Most events that one trim step removes. */
const trimStep = 5000;

/** The type of most events in nearly every log: it is found without an index of types, which costs each event a step. */
const frequent = 'updated' satisfies EventType;

/** Events on the worker's side; `data` stays JSON on its way between the threads. */
export class EventTable {
  readonly #database: DatabaseSync;
  readonly #append;
  readonly #read;
  readonly #readOf;
  readonly #oldest;
  readonly #trim;
  readonly #keepNewest;
  /** The newest id that was given. */
  #newest = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#append = database.prepare(
      'INSERT INTO event (id, type, endpoint, at, data, trouble) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#read = database.prepare('SELECT * FROM event WHERE id > ? ORDER BY id LIMIT ?');
    this.#readOf = database.prepare('SELECT * FROM event WHERE endpoint = ? AND id > ? ORDER BY id LIMIT ?');
    this.#oldest = database.prepare('SELECT min(id) AS id FROM event');
    this.#trim = database.prepare(
      `DELETE FROM event WHERE id IN (SELECT id FROM event
         WHERE id <= (SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?) ORDER BY id LIMIT ?)`,
    );
    this.#keepNewest = database.prepare('UPDATE event_bounds SET newest = ?');
    this.reload();
  }

  /** Reads the bounds anew: at the start, and after a transaction that was rolled back. */
  reload(): void {
    const row = this.#database
      .prepare('SELECT max(newest, coalesce((SELECT max(id) FROM event), 0)) AS newest FROM event_bounds')
      .get();
    this.#newest = row?.['newest'] as number;
  }

  /** Returns their ids. */
  append(events: readonly EventRow[]): readonly number[] {
    return events.map(([type, endpoint, at, data, trouble]) => {
      this.#newest += 1;
      this.#append.run(this.#newest, type, endpoint, at, data, trouble);
      return this.#newest;
    });
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
      // As the index of types says it, so that SQLite sees that it holds what is looked for. Those of one device are few.
      if (endpoint === undefined && type.length > 0 && type[0] !== frequent)
        all.push(`type <> '${frequent}'`);
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
    const newest = this.#newest;
    const oldest = this.#oldest.get()?.['id'] as number | null;
    return { oldest: oldest ?? (newest === 0 ? 0 : newest + 1), newest };
  }

  /** One step; true where there may be more to remove. */
  trim(keep: number): boolean {
    this.#keepNewest.run(this.#newest);
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
