import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Code, MessageType } from '../../protocol/coap/message.ts';
import { contentFormatOption, maxAge } from '../../protocol/coap/options.ts';
import { encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { ApiEvent, ApiReading } from '../../server/api/schemas.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import type { TelemetryLog } from '../../server/ports/telemetry-log.ts';
import { withMethods } from '../../server/telemetry/level-with-log.ts';
import { type ScriptedDevice, ServerWorld } from '../support/server-world.ts';

let world: ServerWorld;
afterEach(() => world.close());

const SENSOR = '/3303/0/5700';
const { SENML_CBOR, SENML_JSON, LWM2M_CBOR } = ContentFormat;
const types = { resourceType: () => undefined };
const pack = (records: readonly LwM2mRecord[], format: number = SENML_CBOR, rootPath = '/'): Uint8Array =>
  encodeContent(format, '/', records, types, rootPath);
const utf8 = (payload: Uint8Array): string => new TextDecoder().decode(payload);

async function registered(
  links = '</3303/0>,</3/0>',
  address = 'device:1',
  name = 'modem',
): Promise<ScriptedDevice> {
  const device = world.device(address, name);
  expect((await device.register(links)).code).toBe(Code.CREATED);
  return device;
}

async function readings(path = SENSOR, name = 'modem'): Promise<ApiReading[]> {
  const { items } = await world.api.get<{ items: ApiReading[] }>(
    `/api/devices/${name}/readings?path=${path}`,
  );
  return items;
}

describe('Send', () => {
  it.each([
    ['SenML CBOR', SENML_CBOR],
    ['SenML JSON', SENML_JSON],
    ['LwM2M CBOR', LWM2M_CBOR],
  ])('of %s is answered 2.04, and its values are readings (ETS 306)', async (_name, format) => {
    world = await ServerWorld.open();
    const device = await registered();
    const response = await device.send(
      format,
      pack(
        [
          { path: SENSOR, value: 21.5 },
          { path: '/3/0/9', value: 80 },
        ],
        format,
      ),
    );
    expect(response.code).toBe(Code.CHANGED);
    expect((await readings()).map(({ value }) => value)).toEqual([21.5]);
    expect((await readings('/3/0/9')).map(({ value }) => value)).toEqual([80]);
    const { items } = await world.api.get<{ items: ApiReading[] }>('/api/devices/modem/readings');
    expect(items.map(({ path }) => path).sort()).toEqual(['/3/0/9', SENSOR].sort());
  });

  it('keeps the times that the device gave', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const now = world.clock.wallTime() / 1000;
    await device.send(
      SENML_CBOR,
      pack([
        { path: SENSOR, value: 1, time: now - 60 },
        { path: SENSOR, value: 2, time: now - 30 },
      ]),
    );
    expect((await readings()).map(({ value, takenAt }) => [value, takenAt])).toEqual([
      [1, (now - 60) * 1000],
      [2, (now - 30) * 1000],
    ]);
  });

  it('is answered when it is durable, and not before', async () => {
    let release: (() => void) | undefined;
    world = await ServerWorld.open((stores) => {
      const append: TelemetryLog['append'] = (entry, done) => {
        release = () => stores.log.append(entry, done);
      };
      return { ...stores, log: { ...stores.log, append } };
    });
    const device = await registered();
    let answered = false;
    const answer = device.send(SENML_CBOR, pack([{ path: SENSOR, value: 1 }])).then((response) => {
      answered = true;
      return response;
    });
    await world.until('the append waits', () => release !== undefined);
    await world.pass(3_000);
    expect(answered).toBe(false);
    release?.();
    expect((await world.wait(answer)).code).toBe(Code.CHANGED);
  });

  it('gets 5.03 with a time to come back while the store does not take it, and is taken then', async () => {
    let fail = true;
    world = await ServerWorld.open((stores) => {
      const append: TelemetryLog['append'] = (entry, done) => {
        if (fail) queueMicrotask(() => done(new StoreUnavailableError('the disk is full'), 0, false));
        else stores.log.append(entry, done);
      };
      return { ...stores, log: { ...stores.log, append } };
    });
    const device = await registered();
    const payload = pack([{ path: SENSOR, value: 7 }]);
    const refused = await device.send(SENML_CBOR, payload);
    expect([refused.code, maxAge(refused.options)]).toEqual([Code.SERVICE_UNAVAILABLE, 30]);
    fail = false;
    expect((await device.send(SENML_CBOR, payload)).code).toBe(Code.CHANGED);
    expect((await readings()).map(({ value }) => value)).toEqual([7]);
  });

  it('gets 5.03 while the store cannot tell who it is', async () => {
    let fail = false;
    world = await ServerWorld.open((stores) => ({
      ...stores,
      registrations: withMethods(stores.registrations, {
        byAddress: (address) =>
          fail
            ? Promise.reject(new StoreUnavailableError('the disk is gone'))
            : stores.registrations.byAddress(address),
      }),
    }));
    const device = await registered();
    fail = true;
    const { code } = await device.send(SENML_CBOR, pack([{ path: SENSOR, value: 1 }]));
    expect(code).toBe(Code.SERVICE_UNAVAILABLE);
  });

  it('that is repeated after the server was killed adds nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simyard-send-'));
    try {
      world = await ServerWorld.open(undefined, folder);
      const device = await registered();
      await device.endpoint.close();
      const message = {
        code: Code.POST,
        path: '/dp',
        messageId: 4711,
        token: 'c0ffee',
        options: [contentFormatOption(SENML_CBOR)],
        payload: pack([{ path: SENSOR, value: 5 }]),
      };
      const answers = async () => {
        const raw = world.raw('device:1', 'server:5683');
        raw.send(message);
        await world.until('it is answered', () => raw.received.some(({ code }) => code === Code.CHANGED));
        return raw.received.length;
      };
      await answers();
      await world.close();
      world = await ServerWorld.open(undefined, folder);
      await answers();
      expect((await readings()).map(({ value }) => value)).toEqual([5]);
      // The same value in another message is another reading.
      const raw = world.raw('device:1', 'server:5683');
      raw.send({ ...message, messageId: 4712 });
      await world.until('it is answered', () => raw.received.length > 0);
      expect((await readings()).map(({ value }) => value)).toEqual([5, 5]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('without confirmation is taken as well', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    await device.endpoint.close();
    const raw = world.raw('device:1', 'server:5683');
    raw.send({
      type: MessageType.NON,
      code: Code.POST,
      path: '/dp',
      messageId: 1,
      token: '01',
      options: [contentFormatOption(SENML_JSON)],
      payload: pack([{ path: SENSOR, value: 3 }], SENML_JSON),
    });
    await world.until('it is a reading', async () => (await readings()).length === 1);
  });

  it('of a device with an alternate root is named below it', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    const links = '</lwm2m>;rt="oma.lwm2m";ct=112,</lwm2m/3303/0>';
    await device.request(Code.POST, '/rd', ['ep=modem', 'lt=300', 'lwm2m=1.1', 'b=U'], links);
    const payload = pack([{ path: SENSOR, value: 4 }], SENML_CBOR, '/lwm2m');
    expect((await device.send(SENML_CBOR, payload)).code).toBe(Code.CHANGED);
    expect((await readings()).map(({ value }) => value)).toEqual([4]);
  });

  it('in blocks is one Send', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const now = world.clock.wallTime() / 1000;
    const many = Array.from({ length: 400 }, (_, i) => ({ path: SENSOR, value: i, time: now - 400 + i }));
    expect((await device.send(SENML_CBOR, pack(many))).code).toBe(Code.CHANGED);
    expect(await readings()).toHaveLength(400);
  });

  it('counts as a sign of life, and in the metrics', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const lastSeen = async () => (await world.api.get<{ lastSeen: number }>('/api/devices/modem')).lastSeen;
    const before = await lastSeen();
    await world.clock.run(30_000);
    await device.send(SENML_CBOR, pack([{ path: SENSOR, value: 1 }]));
    await world.until('it was heard', async () => (await lastSeen()) > before);
    const metrics = await (await fetch(`${world.server.httpAddress}/metrics`)).text();
    expect(metrics).toContain('simyard_telemetry_sends_total 1');
  });
});

describe('a Send is refused', () => {
  it('with 4.04 where no device is registered at the address', async () => {
    world = await ServerWorld.open();
    await registered();
    const stranger = world.device('device:9', 'stranger');
    const { code, payload } = await stranger.send(SENML_CBOR, pack([{ path: SENSOR, value: 666 }]));
    expect([code, utf8(payload)]).toEqual([Code.NOT_FOUND, 'no device is registered at this address']);
    expect(await readings()).toEqual([]);
  });

  it('with 4.04 where the device has left the address, and another has come', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const elsewhere = world.device('device:2', 'modem');
    expect((await elsewhere.request(Code.POST, device.location)).code).toBe(Code.CHANGED);
    const { code } = await device.send(SENML_CBOR, pack([{ path: SENSOR, value: 1 }]));
    expect(code).toBe(Code.NOT_FOUND);
    expect((await elsewhere.send(SENML_CBOR, pack([{ path: SENSOR, value: 2 }]))).code).toBe(Code.CHANGED);
    expect((await readings()).map(({ value }) => value)).toEqual([2]);
  });

  it('with 4.04 after the device has deregistered', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    expect((await device.request(Code.DELETE, device.location)).code).toBe(Code.DELETED);
    const { code } = await device.send(SENML_CBOR, pack([{ path: SENSOR, value: 1 }]));
    expect(code).toBe(Code.NOT_FOUND);
  });

  it('with 4.04 as a whole where it holds an object that was not registered', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const { code, payload } = await device.send(
      SENML_CBOR,
      pack([
        { path: SENSOR, value: 1 },
        { path: '/42769/0/0', value: 'Acme' },
      ]),
    );
    expect(code).toBe(Code.NOT_FOUND);
    expect(utf8(payload)).toContain('/42769/0/0');
    expect(await readings()).toEqual([]);
  });

  it.each([
    ['cannot be read', SENML_CBOR, new Uint8Array([0x81, 0xff])],
    ['has no format', undefined, pack([{ path: SENSOR, value: 1 }])],
    ['is in a format that Send does not have', ContentFormat.TLV, new Uint8Array([0xc8, 0, 1, 0x31])],
    ['names no resource', SENML_JSON, new TextEncoder().encode('[{"bn":"/3303/0","v":1}]')],
    ['names another place', SENML_JSON, new TextEncoder().encode('[{"n":"urn:dev:other","v":1}]')],
    ['is empty', SENML_JSON, new Uint8Array(0)],
  ])('with 4.00 where it %s', async (_what, format, payload) => {
    world = await ServerWorld.open();
    const device = await registered();
    const answer = await device.send(format, payload);
    expect(answer.code).toBe(Code.BAD_REQUEST);
    expect(utf8(answer.payload)).not.toBe('');
    expect(await readings()).toEqual([]);
    // The server goes on.
    expect((await device.send(SENML_CBOR, pack([{ path: SENSOR, value: 1 }]))).code).toBe(Code.CHANGED);
  });

  it('with 4.05 where it is no POST, and 4.04 below /dp', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    expect((await device.request(Code.GET, '/dp')).code).toBe(Code.METHOD_NOT_ALLOWED);
    expect((await device.request(Code.PUT, '/dp')).code).toBe(Code.METHOD_NOT_ALLOWED);
    const deeper = await device.send(SENML_CBOR, pack([{ path: SENSOR, value: 1 }]), '/dp/x');
    expect(deeper.code).toBe(Code.NOT_FOUND);
    expect(await readings()).toEqual([]);
  });

  it('tells of unreadable ones in its statistics, and publishes no event for them', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    for (let i = 0; i < 3; i++) await device.send(SENML_CBOR, new Uint8Array([0xff]));
    const metrics = await (await fetch(`${world.server.httpAddress}/metrics`)).text();
    expect(metrics).toContain('simyard_telemetry_undecodable_total 3');
    const { items } = await world.api.get<{ items: ApiEvent[] }>('/api/devices/modem/events');
    expect(items.map(({ type }) => type)).toEqual(['registered']);
  });
});

it('of an instance that came after the last Update is taken: its object is registered', async () => {
  world = await ServerWorld.open();
  const device = await registered('</3303/0>');
  const payload = pack([{ path: '/3303/7/5700', value: 3 }]);
  expect((await device.send(SENML_CBOR, payload)).code).toBe(Code.CHANGED);
  expect((await readings('/3303/7/5700')).map(({ value }) => value)).toEqual([3]);
});
