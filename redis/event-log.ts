import { randomUUID } from 'node:crypto';
import type { EventLog, StoredEvent } from '../server/ports/event-log.ts';
import type { RedisConnection } from './connection.ts';
import { OwnEvents } from './own-events.ts';
import { loadScript } from './script.ts';
import {
  beforeOfEndpoint,
  beforeOfTrouble,
  beforeOfType,
  eventOf,
  type StreamEntry,
} from './stored-event.ts';

/** How long a batch is known that was appended and may be given again, ms. */
const batchKnown = 3_600_000;
/** More than can have been lost of what was appended last. */
const leap = 1_000_000;
/**
 * Events that are looked at one after the other before the way is taken that leads from each event of a device to the
 * one before it: where they are frequent the first is shorter, where they are rare the second.
 */
const scanned = 500;
/** Steps of such a way that are gone at once: others have their turn between two. */
const stepsAtOnce = 1_000;
/** Events that one step of a trim removes. */
const trimStep = 500;

const append = loadScript('events-append');
const walk = loadScript('events-walk');
const trim = loadScript('events-trim');

type Latest = Parameters<EventLog['latest']>[0];

/** Events that know the one before them of the same kind. */
interface Chain {
  /** Where the newest is noted. */
  readonly newest: string;
  /** Which value of an event names the one before. */
  readonly before: number;
  readonly has: (event: StoredEvent) => boolean;
}

/** What of a chain is wanted. */
interface Wanted {
  readonly above?: number;
  readonly below?: number;
  readonly limit: number;
  readonly trouble?: true;
  readonly types?: readonly string[];
}

/** Key of the stream; its entries are `<id>-0`. */
export function eventStream({ keys }: RedisConnection): string {
  return keys.shared('events', 'entries');
}

/** Events on a stream. */
export class RedisEventLog implements EventLog {
  readonly #redis: RedisConnection;
  readonly #own: OwnEvents;
  readonly #stream: string;
  readonly #figures: string;
  readonly #newest: string;
  readonly #lastBatch: string;
  /**
   * Numbers of the batches that were refused: Redis may have taken one, and was not able to say so. It is there once
   * where it is given again, as the same array, before another is.
   */
  readonly #batches = new WeakMap<object, number>();
  #nextBatch = 1;

  constructor(redis: RedisConnection, own = new OwnEvents()) {
    const { keys } = redis;
    this.#redis = redis;
    this.#own = own;
    this.#stream = eventStream(redis);
    this.#figures = keys.shared('events', 'figures');
    this.#newest = keys.shared('events', 'newest');
    this.#lastBatch = keys.shared('events', `batch:${randomUUID()}`);
  }

  async append(events: readonly Omit<StoredEvent, 'id'>[]): Promise<readonly number[]> {
    if (events.length === 0) return [];
    const batch = this.#batches.get(events) ?? this.#nextBatch++;
    this.#batches.set(events, batch);
    const first = Number(
      await this.#redis.run(
        append,
        [this.#stream, this.#figures, this.#newest, this.#lastBatch],
        [
          ...[batch, batchKnown, leap],
          ...events.flatMap(({ type, endpoint, at, data, trouble }) => [
            ...[type, endpoint ?? '', at, this.#own.write(data), trouble === true ? 1 : ''],
          ]),
        ],
      ),
    );
    this.#batches.delete(events);
    return events.map((_, index) => first + index);
  }

  async read({ after, endpoint, limit }: Parameters<EventLog['read']>[0]): Promise<readonly StoredEvent[]> {
    if (endpoint === undefined) return this.#range(after, limit);
    const next = await this.#range(after, scanned);
    const found = next.filter((event) => event.endpoint === endpoint);
    const last = next.at(-1);
    if (found.length < limit && last !== undefined && next.length === scanned) {
      found.push(...(await this.#oldest(chainOfEndpoint(endpoint), last.id, limit - found.length)));
    }
    return found.slice(0, limit);
  }

  async latest(query: Latest): Promise<readonly StoredEvent[]> {
    const { endpoint, types, trouble, before, limit } = query;
    const wanted: Wanted = {
      limit,
      ...(before !== undefined && { below: before }),
      ...(types !== undefined && { types }),
      ...(trouble !== undefined && { trouble }),
    };
    if (types?.length === 0 || limit <= 0) return [];
    if (endpoint !== undefined) return this.#walkFrom(chainOfEndpoint(endpoint), wanted);
    if (trouble === true) return this.#walkFrom(chainOfTrouble, wanted);
    if (types === undefined) return this.#before(before, limit);
    // Each by the way of its type: of a rare one, the newest may be far behind.
    const found = await Promise.all(
      [...new Set(types)].map((type) => this.#walkFrom(chainOfType(type), { ...wanted, types: [type] })),
    );
    return found
      .flat()
      .sort((a, b) => b.id - a.id)
      .slice(0, limit);
  }

  async extent(): Promise<{ readonly oldest: number; readonly newest: number }> {
    const [oldest, newest] = await this.#redis.call((client) =>
      client.hmget(this.#figures, 'oldest', 'newest'),
    );
    return { oldest: Number(oldest ?? 0), newest: Number(newest ?? 0) };
  }

  async trim(keep: number): Promise<void> {
    const keys = [this.#stream, this.#figures, this.#newest];
    while ((await this.#redis.run(trim, keys, [keep, trimStep])) === trimStep);
  }

  async #range(after: number, limit: number): Promise<StoredEvent[]> {
    if (limit <= 0) return [];
    const entries = await this.#redis.call((client) =>
      client.xrange(this.#stream, `(${after}-0`, '+', 'COUNT', limit),
    );
    return entries.map(eventOf);
  }

  async #before(before: number | undefined, limit: number): Promise<StoredEvent[]> {
    const from = before === undefined ? '+' : `(${before}-0`;
    const entries = await this.#redis.call((client) =>
      client.xrevrange(this.#stream, from, '-', 'COUNT', limit),
    );
    return entries.map(eventOf);
  }

  /** The newest of a chain, newest first. */
  async #walkFrom(chain: Chain, wanted: Wanted): Promise<readonly StoredEvent[]> {
    // Pages behind the first begin in the middle of the chain: mostly, one of it is not far.
    const near = wanted.below === undefined ? [] : await this.#before(wanted.below, scanned);
    const start = near.find(chain.has)?.id;
    if (wanted.below !== undefined && start === undefined && near.length < scanned) return [];
    const found: StoredEvent[] = [];
    let from = start ?? 0;
    do {
      const step = await this.#walk(chain, from, { ...wanted, limit: wanted.limit - found.length });
      found.push(...step.events);
      from = step.next;
    } while (from !== 0 && found.length < wanted.limit);
    return found;
  }

  /** The oldest of a chain behind an id, oldest first. */
  async #oldest(chain: Chain, above: number, limit: number): Promise<readonly StoredEvent[]> {
    let found: StoredEvent[] = [];
    let from = 0;
    do {
      const step = await this.#walk(chain, from, { above, limit: stepsAtOnce });
      found = [...found, ...step.events].slice(-limit);
      from = step.next;
    } while (from !== 0);
    return found.reverse();
  }

  async #walk(
    { newest, before }: Chain,
    from: number,
    { above = 0, below = Number.MAX_SAFE_INTEGER, limit, trouble, types = [] }: Wanted,
  ): Promise<{ readonly events: readonly StoredEvent[]; readonly next: number }> {
    const reply = await this.#redis.run(
      walk,
      [this.#stream, this.#newest],
      [newest, before, from, below, above, limit, stepsAtOnce, trouble === true ? 1 : '', ...types],
    );
    const [next, ...entries] = reply as readonly [string, ...StreamEntry[]];
    return { events: entries.map(eventOf), next: Number(next) };
  }
}

function chainOfEndpoint(endpoint: string): Chain {
  return { newest: `e:${endpoint}`, before: beforeOfEndpoint, has: (event) => event.endpoint === endpoint };
}

function chainOfType(type: string): Chain {
  return { newest: `t:${type}`, before: beforeOfType, has: (event) => event.type === type };
}

const chainOfTrouble: Chain = {
  newest: '!',
  before: beforeOfTrouble,
  has: (event) => event.trouble === true,
};
