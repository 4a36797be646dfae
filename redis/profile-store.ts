import { bucketOf } from '../server/ports/bucket.ts';
import type { ProfileStore, StoredProfile } from '../server/ports/profile-store.ts';
import type { RedisConnection } from './connection.ts';

/** What people gave in one hash by id; what was learnt from a device in the hash of its bucket, one of each device. */
export function profileStore(redis: RedisConnection): ProfileStore {
  const given = redis.keys.shared('profiles', 'given');
  const learnt = (endpoint: string): string => redis.keys.bucket(bucketOf(endpoint), 'profiles');
  return {
    find: async (endpoint, ids) => {
      if (ids.length === 0) return [];
      const [own, ofAll] = await Promise.all([
        redis.call((client) => client.hget(learnt(endpoint), endpoint)),
        redis.call((client) => client.hmget(given, ...ids)),
      ]);
      const said = own === null ? undefined : decode(own);
      return ids.flatMap((id, index) => {
        if (said?.id === id) return [said];
        const profile = ofAll[index];
        return typeof profile === 'string' ? [decode(profile)] : [];
      });
    },
    put: async (profile) => {
      const { endpoint, id } = profile;
      const [key, field] = endpoint === undefined ? [given, id] : [learnt(endpoint), endpoint];
      await redis.call((client) => client.hset(key, field, JSON.stringify(profile)));
    },
    list: async () => {
      const found = await redis.call((client) => client.hvals(given));
      return found.map(decode).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    remove: async (id) => (await redis.call((client) => client.hdel(given, id))) === 1,
  };
}

function decode(text: string): StoredProfile {
  return JSON.parse(text);
}
