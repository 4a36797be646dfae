import { isDeepStrictEqual } from 'node:util';
import { BusyError } from '../protocol/errors.ts';
import { bucketOf } from '../server/ports/bucket.ts';
import type { Command, CommandQueue, CommandTransition, NewCommand } from '../server/ports/command-queue.ts';
import { decodeCursor, encodeCursor, foreignCursor } from '../server/ports/cursor.ts';
import { allBuckets, bucketKeys, runForBuckets } from './buckets.ts';
import { bucketOfCommand, decodeCommand, encodeFixed, newCommandId } from './command-record.ts';
import type { RedisConnection } from './connection.ts';
import { compareNewest, newestFirst, type Placed } from './newest-first.ts';
import { loadScript } from './script.ts';

/** How long an idempotency key is kept, ms. */
const keyLifetime = 86_400_000;
/** Old keys that one call removes at most. */
const keysPerCall = 100;

/** Steps of a command that are kept: its beginning, and what is new. */
const firstSteps = 8;
const newestSteps = 24;

/** Bytes of records in one page, but for a single larger command. */
const pageBytes = 4_194_304;
/** Commands of a bucket that one look takes into account: others have their turn between two. */
const looksAtOnce = 1_000;
/** Commands that one step removes from a bucket. */
const removedAtOnce = 500;

const enqueue = loadScript('command-enqueue');
const transition = loadScript('command-transition');
const readHead = loadScript('command-head');
const lookFor = loadScript('command-list');
const remove = loadScript('command-remove');
const readEach = loadScript('read-each');

const names = {
  enqueue: [
    ...[
      'commands',
      'commands:about',
      'commands:order',
      'commands:open',
      'commands:newest',
      'commands:counts',
    ],
    ...['commands:queued', 'commands:ended', 'commands:removable', 'commands:keys', 'commands:key-ages'],
    'commands:jobs',
  ],
  transition: [
    ...['commands', 'commands:about', 'commands:open', 'commands:newest', 'commands:counts'],
    ...['commands:queued', 'commands:ended', 'commands:removable', 'owners'],
  ],
  head: ['commands', 'commands:open'],
  list: ['commands:order', 'commands:about', 'commands', 'commands:counts'],
  remove: [
    ...['commands', 'commands:about', 'commands:order', 'commands:ended', 'commands:removable'],
    ...['commands:jobs', 'commands:counts'],
  ],
};

type CommandQuery = Parameters<CommandQueue['list']>[0];

/** One that was found, with the size of its record in bytes. */
interface FoundCommand extends Placed {
  readonly size: number;
}

interface InBucket extends Placed {
  readonly bucket: number;
}

/** Commands in the buckets of their devices; what is asked of all of them is put together from all buckets. */
export class RedisCommandQueue implements CommandQueue {
  readonly #redis: RedisConnection;
  /** What each script is given, by bucket. */
  readonly #keys: Readonly<Record<keyof typeof names, (bucket: number) => readonly string[]>>;

  /** When commands were to expire of which nobody knows whether they did, for Redis did not answer. */
  readonly #doubtful = new Map<string, number>();

  constructor(redis: RedisConnection) {
    this.#redis = redis;
    const keysOf = (script: keyof typeof names) => bucketKeys(redis.keys, names[script]);
    this.#keys = {
      enqueue: keysOf('enqueue'),
      transition: keysOf('transition'),
      head: keysOf('head'),
      list: keysOf('list'),
      remove: keysOf('remove'),
    };
  }

  async enqueue(
    command: NewCommand,
  ): Promise<{ readonly command: Command; readonly created: boolean; readonly conflict: boolean }> {
    const { endpoint, kind, parameters, createdAt, expiresAt, idempotencyKey, job, bounds } = command;
    const id = newCommandId(endpoint);
    const encoded = JSON.stringify(parameters);
    const reply = (await this.#redis.run(enqueue, this.#keys.enqueue(bucketOf(endpoint)), [
      ...[id, endpoint, word(kind), job === undefined ? '-' : word(job.id), job?.attempt ?? 0],
      ...[createdAt, expiresAt, encodeFixed(command), Buffer.byteLength(encoded)],
      JSON.stringify({ state: 'queued', at: createdAt }),
      idempotencyKey === undefined ? '' : `${endpoint.length}:${endpoint}${idempotencyKey}`,
      ...[keyLifetime, keysPerCall, bounds?.count ?? '', bounds?.bytes ?? ''],
    ])) as readonly ['made', string] | readonly ['known', string, string] | readonly ['busy', number, number];
    if (reply[0] === 'busy') {
      throw new BusyError(
        `${reply[1]} commands of ${reply[2]} bytes wait for '${endpoint}' already, and no more are taken: wait for ` +
          'them to end, or cancel some by DELETE /api/commands/{id}',
      );
    }
    if (reply[0] === 'made') {
      return { command: decodeCommand(id, reply[1]), created: true, conflict: false };
    }
    const known = decodeCommand(reply[1], reply[2]);
    const same = known.kind === kind && isDeepStrictEqual(known.parameters, JSON.parse(encoded));
    return { command: known, created: false, conflict: !same };
  }

  async get(id: string): Promise<Command | undefined> {
    const bucket = bucketOfCommand(id);
    if (bucket === undefined) return undefined;
    const record = await this.#redis.call((client) => client.hget(this.#key(bucket, 'commands'), id));
    return record === null ? undefined : decodeCommand(id, record);
  }

  async head(endpoint: string): Promise<Command | undefined> {
    const keys = this.#keys.head(bucketOf(endpoint));
    const found = (await this.#redis.run(readHead, keys, [endpoint])) as readonly [string, string] | null;
    return found === null ? undefined : decodeCommand(...found);
  }

  async transition(step: CommandTransition): Promise<Command | undefined> {
    const { id, from, to, at, reason, result, attempt, owner } = step;
    const bucket = bucketOfCommand(id);
    if (bucket === undefined) return undefined;
    const record = (await this.#redis.run(transition, this.#keys.transition(bucket), [
      ...[id, owner === undefined ? '' : `${owner.fence} ${owner.node}`, to, at],
      reason === undefined ? '' : JSON.stringify(reason),
      result === undefined ? '' : JSON.stringify(result),
      attempt === true ? 1 : 0,
      JSON.stringify({ state: to, at, ...(reason !== undefined && { reason }) }),
      ...[firstSteps, newestSteps, ...from],
    ])) as string | null;
    return record === null ? undefined : decodeCommand(id, record);
  }

  async list(query: CommandQuery): Promise<{ readonly items: readonly Command[]; readonly next?: string }> {
    const { endpoint, states, limit } = query;
    const after = query.cursor === undefined ? undefined : placeOf(query.cursor);
    if (states?.length === 0) return { items: [] };
    const buckets = endpoint === undefined ? allBuckets : [bucketOf(endpoint)];
    // From each of many buckets a few: most pages are put together of one look into each.
    const wanted = buckets.length === 1 ? limit + 1 : Math.max(4, Math.ceil((limit + 1) / 64));
    const found = newestFirst(buckets, after?.at ?? Number.MAX_SAFE_INTEGER, (bucket, from, again) =>
      this.#look(bucket, again ? `(${from}` : `${from}`, wanted, query),
    );
    const page: FoundCommand[] = [];
    let left = pageBytes;
    let hasMore = false;
    for await (const item of found) {
      if (after !== undefined && compareNewest(item, after) <= 0) continue;
      if (page.length === limit || (page.length > 0 && item.size > left)) {
        hasMore = true;
        break;
      }
      left -= item.size;
      page.push(item);
    }
    const last = page.at(-1);
    const commands = await Promise.all(page.map(({ id }) => this.get(id)));
    // It may have taken a step, or been removed, since it was found.
    const items = commands.filter(
      (command) => command !== undefined && (states === undefined || states.includes(command.state)),
    ) as readonly Command[];
    if (!hasMore || last === undefined) return { items };
    return { items, next: encodeCursor('commands', [last.at, last.id]) };
  }

  async pendingEndpoints(): Promise<readonly string[]> {
    return (await this.#each<readonly string[]>('commands:open', 'HKEYS')).flat();
  }

  async countOpen(kind: string): Promise<number> {
    return sum(
      (await this.#each<string | null>('commands:counts', 'HGET', `open ${word(kind)}`)).map(Number),
    );
  }

  async expire(now: number, limit: number): Promise<readonly Command[]> {
    const due = await this.#oldest('commands:queued', String(now), limit);
    const settled = await this.#settle();
    // Each takes place once, whoever else found it.
    const steps = await Promise.allSettled(
      due.map(({ id }) => this.transition({ id, from: ['queued'], to: 'expired', at: now })),
    );
    const expired = [...settled];
    let failure: unknown;
    for (const [index, step] of steps.entries()) {
      if (step.status === 'fulfilled') {
        if (step.value !== undefined) expired.push(step.value);
      } else {
        failure = step.reason;
        this.#doubtful.set((due[index] as InBucket).id, now);
      }
    }
    // What has expired is told even where some of a bucket that is away could not.
    if (failure !== undefined && expired.length === 0) throw failure;
    return expired;
  }

  /** Those that expired at the last call although Redis could not say so. */
  async #settle(): Promise<readonly Command[]> {
    const doubtful = [...this.#doubtful];
    const commands = await Promise.all(doubtful.map(([id]) => this.get(id)));
    for (const [id] of doubtful) this.#doubtful.delete(id);
    return commands.filter(
      (command, index) => command?.state === 'expired' && command.updatedAt === doubtful[index]?.[1],
    ) as readonly Command[];
  }

  async trim({ endedBefore, keep, limit }: Parameters<CommandQueue['trim']>[0]): Promise<number> {
    const before = Math.max(endedBefore, await this.#endOfKept(keep));
    if (before === Number.NEGATIVE_INFINITY) return 0;
    const old = await this.#oldest('commands:removable', `(${before}`, limit);
    const byBucket = Map.groupBy(old, ({ bucket }) => bucket);
    let removed = 0;
    for (const [bucket, commands] of byBucket) {
      const keys = this.#keys.remove(bucket);
      for (let i = 0; i < commands.length; i += removedAtOnce) {
        const ids = commands.slice(i, i + removedAtOnce).map(({ id }) => id);
        removed += (await this.#redis.run(remove, keys, ids)) as number;
      }
    }
    return removed;
  }

  async #look(
    bucket: number,
    bound: string,
    wanted: number,
    { endpoint = '', kind, job, from, to, states = [] }: CommandQuery,
  ): Promise<{ readonly items: readonly FoundCommand[]; readonly next?: number }> {
    const [next, ...rows] = (await this.#redis.run(lookFor, this.#keys.list(bucket), [
      ...[bound, wanted, looksAtOnce, endpoint],
      ...[kind === undefined ? '' : word(kind), job === undefined ? '' : word(job), from ?? '', to ?? ''],
      ...states,
    ])) as readonly [string, ...(string | number)[]];
    const items: FoundCommand[] = [];
    for (let i = 0; i < rows.length; i += 3) {
      items.push({ id: rows[i] as string, at: Number(rows[i + 1]), size: rows[i + 2] as number });
    }
    return { items, ...(next !== '' && { next: Number(next) }) };
  }

  /** The first of a sorted set of all buckets, up to a bound. */
  async #oldest(name: string, bound: string, limit: number): Promise<readonly InBucket[]> {
    // Of each bucket a few, for there are many; where one has most of them, it is asked again.
    for (let few = Math.min(limit, 64); ; few = Math.min(limit, few * 8)) {
      const found = await this.#each<readonly string[]>(
        ...([name, 'ZRANGEBYSCORE', '-inf', bound, 'WITHSCORES', 'LIMIT', 0, few] as const),
      );
      const all = found.flatMap((rows, bucket) =>
        rows.flatMap((id, i): InBucket[] => (i % 2 === 0 ? [{ bucket, id, at: Number(rows[i + 1]) }] : [])),
      );
      const isAll = few === limit || found.every(({ length }) => length < 2 * few);
      if (isAll || all.length >= limit) return all.sort((a, b) => a.at - b.at).slice(0, limit);
    }
  }

  /**
   * The ms from which on no more than `keep` have ended: what ended before is too much. Found by halves, for nobody
   * keeps the endings of all buckets in order.
   */
  async #endOfKept(keep: number): Promise<number> {
    const name = 'commands:ended';
    if (sum(await this.#each<number>(name, 'ZCARD')) <= keep) return Number.NEGATIVE_INFINITY;
    const oldest = await this.#each<readonly string[]>(name, 'ZRANGE', 0, 0, 'WITHSCORES');
    const newest = await this.#each<readonly string[]>(name, 'ZREVRANGE', 0, 0, 'WITHSCORES');
    const edges = [...oldest, ...newest].flatMap(([, at]) => (at === undefined ? [] : [Number(at)]));
    let tooMany = Math.floor(Math.min(...edges));
    let few = Math.floor(Math.max(...edges)) + 1;
    while (few - tooMany > 1) {
      const middle = Math.floor((few + tooMany) / 2);
      if (sum(await this.#each<number>(name, 'ZCOUNT', middle, '+inf')) > keep) tooMany = middle;
      else few = middle;
    }
    return few;
  }

  /** Asks the same of a key of each bucket. */
  async #each<T>(name: string, ...command: readonly (string | number)[]): Promise<readonly T[]> {
    const keys = allBuckets.map((bucket) => this.#key(bucket, name));
    return (await runForBuckets(this.#redis, readEach, keys, command)) as readonly T[];
  }

  #key(bucket: number, name: string): string {
    return this.#redis.keys.bucket(bucket, name);
  }
}

/** As one word: what is parsed by spaces and colons. */
function word(text: string): string {
  return encodeURIComponent(text);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function placeOf(cursor: string): Placed {
  const [at, id] = decodeCursor('commands', cursor, 'parts');
  if (typeof at !== 'number' || typeof id !== 'string') throw foreignCursor();
  return { at, id };
}
