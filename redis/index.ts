import type { ClusterPorts } from '../server/ports/cluster-ports.ts';
import type { Stores } from '../server/ports/stores.ts';
import { parseRedisAddress } from './address.ts';
import { auditLog } from './audit-log.ts';
import { bootstrapStore } from './bootstrap.ts';
import { RedisCommandQueue } from './command-queue.ts';
import { RedisConnection } from './connection.ts';
import { credentialStore } from './credentials.ts';
import { RedisDeviceStore } from './device-store.ts';
import { checkDurability, type RedisMemory, sizeOnDisk } from './durability.ts';
import { RedisEventLog } from './event-log.ts';
import { RedisFeeds } from './feeds.ts';
import { history } from './history.ts';
import { idempotencyStore } from './idempotency-store.ts';
import { jobStore } from './jobs.ts';
import { lastValues } from './last-values.ts';
import { RedisLeases } from './leases.ts';
import { RedisMembership } from './members.ts';
import { RedisNodeBus } from './node-bus.ts';
import { objectModelStore } from './object-models.ts';
import { observationPolicyStore } from './observation-policies.ts';
import { observationStore } from './observation-store.ts';
import { OwnEvents } from './own-events.ts';
import { profileStore } from './profile-store.ts';
import { RedisRegistrationStore } from './registration-store.ts';
import { openSchema, type SchemaStep } from './schema.ts';
import { sessionStore } from './sessions.ts';
import { statisticsStore } from './statistics-store.ts';
import { RedisTelemetryLog } from './telemetry-log.ts';
import { userStore } from './users.ts';
import { webhookStore } from './webhooks.ts';

export interface RedisStoresOptions {
  /** As of `parseRedisAddress`. */
  readonly url: string;
  /** What all keys begin with; default `sy`. */
  readonly prefix?: string;
  /** Scripts fail where they touch a key that they were not given: for tests. */
  readonly guard?: boolean;
  /** Hears why a connection was lost, or not made. */
  readonly onError?: (error: Error) => void;
  /** Hears that this program may not use the database any more: others have brought it too far forward. */
  readonly onRefused?: (error: Error) => void;
  /** Steps of another program's schema: for tests of upgrades. */
  readonly schemaSteps?: readonly SchemaStep[];
}

/** All ports, and those that nodes need of each other. */
export interface RedisStores extends Stores {
  readonly cluster: ClusterPorts;
  readonly memory: RedisMemory;
}

/**
 * The ports on a Redis that nodes share.
 * @throws StoreUnavailableError it cannot be reached, or not be used as it is; Error the address is wrong. The message
 *   is one line for the person who started the server, without the password.
 */
export async function openRedisStores(options: RedisStoresOptions): Promise<RedisStores> {
  const redis = await RedisConnection.open({
    address: parseRedisAddress(options.url),
    prefix: options.prefix ?? 'sy',
    ...(options.guard === undefined ? {} : { guard: options.guard }),
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  });
  try {
    return await open(redis, options);
  } catch (error) {
    await redis.close();
    throw error;
  }
}

async function open(
  redis: RedisConnection,
  { onRefused, schemaSteps }: RedisStoresOptions,
): Promise<RedisStores> {
  const { durable, description, memory } = await checkDurability(redis);
  const schema = await openSchema(redis, {
    ...(onRefused !== undefined && { onRefused }),
    ...(schemaSteps !== undefined && { steps: schemaSteps }),
  });
  const log = new RedisTelemetryLog(redis);
  const readings = history(redis);
  const devices = new RedisDeviceStore({ redis, purge: readings.purge });
  const bus = new RedisNodeBus(redis);
  const own = new OwnEvents();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    devices.close();
    await log.close();
    bus.close();
    await schema.close();
    await redis.close();
  };
  return {
    devices,
    registrations: new RedisRegistrationStore(redis),
    observations: observationStore(redis),
    profiles: profileStore(redis),
    observationPolicies: observationPolicyStore(redis),
    objectModels: objectModelStore(redis),
    credentials: credentialStore(redis),
    bootstrap: bootstrapStore(redis),
    sessions: sessionStore(redis),
    commands: new RedisCommandQueue(redis),
    jobs: jobStore(redis),
    idempotency: idempotencyStore(redis),
    log,
    history: readings,
    lastValues: lastValues(redis),
    statistics: statisticsStore(redis),
    users: userStore(redis),
    audit: auditLog(redis),
    events: new RedisEventLog(redis, own),
    webhooks: webhookStore(redis),
    cluster: {
      bus,
      members: new RedisMembership(redis),
      leases: new RedisLeases(redis),
      feeds: new RedisFeeds(redis, own),
    },
    description: `${redis.description}, ${description}`,
    durable,
    memory,
    waiting: () => redis.waiting + log.waiting,
    size: () => sizeOnDisk(redis),
    check: () => checkWrites(redis),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** Buckets in which a write is tried: on a cluster they are in all masters but by a rare chance. */
const checked = [0, 31, 62, 93, 124, 155, 186, 217];

/** A full Redis, one that lost its master, and one that cannot save refuse to write. */
async function checkWrites(redis: RedisConnection): Promise<void> {
  const buckets = redis.isCluster ? checked : checked.slice(0, 1);
  await Promise.all(
    buckets.map((bucket) =>
      redis.call((client) => client.set(redis.keys.bucket(bucket, 'check'), '', 'PX', 60_000)),
    ),
  );
}
