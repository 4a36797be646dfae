import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseRedisAddress } from '../../redis/address.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { RedisFeeds } from '../../redis/feeds.ts';
import { RedisTelemetryLog } from '../../redis/telemetry-log.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import type { LogEntry } from '../../server/ports/telemetry-log.ts';
import { gather } from '../contract/feeds.ts';
import { append, readAll } from '../contract/telemetry-log.ts';
import { startRedisCluster, startSentinel } from '../support/redis.ts';

const entry = (index: number) => ({
  endpoint: 'a',
  key: `k${index}`,
  receivedAt: index,
  body: Uint8Array.of(index),
});
const many = (log: RedisTelemetryLog, from: number, to: number) =>
  Promise.all(Array.from({ length: to - from }, (_, index) => append(log, entry(from + index))));

describe.skipIf(!isInstalled('redis-server') || !isInstalled('redis-sentinel'))(
  'the telemetry log where Redis has replicas',
  () => {
    let redis: RedisConnection;
    let log: RedisTelemetryLog;
    let close: () => Promise<void>;

    async function use(url: string): Promise<void> {
      redis = await RedisConnection.open({ address: parseRedisAddress(url), prefix: 'sy', guard: true });
      log = new RedisTelemetryLog(redis);
    }
    beforeEach(() => {
      close = async () => undefined;
    });
    afterEach(async () => {
      await redis.close();
      await close();
    });

    test('what was acknowledged is there when the replica takes over, and positions leap', async () => {
      const servers = await startSentinel();
      close = () => servers.close();
      await use(servers.url);
      await many(log, 0, 200);
      await servers.master.kill();
      await expect
        .poll(
          () =>
            append(log, entry(200)).then(
              ({ position }) => position,
              () => 0,
            ),
          { timeout: 60_000 },
        )
        .toBeGreaterThan(1_000_000);
      const kept = await readAll(log, 0, 1_000);
      expect(kept.slice(0, 200).map(({ body }) => body[0])).toEqual(
        Array.from({ length: 200 }, (_, index) => index),
      );
      const again = await many(log, 0, 200);
      expect(again.every(({ duplicate }) => duplicate)).toBe(true);
    });

    test('while a replica hangs nothing is acknowledged, and what comes again when it goes on is known', async () => {
      const servers = await startSentinel();
      close = () => servers.close();
      await use(servers.url);
      await append(log, entry(0));
      servers.replica.pause();
      await expect(append(log, entry(1))).rejects.toThrow(StoreUnavailableError);
      await expect(append(log, entry(1))).rejects.toThrow('no replica');
      servers.replica.resume();
      await expect
        .poll(
          () =>
            append(log, entry(1)).then(
              ({ duplicate }) => duplicate,
              () => undefined,
            ),
          { timeout: 30_000 },
        )
        .toBe(true);
      expect(await readAll(log, 0, 10)).toHaveLength(2);
    });

    test('on a Redis Cluster too', async () => {
      const servers = await startRedisCluster({ replicas: 1 });
      close = () => servers.close();
      await use(servers.url);
      // A replica that copies its master yet is not one that can be waited for.
      for (const master of servers.servers.slice(0, 3)) {
        await expect
          .poll(() => master.cli('info', 'replication'), { timeout: 60_000 })
          .toContain('state=online');
      }
      await many(log, 0, 600);
      expect(await readAll(log, 0, 1_000)).toHaveLength(600);
      const again = await many(log, 500, 700);
      expect(again.filter(({ duplicate }) => duplicate)).toHaveLength(100);
      const replicas = servers.servers.slice(3);
      for (const replica of replicas) replica.pause();
      await expect(append(log, entry(700))).rejects.toThrow('no replica');
      for (const replica of replicas) replica.resume();
    });

    test('a Redis Cluster whose master of the log dies loses nothing, and who follows gets each entry once, in order', async () => {
      const servers = await startRedisCluster({ replicas: 1 });
      close = () => servers.close();
      await use(servers.url);
      for (const master of servers.servers.slice(0, 3)) {
        await expect
          .poll(() => master.cli('info', 'replication'), { timeout: 60_000 })
          .toContain('state=online');
      }
      const all = gather<LogEntry>();
      const following = new RedisFeeds(redis).log(0, all.take);
      await many(log, 0, 300);
      const roles = await Promise.all(servers.servers.map((server) => server.cli('role')));
      for (const [index, server] of servers.servers.entries()) {
        const keys = await server.cli('keys', 'sy:{log}:entries');
        if (roles[index]?.startsWith('master') && keys.includes('{log}')) await server.kill();
      }
      // As a device does: again until it is acknowledged.
      await expect
        .poll(
          () =>
            append(log, entry(300)).then(
              () => true,
              () => false,
            ),
          { timeout: 100_000 },
        )
        .toBe(true);
      await many(log, 301, 400);
      await all.reach(400);
      const kept = await readAll(log, 0, 1_000);
      expect(kept.map(({ receivedAt }) => receivedAt)).toEqual(
        Array.from({ length: 400 }, (_, index) => index),
      );
      expect(all.got).toEqual(kept);
      await following.close();
    });
  },
);
