import { bucketOf, bucketOfRegistration, bucketOfToken } from '../server/ports/bucket.ts';
import type { ObservationStore, StoredObservation } from '../server/ports/observation-store.ts';
import { bucketKeys, countAll } from './buckets.ts';
import type { RedisConnection } from './connection.ts';
import { decodeLocation } from './registration-row.ts';
import { loadScript } from './script.ts';

const add = loadScript('add-observation');
const confirm = loadScript('confirm-observation');
const remove = loadScript('remove-observation');
const find = loadScript('find-observations');

/** Observations beside the registrations of their bucket, which their tokens name; they end with the registration. */
export function observationStore(redis: RedisConnection): ObservationStore {
  const addKeys = bucketKeys(redis.keys, ['ids', 'observations', 'observed']);
  const confirmKeys = bucketKeys(redis.keys, ['observations']);
  const removeKeys = bucketKeys(redis.keys, ['observations', 'observed']);
  const findKeys = bucketKeys(redis.keys, ['registrations', 'ids', 'observations', 'observed']);
  return {
    add: async (observation) => {
      const { token, registrationId, endpoint } = observation;
      const bucket = bucketOf(endpoint);
      if (bucketOfToken(token) !== bucket) {
        throw new RangeError(`the token ${token} does not name the bucket of its device`);
      }
      const args = [token, registrationId, endpoint, encode(observation)];
      return (await redis.run(add, addKeys(bucket), args)) === 1;
    },
    confirm: async ({ pending: _, ...observation }) => {
      const { token, registrationId } = observation;
      const bucket = bucketOfToken(token);
      if (bucket === undefined) return false;
      const args = [token, registrationId, encode(observation)];
      return (await redis.run(confirm, confirmKeys(bucket), args)) === 1;
    },
    byToken: async (token) => {
      const bucket = bucketOfToken(token);
      if (bucket === undefined) return undefined;
      const found = (await redis.run(find, findKeys(bucket), ['token', token])) as readonly string[] | null;
      if (found === null) return undefined;
      const [row, , value] = found as [string, string, string];
      return { ...decode(token, value), ...decodeLocation(row) };
    },
    byRegistration: async (id) => {
      const bucket = bucketOfRegistration(id);
      if (bucket === undefined) return [];
      const found = (await redis.run(find, findKeys(bucket), ['registration', id])) as
        | readonly string[]
        | null;
      const observations: StoredObservation[] = [];
      for (let i = 1; found !== null && i + 1 < found.length; i += 2) {
        observations.push(decode(found[i] as string, found[i + 1] as string));
      }
      return observations.sort((a, b) => a.createdAt - b.createdAt || (a.token < b.token ? -1 : 1));
    },
    remove: async (token) => {
      const bucket = bucketOfToken(token);
      return bucket !== undefined && (await redis.run(remove, removeKeys(bucket), [token])) === 1;
    },
    count: () => countAll(redis, 'observations'),
  };
}

/** Without what its place says. */
function encode({ token: _, registrationId: __, ...rest }: StoredObservation): string {
  return JSON.stringify(rest);
}

/** @param value the id of its registration, and a line of JSON */
function decode(token: string, value: string): StoredObservation {
  const end = value.indexOf('\n');
  return { token, registrationId: value.slice(0, end), ...JSON.parse(value.slice(end + 1)) };
}
