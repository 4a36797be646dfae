import { afterAll, beforeAll, describe } from 'vitest';
import { openRedisStores } from '../../redis/index.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { describeDeviceRemoval } from '../contract/device-removal.ts';
import type { OpenedStores, PersistentStores } from '../contract/engine.ts';
import { describeRestart } from '../contract/restart.ts';
import { describeStoresTogether } from '../contract/stores.ts';
import { startRedis, startRedisCluster } from '../support/redis.ts';

// Each port's own suite is in a file of its own; here is what concerns all of them together.
const engines = [
  ['a single Redis', () => startRedis({ durable: true })],
  ['a Redis Cluster', () => startRedisCluster({ durable: true })],
] as const;

describe.skipIf(!isInstalled('redis-server')).each(engines)('all stores on %s', (name, start) => {
  let server: { readonly url: string; close(): Promise<void> } | undefined;
  let opened = 0;
  beforeAll(async () => {
    server = await start();
  }, 60_000);
  afterAll(() => server?.close());
  const open = (prefix: string) => openRedisStores({ url: server?.url ?? '', prefix, guard: true });

  const openFresh = async (): Promise<OpenedStores> => {
    opened += 1;
    const stores = await open(`t${opened}`);
    return { stores, close: () => stores.close() };
  };

  const openAgain = async (): Promise<PersistentStores> => {
    opened += 1;
    const prefix = `t${opened}`;
    let stores = await open(prefix);
    return {
      stores,
      close: () => stores.close(),
      restart: async () => {
        await stores.close();
        stores = await open(prefix);
        return stores;
      },
    };
  };

  describeStoresTogether(name, openFresh);
  describeDeviceRemoval(name, openFresh);
  describeRestart(name, openAgain);
});
