import { bucketOf } from '../server/ports/bucket.ts';
import { type LastValue, type LastValues, plausiblyAhead } from '../server/ports/last-values.ts';
import { comparePaths } from '../server/ports/path-order.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

/** Values that one script takes: Lua unpacks a bounded number of arguments. */
const valuesAtOnce = 1_000;

const set = loadScript('last-values-set');

/** Of one device, in its bucket. */
export function lastValuesKey({ keys }: RedisConnection, endpoint: string): string {
  return keys.bucket(bucketOf(endpoint), `last-values:${endpoint}`);
}

/** The newest value of every path, in a hash of each device, in its bucket. */
export function lastValues(redis: RedisConnection): LastValues {
  async function setOf(endpoint: string, values: readonly LastValue[]): Promise<void> {
    const key = [lastValuesKey(redis, endpoint)];
    for (let first = 0; first < values.length; first += valuesAtOnce) {
      const some = values.slice(first, first + valuesAtOnce);
      await redis.run(set, key, [
        plausiblyAhead,
        ...some.flatMap(({ path, value, takenAt, receivedAt }) => [
          ...[path, takenAt, receivedAt, JSON.stringify(value)],
        ]),
      ]);
    }
  }

  return {
    set: setOf,
    setAll: async (values) => {
      await Promise.all([...values].map(([endpoint, ofDevice]) => setOf(endpoint, ofDevice)));
    },
    get: async (endpoint, prefix = '/') => {
      const below = prefix.endsWith('/') ? prefix : `${prefix}/`;
      const kept = await redis.call((client) => client.hgetall(lastValuesKey(redis, endpoint)));
      return Object.entries(kept)
        .filter(([path]) => path === prefix || path.startsWith(below))
        .map(([path, text]) => lastValueOf(path, text))
        .sort((a, b) => comparePaths(a.path, b.path));
    },
  };
}

function lastValueOf(path: string, text: string): LastValue {
  const [, takenAt, receivedAt, value = ''] = /^(\S+) (\S+) (.*)$/s.exec(text) ?? [];
  return {
    path,
    // JSON has no NaN and no infinity: they come back as NaN.
    value: (JSON.parse(value) as LastValue['value'] | null) ?? Number.NaN,
    takenAt: Number(takenAt),
    receivedAt: Number(receivedAt),
  };
}
