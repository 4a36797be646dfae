import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateFileError } from '../../../client/atomic-file.ts';
import type { Lwm2mClient, Lwm2mClientOptions } from '../../../client/lwm2m/client.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import type { ServerOptions } from '../../../client/lwm2m/server-session.ts';
import { KeptSettings, volatileSettings } from '../../../client/modem/kept-settings.ts';
import type { Modem } from '../../../client/modem/modem.ts';
import { deviceObject } from '../../../objects/device.ts';
import { temperatureObject } from '../../../objects/ipso/temperature.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { acceptOption, pathOptions } from '../../../protocol/coap/options.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import { encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld, registry, serverAddress } from '../../support/client/client-world.ts';
import {
  type Notification,
  type ScriptedServer,
  describe as told,
} from '../../support/client/scripted-server.ts';

const secondAddress = '192.0.2.2:5683';
let world: ClientWorld;
let first: ScriptedServer;
let second: ScriptedServer;
let client: Lwm2mClient;
let level: number;
let written: string[];

function serverOptions(options: readonly Partial<ServerOptions>[] = [{}, {}]): ServerOptions[] {
  return [serverAddress, secondAddress].map((address, i) => ({
    uri: `coap://${address}`,
    resolve: async () => address,
    ...options[i],
  }));
}

function start(servers?: readonly Partial<ServerOptions>[], options: Partial<Lwm2mClientOptions> = {}): void {
  client = world.client({ servers: serverOptions(servers), ...options });
  client.tree.add(
    instance(deviceObject, 0, {
      batteryLevel: { read: () => level },
      timezone: {
        read: () => 'UTC',
        write(value) {
          written.push(String(value));
        },
      },
    }),
  );
  client.start();
}

const ask = <T>(promise: Promise<T>): Promise<T> => world.settle(promise);

beforeEach(() => {
  world = new ClientWorld();
  first = world.server;
  second = world.anotherServer(secondAddress);
  level = 80;
  written = [];
});

afterEach(() => expect(world.faults).toEqual([]));

describe('a client of two servers', () => {
  it('registers with each, and is served to each by its own account (ETS 950)', async () => {
    start([{ account: { lifetime: 600 } }, { account: { lifetime: 60 }, version: '1.0' }]);
    await world.registered(2);
    expect(first.requests[0]?.query).toEqual(['ep=modem-1', 'lt=600', 'lwm2m=1.1', 'b=U']);
    expect(second.requests[0]?.query).toEqual(['ep=modem-1', 'lt=60', 'lwm2m=1.0', 'b=U']);
    expect(first.requests[0]?.payload).toContain('</1/0>,</1/1>');
    // Each sees its own instance of the Server object, and no other.
    expect(Object.keys(await ask(first.values('/1')))).toContain('/1/0/0');
    expect(await ask(first.values('/1'))).toMatchObject({ '/1/0/0': 101, '/1/0/1': 600 });
    expect(await ask(second.values('/1'))).toMatchObject({ '/1/1/0': 102, '/1/1/1': 60 });
    expect(told(await ask(second.read('/1/0')))).toBe('4.01 no right to read /1/0');
    await world.clock.run(100_000);
    expect(first.of('update')).toHaveLength(0);
    expect(second.of('update').length).toBeGreaterThan(1);
  });

  it('does not tell a server when something changes that it may not read', async () => {
    start([{}, {}], { sharedRights: 0 });
    await world.registered(2);
    const all = await ask(
      second.observeComposite(['/3/0/9', '/3/0/15'], { accept: ContentFormat.SENML_JSON }),
    );
    const own = await ask(
      first.observeComposite(['/3/0/9', '/3/0/15'], { accept: ContentFormat.SENML_JSON }),
    );
    expect(told(all.first)).toMatch(/^2\.05/);
    for (let change = 0; change < 3; change++) {
      level--;
      client.tree.changed(['/3/0/9']);
      await world.clock.run(5_000);
    }
    expect(own.told).toHaveLength(3);
    expect(all.told).toEqual([]);
  });

  it('keeps attributes and observations of each apart', async () => {
    start();
    await world.registered(2);
    const one = await ask(first.observe('/3/0/9'));
    const two = await ask(second.observe('/3/0/9'));
    await ask(second.send(Code.PUT, '/3/0/9', { query: ['pmin=60'] }));
    level = 70;
    client.tree.changed(['/3/0/9']);
    await world.clock.run(10_000);
    expect([one.told.length, two.told.length]).toEqual([1, 0]);
    await world.clock.run(60_000);
    expect([one.told.length, two.told.length]).toEqual([1, 1]);
    const links = async (server: ScriptedServer) =>
      new TextDecoder().decode((await ask(server.read('/3/0/9', ContentFormat.LINK_FORMAT))).payload);
    expect(await links(first)).not.toContain('pmin');
    expect(await links(second)).toContain('pmin=60');
  });

  it('tells each its own where both have chosen the same token', async () => {
    start();
    await world.registered(2);
    const token = '0102030405060708';
    const told: string[] = [];
    const observe = (server: ScriptedServer, name: string, path: string) =>
      ask(
        server.endpoint.observe(
          server.client,
          { code: Code.GET, options: [...pathOptions(path), acceptOption(ContentFormat.TEXT)] },
          {
            token,
            onNotification: (notification) => {
              told.push(`${name} ${new TextDecoder().decode(notification.payload)}`);
              notification.accept();
            },
          },
        ),
      );
    const one = await observe(first, 'first', '/3/0/9');
    const two = await observe(second, 'second', '/3/0/9');
    expect([one, two].map(({ response }) => new TextDecoder().decode(response.payload))).toEqual([
      '80',
      '80',
    ]);
    level = 70;
    client.tree.changed(['/3/0/9']);
    await world.clock.run(5_000);
    expect(told.sort()).toEqual(['first 70', 'second 70']);
    // The end of one is not the end of the other.
    await ask(one.observation?.cancel() ?? Promise.reject(new Error('there is no observation')));
    level = 60;
    client.tree.changed(['/3/0/9']);
    await world.clock.run(5_000);
    expect(told.slice(2)).toEqual(['second 60']);
  });

  it('goes on with one while the other is away, disabled or lost', async () => {
    start();
    await world.registered(2);
    await ask(second.writeText('/1/1/5', '50'));
    await ask(second.execute('/1/1/4'));
    await world.until('deregistered', () => second.of('deregister').length === 1);
    expect((await ask(first.read('/3/0/9'))).code).toBe(Code.CONTENT);
    await world.clock.run(5_000);
    await expect(ask(second.read('/3/0/9'))).rejects.toThrow(TimeoutError);
    await world.until('back', () => second.of('register').length === 2);
    expect(first.requests.map((request) => request.kind)).toEqual(['register']);
  });

  it('has a Server object at /1/1 only where it is told so', async () => {
    client = world.client({ servers: [{ ...serverOptions()[0], instanceId: 1 } as ServerOptions] });
    client.start();
    await world.registered();
    expect(first.requests[0]?.payload).toMatch(/<\/1>;ver=1\.2,<\/1\/1>$/);
    expect(await ask(first.values('/1/1/1'))).toEqual({ '/1/1/1': 300 });
    expect(told(await ask(first.read('/1/0')))).toMatch(/^4\.04/);
    await ask(first.execute('/1/1/8'));
    await world.until('updated', () => first.of('update').length === 1);
  });

  it('answers nobody else', async () => {
    start();
    await world.registered(2);
    const stranger = world.anotherServer('192.0.2.66:5683');
    stranger.requests.push(...first.requests);
    expect(told(await ask(stranger.read('/3/0/9')))).toBe('4.01 not my server');
  });

  it('registers in the order of priority, after the delay of each', async () => {
    start([
      { account: { registrationPriorityOrder: 2, initialRegistrationDelayTimer: 30 } },
      { account: { registrationPriorityOrder: 1 } },
    ]);
    second.script.push({ code: Code.SERVICE_UNAVAILABLE });
    await world.registered(2);
    const [failed, at] = second.of('register').map((request) => request.at);
    expect(failed).toBeLessThan(1_000);
    expect((first.requests[0]?.at ?? 0) - (at ?? 0)).toBeGreaterThanOrEqual(30_000);
    expect((first.requests[0]?.at ?? 0) - (at ?? 0)).toBeLessThan(31_000);
  });

  it.each([
    [true, 0],
    [false, 1],
  ])(
    'whose first fails lets the next go first or not: Registration Failure Block %s',
    async (block, count) => {
      start([
        { account: { registrationPriorityOrder: 1, registrationFailureBlock: block } },
        { account: { registrationPriorityOrder: 2 } },
      ]);
      for (let i = 0; i < 20; i++) first.script.push({ code: Code.FORBIDDEN });
      await world.clock.run(120_000);
      expect(first.requests.length).toBeGreaterThan(5);
      expect(second.requests).toHaveLength(count);
    },
  );

  it('registers with one of two that have the same address, and says why not with the other', async () => {
    const told: string[] = [];
    start([{}, { uri: 'coap://other', resolve: async () => serverAddress }], {
      events: {
        onState: (state, detail, server) => void told.push(`${server} ${state} ${detail}`),
        onFault: (error) => void world.faults.push(error),
      },
    });
    await world.clock.run(10_000);
    expect(first.of('register')).toHaveLength(1);
    expect(told.join('\n')).toMatch(
      /102 waiting coap:\/\/other is 192\.0\.2\.1:5683, and so is server 101; again in/,
    );
  });

  it('cannot have one id twice', () => {
    expect(() => start([{ shortServerId: 5 }, { shortServerId: 5 }])).toThrow(
      'two servers have short server id 5',
    );
    expect(() => start([{ instanceId: 3 }, { instanceId: 3 }])).toThrow('two servers have instance id 3');
  });
});

describe('access control', () => {
  it('is not there with one server (§8.1)', async () => {
    client = world.client();
    client.start();
    await world.registered();
    expect(told(await ask(first.read('/2')))).toMatch(/^4\.04/);
  });

  it('says who owns what, and lets others do what the default entry allows (ETS 951)', async () => {
    start();
    await world.registered(2);
    const shown = await ask(first.values('/2'));
    const owners: Record<string, unknown> = {};
    for (const [path, value] of Object.entries(shown)) {
      const id = path.split('/')[2];
      if (path.endsWith('/3')) owners[`/${shown[`/2/${id}/0`]}/${shown[`/2/${id}/1`]}`] = value;
    }
    expect(owners).toEqual({ '/1/0': 101, '/1/1': 102, '/3/0': 101 });
    expect((await ask(second.read('/3/0/9'))).code).toBe(Code.CONTENT);
    expect(told(await ask(second.writeText('/3/0/15', 'CET')))).toBe('4.01 no right to write /3/0/15');
    expect(told(await ask(first.writeText('/3/0/15', 'CET')))).toBe('2.04');
    expect(written).toEqual(['CET']);
  });

  it('is changed by the owner alone, and holds at once', async () => {
    start();
    await world.registered(2);
    const shown = await ask(first.values('/2'));
    const of = (object: number): string =>
      Object.entries(shown)
        .find(([path, value]) => path.endsWith('/0') && value === object)?.[0]
        .slice(0, -2) ?? '';
    const device = of(3);
    const acl = (entries: Record<number, number>): Uint8Array =>
      encodeContent(
        ContentFormat.TLV,
        `${device}/2`,
        Object.entries(entries).map(([id, value]) => ({ path: `${device}/2/${id}`, value })),
        registry,
      );
    const write = (server: ScriptedServer, entries: Record<number, number>) =>
      ask(server.send(Code.PUT, `${device}/2`, { format: ContentFormat.TLV, payload: acl(entries) }));
    expect(told(await write(second, { 102: 31 }))).toMatch(/^4\.01/);
    expect(told(await write(first, { 102: 3 }))).toBe('2.04');
    expect(told(await ask(second.writeText('/3/0/15', 'CET')))).toBe('2.04');
    expect(told(await write(first, { 101: 1 }))).toBe('2.04');
    expect(told(await ask(second.read('/3/0/9')))).toMatch(/^4\.01/);
    expect(told(await ask(first.writeText('/3/0/15', 'EST')))).toMatch(/^4\.01/);
    // The owner stays the owner.
    expect(told(await ask(first.writeText(`${device}/3`, '102')))).toBe('2.04');
    expect(told(await write(first, {}))).toMatch(/^4\.01/);
    expect(told(await write(second, {}))).toBe('2.04');
    expect(told(await ask(second.writeText('/3/0/15', 'PST')))).toBe('2.04');
    expect(told(await ask(first.send(Code.DELETE, device)))).toMatch(/^4\.0[15]/);
  });

  it('lets the others create nothing where they have no rights at all', async () => {
    start(undefined, { sharedRights: 0 });
    client.tree.addObject(temperatureObject, {
      create: (id) => instance(temperatureObject, id, { sensorValue: { read: () => 21.5 } }),
    });
    await world.registered(2);
    expect(told(await ask(second.send(Code.POST, '/3303')))).toBe('4.01 no right to create /3303');
    expect(told(await ask(first.send(Code.POST, '/3303')))).toBe('2.01');
  });

  it('makes a server the owner of what it creates, and forgets what is deleted', async () => {
    start();
    client.tree.addObject(temperatureObject, {
      create: (id) => instance(temperatureObject, id, { sensorValue: { read: () => 21.5 } }),
      delete: () => {},
    });
    await world.registered(2);
    const payload = encodeContent(
      ContentFormat.SENML_CBOR,
      '/3303',
      [{ path: '/3303/4/5700', value: 52.5 }],
      registry,
    );
    const created = await ask(second.send(Code.POST, '/3303', { format: ContentFormat.SENML_CBOR, payload }));
    expect(told(created)).toBe('2.01');
    const before = Object.entries(await ask(second.values('/2')));
    expect(before.filter(([path, value]) => path.endsWith('/3') && value === 102)).toHaveLength(2);
    expect(told(await ask(first.read('/3303/4')))).toMatch(/^4\.01/);
    expect(told(await ask(first.send(Code.DELETE, '/3303/4')))).toMatch(/^4\.01/);
    expect((await ask(second.read('/3303/4'))).code).toBe(Code.CONTENT);
    expect(told(await ask(second.send(Code.DELETE, '/3303/4')))).toBe('2.02');
    expect(Object.keys(await ask(second.values('/2'))).length).toBeLessThan(before.length);
  });
});

describe('what servers wrote', () => {
  const storage = volatileSettings();
  const settings = (): KeptSettings => new KeptSettings(storage);

  it('is there after a restart: accounts, rights, and who made what', async () => {
    const begin = async (): Promise<void> => {
      start(undefined, { settings: settings() });
      client.tree.addObject(temperatureObject, {
        create: (id) => instance(temperatureObject, id, { sensorValue: { read: () => 21.5 } }),
      });
      await world.registered(2);
    };
    await begin();
    await ask(second.writeText('/1/1/1', '77'));
    await ask(second.writeText('/1/1/6', '0'));
    const acls = Object.entries(await ask(first.values('/2')));
    const device = acls.find(([path, value]) => path.endsWith('/0') && value === 3)?.[0].slice(0, -2) ?? '';
    const acl = encodeContent(
      ContentFormat.TLV,
      `${device}/2`,
      [{ path: `${device}/2/102`, value: 3 }],
      registry,
    );
    expect(
      told(await ask(first.send(Code.PUT, `${device}/2`, { format: ContentFormat.TLV, payload: acl }))),
    ).toBe('2.04');
    const payload = encodeContent(
      ContentFormat.SENML_CBOR,
      '/3303',
      [{ path: '/3303/4/5700', value: 1 }],
      registry,
    );
    await ask(second.send(Code.POST, '/3303', { format: ContentFormat.SENML_CBOR, payload }));
    await ask(client.close());

    world = new ClientWorld();
    first = world.server;
    second = world.anotherServer(secondAddress);
    await begin();
    client.tree.add(instance(temperatureObject, 4, { sensorValue: { read: () => 21.5 } }));
    expect(second.requests[0]?.query).toContain('lt=77');
    expect(client.sessions[1]?.account.notificationStoring).toBe(false);
    expect(client.sessions[0]?.account.lifetime).toBe(300);
    expect(told(await ask(second.writeText('/3/0/15', 'CET')))).toBe('2.04');
    expect((await ask(second.read('/3303/4'))).code).toBe(Code.CONTENT);
    expect(told(await ask(first.read('/3303/4')))).toMatch(/^4\.01/);
  });

  it('gives way to what the client is set up with expressly, and to a factory reset', async () => {
    start([{}, { account: { lifetime: 55 } }], { settings: settings() });
    await world.registered(2);
    expect(second.requests[0]?.query).toContain('lt=55');
    expect(client.sessions[1]?.account.notificationStoring).toBe(false);
    await ask(client.close());
    const kept = settings();
    world = new ClientWorld();
    first = world.server;
    second = world.anotherServer(secondAddress);
    start(undefined, { settings: kept });
    await world.registered(2);
    kept.clear();
    await world.until('updated', () => second.of('update').length > 0);
    expect(second.of('update')[0]?.query).toContain('lt=300');
    expect(told(await ask(second.writeText('/3/0/15', 'CET')))).toMatch(/^4\.01/);
    expect((await ask(second.read('/3/0/9'))).code).toBe(Code.CONTENT);
  });

  it('is not made up from what is damaged', () => {
    storage.write({ 'server 101': { lifetime: 'long' } });
    expect(() => start(undefined, { settings: settings() })).toThrow(StateFileError);
    storage.write({ 'access control': { '3/0': { owner: 101, acl: [[1]] } } });
    expect(() => start(undefined, { settings: settings() })).toThrow(StateFileError);
  });
});

describe('readings that two servers observe', () => {
  const imu = '/42770/0/2';
  let modem: Modem;

  beforeEach(async () => {
    modem = world.modem({ servers: serverOptions(), rates: { imu: 10, gyro: 0, temperature: 0 } });
    await modem.start();
    await world.registered(2);
  });

  function times(packs: readonly Notification[]): number[] {
    return packs.flatMap(({ payload }) =>
      first.records(imu, payload).map((record) => Math.round((record.time ?? 0) * 1e6)),
    );
  }

  function expectEvery(taken: readonly number[], period: number): void {
    for (let i = 1; i < taken.length; i++) expect((taken[i] ?? 0) - (taken[i - 1] ?? 0)).toBe(period);
  }

  it('go to both, all of them', async () => {
    const one = await ask(first.observe(imu));
    await world.clock.run(3_000);
    const two = await ask(second.observe(imu));
    await world.clock.run(20_000);
    for (const { told: packs } of [one, two]) {
      expect(times(packs).length).toBeGreaterThan(190);
      expectEvery(times(packs), 100_000);
    }
    expect(modem.sensors[0]?.queue.length).toBeLessThan(20);
    expect(modem.client.readings.pending).toBeLessThan(20);
  });

  it('wait for the one that is away, and are not held back for the one that has cancelled', async () => {
    const one = await ask(first.observe(imu));
    const two = await ask(second.observe(imu));
    await world.clock.run(2_000);
    world.link.filter = (_data, from, to) => from === secondAddress || to === secondAddress;
    await world.clock.run(120_000);
    expect(modem.sensors[0]?.queue.length).toBeGreaterThan(1_000);
    expect(times(one.told).length).toBeGreaterThan(1_100);
    world.link.filter = undefined;
    await world.until('back', () => second.of('register').length === 2);
    const again = await ask(second.observe(imu));
    await world.clock.run(30_000);
    expectEvery(times(one.told), 100_000);
    const packs = new Map(
      [...two.told, ...again.told].map((pack) => [Buffer.from(pack.payload).toString('hex'), pack]),
    );
    expectEvery(times([...packs.values()]), 100_000);
    expect(times([...packs.values()]).length).toBeGreaterThan(1_400);
    await ask(again.cancel());
    await world.clock.run(60_000);
    expect(modem.sensors[0]?.queue.length).toBeLessThan(20);
    expect(modem.client.readings.dropped).toBe(0);
  });
});

describe('a server without the right to read', () => {
  async function startModem(options: Parameters<ClientWorld['modem']>[0] = {}): Promise<Modem> {
    const modem = world.modem({
      rates: { imu: 10, gyro: 0, temperature: 0 },
      servers: serverOptions([{ version: '1.2' }, { version: '1.2' }]),
      ...options,
    });
    await modem.start();
    await world.registered(2);
    return modem;
  }

  /** What the second server may do with the first instance of an object. */
  async function grant(object: number, rights: number): Promise<void> {
    const shown = await ask(first.values('/2'));
    const entry = Object.keys(shown).find(
      (path) => path.endsWith('/0') && shown[path] === object && shown[path.replace(/0$/, '1')] === 0,
    );
    const acl = entry?.replace(/0$/, '2') ?? '';
    const payload = encodeContent(ContentFormat.TLV, acl, [{ path: `${acl}/102`, value: rights }], registry);
    const answer = await ask(first.send(Code.PUT, acl, { format: ContentFormat.TLV, payload }));
    expect(told(answer)).toBe('2.04');
  }

  it('gets no packs any more, and is told so', async () => {
    const modem = await startModem();
    const { told: packs } = await ask(second.observe('/42770/0/2'));
    const { told: others } = await ask(first.observe('/42770/0/2'));
    await world.clock.run(5_000);
    expect(packs.length).toBeGreaterThan(2);
    await grant(42_770, 2);
    await world.clock.run(2_000);
    expect(packs.at(-1)?.code).toBe(Code.UNAUTHORIZED);
    const before = [packs.length, others.length] as const;
    await world.clock.run(5_000);
    expect(packs).toHaveLength(before[0]);
    expect(others.length).toBeGreaterThan(before[1] + 10);
    // Its readings do not wait for it.
    expect(modem.client.sessions[1]?.readings.pending('/42770/0/2')).toBeLessThan(20);
    await ask(modem.close());
  });

  it('gets no readings by Send, until it has the right', async () => {
    const modem = await startModem({ report: 'send', sharedRights: 0 });
    await world.clock.run(5_000);
    expect(first.of('send').length).toBeGreaterThan(1);
    expect(second.of('send')).toEqual([]);
    await grant(42_770, 1);
    await world.clock.run(5_000);
    expect(second.of('send').length).toBeGreaterThan(1);
    await grant(42_770, 0);
    await world.clock.run(1_000);
    const before = second.of('send').length;
    await world.clock.run(5_000);
    expect(second.of('send')).toHaveLength(before);
    await ask(modem.close());
  });

  it('gets no event log by Send', async () => {
    const modem = await startModem({ sharedRights: 0, rates: { imu: 0, gyro: 0, temperature: 0 } });
    expect(told(await ask(first.writeText('/20/0/4017', '1')))).toBe('2.04');
    const records = [{ path: '/20/0/4016', value: new Uint8Array(3) }];
    expect(await ask(modem.client.sessions[1]?.send(records) ?? Promise.reject(new Error()))).toMatchObject({
      result: 'forbidden',
    });
    await ask(second.read('/3/0/9'));
    await world.clock.run(5_000);
    expect(first.of('send').length).toBe(1);
    expect(second.of('send')).toEqual([]);
    await ask(modem.close());
  });
});

describe('readings for two servers', () => {
  const imu = '/42770/0/2';
  let modem: Modem;

  beforeEach(async () => {
    modem = world.modem({ rates: { imu: 10, gyro: 0, temperature: 0 }, servers: serverOptions() });
    await modem.start();
    await world.registered(2);
  });

  afterEach(() => ask(modem.close({ deregister: false })));

  const secondIsGone = (_data: Uint8Array, from: string, to: string): boolean =>
    from === secondAddress || to === secondAddress;

  it('wait for the one that has forgotten the client, until it has registered anew and observes again', async () => {
    await ask(first.observe(imu));
    let forgotten = false;
    const before = await ask(
      second.observe(imu, { decide: (each) => (forgotten ? each.reject() : each.accept()) }),
    );
    await world.clock.run(5_000);
    world.link.filter = secondIsGone;
    await world.clock.run(10_000);
    // It is there again, and neither the token nor the registration says anything to it.
    forgotten = true;
    second.script.push({ code: Code.NOT_FOUND });
    world.link.filter = undefined;
    await world.until('registered anew', () => second.of('register').length === 2);
    await world.clock.run(2_000);
    const after = await ask(second.observe(imu));
    await world.clock.run(5_000);
    const taken = [...before.told, ...after.told].flatMap(({ payload }) =>
      second.records(imu, payload).map(({ time }) => Math.round((time ?? 0) * 10)),
    );
    const all = [...new Set(taken)].sort((a, b) => a - b);
    expect(all.length).toBeGreaterThan(200);
    expect((all.at(-1) ?? 0) - (all[0] ?? 0)).toBe(all.length - 1);
  });

  it('do not wait for the one that has cancelled with a RST and knows the client', async () => {
    await ask(first.observe(imu));
    await ask(second.observe(imu, { decide: (each) => each.reject() }));
    await world.until('asked', () => second.of('update').length === 1);
    await world.clock.run(5_000);
    expect(modem.client.sessions[1]?.readings.pending(imu)).toBeLessThan(10);
  });

  it('do not hold up a Disconnect that another server observes and does not acknowledge', async () => {
    const carrier = await ask(first.observe('/42769/0'));
    await ask(second.observe('/42769/0'));
    world.link.filter = secondIsGone;
    const at = world.clock.now();
    await ask(first.execute('/42769/0/3', "0='15',1='1'"));
    await world.until('off the network', () => world.states.includes('paused'));
    expect(world.clock.now() - at).toBeLessThan(12_000);
    expect(carrier.told.length).toBeGreaterThan(0);
  });

  it('do not hold up a reboot while one of them is away', async () => {
    await ask(second.observe(imu));
    await world.clock.run(3_000);
    world.link.filter = secondIsGone;
    await world.clock.run(1_000);
    const at = world.clock.now();
    await ask(first.execute('/3/0/4'));
    await world.until('back', () => first.of('register').length === 2);
    expect(world.clock.now() - at).toBeLessThan(10_000);
  });
});
