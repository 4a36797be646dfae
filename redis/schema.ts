import { randomUUID } from 'node:crypto';
import { BUCKETS } from '../server/ports/bucket.ts';
import { StoreUnavailableError } from '../server/ports/errors.ts';
import type { RedisConnection } from './connection.ts';
import { RedisLeases } from './leases.ts';
import { loadScript } from './script.ts';

/** Brings the database from one version to the next. It may be begun again after a process that died in it. */
export type SchemaStep = (redis: RedisConnection) => Promise<void>;

/**
 * The first leads from version 1 to version 2. A step adds: what programs of the version before read and write stays
 * right for them, for they run beside it during an upgrade. What nobody reads any more is removed by the next step.
 * A step that was released is never changed.
 */
const schemaSteps: readonly SchemaStep[] = [];

export interface SchemaOptions {
  readonly steps?: readonly SchemaStep[];
  /** How long a process counts as running after it was heard, ms: it says so three times as often. */
  readonly patience?: number;
  /** Hears, while the process runs, why it may not use the database any more. */
  readonly onRefused?: (error: Error) => void;
}

export interface Schema {
  /** Version of this program. */
  readonly version: number;
  /** Idempotent; other versions need not mind this process any more. */
  close(): Promise<void>;
}

/** How long a process that brings the database forward is waited for after its last sign, ms. */
const migrationPatience = 20_000;
/** Pause before the next look whether it is done, ms. */
const migrationPause = 200;

const enter = loadScript('schema-enter');
const raise = loadScript('schema-raise');

/**
 * Makes sure that this program and the database fit: an older one is brought forward, and one that is newer by one
 * version may be used, so that nodes can be upgraded one after the other. Programs further apart do not share it.
 * @throws StoreUnavailableError they do not fit; the message is one line for the person who started the server
 */
export async function openSchema(
  redis: RedisConnection,
  { steps = schemaSteps, patience = 30_000, onRefused }: SchemaOptions = {},
): Promise<Schema> {
  const version = steps.length + 1;
  const name = randomUUID();
  const schema = redis.keys.shared('schema', 'schema');
  const processes = redis.keys.shared('schema', 'processes');

  /** Of the database as this process found it: what it remembers is of that one. */
  let identity = '';
  const look = async (): Promise<'ready' | 'older'> => {
    const args = [version, name, patience, BUCKETS, randomUUID(), identity];
    const reply = await redis.run(enter, [schema, processes], args);
    const [state, found, known = ''] = reply as readonly [string, string, string?];
    if (state === 'ready' || state === 'older') {
      identity = known;
      return state;
    }
    throw new StoreUnavailableError(refusals[state]?.(redis, version, found) ?? `unknown state '${state}'`);
  };

  const leave = async (): Promise<void> => {
    await redis.call((client) => client.zrem(processes, `${version} ${name}`));
  };

  if ((await look()) === 'older') {
    try {
      await bringForward(redis, { version, steps, name, schema, look });
    } catch (error) {
      await leave();
      throw error;
    }
  }

  let running: Promise<void> | undefined;
  const lookAgain = (): void => {
    // While Redis is away nobody can bring it forward either: the next look is in time.
    running ??= look()
      .then(() => undefined)
      .catch((error: unknown) => {
        if (!(error instanceof StoreUnavailableError)) throw error;
        if (error.cause === undefined) onRefused?.(error);
      })
      .finally(() => {
        running = undefined;
      });
  };
  const timer = setInterval(lookAgain, patience / 3);
  timer.unref();
  let closing: Promise<void> | undefined;
  // One that was away may have come back without what it had.
  redis.onReconnect(() => {
    if (closing === undefined) lookAgain();
  });

  return {
    version,
    close: () => {
      closing ??= (async () => {
        clearInterval(timer);
        await running;
        try {
          await leave();
        } catch (error) {
          // Redis is away: there this process runs out by itself.
          if (!(error instanceof StoreUnavailableError)) throw error;
        }
      })();
      return closing;
    },
  };
}

type Refusal = (redis: RedisConnection, version: number, found: string) => string;

const refusals: Readonly<Record<string, Refusal>> = {
  newer: ({ description, keys }, version, found) =>
    `the database '${keys.prefix}' in ${description} has version ${found}, and this program knows up to ${version + 1}: use a newer program`,
  others: ({ description, keys }, version, found) =>
    `a node with version ${found} of the store uses the database '${keys.prefix}' in ${description}, which this program, with version ${version}, cannot do beside it: upgrade or stop that node first`,
  replaced: ({ description, keys }) =>
    `the database '${keys.prefix}' in ${description} has been emptied or replaced, and what this node remembers is of the one before: it has to start anew`,
  buckets: ({ description, keys }, _, found) =>
    `the database '${keys.prefix}' in ${description} was made with ${found} buckets, and this program has ${BUCKETS}: they cannot be changed`,
};

interface Forward {
  readonly version: number;
  readonly steps: readonly SchemaStep[];
  readonly name: string;
  readonly schema: string;
  readonly look: () => Promise<'ready' | 'older'>;
}

/** Takes the steps that are missing; one process does, and the others wait for it. */
async function bringForward(
  redis: RedisConnection,
  { version, steps, name, schema, look }: Forward,
): Promise<void> {
  const leases = new RedisLeases(redis);
  const take = () => leases.take('schema', name, migrationPatience);
  while ((await take()) === undefined) {
    await new Promise((resolve) => setTimeout(resolve, migrationPause));
    if ((await look()) === 'ready') return;
  }
  // A step may take long: the others are told that it goes on, both as who does it and as who runs.
  let failure: unknown;
  const timer = setInterval(() => {
    Promise.all([take(), look()]).catch((error: unknown) => {
      failure = error;
    });
  }, migrationPatience / 4);
  try {
    const found = await redis.call((client) => client.hget(schema, 'version'));
    for (let next = Number(found) + 1; next <= version; next++) {
      await steps[next - 2]?.(redis);
      if (failure !== undefined) throw failure;
      await redis.run(raise, [schema], [next]);
    }
  } finally {
    clearInterval(timer);
    await leases.release('schema', name);
  }
}
