import { createHash } from 'node:crypto';
import { type ChainableCommander, Cluster, Redis } from 'ioredis';
import { StoreUnavailableError } from '../server/ports/errors.ts';
import { describeAddress } from './address.ts';
import { type ClientOptions, type ClientSettings, createClient, type RedisClient, ready } from './client.ts';
import { isRedirection, storeError } from './errors.ts';
import { createKeys, type Keys } from './keys.ts';
import { guarded, type Script } from './script.ts';
import { type ScriptArgument, ScriptCalls } from './script-calls.ts';

const none: readonly string[] = [];

/** How long Redis may be silent while something is asked before it counts as down, ms. */
const REPLY_TIMEOUT = 5_000;

export type { RedisClient } from './client.ts';
export type { ScriptArgument } from './script-calls.ts';

/** Commands that the client has, and its types do not. */
interface ScriptCommands {
  evalshaBuffer(hash: string, keys: number, ...more: readonly ScriptArgument[]): Promise<unknown>;
  evalBuffer(source: string, keys: number, ...more: readonly ScriptArgument[]): Promise<unknown>;
}

export interface RedisOptionsGiven extends ClientSettings {
  /** What all keys begin with: `sy`. */
  readonly prefix: string;
  /** Scripts fail where they touch a key that they were not given: for tests. */
  readonly guard?: boolean;
}

/** The Redis that nodes share: one connection for commands, pipelined by turn of the event loop. */
export class RedisConnection {
  readonly keys: Keys;
  readonly client: RedisClient;
  readonly description: string;
  readonly isCluster: boolean;
  readonly #options: RedisOptionsGiven;
  readonly #others = new Set<RedisClient>();
  #replicated: Promise<RedisClient> | undefined;
  /** Undefined on a Redis Cluster: there the client finds out which node gets what. */
  readonly #calls: ScriptCalls | undefined;
  readonly #scripts = new Map<Script, { readonly source: string; readonly hash: string }>();
  #lastError: Error | undefined;
  #waiting = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;

  private constructor(options: RedisOptionsGiven, client: RedisClient) {
    this.#options = options;
    this.client = client;
    this.#calls = client instanceof Redis ? new ScriptCalls(client) : undefined;
    this.keys = createKeys(options.prefix);
    this.description = describeAddress(options.address);
    this.isCluster = options.address.kind === 'cluster';
    client.on('error', (error: Error) => {
      this.#lastError = error;
    });
    client.on('ready', () => {
      this.#lastError = undefined;
    });
    client.on('close', () => this.#dropOthers());
  }

  /** What is down, and why as far as it is known. */
  #where(): string {
    if (this.#lastError === undefined) return this.description;
    const { message } = this.#lastError;
    const reason = message.startsWith('Socket timeout') ? `silent for ${REPLY_TIMEOUT / 1000} s` : message;
    return `${this.description} (${reason})`;
  }

  /** Their Redis has gone too, but whoever only listens would not notice where its machine has: they connect anew. */
  #dropOthers(): void {
    for (const other of this.#others)
      if (other instanceof Redis && other.status === 'ready') other.disconnect(true);
  }

  /** @throws StoreUnavailableError one line, where it does not answer in time */
  static async open(options: RedisOptionsGiven): Promise<RedisConnection> {
    const client = createClient(options, { autoPipelining: true, replyTimeout: REPLY_TIMEOUT });
    await ready(client, options);
    return new RedisConnection(options, client);
  }

  /**
   * A further connection, for what blocks or subscribes; closed with this one. Its commands have no time limit but
   * their own. `shardedSubscribers`: on a Redis Cluster it can subscribe to sharded channels. `signal` gives it up
   * before it is connected.
   */
  another(
    options: { readonly shardedSubscribers?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<RedisClient> {
    return this.#another(options);
  }

  async #another({
    signal,
    ...more
  }: ClientOptions & { readonly signal?: AbortSignal }): Promise<RedisClient> {
    if (this.#closed) throw new StoreUnavailableError('the store is closed');
    const client = createClient(this.#options, more);
    this.#others.add(client);
    client.once('end', () => this.#others.delete(client));
    await ready(client, this.#options, signal);
    return client;
  }

  /**
   * Runs a script. What it returns are numbers, texts, null and lists of them.
   * @param more further keys: lists that are made once, as those of `bucketKeys`, are written as a whole
   * @throws StoreUnavailableError the store cannot answer now; Error what the script says is wrong, which is a bug
   */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly ScriptArgument[],
    more: readonly string[] = none,
  ): Promise<unknown> {
    return this.#run(script, keys, args, more, false);
  }

  /** As `run`; texts come as bytes. */
  runBuffer(script: Script, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return this.#run(script, keys, args, none, true);
  }

  #run(
    script: Script,
    keys: readonly string[],
    args: readonly ScriptArgument[],
    more: readonly string[],
    bytes: boolean,
  ): Promise<unknown> {
    const { source, hash } = this.#loaded(script);
    const client = this.client as RedisClient & ScriptCommands;
    const count = keys.length + more.length;
    const whole = (): Promise<unknown> =>
      bytes
        ? client.evalBuffer(source, count, ...keys, ...more, ...args)
        : client.eval(source, count, ...keys, ...more, ...args);
    if (this.#calls !== undefined && !this.#closed) {
      this.#waiting += 1;
      return this.#calls.call(hash, keys, more, args, bytes).then(this.#taken, (error: unknown) => {
        const answer = isUnknownScript(error) ? this.#answered(script.name, whole) : undefined;
        this.#leave();
        if (answer !== undefined) return answer;
        throw storeError(error, script.name, this.#where());
      });
    }
    return this.#answered(script.name, async () => {
      try {
        return await (bytes
          ? client.evalshaBuffer(hash, count, ...keys, ...more, ...args)
          : client.evalsha(hash, count, ...keys, ...more, ...args));
      } catch (error) {
        if (!isUnknownScript(error)) throw error;
        return await whole();
      }
    });
  }

  /**
   * As `run`, and then waits for a replica to have what was written: on a connection of its own, for whatever is asked
   * on it meanwhile has to wait too. Tells how many have it within the time.
   * @param timeout ms
   */
  async runReplicated(
    script: Script,
    keys: readonly string[],
    args: readonly ScriptArgument[],
    timeout: number,
  ): Promise<{ readonly reply: unknown; readonly replicas: number }> {
    const { source, hash } = this.#loaded(script);
    const more = [...keys, ...args];
    return this.#answered(script.name, async () => {
      const client = await this.#replicatedClient();
      try {
        return await both(client.pipeline().evalsha(hash, keys.length, ...more), timeout);
      } catch (error) {
        if (!isUnknownScript(error)) throw error;
        return await both(client.pipeline().eval(source, keys.length, ...more), timeout);
      }
    });
  }

  #replicatedClient(): Promise<RedisClient> {
    this.#replicated ??= this.#another({ replyTimeout: REPLY_TIMEOUT }).catch((error: unknown) => {
      this.#replicated = undefined;
      throw error;
    });
    return this.#replicated;
  }

  /** Calls that are not answered yet. */
  get waiting(): number {
    return this.#waiting;
  }

  async #answered<T>(what: string, ask: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreUnavailableError('the store is closed');
    this.#waiting += 1;
    try {
      try {
        return await ask();
      } catch (error) {
        if (!isRedirection(error)) throw error;
        // It was not done there. Where commands of different slots are in one pipeline the client does not look itself.
        await this.#findSlots();
        return await ask();
      }
    } catch (error) {
      throw storeError(error, what, this.#where());
    } finally {
      this.#leave();
    }
  }

  readonly #taken = <T>(answer: T): T => {
    this.#leave();
    return answer;
  };

  #leave(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#onIdle?.();
  }

  #loaded(script: Script): { readonly source: string; readonly hash: string } {
    let loaded = this.#scripts.get(script);
    if (loaded === undefined) {
      const { source } = this.#options.guard === true ? guarded(script) : script;
      loaded = { source, hash: createHash('sha1').update(source).digest('hex') };
      this.#scripts.set(script, loaded);
    }
    return loaded;
  }

  #findSlots(): Promise<void> {
    const { client } = this;
    if (!(client instanceof Cluster)) return Promise.resolve();
    // What went wrong shows when the command is asked again.
    return new Promise((resolve) => client.refreshSlotsCache(() => resolve()));
  }

  /** What a command of the client answers, with its errors as those of a store: `call((client) => client.get(key))`. */
  call<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    return this.#answered('a command', () => command(this.client));
  }

  /** Is called whenever a connection to Redis is there again, or another Redis is master: what it had not may be gone. */
  onReconnect(listener: () => void): void {
    const { client } = this;
    if (!(client instanceof Cluster)) {
      client.on('ready', listener);
      return;
    }
    const masters = (): string =>
      client
        .nodes('master')
        .map(({ options }) => `${options.host}:${options.port}`)
        .sort()
        .join();
    let known = masters();
    client.on('+node', listener);
    client.on('refresh', () => {
      const now = masters();
      if (now === known) return;
      known = now;
      listener();
    });
  }

  /** Idempotent; what was asked before is answered first, with all that follows from it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // A step may follow another: a connection that is idle for a turn has nothing under way.
    const patience = AbortSignal.timeout(REPLY_TIMEOUT);
    do {
      if (this.#waiting > 0) await this.#idle(patience);
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#waiting > 0 && !patience.aborted);
    this.#closed = true;
    for (const other of this.#others) other.disconnect();
    try {
      await this.client.quit();
    } catch {
      // It was away: nothing of ours is there any more.
      this.client.disconnect();
    }
  }

  #idle(patience: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      patience.addEventListener('abort', () => resolve());
    });
  }
}

/** Redis does not know the script yet, has restarted, or another node has taken over: it gets the source. */
function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** What the script answered, and how many replicas have what it wrote. */
async function both(
  pipeline: ChainableCommander,
  timeout: number,
): Promise<{ readonly reply: unknown; readonly replicas: number }> {
  const [ran, waited] = (await pipeline.wait(1, timeout).exec()) ?? [];
  const failure = ran?.[0] ?? waited?.[0];
  if (failure) throw failure;
  return { reply: ran?.[1], replicas: Number(waited?.[1]) };
}
