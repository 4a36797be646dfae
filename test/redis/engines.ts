import { afterAll, beforeAll, describe } from 'vitest';
import { parseRedisAddress } from '../../redis/address.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import type { Stores } from '../../server/ports/stores.ts';
import type { OpenStores } from '../contract/engine.ts';
import { startRedis, startRedisCluster } from '../support/redis.ts';

const engines = [
  ['a single Redis', startRedis],
  ['a Redis Cluster', startRedisCluster],
] as const;

let opened = 0;

/** A connection with keys of its own, or with those of another one's prefix. */
export type Connect = (prefix?: string) => Promise<RedisConnection>;

/**
 * Runs suites on a single Redis and on a cluster of three masters, one of each per test file. Each test has keys of
 * its own, and scripts that touch keys which they were not given fail.
 * @param make the ports that the suites use
 */
export function describeOnRedis(
  suites: (name: string, open: OpenStores, connect: Connect) => void,
  make: (redis: RedisConnection) => Partial<Stores>,
): void {
  for (const [name, start] of engines) {
    describe.skipIf(!isInstalled('redis-server'))(`on ${name}`, () => {
      let server: { readonly url: string; close(): Promise<void> } | undefined;
      beforeAll(async () => {
        server = await start();
      });
      afterAll(() => server?.close());
      const connect: Connect = (prefix) => {
        opened += 1;
        const address = parseRedisAddress(server?.url ?? '');
        return RedisConnection.open({ address, prefix: prefix ?? `t${opened}`, guard: true });
      };
      suites(
        name,
        async () => {
          const redis = await connect();
          const close = (): Promise<void> => redis.close();
          return { stores: { ...make(redis), close } as Stores, close };
        },
        connect,
      );
    });
  }
}
