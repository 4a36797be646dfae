import type { NotificationAttributes } from '../protocol/lwm2m/notification-attributes.ts';
import { BUCKETS, bucketOf } from '../server/ports/bucket.ts';
import type {
  ObservationChoice,
  ObservationPolicy,
  ObservationPolicyStore,
} from '../server/ports/observation-policy-store.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

/** Names of the bucket's hashes of what is kept of its devices; they go with the device. */
export const choicesKey = 'observation-choices';
export const writtenKey = 'written-attributes';

const setMember = loadScript('set-member');

/** Observation policies in one hash, and what is kept of single devices in two of their bucket. */
export function observationPolicyStore(redis: RedisConnection): ObservationPolicyStore {
  const { keys } = redis;
  const policiesKey = keys.shared('policies', 'observation-policies');
  const set = (endpoint: string, name: string, member: string, value: string | undefined): Promise<unknown> =>
    redis.run(setMember, [keys.bucket(bucketOf(endpoint), name)], [endpoint, member, value ?? '']);
  const get = async (endpoint: string, name: string): Promise<Readonly<Record<string, string>>> => {
    const members = await redis.call((client) =>
      client.hget(keys.bucket(bucketOf(endpoint), name), endpoint),
    );
    return members === null ? {} : JSON.parse(members);
  };
  return {
    policies: async () => {
      const found = await redis.call((client) => client.hvals(policiesKey));
      return found
        .map((policy): ObservationPolicy => JSON.parse(policy))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    putPolicy: async (policy) => {
      await redis.call((client) => client.hset(policiesKey, policy.id, JSON.stringify(policy)));
    },
    removePolicy: async (id) => (await redis.call((client) => client.hdel(policiesKey, id))) === 1,
    recorded: async () => {
      const found = await Promise.all(
        Array.from({ length: BUCKETS }, (_, bucket) =>
          [choicesKey, writtenKey].map((name) =>
            redis.call((client) => client.hkeys(keys.bucket(bucket, name))),
          ),
        ).flat(),
      );
      return [...new Set(found.flat())].sort();
    },
    record: async (endpoint) => {
      const [choices, written] = await Promise.all([get(endpoint, choicesKey), get(endpoint, writtenKey)]);
      return {
        choices: Object.entries(choices)
          .map(([target, choice]) => ({ target, choice: JSON.parse(choice) as ObservationChoice }))
          .sort((a, b) => a.choice.chosenAt - b.choice.chosenAt || (a.target < b.target ? -1 : 1))
          .map(({ choice }) => choice),
        written: new Map(
          Object.entries(written).map(([path, attributes]) => [
            path,
            JSON.parse(attributes) as NotificationAttributes,
          ]),
        ),
      };
    },
    choose: async (endpoint, choice) => {
      const target = targetOf(choice.paths, choice.composite);
      await set(endpoint, choicesKey, target, JSON.stringify(choice));
    },
    unchoose: async (endpoint, paths, composite) =>
      (await set(endpoint, choicesKey, targetOf(paths, composite), undefined)) === 1,
    setWritten: async (endpoint, path, attributes) => {
      await set(endpoint, writtenKey, path, attributes && JSON.stringify(attributes));
    },
  };
}

/** The order of these texts is that of the paths, single observations before composite ones of the same paths. */
function targetOf(paths: readonly string[], composite: boolean): string {
  return `${JSON.stringify(paths)}${composite ? 1 : 0}`;
}
