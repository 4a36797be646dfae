import { openRedisStores } from '../../redis/index.ts';
import { type RedisServer, startRedis, startRedisCluster } from '../support/redis.ts';
import type { StoreUnderTest } from './nodes.ts';

/** Killed, it is away for so long, ms: as long as a supervisor takes to notice. */
const outage = 2_000;

/** One Redis, with every write on disk before it is answered. */
export async function redisStore(): Promise<StoreUnderTest> {
  const redis = await startRedis({ durable: true });
  return storeOf(redis.url, [redis], () => redis.close());
}

/** Three masters of a Redis Cluster, likewise; they are killed in turn. */
export async function redisClusterStore(): Promise<StoreUnderTest> {
  const { url, servers, close } = await startRedisCluster({ durable: true });
  return storeOf(url, servers, close);
}

function storeOf(url: string, servers: readonly RedisServer[], close: () => Promise<void>): StoreUnderTest {
  let turn = 0;
  return {
    flags: ['--redis-url', url],
    open: () => openRedisStores({ url }),
    restart: async () => {
      const server = servers[turn++ % servers.length] as RedisServer;
      await server.kill();
      await new Promise((resolve) => setTimeout(resolve, outage));
      await server.start();
    },
    close,
  };
}
