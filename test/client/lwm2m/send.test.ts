import { afterEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import type { Modem } from '../../../client/modem/modem.ts';
import { deviceObject } from '../../../objects/device.ts';
import { Code, OptionNumber } from '../../../protocol/coap/message.ts';
import { uintOption } from '../../../protocol/coap/options.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { decodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld, registry, serverAddress } from '../../support/client/client-world.ts';
import type { RegistrationRequest } from '../../support/client/scripted-server.ts';

const imu = '/42770/0/2';
let world: ClientWorld;
let client: Lwm2mClient;
let modem: Modem;

afterEach(() => expect(world.faults).toEqual([]));

async function start(options: Parameters<ClientWorld['client']>[0] = {}): Promise<void> {
  world = new ClientWorld();
  client = world.client(options);
  client.tree.add(
    instance(deviceObject, 0, {
      batteryLevel: { read: () => 77 },
      // An application's way to have values sent when it is told to.
      reboot: { execute: (_args, context) => context.afterAnswer(() => void client.send(['/3/0/9'])) },
    }),
  );
  client.start();
  await world.registered();
}

describe('a client sends by itself', () => {
  it.each([
    ['SenML CBOR', ContentFormat.SENML_CBOR, '1.1'],
    ['SenML JSON', ContentFormat.SENML_JSON, '1.1'],
    ['LwM2M CBOR', ContentFormat.LWM2M_CBOR, '1.2'],
  ] as const)('what is at its paths now, in %s (ETS 306)', async (_name, format, version) => {
    await start({ version });
    const outcomes = await world.settle(client.send(['/3/0/9', '/1/0/1'], format));
    expect(outcomes).toEqual([{ shortServerId: 101, result: 'accepted', detail: '' }]);
    const [sent] = world.server.of('send');
    expect(sent).toMatchObject({ path: '/dp', format });
    expect(world.server.decode('/', sent?.body ?? new Uint8Array(), format)).toEqual({
      '/3/0/9': 77,
      '/1/0/1': 300,
    });
  });

  it('when it is told to by an Execute (ETS 311)', async () => {
    await start();
    expect((await world.settle(world.server.execute('/3/0/4'))).code).toBe(Code.CHANGED);
    await world.until('sent', () => world.server.of('send').length === 1);
    expect(world.server.decode('/', world.server.of('send')[0]?.body ?? new Uint8Array())).toEqual({
      '/3/0/9': 77,
    });
  });

  it('not while Mute Send is set, and again when it is not (ETS 307)', async () => {
    await start();
    await world.settle(world.server.writeText('/1/0/23', '1'));
    expect(await world.settle(client.send(['/3/0/9']))).toMatchObject([{ result: 'muted' }]);
    await world.settle(world.server.writeText('/1/0/23', '0'));
    expect(await world.settle(client.send(['/3/0/9']))).toMatchObject([{ result: 'accepted' }]);
    expect(world.server.of('send')).toHaveLength(1);
  });

  it('not with LwM2M 1.0, nor before it is registered, nor while it is disabled', async () => {
    await start({ version: '1.0' });
    expect(await world.settle(client.send(['/3/0/9']))).toMatchObject([{ result: 'unsupported' }]);
    await world.settle(client.pause());
    expect(await world.settle(client.send(['/3/0/9']))).toMatchObject([{ result: 'unregistered' }]);
    world = new ClientWorld();
    client = world.client();
    expect(await world.settle(client.send(['/1/0/1']))).toMatchObject([{ result: 'unregistered' }]);
  });

  it('and is told what the server said, or that it said nothing', async () => {
    await start();
    world.server.script.push({ code: Code.NOT_FOUND, payload: new TextEncoder().encode('no /3') });
    expect(await world.settle(client.send(['/3/0/9']))).toEqual([
      { shortServerId: 101, result: 'refused', detail: 'the server answered 4.04 no /3' },
    ]);
    world.link.filter = () => true;
    expect(await world.settle(client.send(['/3/0/9']))).toMatchObject([{ result: 'unreachable' }]);
  });

  it('in no format that a Send cannot have', async () => {
    await start();
    await expect(client.send(['/3/0/9'], ContentFormat.TLV)).rejects.toThrow(RequestError);
    await expect(client.send(['/3/0/9'], ContentFormat.LWM2M_CBOR)).rejects.toThrow(RequestError);
  });

  it('to each server what it may read', async () => {
    world = new ClientWorld();
    const second = world.anotherServer('192.0.2.2:5683');
    client = world.client({
      servers: [serverAddress, '192.0.2.2:5683'].map((address) => ({
        uri: `coap://${address}`,
        resolve: async () => address,
      })),
    });
    client.start();
    await world.registered(2);
    await world.settle(client.send(['/1/0/1', '/1/1/1']));
    const sent = (requests: readonly RegistrationRequest[]) =>
      Object.keys(world.server.decode('/', requests[0]?.body ?? new Uint8Array()));
    expect(sent(world.server.of('send'))).toEqual(['/1/0/1']);
    expect(sent(second.of('send'))).toEqual(['/1/1/1']);
  });
});

describe('readings that go by Send', () => {
  async function startModem(options: Parameters<ClientWorld['modem']>[0] = {}): Promise<void> {
    world = new ClientWorld();
    modem = world.modem({ report: 'send', rates: { imu: 10, gyro: 0, temperature: 0 }, ...options });
    await modem.start();
    await world.registered();
  }

  /** Times in µs of all readings, packs that came twice taken once. */
  function times(): number[] {
    const packs = new Map(world.server.of('send').map((each) => [each.body.toString(), each.body]));
    return [...packs.values()].flatMap((body) =>
      world.server.records('/', body).map(({ path, time }) => {
        expect(path).toBe(imu);
        return Math.round((time ?? 0) * 1e6);
      }),
    );
  }

  function expectAll(count: number): void {
    const taken = times();
    for (let i = 1; i < taken.length; i++) expect((taken[i] ?? 0) - (taken[i - 1] ?? 0)).toBe(100_000);
    expect(taken.length).toBeGreaterThan(count);
  }

  it('are named below the root path of the client', async () => {
    await startModem({ rootPath: '/lwm2m' });
    expect(world.server.of('register')[0]?.payload).toMatch(/^<\/lwm2m>;rt="oma\.lwm2m"/);
    await world.clock.run(2_000);
    const [sent] = world.server.of('send');
    expect(
      decodeContent(ContentFormat.SENML_CBOR, '/', sent?.body ?? new Uint8Array(), registry, '/lwm2m')[0],
    ).toMatchObject({
      path: imu,
    });
    expect(Buffer.from(sent?.body ?? []).toString('latin1')).toContain(`/lwm2m${imu}`);
  });

  it('need no observation, and arrive complete', async () => {
    await startModem();
    await world.clock.run(20_000);
    expectAll(190);
    expect(modem.client.readings.packsDelivered).toBeGreaterThan(20);
    expect(modem.client.readings.pending).toBeLessThan(20);
  });

  it('wait while nobody answers, and come again as the same bytes', async () => {
    await startModem();
    await world.clock.run(2_000);
    let silenced = 0;
    world.link.filter = () => ++silenced > 0;
    await world.clock.run(150_000);
    world.link.filter = undefined;
    await world.registered(2);
    await world.clock.run(30_000);
    expectAll(1_750);
    expect(modem.client.readings.packsRefused).toBe(0);
  });

  it('wait as long as a busy server asks for', async () => {
    await startModem();
    await world.clock.run(2_000);
    world.server.script.push({
      code: Code.SERVICE_UNAVAILABLE,
      options: [uintOption(OptionNumber.MAX_AGE, 20)],
    });
    const before = world.server.of('send').length;
    await world.clock.run(15_000);
    expect(world.server.of('send')).toHaveLength(before + 1);
    await world.clock.run(15_000);
    expectAll(290);
  });

  it('survive one refusal, of a server that does not know the device, and a pack is given up after the second', async () => {
    await startModem();
    await world.clock.run(2_000);
    // The Send is refused, and so is the Update that asks whether we are known.
    world.server.script.push({ code: Code.NOT_FOUND }, { code: Code.NOT_FOUND });
    await world.registered(2);
    await world.clock.run(10_000);
    expectAll(100);
    const updates = world.server.of('update').length;
    world.server.script.push({ code: Code.BAD_REQUEST });
    await world.until('asked', () => world.server.of('update').length === updates + 1);
    world.server.script.push({ code: Code.BAD_REQUEST });
    await world.clock.run(10_000);
    expect(modem.client.readings.packsRefused).toBe(1);
    expect(modem.client.readings.pending).toBeLessThan(20);
  });

  it('wait as long as a server asks for with 5.03 or 4.29, whatever Updates go out meanwhile', async () => {
    for (const code of [Code.SERVICE_UNAVAILABLE, Code.TOO_MANY_REQUESTS]) {
      await startModem({ updateInterval: 5 });
      await world.clock.run(2_000);
      const decline = { code, options: [uintOption(OptionNumber.MAX_AGE, 40)] };
      world.server.script.push(decline);
      await world.until('declined', () => world.server.script.length === 0);
      const before = world.server.of('send').length;
      await world.clock.run(38_000);
      expect(world.server.of('update').length).toBeGreaterThan(5);
      expect(world.server.of('send')).toHaveLength(before);
      await world.clock.run(12_000);
      expectAll(480);
      expect(modem.client.readings.packsRefused).toBe(0);
    }
  });

  it('of several sensors do not flood a server that declines them all: packs are given up, more and more seldom', async () => {
    await startModem({ rates: { imu: 10, gyro: 10, temperature: 1 } });
    world.server.decline.set('send', Code.METHOD_NOT_ALLOWED);
    await world.clock.run(600_000);
    expect(modem.client.readings.packsRefused).toBeGreaterThan(3);
    expect(world.server.of('send').length).toBeLessThan(60);
    expect(world.server.of('update').length).toBeLessThan(60);
    world.server.decline.clear();
    await world.clock.run(400_000);
    expect(modem.client.readings.pending).toBeLessThan(60);
  });

  it('have a second chance after five seconds, not as soon as the Update is answered', async () => {
    await startModem();
    await world.clock.run(2_000);
    world.server.decline.set('send', Code.BAD_REQUEST);
    await world.until('given up', () => modem.client.readings.packsRefused > 0);
    const [first = 0, second = 0] = world.server
      .of('send')
      .slice(-2)
      .map(({ at }) => at);
    expect(second - first).toBeGreaterThanOrEqual(5_000);
  });

  it('are those only that a condition calls for, and notifications, while the value is observed with one', async () => {
    await startModem();
    await world.settle(world.server.send(Code.PUT, imu, { query: ['st=1000000'] }));
    const observed = await world.settle(world.server.observe(imu));
    const before = world.server.of('send').length;
    await world.clock.run(5_000);
    expect([world.server.of('send').length - before, observed.told.length]).toEqual([0, 0]);
    await world.settle(observed.cancel());
    await world.clock.run(5_000);
    expect(world.server.of('send').length).toBeGreaterThan(before);
  });

  it('stop while Mute Send is set, and are kept', async () => {
    await startModem();
    await world.settle(world.server.writeText('/1/0/23', '1'));
    await world.clock.run(1_000);
    const before = world.server.of('send').length;
    await world.clock.run(10_000);
    expect(world.server.of('send')).toHaveLength(before);
    expect(modem.client.readings.pending).toBeGreaterThan(90);
    await world.settle(world.server.writeText('/1/0/23', '0'));
    await world.clock.run(10_000);
    expectAll(200);
  });

  it('go to who observes them where the server speaks 1.0', async () => {
    await startModem({ version: '1.0' });
    const { told: packs } = await world.settle(
      world.server.observe(imu, { accept: ContentFormat.SENML_CBOR }),
    );
    await world.clock.run(5_000);
    expect(world.server.of('send')).toEqual([]);
    expect(packs.flatMap(({ payload }) => world.server.records(imu, payload)).length).toBeGreaterThan(40);
  });

  it('go to who observes them while somebody does, and each goes one way only', async () => {
    await startModem();
    await world.clock.run(5_000);
    const observed = await world.settle(world.server.observe(imu));
    await world.clock.run(1_000);
    const before = world.server.of('send').length;
    await world.clock.run(5_000);
    expect(world.server.of('send')).toHaveLength(before);
    await world.settle(observed.cancel());
    await world.clock.run(5_000);
    const packs = observed.told.flatMap(({ payload }) =>
      world.server.records(imu, payload).map((record) => Math.round((record.time ?? 0) * 1e6)),
    );
    const all = [...times(), ...packs].sort((a, b) => a - b);
    for (let i = 1; i < all.length; i++) expect((all[i] ?? 0) - (all[i - 1] ?? 0)).toBe(100_000);
    expect(all.length).toBeGreaterThan(150);
    expect(packs.length).toBeGreaterThan(50);
  });
});
