import { Cluster, Redis } from 'ioredis';
import { StoreUnavailableError } from '../server/ports/errors.ts';
import { describeAddress, type RedisAddress } from './address.ts';
import { withoutCommand } from './errors.ts';

/** How long the first connection may take, ms. */
const CONNECT_TIMEOUT = 10_000;
/** How often a Redis Cluster is asked which master has which slots, ms. */
const SLOTS_INTERVAL = 2_000;
/** Longest pause between two attempts to connect again, ms. */
const RECONNECT_PAUSE = 500;

export type RedisClient = Redis | Cluster;

export interface ClientSettings {
  readonly address: RedisAddress;
  /** Hears why a connection was lost, or not made. */
  readonly onError?: (error: Error) => void;
}

export interface ClientOptions {
  /** What is asked in one turn of the event loop goes out together. */
  readonly autoPipelining?: boolean;
  /** A connection on which something is asked, and nothing comes for so long (ms), is closed and made anew. */
  readonly replyTimeout?: number;
  readonly shardedSubscribers?: boolean;
}

/** A client that goes on trying to connect, and refuses at once what it cannot send. */
export function createClient({ address, onError }: ClientSettings, options: ClientOptions): RedisClient {
  const { autoPipelining: enableAutoPipelining = false, replyTimeout, shardedSubscribers = false } = options;
  const { username, password, tls } = address;
  const access = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
  };
  const timeout = replyTimeout === undefined ? {} : { socketTimeout: replyTimeout };
  // What cannot be answered now is refused at once: the device, or the caller, asks again.
  const patience = {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  };
  const retryStrategy = (attempt: number): number => Math.min(attempt * 50, RECONNECT_PAUSE);
  const client = make();
  client.on('error', (error: Error) => {
    withoutCommand(error);
    onError?.(error);
  });
  return client;

  function make(): RedisClient {
    switch (address.kind) {
      case 'single':
        return new Redis({
          ...patience,
          ...timeout,
          enableAutoPipelining,
          ...access,
          retryStrategy,
          host: address.host,
          port: address.port,
          db: address.db,
        });
      case 'sentinel':
        return new Redis({
          ...patience,
          ...timeout,
          enableAutoPipelining,
          ...access,
          retryStrategy,
          sentinelRetryStrategy: retryStrategy,
          sentinels: [...address.sentinels],
          name: address.name,
          db: address.db,
          // A master that was demoted while we were connected to it.
          reconnectOnError: (error) => error.message.startsWith('READONLY'),
        });
      case 'cluster':
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
            ...timeout,
          },
        });
    }
  }
}

/** @throws StoreUnavailableError one line, where it is not connected in time */
export async function ready(
  client: RedisClient,
  { address }: ClientSettings,
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
