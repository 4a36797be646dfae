import type { ObjectModelStore, StoredObjectModel } from '../server/ports/object-model-store.ts';
import type { RedisConnection } from './connection.ts';

/** Uploaded object definitions in one hash, by object and version. */
export function objectModelStore(redis: RedisConnection): ObjectModelStore {
  const key = redis.keys.shared('models', 'object-models');
  return {
    list: async () => {
      const found = await redis.call((client) => client.hvals(key));
      return found
        .map((model): StoredObjectModel => JSON.parse(model))
        .sort((a, b) => a.objectId - b.objectId || (a.version < b.version ? -1 : 1));
    },
    put: async (models) => {
      if (models.length === 0) return;
      const fields = models.map((model) => [fieldOf(model.objectId, model.version), JSON.stringify(model)]);
      await redis.call((client) => client.hset(key, Object.fromEntries(fields)));
    },
    remove: async (objectId, version) =>
      (await redis.call((client) => client.hdel(key, fieldOf(objectId, version)))) === 1,
  };
}

function fieldOf(objectId: number, version: string): string {
  return `${objectId}/${version}`;
}
