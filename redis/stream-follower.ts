import type { Following } from '../server/ports/cluster-ports.ts';
import { StoreUnavailableError } from '../server/ports/errors.ts';
import type { RedisClient, RedisConnection } from './connection.ts';
import { storeError } from './errors.ts';

/** How long Redis holds a question for what is new, ms. */
const BLOCK = 5_000;
/** How much longer an answer may take before the connection counts as lost: a peer that is gone does not say so. */
const GRACE = 5_000;
/** Pause before the next attempt where Redis is away, ms. */
const PAUSE = 250;
/** Entries that are handed out at once, at the most. */
const COUNT = 256;

/** Id of an entry, and names and values of its fields by turns. */
export type EntryBytes = readonly [Buffer, readonly Buffer[]];

/** Follows a stream whose ids are `<number>-0`: hands out what comes behind a place, and waits while Redis is away. */
export class StreamFollower implements Following {
  readonly #redis: RedisConnection;
  readonly #stream: string;
  readonly #listener: (entries: readonly EntryBytes[]) => void | Promise<void>;
  #after: string;
  #client: RedisClient | undefined;
  readonly #closing = new AbortController();
  /** Ends a pause. */
  #wake: (() => void) | undefined;
  readonly #running: Promise<void>;

  constructor(
    redis: RedisConnection,
    stream: string,
    after: number,
    listener: (entries: readonly EntryBytes[]) => void | Promise<void>,
  ) {
    this.#redis = redis;
    this.#stream = stream;
    this.#listener = listener;
    this.#after = `${after}-0`;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake?.();
    this.#client?.disconnect();
    await this.#running;
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const entries = await this.#next();
      if (this.#closed) return;
      if (entries === undefined) {
        await this.#pause();
        continue;
      }
      const last = entries.at(-1);
      if (last === undefined) continue;
      // What it rejects with is a bug, and let out.
      await this.#listener(entries);
      this.#after = String(last[0]);
    }
  }

  /** What is new, perhaps nothing; undefined where Redis does not answer. */
  async #next(): Promise<readonly EntryBytes[] | undefined> {
    try {
      this.#client ??= await this.#redis.another({ signal: this.#closing.signal });
      if (this.#closed) throw new StoreUnavailableError('closed while the connection was made');
      return await this.#ask(this.#client);
    } catch (failure) {
      const error = storeError(failure, 'to be followed');
      this.#client?.disconnect();
      this.#client = undefined;
      if (this.#closed || error instanceof StoreUnavailableError) return undefined;
      throw error;
    }
  }

  async #ask(client: RedisClient): Promise<readonly EntryBytes[]> {
    const timer = setTimeout(() => client.disconnect(), BLOCK + GRACE);
    try {
      const reply = await client.xreadBuffer(
        ...(['COUNT', COUNT, 'BLOCK', BLOCK, 'STREAMS', this.#stream, this.#after] as const),
      );
      const streams = reply as readonly (readonly [Buffer, readonly EntryBytes[]])[] | null;
      return streams?.[0]?.[1] ?? [];
    } finally {
      clearTimeout(timer);
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PAUSE);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
