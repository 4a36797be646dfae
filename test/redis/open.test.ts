import { totalmem } from 'node:os';
import { inspect } from 'node:util';
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import { roomForReadings } from '../../redis/durability.ts';
import { openRedisStores } from '../../redis/index.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { logSerializers } from '../../server/log.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import { aRegistration } from '../contract/engine.ts';
import { type RedisServer, startRedis, startRedisCluster } from '../support/redis.ts';
import { until } from '../support/until.ts';

type RedisStores = Awaited<ReturnType<typeof openRedisStores>>;

describe.skipIf(!isInstalled('redis-server'))('opening the stores on a Redis', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
  });
  const start = async (options: Parameters<typeof startRedis>[0] = {}): Promise<RedisServer> => {
    const server = await startRedis(options);
    closing.push(() => server.close());
    return server;
  };
  const open = async (url: string): Promise<RedisStores> => {
    const stores = await openRedisStores({ url, guard: true });
    closing.push(() => stores.close());
    return stores;
  };

  test('one that has each write on disk before it answers is durable', async () => {
    const { url, port } = await start({ durable: true });
    const stores = await open(url);
    expect(stores.durable).toBe(true);
    expect(stores.description).toBe(`Redis at 127.0.0.1:${port}, durable`);
    await stores.registrations.register(aRegistration('a'));
    expect(await stores.size()).toBeGreaterThan(0);
    await expect(stores.check()).resolves.toBeUndefined();
  });

  test.each([
    [[], 'appendonly is off, and what Redis has in memory goes with it'],
    [['--appendonly', 'yes'], 'appendfsync is everysec, and a power cut loses about the last second'],
    [
      ['--appendonly', 'yes', '--appendfsync', 'no'],
      'appendfsync is no, and a power cut loses the last seconds',
    ],
    [
      ['--appendonly', 'yes', '--appendfsync', 'always', '--no-appendfsync-on-rewrite', 'yes'],
      'no-appendfsync-on-rewrite is yes, and a power cut during a rewrite loses its time',
    ],
  ])('one that is weaker (%j) is taken, and says what it can lose', async (settings, loss) => {
    const { url } = await start({ settings });
    const stores = await open(url);
    expect(stores.durable).toBe(false);
    expect(stores.description).toContain(`not durable: ${loss}`);
  });

  test('one that does not tell its settings is not called durable', async () => {
    const { url } = await start({
      settings: ['--appendonly', 'yes', '--appendfsync', 'always', '--rename-command', 'CONFIG', ''],
    });
    expect(await open(url)).toMatchObject({
      durable: false,
      description: expect.stringContaining('Redis does not tell its appendfsync'),
    });
  });

  test('one that throws keys away when it is full is refused', async () => {
    const { url, port } = await start({ settings: ['--maxmemory-policy', 'allkeys-lru'] });
    await expect(open(url)).rejects.toThrow(
      new StoreUnavailableError(
        `Redis at 127.0.0.1:${port} has maxmemory-policy allkeys-lru and would throw devices and commands away when it is full: set it to noeviction`,
      ),
    );
  });

  test('a replica is refused', async () => {
    const master = await start();
    const replica = await start({ settings: ['--replicaof', '127.0.0.1', String(master.port)] });
    await expect(open(replica.url)).rejects.toThrow(/is a replica, which takes no writes/);
  });

  test('one with replicas that writes without them is not durable through a fail-over', async () => {
    const master = await start({ durable: true });
    await start({ settings: ['--replicaof', '127.0.0.1', String(master.port)] });
    await until('the replica is there', async () =>
      /connected_slaves:1/.test(await master.cli('info', 'replication')),
    );
    expect(await open(master.url)).toMatchObject({
      durable: false,
      description: expect.stringContaining('not durable: min-replicas-to-write is 0'),
    });
    await master.cli('config', 'set', 'min-replicas-to-write', '1');
    await until('the replica follows', async () =>
      /min_slaves_good_slaves:1/.test(await master.cli('info', 'replication')),
    );
    expect(await open(master.url)).toMatchObject({ durable: true });
  });

  test('what nobody listens at is refused, without the password', async () => {
    const { url, close } = await start();
    await close();
    const error = await open(url.replace('redis://', 'redis://user:secret@')).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toMatch(/Redis at 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/);
    expect(String(error)).not.toContain('secret');
  }, 30_000);

  test('a wrong password, and a user without rights, are told', async () => {
    const told: Error[] = [];
    const { url, cli } = await start();
    await cli('acl', 'setuser', 'node', 'on', '>right', '~sy:*', '&sy:*', '+@all');
    const stores = await open(url.replace('redis://', 'redis://node:right@'));
    await stores.registrations.register(aRegistration('a'));
    await cli('acl', 'setuser', 'default', 'off', 'resetpass').catch(() => '');
    const wrong = openRedisStores({
      url: url.replace('redis://', 'redis://node:not-the-right-one@'),
      onError: (error) => told.push(error),
    });
    await expect(wrong).rejects.toThrow(/WRONGPASS/);
    // What a log shows of an error: its own members, and those of what caused it.
    expect(told.length).toBeGreaterThan(0);
    for (const error of told) expect(inspect(error, { depth: 9 })).not.toContain('not-the-right-one');
    const lines: string[] = [];
    const log = pino({ serializers: logSerializers }, { write: (line) => void lines.push(line) });
    const bare = Object.assign(new Error('WRONGPASS'), { command: { args: ['AUTH', 'secret'] } });
    log.warn({ error: bare }, 'x');
    log.warn({ err: bare }, 'x');
    expect(lines.join()).toContain('WRONGPASS');
    expect(lines.join()).not.toContain('secret');
  }, 30_000);

  test('a full one refuses what would be written, and goes on when there is room', async () => {
    const { url, cli } = await start();
    const stores = await open(url);
    await stores.registrations.register(aRegistration('a'));
    await cli('config', 'set', 'maxmemory', '1');
    await expect(stores.registrations.register(aRegistration('b'))).rejects.toThrow(StoreUnavailableError);
    await expect(stores.check()).rejects.toThrow(StoreUnavailableError);
    expect(await stores.registrations.byEndpoint('b')).toBeUndefined();
    await cli('config', 'set', 'maxmemory', '0');
    expect(await stores.registrations.register(aRegistration('b'))).toMatchObject({ fence: 1 });
    await expect(stores.check()).resolves.toBeUndefined();
  });

  test('a closed one answers nothing any more, and closing twice is closing once', async () => {
    const { url } = await start();
    const stores = await open(url);
    const registered = stores.registrations.register(aRegistration('a'));
    await Promise.all([stores.close(), stores.close()]);
    expect(await registered).toMatchObject({ replaced: undefined });
    await expect(stores.registrations.count()).rejects.toThrow(StoreUnavailableError);
    await expect(stores.check()).rejects.toThrow(StoreUnavailableError);
  });

  test('a cluster is durable only where all of its masters are', async () => {
    const cluster = await startRedisCluster({ durable: true });
    closing.push(() => cluster.close());
    const stores = await open(cluster.url);
    expect(stores.durable).toBe(true);
    await stores.registrations.register(aRegistration('a'));
    expect(await stores.size()).toBeGreaterThan(0);
    await expect(stores.check()).resolves.toBeUndefined();
    await cluster.servers[1]?.cli('config', 'set', 'appendfsync', 'everysec');
    expect((await open(cluster.url)).durable).toBe(false);
    await cluster.servers[2]?.cli('config', 'set', 'maxmemory-policy', 'volatile-ttl');
    await expect(open(cluster.url)).rejects.toThrow(/maxmemory-policy volatile-ttl/);
  }, 60_000);

  test('programs of two adjacent versions share it, and one further away is refused in one line', async () => {
    const { url } = await start();
    const [one, two] = [[], [async () => undefined]];
    const old = await openRedisStores({ url, guard: true, schemaSteps: one });
    const newer = await openRedisStores({ url, guard: true, schemaSteps: two });
    closing.push(() => newer.close());
    await newer.registrations.register(aRegistration('a'));
    expect(await old.registrations.byEndpoint('a')).toMatchObject({ endpoint: 'a' });
    const three = openRedisStores({ url, guard: true, schemaSteps: [...two, ...two] });
    await expect(three).rejects.toThrow(/^a node with version 1 of the store uses the database[^\n]*$/);
    await old.close();
    const newest = await openRedisStores({ url, guard: true, schemaSteps: [...two, ...two] });
    closing.push(() => newest.close());
    await expect(openRedisStores({ url, guard: true, schemaSteps: one })).rejects.toThrow(
      StoreUnavailableError,
    );
  });

  test('the memory that it may take is that of its setting, or of its machine, and readings must fit a part of it', async () => {
    const free = await open((await start()).url);
    expect(free.memory).toEqual({ bytes: totalmem(), isBounded: false, masters: 1 });
    const bounded = await open((await start({ settings: ['--maxmemory', '3300mb'] })).url);
    expect(bounded.memory).toEqual({ bytes: 3_300 * 2 ** 20, isBounded: true, masters: 1 });
    expect(roomForReadings(bounded.memory)).toBe(700 * 2 ** 20);
    // The log lies in one master, all else in each of them.
    expect(roomForReadings({ ...bounded.memory, masters: 4 })).toBeGreaterThan(1_200 * 2 ** 20);
  });
});
