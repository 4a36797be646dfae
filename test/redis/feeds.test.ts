import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseRedisAddress } from '../../redis/address.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { RedisEventLog } from '../../redis/event-log.ts';
import { RedisFeeds } from '../../redis/feeds.ts';
import { RedisTelemetryLog } from '../../redis/telemetry-log.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import type { ClusterPorts } from '../../server/ports/cluster-ports.ts';
import type { LogEntry } from '../../server/ports/telemetry-log.ts';
import { describeFeeds, gather } from '../contract/feeds.ts';
import { append, readAll } from '../contract/telemetry-log.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(describeFeeds, (redis) => ({
  log: new RedisTelemetryLog(redis),
  events: new RedisEventLog(redis),
  cluster: { feeds: new RedisFeeds(redis) } as unknown as ClusterPorts,
}));

const entry = (index: number) => ({
  endpoint: 'a',
  key: `k${index}`,
  receivedAt: index,
  body: Uint8Array.of(index),
});

describe.skipIf(!isInstalled('redis-server'))('feeds on a Redis of their own', () => {
  let server: RedisServer;
  let redis: RedisConnection;
  beforeEach(async () => {
    server = await startRedis({ durable: true });
    redis = await RedisConnection.open({ address: parseRedisAddress(server.url), prefix: 'sy', guard: true });
  });
  afterEach(async () => {
    await redis.close();
    await server.close();
  });

  test('a Redis that is killed and comes back is waited for, and nothing is missed or handed out twice', async () => {
    const log = new RedisTelemetryLog(redis);
    const all = gather<LogEntry>();
    const following = new RedisFeeds(redis).log(0, all.take);
    await append(log, entry(1));
    await all.reach(1);
    await server.kill();
    await server.start();
    let index = 2;
    await expect
      .poll(
        () =>
          append(log, entry(index)).then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
    for (index = 3; index < 10; index++) await append(log, entry(index));
    await all.reach(9);
    expect(all.got).toEqual(await readAll(log, 0, 100));
    await following.close();
  });

  test('it can be closed while Redis is away, and leaves no connection behind', async () => {
    const feeds = new RedisFeeds(redis);
    const connections = async () =>
      (await server.cli('client', 'list')).split('\n').filter((line) => line !== '');
    const all = gather<LogEntry>();
    const log = new RedisTelemetryLog(redis);
    await append(log, entry(1));
    const before = (await connections()).length;
    const first = feeds.log(0, all.take);
    await all.reach(1);
    await first.close();
    await expect.poll(async () => (await connections()).length).toBe(before);
    const second = feeds.log(0, all.take);
    await server.kill();
    await second.close();
    await server.start();
  });
});
