import { afterEach, describe, expect, it } from 'vitest';
import { Code } from '../../protocol/coap/message.ts';
import { contentFormatOption } from '../../protocol/coap/options.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { ApiReading } from '../../server/api/schemas.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import type { Stores } from '../../server/ports/stores.ts';
import type { TelemetryLog } from '../../server/ports/telemetry-log.ts';
import { type ScriptedDevice, ServerWorld, senml } from '../support/server-world.ts';

let world: ServerWorld;
afterEach(() => world.close());

const SENSOR = '/42770/0/2';
/** Seconds since the epoch in the world's time. */
const now = (): number => world.clock.wallTime() / 1000;

async function observed(address = 'device:1', name = 'modem'): Promise<ScriptedDevice> {
  const device = world.device(address, name);
  device.has(SENSOR, () => [{ path: SENSOR, value: 0 }]);
  await device.register('</42770/0>');
  await world.until('the sensor is observed', () => device.observers.has(SENSOR));
  return device;
}

async function readings(name = 'modem'): Promise<ApiReading[]> {
  const { items } = await world.api.get<{ items: ApiReading[] }>(
    `/api/devices/${name}/readings?path=${SENSOR}`,
  );
  return items;
}

/** A log whose appends wait until the test lets them through, or fail. */
class HeldLog {
  readonly held: (() => void)[] = [];
  fail = false;
  hold = true;

  wrap(stores: Stores): Stores {
    const { log } = stores;
    const append: TelemetryLog['append'] = (entry, done) => {
      if (this.fail) queueMicrotask(() => done(new StoreUnavailableError('the disk is full'), 0, false));
      else if (this.hold) this.held.push(() => log.append(entry, done));
      else log.append(entry, done);
    };
    return { ...stores, log: { ...log, append } };
  }

  release(): void {
    this.hold = false;
    for (const step of this.held.splice(0)) step();
  }
}

describe('a reading', () => {
  it('is acknowledged when it is durable, and not before', async () => {
    const held = new HeldLog();
    world = await ServerWorld.open((stores) => held.wrap(stores));
    const device = await observed();
    await world.until('the first answer waits', () => held.held.length === 1);
    let acknowledged = false;
    const delivery = device.notify(SENSOR, [{ path: SENSOR, value: 7, time: now() }]);
    delivery.then((delivered) => {
      acknowledged = delivered;
    });
    await world.pass(10_000);
    expect(acknowledged).toBe(false);
    // Its retransmissions meanwhile are neither appended again nor acknowledged early.
    expect(held.held).toHaveLength(2);
    held.release();
    expect(await world.wait(delivery)).toBe(true);
    const items = await world.until('the readings', async () => {
      const all = await readings();
      return all.length >= 2 ? all : undefined;
    });
    expect(items.map(({ value }) => value).sort()).toEqual([0, 7]);
  });

  it('gets silence while the store is down, and is kept when the device sends it again', async () => {
    const held = new HeldLog();
    held.hold = false;
    world = await ServerWorld.open((stores) => held.wrap(stores));
    const device = await observed();
    held.fail = true;
    const delivery = device.notify(SENSOR, [{ path: SENSOR, value: 7, time: now() }]);
    await world.pass(5_000);
    held.fail = false;
    expect(await world.wait(delivery)).toBe(true);
    expect(device.observers.has(SENSOR)).toBe(true);
    await world.until('the reading', async () => (await readings()).some(({ value }) => value === 7));
  });

  it('is in the log once when a device that is observed meanwhile tells what it had sent before', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    const pack = [1, 2, 3].map((value) => ({ path: SENSOR, value, time: now() - value }));
    const { SENML_CBOR } = ContentFormat;
    expect((await device.send(SENML_CBOR, senml(SENSOR, pack).payload)).code).toBe(Code.CHANGED);
    expect(await world.wait(device.notify(SENSOR, pack))).toBe(true);
    // Behind what would be there twice.
    expect(await world.wait(device.notify(SENSOR, [{ path: SENSOR, value: 4, time: now() }]))).toBe(true);
    const items = await world.until('the readings', async () => {
      const all = await readings();
      return all.some(({ value }) => value === 4) ? all : undefined;
    });
    expect(items.map(({ value }) => value).sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('is in the log once when the same bytes come again as another message', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    const pack = [1, 2, 3].map((value) => ({ path: SENSOR, value, time: now() - value }));
    expect(await world.wait(device.notify(SENSOR, pack))).toBe(true);
    expect(await world.wait(device.notify(SENSOR, pack))).toBe(true);
    await world.pass(500);
    const items = await world.until('the readings', async () => {
      const all = await readings();
      return all.length >= 4 ? all : undefined;
    });
    expect(items.filter(({ value }) => value !== 0).map(({ value }) => value)).toEqual([3, 2, 1]);
  });

  it('that carries no time is kept each time it is notified, the same value too', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    for (let i = 0; i < 3; i++)
      expect(await world.wait(device.notify(SENSOR, [{ path: SENSOR, value: 5 }]))).toBe(true);
    const fives = await world.until('three of them', async () => {
      const found = (await readings()).filter(({ value }) => value === 5);
      return found.length >= 3 ? found : undefined;
    });
    expect(fives).toHaveLength(3);
  });

  it('whose time cannot be right is kept each time it is notified, the same bytes too', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    // A clock that was never set: the same second at each start.
    for (let i = 0; i < 3; i++) {
      expect(await world.wait(device.notify(SENSOR, [{ path: SENSOR, value: 5, time: 2 ** 28 + 5 }]))).toBe(
        true,
      );
    }
    const fives = await world.until('three of them', async () => {
      const found = (await readings()).filter(({ value }) => value === 5);
      return found.length >= 3 ? found : undefined;
    });
    expect(fives).toHaveLength(3);
    expect(new Set(fives.map(({ takenAt }) => takenAt)).size).toBe(3);
  });

  it('that was taken earlier falls into place, and does not become the last value', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    const at = now();
    await world.wait(device.notify(SENSOR, [{ path: SENSOR, value: 2, time: at + 10 }]));
    await world.wait(device.notify(SENSOR, [{ path: SENSOR, value: 1, time: at + 5 }]));
    const items = await world.until('both', async () => {
      const all = (await readings()).filter(({ value }) => value !== 0);
      return all.length >= 2 ? all : undefined;
    });
    expect(items.map(({ value }) => value)).toEqual([1, 2]);
    const last = await world.api.get<{ items: ApiReading[] }>('/api/devices/modem/readings');
    expect(last.items.find(({ path }) => path === SENSOR)?.value).toBe(2);
  });

  it('from a new address is taken, and moves the device there', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    const observer = device.observers.get(SENSOR);
    if (observer === undefined) throw new Error('not observed');
    const raw = world.raw('device:2', 'server:5683');
    raw.send({
      code: Code.CONTENT,
      token: Buffer.from(observer.token).toString('hex'),
      options: [contentFormatOption(0)],
      payload: '42',
    });
    await world.until('the move', async () => {
      const { registration } = await world.api.get<{ registration?: { address: string } }>(
        '/api/devices/modem',
      );
      return registration?.address === 'device:2';
    });
    await world.until('the reading', async () => (await readings()).some(({ value }) => value === 42));
  });

  it('that cannot be read is acknowledged and left out, and the observation goes on', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    const delivered = new Promise<boolean>((resolve) => {
      device.observers
        .get(SENSOR)
        ?.notify(
          { code: Code.CONTENT, options: [contentFormatOption(112)], payload: new Uint8Array([0xff, 0x00]) },
          { keep: true },
          resolve,
        );
    });
    expect(await world.wait(delivered)).toBe(true);
    expect(await world.wait(device.notify(SENSOR, [{ path: SENSOR, value: 9 }]))).toBe(true);
    await world.until('the next one', async () => (await readings()).some(({ value }) => value === 9));
    const metrics = await (await fetch(`${world.server.httpAddress}/metrics`)).text();
    expect(metrics).toMatch(/simyard_telemetry_undecodable_total 1\n/);
  });

  it('with a token that nobody knows is answered with RST', async () => {
    world = await ServerWorld.open();
    const raw = world.raw('device:9', 'server:5683');
    raw.send({ code: Code.CONTENT, token: 'deadbeefdeadbeef', messageId: 77, payload: '1' });
    const answer = await world.until('an answer', () => raw.received[0]);
    expect(answer).toMatchObject({ type: 3, messageId: 77 });
  });
});

describe('an observation', () => {
  it('is made by the policy, listed, cancelled through the API, and made again', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    const list = () =>
      world.api.get<{ items: { paths: string[]; origin: string }[] }>('/api/devices/modem/observations');
    expect((await list()).items).toMatchObject([{ paths: [SENSOR], origin: 'policy' }]);
    await world.wait(world.api.delete(`/api/devices/modem/observations${SENSOR}`));
    expect((await list()).items).toEqual([]);
    // Cancelled passively: the next notification gets RST, and the device forgets.
    expect(await world.wait(device.notify(SENSOR, [{ path: SENSOR, value: 1 }]))).toBe(false);
    expect(device.observers.has(SENSOR)).toBe(false);
    await world.wait(world.api.post(`/api/devices/modem/observations${SENSOR}`, {}));
    expect((await list()).items).toMatchObject([{ paths: [SENSOR], origin: 'api' }]);
    expect(await world.wait(device.notify(SENSOR, [{ path: SENSOR, value: 2 }]))).toBe(true);
  });

  it('ends when the device says so with an error, and is told', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    device.observers.get(SENSOR)?.notify({ code: Code.NOT_FOUND });
    await world.until('the end', async () => (await world.eventTypes('modem')).includes('observation-ended'));
  });

  it('of a registration that is replaced is answered with RST from half a minute later on', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    const former = device.observers.get(SENSOR);
    if (former === undefined) throw new Error('not observed');
    const token = Buffer.from(former.token).toString('hex');
    await device.register('</42770/0>');
    await world.until('a new observation', () => device.observers.get(SENSOR) !== former);
    await world.pass(31_000);
    const raw = world.raw('device:3', 'server:5683');
    raw.send({ code: Code.CONTENT, token, messageId: 5, payload: '1' });
    expect(await world.until('an answer', () => raw.received[0])).toMatchObject({ type: 3, messageId: 5 });
  });
});
