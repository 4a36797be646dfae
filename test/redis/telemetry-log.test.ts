import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseRedisAddress } from '../../redis/address.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { RedisTelemetryLog } from '../../redis/telemetry-log.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import { append, describeTelemetryLog, readAll } from '../contract/telemetry-log.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(describeTelemetryLog, (redis) => ({ log: new RedisTelemetryLog(redis) }));

const entry = (index: number, bytes = 10) => ({
  endpoint: `dev-${index % 7}`,
  key: `key-${index}`,
  receivedAt: 1_000_000 + index,
  body: new Uint8Array(bytes).fill(index),
});

describe.skipIf(!isInstalled('redis-server'))('the telemetry log on a Redis of its own', () => {
  let server: RedisServer;
  let redis: RedisConnection;
  let log: RedisTelemetryLog;

  const connect = (): Promise<RedisConnection> =>
    RedisConnection.open({ address: parseRedisAddress(server.url), prefix: 'sy', guard: true });
  const use = async (
    options: Parameters<typeof startRedis>[0],
    bounds?: { fewest: number; most: number },
  ) => {
    server = await startRedis(options);
    redis = await connect();
    log = new RedisTelemetryLog(redis, bounds);
  };
  const appendAll = (count: number, first = 0, bytes?: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => append(log, entry(first + index, bytes))));
  const groups = async () =>
    (await redis.call((client) => client.xinfo('GROUPS', 'sy:{log}:entries'))) as unknown[][];

  afterEach(async () => {
    await redis.close();
    await server.close();
  });

  test('consumers are groups of the stream, of which Redis tells the lag', async () => {
    await use({});
    await appendAll(10);
    await log.commit('projection', 7);
    const [group = []] = await groups();
    const told = Object.fromEntries(group.flatMap((name, i) => (i % 2 === 0 ? [[name, group[i + 1]]] : [])));
    expect(told).toMatchObject({ name: 'projection', 'last-delivered-id': '7-0', lag: 3 });
  });

  test('a group of others reads beside us, and its entries tell what they are', async () => {
    await use({});
    await appendAll(3);
    await server.cli('xgroup', 'create', 'sy:{log}:entries', 'lake', '0');
    const read = await server.cli(
      'xreadgroup',
      'group',
      'lake',
      'one',
      'count',
      '1',
      'streams',
      'sy:{log}:entries',
      '>',
    );
    expect(read.split('\n').slice(1, 6)).toEqual(['1-0', 'endpoint', 'dev-0', 'receivedAt', '1000000']);
    expect(await log.cursor('lake')).toBe(1);
    expect(await readAll(log, 0, 10)).toHaveLength(3);
  });

  test('what comes close behind a batch waits for more, unless somebody waits for it', async () => {
    await use({});
    await appendAll(1);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      log = new RedisTelemetryLog(redis);
      await appendAll(1, 1);
      const gathered = [append(log, entry(2))];
      await turn();
      gathered.push(append(log, entry(3)));
      await turn();
      expect(await log.extent()).toMatchObject({ newest: 2 });
      vi.advanceTimersByTime(8);
      expect((await Promise.all(gathered)).map(({ position }) => position)).toEqual([3, 4]);
      const waiting = append(log, entry(4));
      await turn();
      await append(log, { ...entry(5), awaited: true });
      expect((await waiting).position).toBe(5);
    } finally {
      vi.useRealTimers();
    }
  });

  test('what comes while batches are under way is appended in few of them, in order', async () => {
    await use({});
    await appendAll(1);
    const calls = async () =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await server.cli('info', 'commandstats'))?.[1] ?? 0);
    const before = await calls();
    const appended = await appendAll(5_000, 1);
    expect(await calls()).toBeLessThanOrEqual(before + 12);
    expect(appended.map(({ position }) => position)).toEqual(
      Array.from({ length: 5_000 }, (_, index) => index + 2),
    );
  });

  test('the same entries from several nodes at once are stored once', async () => {
    await use({});
    const others = await Promise.all([connect(), connect()]);
    const logs = [log, ...others.map((other) => new RedisTelemetryLog(other))];
    const appended = await Promise.all(
      logs.map((each, node) =>
        Promise.all(Array.from({ length: 600 }, (_, index) => append(each, entry((index * 7 + node) % 600)))),
      ),
    );
    expect(await readAll(log, 0, 1_000)).toHaveLength(600);
    const stored = appended.flat().filter(({ duplicate }) => !duplicate);
    expect(new Set(stored.map(({ position }) => position)).size).toBe(600);
    expect(stored).toHaveLength(600);
    for (const other of others) await other.close();
  });

  test('of the digests no more are kept than twice those of the log, and the newest are known', async () => {
    await use({}, { fewest: 100, most: 400 });
    for (let first = 0; first < 2_000; first += 50) await appendAll(50, first);
    const again = await appendAll(400, 1_600);
    expect(again.every(({ duplicate }) => duplicate)).toBe(true);
    const [young, old] = await redis.call((client) =>
      Promise.all([client.hlen('sy:{log}:digests'), client.hlen('sy:{log}:digests-before')]),
    );
    expect(young + old).toBeGreaterThanOrEqual(400);
    expect(young + old).toBeLessThanOrEqual(900);
    await log.trim({ now: 0, maxAge: 0, maxBytes: 1_000 });
    for (let first = 2_000; first < 2_400; first += 50) {
      await appendAll(50, first);
      await log.trim({ now: 0, maxAge: 0, maxBytes: 1_000 });
    }
    const small = await redis.call((client) =>
      Promise.all([client.hlen('sy:{log}:digests'), client.hlen('sy:{log}:digests-before')]),
    );
    expect(small[0] + small[1]).toBeLessThanOrEqual(350);
  });

  test('a trim in many steps removes what it should, and large entries are read in parts', async () => {
    await use({});
    await appendAll(1_600, 0, 20_000);
    const part = await log.read(0, 1_600);
    expect(part.length).toBeLessThan(300);
    expect(part.length).toBeGreaterThan(100);
    expect(await readAll(log, 0, 1_600)).toHaveLength(1_600);
    expect(await log.trim({ now: 0, maxAge: 1e9, maxBytes: 2_000_000 })).toBe(1_500);
    expect(await log.extent()).toEqual({ oldest: 1_501, newest: 1_600 });
  });

  test('a Redis that was killed has what was acknowledged, and positions that nobody has seen go on from there', async () => {
    await use({ durable: true });
    await appendAll(100);
    await log.commit('projection', 60);
    await server.kill();
    await expect(append(log, entry(100))).rejects.toThrow(StoreUnavailableError);
    await server.start();
    await redis.close();
    redis = await connect();
    log = new RedisTelemetryLog(redis);
    expect(await readAll(log, 0, 1_000)).toHaveLength(100);
    expect(await log.cursor('projection')).toBe(60);
    const again = await appendAll(101);
    expect(again.slice(0, 100).every(({ duplicate }) => duplicate)).toBe(true);
    expect(again[100]).toEqual({ position: 1_000_101, duplicate: false });
    expect(await append(log, entry(101))).toEqual({ position: 1_000_102, duplicate: false });
  });

  test('a Redis that is killed again and again under appends has each acknowledged entry once, and none twice', async () => {
    await use({ durable: true });
    const other = await connect();
    const logs = [log, new RedisTelemetryLog(other)];
    const acknowledged = new Map<number, number>();
    let isOver = false;
    /** As a device: one entry at a time, given to the one node and the other by turns until it is acknowledged. */
    const device = async (first: number): Promise<void> => {
      for (let index = first; !isOver; index += 20) {
        for (let attempt = 0; ; attempt++) {
          const each = logs[(index + attempt) % 2] as RedisTelemetryLog;
          const appended = await append(each, entry(index)).catch((error: unknown) => {
            if (!(error instanceof StoreUnavailableError)) throw error;
          });
          if (appended !== undefined) {
            acknowledged.set(index, appended.position);
            break;
          }
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    const devices = Array.from({ length: 20 }, (_, index) => device(index));
    for (let kill = 0; kill < 4; kill++) {
      const before = acknowledged.size;
      await expect.poll(() => acknowledged.size, { timeout: 60_000 }).toBeGreaterThan(before + 200);
      await server.kill();
      await server.start();
    }
    isOver = true;
    await Promise.all(devices);
    const kept = await readAll(log, 0, 1_000);
    const ids = kept.map(({ receivedAt, endpoint }) => `${receivedAt} ${endpoint}`);
    expect(new Set(ids).size).toBe(ids.length);
    const places = new Map(kept.map(({ position, receivedAt }) => [receivedAt - 1_000_000, position]));
    expect([...acknowledged].filter(([index, position]) => places.get(index) !== position)).toEqual([]);
    expect(places.size).toBe(acknowledged.size);
    await other.close();
  });

  test('a full Redis refuses appends, answers reads, and has room again after a trim', async () => {
    await use({});
    await appendAll(200, 0, 10_000);
    await server.cli('config', 'set', 'maxmemory', '2mb');
    await expect(append(log, entry(200))).rejects.toThrow(StoreUnavailableError);
    expect((await log.read(0, 10)).length).toBe(10);
    expect(await log.cursor('projection')).toBe(0);
    expect(await log.trim({ now: 0, maxAge: 1e9, maxBytes: 10_000 })).toBe(199);
    await expect
      .poll(
        () =>
          append(log, entry(200)).then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true);
  });

  test('closing answers what was appended before, and refuses what comes after', async () => {
    await use({});
    const appended = appendAll(2_000);
    const closed = log.close();
    await expect(append(log, entry(9_999))).rejects.toThrow('closed');
    await closed;
    expect(log.waiting).toBe(0);
    expect(await appended).toHaveLength(2_000);
    await log.close();
  });
});
