import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedDevice, type SimulatedDeviceOptions } from '../../client/flow-device/simulated-device.ts';
import { encodePacket } from '../../protocol/flow/packet.ts';
import { encodeReadingData } from '../../protocol/flow/reading-data.ts';
import type { WallClockTime } from '../../protocol/temporenc.ts';
import type {
  ApiCarrierAnswer,
  ApiCommand,
  ApiDevice,
  ApiReading,
  ApiResourceItem,
} from '../../server/api/schemas.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import type { Stores } from '../../server/ports/stores.ts';
import { withMethods } from '../../server/telemetry/level-with-log.ts';
import { GATEWAY, ServerWorld } from '../support/server-world.ts';

const DEVICES = {
  devices: [
    { endpoint: 'field-1', sources: ['198.51.100.7'] },
    { endpoint: 'field-2', sources: ['10.8.0.0/16'], timeZone: '+02:00' },
  ],
};

let folder: string;
let world: ServerWorld;

const open = async (
  devices: unknown,
  data = ':memory:',
  change: (stores: Stores) => Stores = (stores) => stores,
): Promise<ServerWorld> => {
  const file = join(folder, 'devices.json');
  writeFileSync(file, JSON.stringify(devices));
  return ServerWorld.open(change, data, ['--gateway-devices', file]);
};

const device = (address: string, options: Partial<SimulatedDeviceOptions> = {}): SimulatedDevice =>
  new SimulatedDevice({
    port: world.link.port(address),
    server: GATEWAY,
    clock: world.clock,
    sensors: [],
    carrier: 0,
    carriers: [0, 1, 2],
    switchTime: 200,
    ...options,
  });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-gateway-'));
  world = await open(DEVICES);
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const state = async (endpoint: string) => (await world.api.get<ApiDevice>(`/api/devices/${endpoint}`)).state;
const registered = (endpoint: string) =>
  world.until(`${endpoint} is registered`, async () => (await state(endpoint)) === 'awake');
const listed = (endpoint: string) =>
  world.until('the carriers are listed', async () => {
    const { slots } = await world.api.get<ApiCarrierAnswer>(`/api/devices/${endpoint}/carrier`);
    return slots[0]?.available.length === 3;
  });
const ended = (id: string) =>
  world.until('the command ends', async () => {
    const command = await world.api.get<ApiCommand>(`/api/commands/${id}`);
    return ['done', 'failed', 'unknown', 'expired'].includes(command.state) && command;
  });
const switchTo = (carrier: string, endpoint = 'field-1') =>
  world.wait(world.api.post<ApiCommand>(`/api/devices/${endpoint}/carrier`, { carrier }));

describe('a device behind the gateway', () => {
  it('is in the inventory before it is heard, and registered once it is', async () => {
    expect(await state('field-1')).toBe('known');
    device('198.51.100.7:6002').start();
    await registered('field-1');
    const { registration } = await world.api.get<ApiDevice>('/api/devices/field-1');
    expect(registration).toMatchObject({
      address: '198.51.100.7:6002',
      secure: false,
      gateway: true,
    });
    expect(registration?.objects.map(({ path }) => path)).toEqual(['/42769/0']);
  });

  it('switches its carrier, and the command ends with its ACK', async () => {
    const one = device('198.51.100.7:6002');
    one.start();
    await listed('field-1');
    const { id } = await switchTo('Verizon');
    const command = await ended(id);
    expect(command).toMatchObject({
      state: 'done',
      reason: 'the card acknowledged',
      result: { answer: 'ACK', carrier: 'Verizon' },
    });
    expect(command.history.map(({ state }) => state)).toEqual(['queued', 'sent', 'accepted', 'done']);
    expect(one.requests).toEqual([2]);
    const [slot] = (await world.api.get<ApiCarrierAnswer>('/api/devices/field-1/carrier')).slots;
    expect(slot).toMatchObject({ current: 'Verizon', state: 'succeeded', lastResult: 'ACK' });
    await world.until('the inventory has the carrier', async () => {
      const { carrier } = await world.api.get<ApiDevice>('/api/devices/field-1');
      return carrier === 'Verizon';
    });
  });

  it('refuses, and the command fails with the carrier that it is on', async () => {
    const one = device('198.51.100.7:6002', { carriers: [0, 1] });
    one.start();
    await listed('field-1');
    const refused = await ended((await switchTo('Verizon')).id);
    expect(refused).toMatchObject({
      state: 'failed',
      reason: 'the card refused; it is on AT&T',
      result: { answer: 'NACK', carrier: 'AT&T' },
    });
    const disconnected = await ended((await switchTo('Disconnect')).id);
    expect(disconnected).toMatchObject({ state: 'done', result: { carrier: '' } });
    expect(one.requests).toEqual([2, 15]);
  });

  it('does not answer, and nobody can tell', async () => {
    const one = device('198.51.100.7:6002');
    one.start();
    await listed('field-1');
    one.mute = true;
    const { id } = await switchTo('Verizon');
    await world.pass(60_000);
    const command = await ended(id);
    expect(command).toMatchObject({
      state: 'unknown',
      reason: 'neither ACK nor NACK came within 60 s',
    });
    expect(one.requests).toEqual([2, 2, 2, 2]);
    const [slot] = (await world.api.get<ApiCarrierAnswer>('/api/devices/field-1/carrier')).slots;
    expect(slot).toMatchObject({ state: 'unknown' });
    expect(slot).not.toHaveProperty('lastResult');
    // The next one goes its way.
    one.mute = false;
    expect(await ended((await switchTo('T-Mobile')).id)).toMatchObject({ state: 'done' });
  });

  it('is charted by the time at which readings were taken, in its zone', async () => {
    const port = world.link.port('10.8.77.1:6002');
    const send = (deviceId: number, takenAt: WallClockTime, value: number) =>
      port.send(
        encodePacket({ kind: 'iot-data', deviceId, takenAt, data: encodeReadingData(value) }),
        GATEWAY,
      );
    const wall = new Date(world.clock.wallTime());
    // Its clock is two hours ahead of UTC, as the configuration says, and a minute behind the time.
    const local = new Date(wall.getTime() + 7_200_000 - 60_000);
    const takenAt: WallClockTime = {
      year: local.getUTCFullYear(),
      month: local.getUTCMonth() + 1,
      day: local.getUTCDate(),
      hour: local.getUTCHours(),
      minute: local.getUTCMinutes(),
      second: local.getUTCSeconds(),
      microsecond: 123_456,
    };
    send(3, takenAt, 451);
    send(3, { ...takenAt, microsecond: 123_457 }, 452);
    // Its packets have no ids: the same bytes again are the same reading.
    send(3, takenAt, 451);
    send(1, { ...takenAt, day: undefined }, -16);
    await registered('field-2');
    const expected = Math.floor((wall.getTime() - 60_000) / 1000) * 1000;
    const of = (path: string) =>
      world.api.get<{ items: ApiReading[] }>(
        `/api/devices/field-2/readings?path=${encodeURIComponent(path)}`,
      );
    const found = await world.until('the readings are in the history', async () => {
      const { items } = await of('/42770/3/2');
      return items.length === 2 && items;
    });
    expect(found.map(({ takenAt: at, value }) => [at, value])).toEqual([
      [expected + 123.456, 451],
      [expected + 123.457, 452],
    ]);
    const [untimed] = (await of('/42770/1/2')).items;
    expect(untimed).toMatchObject({ value: -16 });
    expect(untimed?.takenAt).toBe(untimed?.receivedAt);
    const { items } = await world.api.get<{ items: ApiResourceItem[] }>(
      '/api/devices/field-2/objects/42770/3',
    );
    expect(items.map(({ path, value }) => [path, value])).toEqual([
      ['/42770/3/0', 3],
      ['/42770/3/1', 'temp'],
      ['/42770/3/2', 452],
    ]);
    const { registration } = await world.until('its sensors are listed', async () => {
      const found = await world.api.get<ApiDevice>('/api/devices/field-2');
      return found.registration?.objects.length === 3 && found;
    });
    expect(registration?.objects.map(({ path }) => path)).toEqual(['/42769/0', '/42770/3', '/42770/1']);
  });

  it('is reached at the port that it was heard at last, whatever its NAT does', async () => {
    const first = device('198.51.100.7:6002');
    first.start();
    await listed('field-1');
    first.close();
    const moved = device('198.51.100.7:40123');
    moved.start();
    await world.until('its new address is known', async () => {
      const { registration } = await world.api.get<ApiDevice>('/api/devices/field-1');
      return registration?.address === '198.51.100.7:40123';
    });
    expect(await ended((await switchTo('T-Mobile')).id)).toMatchObject({ state: 'done' });
    expect(first.requests).toEqual([]);
    expect(moved.requests).toEqual([1]);
  });

  it('moves while it is asked: the repetition goes where it is then', async () => {
    const first = device('198.51.100.7:6002');
    first.start();
    await listed('field-1');
    first.mute = true;
    const { id } = await switchTo('T-Mobile');
    await world.until('it was asked', () => first.requests.length > 0);
    const moved = device('198.51.100.7:40123');
    moved.start();
    expect(await ended(id)).toMatchObject({ state: 'done' });
    expect(first.requests).toEqual([1]);
    expect(moved.requests).toEqual([1]);
  });

  it('has its status told of all its sensors', async () => {
    const one = device('198.51.100.7:6002');
    one.start();
    one.send(1, 5);
    one.send(2, 6);
    await registered('field-1');
    one.status = 2;
    const statusOf = async (sensor: number) => {
      const { items } = await world.api.get<{ items: ApiResourceItem[] }>(
        `/api/devices/field-1/objects/42770/${sensor}`,
      );
      return items.find(({ path }) => path.endsWith('/8'))?.value;
    };
    await world.until(
      'both are off-nominal',
      async () => (await statusOf(1)) === 2 && (await statusOf(2)) === 2,
    );
  });

  it('is gone when it is silent for its lifetime, and back when it is heard', async () => {
    const one = device('198.51.100.7:6002');
    one.start();
    await registered('field-1');
    await world.pass(400_000);
    expect(await state('field-1')).toBe('lost');
    one.send(1, 7);
    await registered('field-1');
    expect(await world.eventTypes('field-1')).toEqual(['registered', 'expired', 'registered']);
  });

  it('has nothing but the switch that could be asked of it', async () => {
    const one = device('198.51.100.7:6002');
    one.start();
    one.send(1, 7);
    await listed('field-1');
    const at = '/api/devices/field-1';
    const code = async (path: string, body: object): Promise<string> => {
      const asked = world.api.post(`${at}/${path}`, body).then(
        () => 'done',
        (error: Error) => /"code":"(\w+)"/.exec(error.message)?.[1] ?? error.message,
      );
      return world.wait(asked);
    };
    expect(await code('observations/42770/1/2', {})).toBe('device_method_not_allowed');
    expect(await code('objects/42770/1/11', {})).toBe('device_method_not_allowed');
    expect(await code('objects/42769/0/3', { args: "0='9'" })).toBe('device_bad_request');
    expect(await code('objects/42769/0/3', { args: '' })).toBe('device_bad_request');
    expect(one.requests).toEqual([]);
    expect(await code('objects/42769/0/3', { args: "0='1'" })).toBe('done');
    await world.until('it was asked', () => one.requests.length === 1);
  });
});

describe('a store that is away', () => {
  it('has every reading when it is back, of a device that was not registered too', async () => {
    await world.close();
    const outage = { isOn: true };
    const away = () => new StoreUnavailableError('away');
    world = await open(DEVICES, ':memory:', (stores) => ({
      ...stores,
      registrations: withMethods(stores.registrations, {
        byEndpoint: (endpoint) =>
          outage.isOn ? Promise.reject(away()) : stores.registrations.byEndpoint(endpoint),
      }),
      log: withMethods(stores.log, {
        append: (entry, done) => {
          if (outage.isOn) setImmediate(() => done(away(), 0, false));
          else stores.log.append(entry, done);
        },
      }),
    }));
    const one = device('198.51.100.7:6002');
    const send = async (first: number): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        one.send(1, first + i);
        await world.pass(200);
      }
    };
    await send(0);
    outage.isOn = false;
    await registered('field-1');
    outage.isOn = true;
    await send(20);
    outage.isOn = false;
    await send(40);
    const { items } = await world.until('all readings are there', async () => {
      const found = await world.api.get<{ items: ApiReading[] }>(
        '/api/devices/field-1/readings?path=/42770/1/2&limit=1000',
      );
      return found.items.length === 60 && found;
    });
    expect(items.map(({ value }) => value)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });
});

describe('what is not a device’s', () => {
  const counts = async () => {
    const metrics = await (await fetch(`${world.server.httpAddress}/metrics`)).text();
    return Object.fromEntries(
      [...metrics.matchAll(/^simyard_gateway_datagrams_total\{outcome="(\w+)"\} (\d+)$/gm)].map(
        ([, outcome, count]) => [outcome, Number(count)],
      ),
    );
  };

  it('is dropped and counted where its source is not mapped', async () => {
    const stranger = device('203.0.113.9:6002');
    stranger.start();
    stranger.send(1, 5);
    await world.pass(1_000);
    expect(await counts()).toMatchObject({ unmapped: 2, taken: 0 });
    const { total } = await world.api.get<{ total: number }>('/api/devices');
    expect(total).toBe(2);
  });

  it('is counted where it is no packet, or too many of them', async () => {
    const port = world.link.port('198.51.100.7:6002');
    for (const hex of ['', '00', '1020', 'ff', '000000000357e756b22e30285004000001c300']) {
      port.send(new Uint8Array(Buffer.from(hex, 'hex')), GATEWAY);
    }
    for (let i = 0; i < 300; i++) port.send(Uint8Array.of(0x01, 0x00), GATEWAY);
    await world.pass(1_000);
    const found = await counts();
    expect(found).toMatchObject({ malformed: 5, limited: 105 });
    expect((found['taken'] ?? 0) + (found['overrun'] ?? 0)).toBe(195);
    expect(await state('field-1')).toBe('awake');
  });

  it('does not take an endpoint over that is registered by LwM2M, or enrolled with a key', async () => {
    const modem = world.device('modem:5683', 'field-1');
    await modem.register('</1/0>,</3/0>');
    device('198.51.100.7:6002').start();
    await world.wait(
      world.api.post('/api/credentials', { endpoint: 'field-2', type: 'psk', identity: 'field-2' }),
    );
    device('10.8.0.1:6002').start();
    await world.pass(1_000);
    expect(await counts()).toMatchObject({ refused: 2, taken: 0 });
    expect(await state('field-2')).toBe('known');
    const { registration } = await world.api.get<ApiDevice>('/api/devices/field-1');
    expect(registration?.address).toBe('modem:5683');
  });

  it('is refused from the moment on that its endpoint is registered by LwM2M', async () => {
    const one = device('198.51.100.7:6002');
    one.start();
    await registered('field-1');
    await world.device('modem:5683', 'field-1').register('</1/0>,</3/0>');
    await world.pass(1_000);
    // Its next step at the store finds the other one there.
    await world.pass(110_000);
    for (let i = 0; i < 5; i++) {
      one.send(1, i);
      await world.pass(1_000);
    }
    const { registration } = await world.api.get<ApiDevice>('/api/devices/field-1');
    expect(registration?.address).toBe('modem:5683');
    expect((await counts())['refused']).toBeGreaterThan(0);
  });

  it('has no more sensors than a device may have', async () => {
    const one = device('198.51.100.7:6002');
    one.start();
    await registered('field-1');
    for (let id = 100; id < 170; id++) one.send(id, 1);
    one.send(70_000, 1);
    await world.until('all are counted', async () => ((await counts())['unknown_sensor'] ?? 0) >= 7);
    expect(await counts()).toMatchObject({ unknown_sensor: 7 });
    await world.pass(2_000);
    const { registration } = await world.api.get<ApiDevice>('/api/devices/field-1');
    expect(registration?.objects).toHaveLength(65);
  });
});

describe('a server that stops', () => {
  const restarted = async (meanwhile: () => Promise<void>): Promise<void> => {
    await world.restart();
    await meanwhile();
  };

  beforeEach(async () => {
    await world.close();
    world = await open(DEVICES, join(folder, 'data.db'));
  });

  it('ends the switch with the answer that comes to the next one, and asks no second time', async () => {
    const one = device('198.51.100.7:6002', { switchTime: 4_000 });
    one.start();
    await listed('field-1');
    const { id } = await switchTo('Verizon');
    await world.until('it was asked', () => one.requests.length === 1);
    await restarted(async () => {
      expect(await ended(id)).toMatchObject({ state: 'done', result: { carrier: 'Verizon' } });
    });
    expect(one.requests).toEqual([2]);
  });

  it('does not know how the switch ended where the answer came while it was away', async () => {
    const one = device('198.51.100.7:6002');
    one.start();
    await listed('field-1');
    one.mute = true;
    const { id } = await switchTo('Verizon');
    await world.until('it was asked', () => one.requests.length === 1);
    await restarted(async () => {
      await world.pass(80_000);
      expect(await ended(id)).toMatchObject({ state: 'unknown' });
    });
    expect(one.requests).toEqual([2]);
  });
});
