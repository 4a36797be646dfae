import { afterEach, describe, expect, test } from 'vitest';
import { openRedisStores } from '../../redis/index.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import { anId, aRegistration, start } from '../contract/engine.ts';
import { type RedisServer, startRedis, startRedisCluster, startSentinel } from '../support/redis.ts';
import { until } from '../support/until.ts';

type RedisStores = Awaited<ReturnType<typeof openRedisStores>>;

describe.skipIf(!isInstalled('redis-server'))('when Redis is away', { timeout: 120_000 }, () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
  });
  const open = async (url: string): Promise<RedisStores> => {
    const stores = await openRedisStores({ url, guard: true });
    closing.push(() => stores.close());
    return stores;
  };
  const durable = async (): Promise<{ server: RedisServer; stores: RedisStores }> => {
    const server = await startRedis({ durable: true });
    closing.push(() => server.close());
    return { server, stores: await open(server.url) };
  };
  const answers = (stores: RedisStores): Promise<boolean> =>
    until('the store answers again', () => stores.check().then(ok, unavailable), 60_000);

  test('calls are refused at once, and go on by themselves on what was acknowledged', async () => {
    const { server, stores } = await durable();
    const registration = aRegistration('a', { node: 'one' });
    await stores.registrations.register(registration);
    await server.kill();
    await expect(stores.registrations.byEndpoint('a')).rejects.toThrow(StoreUnavailableError);
    await expect(stores.devices.list({ now: start, limit: 5 })).rejects.toThrow(StoreUnavailableError);
    await until('the reason is known', () =>
      stores.check().then(
        () => false,
        (error: Error) =>
          /^Redis at 127\.0\.0\.1:\d+ \(.*ECONNREFUSED.*\) is not connected$/.test(error.message),
      ),
    );
    await expect(stores.registrations.register(aRegistration('b'))).rejects.toThrow(StoreUnavailableError);
    await server.start();
    await answers(stores);
    // The scripts are not known any more, and are given anew.
    expect(await stores.registrations.byId(registration.id)).toEqual({ ...registration, fence: 1 });
    expect(await stores.registrations.move(registration.id, '192.0.2.9:1', 'two')).toMatchObject({
      fence: 2,
    });
    expect((await stores.devices.list({ now: start, limit: 5 })).total).toBe(1);
  });

  test('what was asked while it died has happened or was refused, never both', async () => {
    const { server, stores } = await durable();
    const endpoints = Array.from({ length: 500 }, (_, index) => `dev-${index}`);
    const results = endpoints.map((endpoint) =>
      stores.registrations.register(aRegistration(endpoint)).then(
        () => endpoint,
        (error: unknown) => {
          expect(error).toBeInstanceOf(StoreUnavailableError);
          return undefined;
        },
      ),
    );
    await Promise.race(results);
    await server.kill();
    const acknowledged = (await Promise.all(results)).filter((endpoint) => endpoint !== undefined);
    expect(acknowledged.length).toBeGreaterThan(0);
    await server.start();
    await answers(stores);
    for (const endpoint of acknowledged) {
      expect(await stores.registrations.byEndpoint(endpoint)).toMatchObject({ id: anId(endpoint) });
    }
  });

  test('one that hangs is given up after some seconds', async () => {
    const { server, stores } = await durable();
    server.pause();
    await expect(stores.registrations.byEndpoint('a')).rejects.toThrow(/^Redis at 127\.0\.0\.1:\d+/);
    // Nobody waits for it any more until it is there again.
    await expect(stores.registrations.byEndpoint('a')).rejects.toThrow(/is not connected$/);
    server.resume();
    await answers(stores);
  });

  test('scripts that it has forgotten are given anew', async () => {
    const { server, stores } = await durable();
    await stores.registrations.register(aRegistration('a'));
    await server.cli('script', 'flush');
    await Promise.all(
      ['a', 'b', 'c'].map((endpoint) => stores.registrations.register(aRegistration(endpoint))),
    );
    expect(await stores.registrations.count()).toBe(3);
  });

  test('the index of devices forgets what a restart has lost', async () => {
    const server = await startRedis();
    closing.push(() => server.close());
    const stores = await open(server.url);
    for (const endpoint of ['a', 'b', 'c']) await stores.registrations.register(aRegistration(endpoint));
    expect(await stores.devices.counts(start)).toMatchObject({ known: 3 });
    await server.kill();
    await server.start();
    await answers(stores);
    expect(await stores.devices.counts(start)).toMatchObject({ known: 0 });
    for (const endpoint of ['d', 'e', 'f', 'g']) await stores.registrations.register(aRegistration(endpoint));
    const { items, total } = await stores.devices.list({ now: start, limit: 9 });
    expect([total, items.map(({ endpoint }) => endpoint).join('')]).toEqual([4, 'defg']);
  });

  test('of a cluster, one master takes along its own devices alone, and they come back with it', async () => {
    const cluster = await startRedisCluster({ durable: true });
    closing.push(() => cluster.close());
    const stores = await open(cluster.url);
    const endpoints = Array.from({ length: 60 }, (_, index) => `dev-${index}`);
    await Promise.all(endpoints.map((endpoint) => stores.registrations.register(aRegistration(endpoint))));
    const [server] = cluster.servers as [RedisServer];
    await server.kill();
    const found = await Promise.allSettled(
      endpoints.map((endpoint) => stores.registrations.byEndpoint(endpoint)),
    );
    for (const one of found) {
      if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(StoreUnavailableError);
    }
    expect(found.some(({ status }) => status === 'rejected')).toBe(true);
    await server.start();
    await until(
      'all devices are found again',
      () =>
        Promise.all(endpoints.map((endpoint) => stores.registrations.byEndpoint(endpoint))).then(
          (all) => all.every((one) => one !== undefined),
          unavailable,
        ),
      60_000,
    );
    expect((await stores.devices.list({ now: start, limit: 100 })).total).toBe(60);
  });

  test('of a cluster, a replica takes over from its master with the devices that it had', async () => {
    const cluster = await startRedisCluster({ replicas: 1 });
    closing.push(() => cluster.close());
    const stores = await open(cluster.url);
    const endpoints = Array.from({ length: 60 }, (_, index) => `dev-${index}`);
    await Promise.all(endpoints.map((endpoint) => stores.registrations.register(aRegistration(endpoint))));
    const [server] = cluster.servers as [RedisServer];
    await until('its replica has all', async () =>
      /slave\d+:.*state=online.*lag=[01]\b/.test(await server.cli('info', 'replication')),
    );
    await server.kill();
    await until(
      'all devices answer again',
      () =>
        Promise.all(endpoints.map((endpoint) => stores.registrations.register(aRegistration(endpoint)))).then(
          (all) => all.every(({ replaced }) => replaced !== undefined),
          unavailable,
        ),
      60_000,
    );
    expect((await stores.devices.list({ now: start, limit: 100 })).total).toBe(60);
  });

  test('a replica that Sentinel makes master goes on with what it had', async () => {
    const { url, master, replica, close } = await startSentinel();
    closing.push(close);
    const stores = await open(url);
    await stores.registrations.register(aRegistration('a'));
    await until('the replica has it', async () =>
      (await replica.cli('hlen', 'sy:{bed}:registrations')).includes('1'),
    );
    await master.kill();
    await answers(stores);
    expect(await stores.registrations.byEndpoint('a')).toMatchObject({ id: anId('a') });
    await stores.registrations.register(aRegistration('b'));
    expect(await stores.devices.counts(start)).toMatchObject({ known: 2 });
  });
});

const ok = (): boolean => true;

/** Anything else is a bug. */
function unavailable(error: unknown): boolean {
  if (error instanceof StoreUnavailableError) return false;
  throw error;
}
