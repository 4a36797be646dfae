import { createHash } from 'node:crypto';
import { type ChainableCommander, Cluster, Redis, type RedisOptions } from 'ioredis';
import { StoreUnavailableError } from '../server/ports/errors.ts';
import { describeAddress, type RedisAddress } from './address.ts';
import { createKeys, type Keys } from './keys.ts';
import { guarded, type Script } from './script.ts';

/** How long a command may take before the store counts as down, ms. */
const COMMAND_TIMEOUT = 5_000;
/** How long the first connection may take, ms. */
const CONNECT_TIMEOUT = 10_000;
/** How often a Redis Cluster is asked which master has which slots, ms. */
const SLOTS_INTERVAL = 2_000;
/** Longest pause between two attempts to connect again, ms. */
const RECONNECT_PAUSE = 500;

export type RedisClient = Redis | Cluster;
export type ScriptArgument = string | number | Buffer;

/** Commands that the client has, and its types do not. */
interface ScriptCommands {
  evalshaBuffer(hash: string, keys: number, ...more: readonly ScriptArgument[]): Promise<unknown>;
  evalBuffer(source: string, keys: number, ...more: readonly ScriptArgument[]): Promise<unknown>;
}

export interface RedisOptionsGiven {
  readonly address: RedisAddress;
  /** What all keys begin with: `sy`. */
  readonly prefix: string;
  /** Scripts fail where they touch a key that they were not given: for tests. */
  readonly guard?: boolean;
  /** Hears why a connection was lost, or not made. */
  readonly onError?: (error: Error) => void;
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
  readonly #scripts = new Map<Script, { readonly source: string; readonly hash: string }>();
  #waiting = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;

  private constructor(options: RedisOptionsGiven, client: RedisClient) {
    this.#options = options;
    this.client = client;
    this.keys = createKeys(options.prefix);
    this.description = describeAddress(options.address);
    this.isCluster = options.address.kind === 'cluster';
  }

  /** @throws StoreUnavailableError one line, where it does not answer in time */
  static async open(options: RedisOptionsGiven): Promise<RedisConnection> {
    const client = createClient(options, { enableAutoPipelining: true, commandTimeout: COMMAND_TIMEOUT });
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
   * @throws StoreUnavailableError the store cannot answer now; Error what the script says is wrong, which is a bug
   */
  run(script: Script, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return this.#run(script, keys, args, false);
  }

  /** As `run`; texts come as bytes. */
  runBuffer(script: Script, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return this.#run(script, keys, args, true);
  }

  #run(
    script: Script,
    keys: readonly string[],
    args: readonly ScriptArgument[],
    bytes: boolean,
  ): Promise<unknown> {
    const { source, hash } = this.#loaded(script);
    const client = this.client as RedisClient & ScriptCommands;
    const more = [...keys, ...args];
    return this.#answered(script.name, async () => {
      try {
        return await (bytes
          ? client.evalshaBuffer(hash, keys.length, ...more)
          : client.evalsha(hash, keys.length, ...more));
      } catch (error) {
        // It does not know the script yet, has restarted, or another node has taken over: it gets the source.
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return await (bytes
          ? client.evalBuffer(source, keys.length, ...more)
          : client.eval(source, keys.length, ...more));
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
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return await both(client.pipeline().eval(source, keys.length, ...more), timeout);
      }
    });
  }

  #replicatedClient(): Promise<RedisClient> {
    this.#replicated ??= this.#another({ commandTimeout: COMMAND_TIMEOUT }).catch((error: unknown) => {
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
      throw storeError(error, what);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#onIdle?.();
    }
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

  /** Is called whenever a connection to Redis is there again: what was not on disk may be gone. */
  onReconnect(listener: () => void): void {
    if (this.client instanceof Cluster) this.client.on('+node', listener);
    else this.client.on('ready', listener);
  }

  /** Idempotent; what was asked before is answered first, with all that follows from it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // A step may follow another: a connection that is idle for a turn has nothing under way.
    const patience = AbortSignal.timeout(COMMAND_TIMEOUT);
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

const unavailable =
  /^(?:MOVED|ASK|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|MISCONF|OOM|BUSY|TRYAGAIN|UNBLOCKED|NOAUTH|WRONGPASS)\b/;

/** Another Redis of the cluster has the slot now. */
function isRedirection(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && /^(?:MOVED|ASK) /.test(error.message);
}

/** An answer that says what is wrong with the request is a bug; everything else is the store that cannot answer now. */
export function storeError(error: unknown, what: string): Error {
  if (error instanceof StoreUnavailableError) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  const isReply = error.name === 'ReplyError';
  if (isReply && !unavailable.test(error.message)) {
    return new Error(`Redis refused ${what}: ${error.message}`, { cause: error });
  }
  return new StoreUnavailableError(`Redis does not answer: ${error.message}`, { cause: error });
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

type ClientOptions = Pick<RedisOptions, 'enableAutoPipelining' | 'commandTimeout'> & {
  readonly shardedSubscribers?: boolean;
};

function createClient({ address, onError }: RedisOptionsGiven, given: ClientOptions): RedisClient {
  const { shardedSubscribers = false, ...more } = given;
  const { username, password, tls } = address;
  const access = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
  };
  // What cannot be answered now is refused at once: the device, or the caller, asks again.
  const patience = {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  };
  const retryStrategy = (attempt: number): number => Math.min(attempt * 50, RECONNECT_PAUSE);
  const client = make();
  client.on('error', (error: Error) => onError?.(error));
  return client;

  function make(): RedisClient {
    switch (address.kind) {
      case 'single':
        return new Redis({
          ...patience,
          ...more,
          ...access,
          retryStrategy,
          host: address.host,
          port: address.port,
          db: address.db,
        });
      case 'sentinel':
        return new Redis({
          ...patience,
          ...more,
          ...access,
          retryStrategy,
          sentinelRetryStrategy: retryStrategy,
          sentinels: [...address.sentinels],
          name: address.name,
          db: address.db,
          // A master that was demoted while we were connected to it.
          reconnectOnError: (error) => error.message.startsWith('READONLY'),
        });
      case 'cluster': {
        const { enableAutoPipelining = false, commandTimeout } = more;
        return new Cluster([...address.nodes], {
          lazyConnect: true,
          enableOfflineQueue: false,
          enableAutoPipelining,
          shardedSubscribers,
          clusterRetryStrategy: retryStrategy,
          slotsRefreshTimeout: 2_000,
          // Who has taken over from a master that is gone.
          slotsRefreshInterval: SLOTS_INTERVAL,
          redisOptions: {
            ...access,
            autoResendUnfulfilledCommands: false,
            maxRetriesPerRequest: 0,
            ...(commandTimeout !== undefined && { commandTimeout }),
          },
        });
      }
    }
  }
}

async function ready(
  client: RedisClient,
  { address }: RedisOptionsGiven,
  signal?: AbortSignal,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let last: Error | undefined;
  let giveUp: (() => void) | undefined;
  const note = (error: Error): void => {
    last = error;
  };
  client.on('error', note);
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(
        () => reject(last ?? new Error(`no answer within ${CONNECT_TIMEOUT / 1000} s`)),
        CONNECT_TIMEOUT,
      );
      client.once('ready', resolve);
      giveUp = () => reject(new Error('it was given up'));
      if (signal?.aborted === true) giveUp();
      signal?.addEventListener('abort', giveUp, { once: true });
      // It goes on trying by itself; what is wrong comes by 'error'.
      client.connect().catch(note);
    });
  } catch (error) {
    client.disconnect();
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreUnavailableError(`${describeAddress(address)} cannot be reached: ${reason}`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    if (giveUp !== undefined) signal?.removeEventListener('abort', giveUp);
    client.off('error', note);
  }
}
