import { StoreUnavailableError } from '../server/ports/errors.ts';
import type { LogEntry, LogPosition, NewLogEntry, TelemetryLog } from '../server/ports/telemetry-log.ts';
import { AppendBatch } from './append-batch.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

/** A batch is sent when it has so many entries or bytes: Redis does nothing else while it appends one. */
const batchEntries = 512;
const batchBytes = 1_048_576;
/** Batches under way; what comes meanwhile is the next one. */
const batchesUnderWay = 2;
/**
 * How far apart batches are that are not full, ms: each one is a hand-over to Redis and back, and synced to its disk,
 * whatever is in it. What comes after a rest goes out at once, and so does an entry for which somebody waits.
 */
const spacing = 8;
/** What may wait before the log refuses more, bytes. */
const bytesWaiting = 67_108_864;

/**
 * Digests that are known: twice those of all entries, but for the fewest, and not more than twice the most, so that
 * the newest four million are among them.
 */
const digestBounds = { fewest: 65_536, most: 4_194_304 };
/** More than can have been lost of what was appended last. */
const leap = 1_000_000;

/** How long a replica may take until it has a batch, ms: then the entries count as not stored. */
const replicaPatience = 1_000;

/** Bytes of bodies in one answer, but for a single larger entry. */
const readBytes = 4_194_304;
/** Entries that one step of a trim removes: appends have their turn between two. */
const trimStep = 500;

const append = loadScript('log-append');
const read = loadScript('log-read');
const cursor = loadScript('log-cursor');
const commit = loadScript('log-commit');
const trim = loadScript('log-trim');

type AppendDone = Parameters<TelemetryLog['append']>[1];

interface Batch {
  readonly entries: AppendBatch;
  readonly dones: AppendDone[];
}

/** Key of the stream; its entries are `<position>-0`. */
export function logStream({ keys }: RedisConnection): string {
  return keys.shared('log', 'entries');
}

/**
 * The telemetry log on a stream. What one turn of the event loop brings, and what comes while two batches are under
 * way, is appended as one batch by one script.
 */
export class RedisTelemetryLog implements TelemetryLog {
  readonly #redis: RedisConnection;
  readonly #digestBounds: typeof digestBounds;
  readonly #stream: string;
  readonly #figures: string;
  readonly #keys: readonly string[];
  /** In the order of their sending; the last one takes more. */
  readonly #batches: Batch[] = [];
  #waitingBytes = 0;
  #waiting = 0;
  #underWay = 0;
  /** Something waits that is to go out in this turn, or as soon as fewer batches are under way. */
  #urgent = false;
  #scheduled: NodeJS.Immediate | undefined;
  /** Until the next batch may go out. */
  #rest: NodeJS.Timeout | undefined;
  /** When the last batch went out, ms. */
  #sentAt = Number.NEGATIVE_INFINITY;
  /** Replicas that Redis had at the last append. */
  #replicas = 0;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(redis: RedisConnection, bounds = digestBounds) {
    const { keys } = redis;
    this.#redis = redis;
    this.#digestBounds = bounds;
    this.#stream = logStream(redis);
    this.#figures = keys.shared('log', 'figures');
    const digests = ['digests', 'digests-before'].map((name) => keys.shared('log', name));
    this.#keys = [this.#stream, this.#figures, ...digests];
  }

  /** Entries that are not answered yet. */
  get waiting(): number {
    return this.#waiting;
  }

  append(entry: NewLogEntry, done: AppendDone): void {
    if (this.#closing !== undefined || this.#waitingBytes >= bytesWaiting) {
      const reason = this.#closing === undefined ? 'Redis does not keep up' : 'the store is closed';
      // Never from within append: a caller need not expect to be called back while it calls.
      setImmediate(done, new StoreUnavailableError(reason), 0, false);
      return;
    }
    let batch = this.#batches.at(-1);
    if (batch === undefined || isFull(batch)) {
      batch = { entries: new AppendBatch(), dones: [] };
      this.#batches.push(batch);
    }
    const before = batch.entries.length;
    batch.entries.add(entry);
    batch.dones.push(done);
    this.#waitingBytes += batch.entries.length - before;
    this.#waiting += 1;
    this.#schedule(entry.awaited === true || isFull(batch));
  }

  async read(after: LogPosition, limit: number): Promise<readonly LogEntry[]> {
    const reply = await this.#redis.runBuffer(read, [this.#stream], [after, limit, readBytes]);
    return entriesOf(reply as readonly Buffer[]);
  }

  async cursor(consumer: string): Promise<LogPosition> {
    return Number(await this.#redis.run(cursor, [this.#stream], [consumer]));
  }

  async commit(consumer: string, position: LogPosition): Promise<void> {
    await this.#redis.run(commit, [this.#stream], [consumer, position]);
  }

  async extent(): Promise<{ readonly oldest: LogPosition; readonly newest: LogPosition }> {
    const [oldest, newest] = await this.#redis.call((client) =>
      client.hmget(this.#figures, 'oldest', 'newest'),
    );
    return { oldest: Number(oldest ?? 0), newest: Number(newest ?? 0) };
  }

  async trim({ now, maxAge, maxBytes }: Parameters<TelemetryLog['trim']>[0]): Promise<number> {
    const keys = [this.#stream, this.#figures];
    const args = [(now - maxAge) * 1000, maxBytes, trimStep];
    let total = 0;
    for (;;) {
      const removed = (await this.#redis.run(trim, keys, args)) as number;
      total += removed;
      if (removed < trimStep) return total;
    }
  }

  /** Idempotent; refuses more, and resolves when all that was appended is answered. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#idle = resolve;
      if (this.#waiting === 0) resolve();
    });
    return this.#closing;
  }

  /** Resolves when the entries are durable: where there are replicas, one of them has them. */
  async #store(entries: Buffer): Promise<readonly number[]> {
    const { most, fewest } = this.#digestBounds;
    const args = [entries, most, fewest, leap];
    let first: readonly number[] | undefined;
    if (this.#replicas === 0) {
      first = (await this.#redis.run(append, this.#keys, args)) as readonly number[];
      this.#replicas = first[0] as number;
      if (this.#replicas === 0) return first;
      // There are some by now: given again, the same entries are waited for.
    }
    const { reply, replicas } = await this.#redis.runReplicated(append, this.#keys, args, replicaPatience);
    const answer = reply as readonly number[];
    this.#replicas = answer[0] as number;
    if (this.#replicas > 0 && replicas === 0) {
      throw new StoreUnavailableError('no replica of Redis has what was appended');
    }
    return first ?? answer;
  }

  /** `urgent`: at the end of this turn, not after a rest. */
  #schedule(urgent: boolean): void {
    this.#urgent ||= urgent;
    if (this.#scheduled !== undefined || this.#underWay >= batchesUnderWay) return;
    if (!this.#urgent) {
      if (this.#rest !== undefined) return;
      const rest = this.#sentAt + spacing - performance.now();
      if (rest > 0) {
        this.#rest = setTimeout(this.#flush, rest);
        return;
      }
    }
    this.#scheduled = setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    clearImmediate(this.#scheduled);
    clearTimeout(this.#rest);
    this.#scheduled = undefined;
    this.#rest = undefined;
    while (this.#underWay < batchesUnderWay) {
      const batch = this.#batches.shift();
      if (batch === undefined) break;
      this.#underWay += 1;
      this.#sentAt = performance.now();
      void this.#send(batch);
    }
    // What has no place waits for the end of one that is under way.
    this.#urgent = this.#batches.length > 0;
  };

  async #send({ entries, dones }: Batch): Promise<void> {
    let reply: readonly number[] | undefined;
    let failure: Error | undefined;
    try {
      reply = await this.#store(entries.bytes);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    this.#underWay -= 1;
    this.#waitingBytes -= entries.length;
    this.#waiting -= dones.length;
    // What waits goes out first, so that Redis has work while the callbacks run.
    if (this.#urgent) this.#flush();
    else if (this.#batches.length > 0) this.#schedule(false);
    if (reply === undefined) for (const done of dones) done(failure, 0, false);
    else report(dones, reply);
    if (this.#waiting === 0) this.#idle?.();
  }
}

function isFull({ entries }: Batch): boolean {
  return entries.count >= batchEntries || entries.length >= batchBytes;
}

function report(dones: readonly AppendDone[], reply: readonly number[]): void {
  let position = reply[1] as number;
  let duplicate = 2;
  for (const [index, done] of dones.entries()) {
    if (reply[duplicate] === index) {
      done(undefined, reply[duplicate + 1] as number, true);
      duplicate += 2;
    } else {
      done(undefined, position, false);
      position += 1;
    }
  }
}

function entriesOf(reply: readonly Buffer[]): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  for (let index = 0; index < reply.length; index += 4) {
    const body = reply[index + 3] as Buffer;
    entries.push({
      position: Number(reply[index]),
      endpoint: String(reply[index + 1]),
      receivedAt: Number(reply[index + 2]),
      body: new Uint8Array(body.buffer, body.byteOffset, body.length),
    });
  }
  return entries;
}
