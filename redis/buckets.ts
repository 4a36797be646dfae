import { BUCKETS, bucketOf } from '../server/ports/bucket.ts';
import type { RedisConnection, ScriptArgument } from './connection.ts';
import type { Keys } from './keys.ts';
import { inLanes } from './lanes.ts';
import type { Script } from './script.ts';
import { rememberKeys } from './wire-buffer.ts';

/** Buckets that are worked on at a time where all are gone through step by step. */
const bucketsAtOnce = 16;

/** All buckets by number. */
export const allBuckets: readonly number[] = Array.from({ length: BUCKETS }, (_, bucket) => bucket);

/** Keys of these names in each bucket, made once. */
export function bucketKeys(
  keys: Keys,
  names: readonly string[],
  make: Keys['bucket'] = keys.bucket,
): (bucket: number) => readonly string[] {
  const made: (readonly string[] | undefined)[] = new Array(BUCKETS);
  return (bucket) => {
    made[bucket] ??= rememberKeys(names.map((name) => make(bucket, name)));
    return made[bucket] as readonly string[];
  };
}

/** What is given of endpoints, by their buckets. */
export function byBucket<T>(entries: Iterable<T>, endpoint: (entry: T) => string): Map<number, T[]> {
  const buckets = new Map<number, T[]>();
  for (const entry of entries) {
    const bucket = bucketOf(endpoint(entry));
    const others = buckets.get(bucket);
    if (others === undefined) buckets.set(bucket, [entry]);
    else others.push(entry);
  }
  return buckets;
}

/**
 * Runs a script that takes one key of each of some buckets, and answers with a list of as many: at once where all
 * are in one Redis, bucket by bucket in one pipeline on a cluster.
 */
export async function runForBuckets(
  redis: RedisConnection,
  script: Script,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<readonly unknown[]> {
  if (!redis.isCluster) return (await redis.run(script, keys, args)) as readonly unknown[];
  const answers = await Promise.all(keys.map((key) => redis.run(script, [key], args)));
  return answers.flat(1);
}

/** The sum of what a command of the client counts in each bucket: `countAll(redis, 'ids', 'hlen')`. */
export async function countAll(redis: RedisConnection, name: string): Promise<number> {
  const lengths = await Promise.all(
    allBuckets.map((bucket) => redis.call((client) => client.hlen(redis.keys.bucket(bucket, name)))),
  );
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** Calls for each bucket, some at a time; rejects with the first error, once those under way have ended. */
export function eachBucket(work: (bucket: number) => Promise<void>): Promise<void> {
  return inLanes(allBuckets, bucketsAtOnce, work);
}
