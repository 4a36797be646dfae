import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { EventLog, StoredEvent } from '../ports/event-log.ts';
import { EndpointProbe, filterBytes, typeBit } from './event-marks.ts';
import { EventSummaries, type SegmentWish } from './event-summaries.ts';

/** An event on its way to the worker: JSON of a `Row`, and what the worker needs to know of it. */
export type EventRow = readonly [
  ...[text: string, type: string, endpoint: string | null, at: number, trouble: boolean],
];

/** An event as its segment has it. */
type Row = readonly [
  ...[type: string, endpoint: string | null, at: number, data: StoredEvent['data'], trouble: 0 | 1],
];

export type LatestEvents = Parameters<EventLog['latest']>[0];

/** A segment takes no more when it has so many events, or so much text. */
const segmentEvents = 64;
const segmentLength = 8192;
/** Most segments that one trim step removes. */
const trimStep = 100;

/** The segment that takes the next events. */
interface OpenSegment {
  readonly first: number;
  count: number;
  length: number;
  types: number;
  trouble: 0 | 1;
  readonly endpoints: Uint8Array;
}

/** An event as JSON of a `Row`. */
export function eventRow({ type, endpoint, at, data, trouble }: Omit<StoredEvent, 'id'>): EventRow {
  const row: Row = [type, endpoint ?? null, at, data, trouble === true ? 1 : 0];
  return [JSON.stringify(row), type, endpoint ?? null, at, trouble === true];
}

/**
 * Events on the worker's side, in segments of some dozens: a row for each would cost a step in a tree, and in another
 * one to be found by its device, which is most of what an event costs. What a segment holds is found by its marks.
 */
export class EventTable {
  readonly #database: DatabaseSync;
  readonly #insert;
  readonly #extend;
  readonly #body;
  readonly #bounds;
  readonly #firstOf;
  readonly #trim;
  readonly #keepBounds;
  readonly #summaries: EventSummaries;
  /** The newest id that was given. */
  #newest = 0;
  #open: OpenSegment | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare(
      'INSERT INTO event_segment (first, count, types, trouble, endpoints, body) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#extend = database.prepare(
      `UPDATE event_segment SET count = ?, types = ?, trouble = ?, endpoints = ?, body = body || ',' || ?
       WHERE first = ?`,
    );
    this.#body = database.prepare('SELECT body FROM event_segment WHERE first = ?');
    this.#bounds = database.prepare('SELECT oldest FROM event_bounds');
    this.#firstOf = database.prepare('SELECT min(first) AS first FROM event_segment');
    this.#trim = database.prepare(
      `DELETE FROM event_segment WHERE first IN
         (SELECT first FROM event_segment WHERE first + count <= ? ORDER BY first LIMIT ?)`,
    );
    this.#keepBounds = database.prepare('UPDATE event_bounds SET newest = ?, oldest = max(oldest, ?)');
    this.#summaries = new EventSummaries(database);
    this.reload();
  }

  /** Reads the bounds anew: at the start, and after a transaction that was rolled back. */
  reload(): void {
    const row = this.#database
      .prepare(
        `SELECT max(newest, coalesce((SELECT first + count - 1 FROM event_segment ORDER BY first DESC LIMIT 1), 0))
           AS newest FROM event_bounds`,
      )
      .get();
    this.#newest = row?.['newest'] as number;
    this.#open = undefined;
    this.#summaries.forget();
  }

  /**
   * Returns their ids.
   * @throws RangeError one of them has no time; the transaction is to be rolled back
   */
  append(events: readonly EventRow[]): readonly number[] {
    const before = this.#newest;
    for (let next = 0; next < events.length; ) next = this.#fill(events, next);
    return events.map((_event, index) => before + 1 + index);
  }

  /** Puts as many as it takes, from that one on, in the open segment, or in a new one. Returns the next one. */
  #fill(events: readonly EventRow[], from: number): number {
    const before = this.#open;
    const segment: OpenSegment = before ?? {
      ...{ first: this.#newest + 1, count: 0, length: 0, types: 0, trouble: 0 },
      endpoints: new Uint8Array(filterBytes),
    };
    const texts: string[] = [];
    let next = from;
    while (next < events.length && isOpen(segment)) {
      const [text, type, endpoint, at, trouble] = events[next++] as EventRow;
      // It would be null in JSON.
      if (!Number.isFinite(at)) throw new RangeError(`an event '${type}' has the time ${at}`);
      texts.push(text);
      segment.count++;
      segment.length += text.length;
      segment.types |= typeBit(type);
      if (trouble) segment.trouble = 1;
      if (endpoint !== null) new EndpointProbe(endpoint).addTo(segment.endpoints);
    }
    const { first, count, types, trouble, endpoints } = segment;
    const body = texts.join(',');
    if (before === undefined) this.#insert.run(first, count, types, trouble, endpoints, body);
    else this.#extend.run(count, types, trouble, endpoints, body, first);
    this.#newest += next - from;
    this.#open = isOpen(segment) ? segment : undefined;
    return next;
  }

  read(after: number, endpoint: string | undefined, limit: number): readonly StoredEvent[] {
    const oldest = Math.max(this.#refresh(), after + 1);
    const wish = { endpoint: probeOf(endpoint), types: undefined, trouble: false };
    const found: StoredEvent[] = [];
    for (const first of this.#summaries.from(oldest, wish)) {
      if (found.length >= limit) break;
      for (const event of this.#events(first)) {
        if (event.id >= oldest && (endpoint === undefined || event.endpoint === endpoint)) found.push(event);
      }
    }
    return found.slice(0, limit);
  }

  latest({ endpoint, types, trouble, before, limit }: LatestEvents): readonly StoredEvent[] {
    const oldest = this.#refresh();
    const newest = before === undefined ? Number.MAX_SAFE_INTEGER : before - 1;
    const wish: SegmentWish = {
      endpoint: probeOf(endpoint),
      types: types?.reduce((bits, type) => bits | typeBit(type), 0),
      trouble: trouble === true,
    };
    const wanted = types === undefined ? undefined : new Set(types);
    const isWanted = (event: StoredEvent): boolean =>
      event.id >= oldest &&
      event.id <= newest &&
      (endpoint === undefined || event.endpoint === endpoint) &&
      (wanted === undefined || wanted.has(event.type)) &&
      (trouble !== true || event.trouble === true);
    const found: StoredEvent[] = [];
    for (const first of this.#summaries.upTo(newest, wish)) {
      if (found.length >= limit) break;
      found.push(...this.#events(first).filter(isWanted).reverse());
    }
    return found.slice(0, limit);
  }

  /** As of a log: oldest is that after the newest where all were removed. */
  extent(): { oldest: number; newest: number } {
    const newest = this.#newest;
    const first = this.#firstOf.get()?.['first'] as number | null;
    if (first === null) return { oldest: newest === 0 ? 0 : newest + 1, newest };
    return { oldest: Math.max(first, this.#oldest()), newest };
  }

  /** One step; true where there may be more to remove. */
  trim(keep: number): boolean {
    const last = Math.max(0, this.#newest - keep);
    this.#keepBounds.run(this.#newest, last + 1);
    if (this.#open !== undefined && this.#open.first <= last) this.#open = undefined;
    return this.#trim.run(last + 1, trimStep).changes === trimStep;
  }

  #oldest(): number {
    return this.#bounds.get()?.['oldest'] as number;
  }

  /** Returns the oldest that is kept. */
  #refresh(): number {
    const oldest = this.#oldest();
    this.#summaries.refresh(oldest);
    return oldest;
  }

  /** Those of a segment; none where it was removed meanwhile. */
  #events(first: number): readonly StoredEvent[] {
    const row: Record<string, SQLOutputValue> | undefined = this.#body.get(first);
    if (row === undefined) return [];
    const rows = JSON.parse(`[${row['body'] as string}]`) as readonly Row[];
    return rows.map(([type, endpoint, at, data, trouble], index) => ({
      id: first + index,
      type,
      ...(endpoint === null ? {} : { endpoint }),
      at,
      data,
      ...(trouble === 1 ? { trouble: true } : {}),
    }));
  }
}

function isOpen({ count, length }: OpenSegment): boolean {
  return count < segmentEvents && length < segmentLength;
}

function probeOf(endpoint: string | undefined): EndpointProbe | undefined {
  return endpoint === undefined ? undefined : new EndpointProbe(endpoint);
}
