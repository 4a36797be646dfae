import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { IncomingRequest, Observer } from '../../protocol/coap/exchange.ts';
import { Code, OptionNumber } from '../../protocol/coap/message.ts';
import {
  contentFormatOption,
  locationPath,
  pathOptions,
  queryOptions,
  uintOption,
} from '../../protocol/coap/options.ts';
import { loadConfig } from '../../server/config.ts';
import { createLog } from '../../server/log.ts';
import { startServer } from '../../server/main.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import { type ScriptedDevice, ServerWorld, senml } from '../support/server-world.ts';

let world: ServerWorld;
afterEach(() => world.close());

const SENSOR = '/42770/0/2';
const SECOND = '/42770/1/2';

async function observed(): Promise<ScriptedDevice> {
  const device = world.device('device:1', 'modem');
  device.has(SENSOR, () => [{ path: SENSOR, value: 0 }]);
  await device.register('</42770/0>');
  await world.until('the sensor is observed', () => device.observers.has(SENSOR));
  await world.pass(200);
  return device;
}

const tokenOf = (device: ScriptedDevice): string =>
  Buffer.from(device.observers.get(SENSOR)?.token ?? []).toString('hex');
const update = (device: ScriptedDevice) => device.request(Code.POST, device.location);
const timesAsked = (device: ScriptedDevice, path = SENSOR): number =>
  device.asked.filter((what) => what === `OBSERVE ${path}`).length;

describe('observations that the policy wants', () => {
  it('are made again at the next Update when the device gave them up in an outage of the store', async () => {
    let fail = false;
    world = await ServerWorld.open((stores) => ({
      ...stores,
      log: {
        ...stores.log,
        append(entry, done) {
          if (fail) queueMicrotask(() => done(new StoreUnavailableError('the disk is full'), 0, false));
          else stores.log.append(entry, done);
        },
      },
    }));
    const device = await observed();
    fail = true;
    const delivery = device.notify(SENSOR, [{ path: SENSOR, value: 7 }]);
    await world.pass(120_000);
    expect(await world.wait(delivery)).toBe(false);
    expect(device.observers.has(SENSOR)).toBe(false);
    fail = false;
    expect((await update(device)).code).toBe(Code.CHANGED);
    await world.until('it is observed again', () => device.observers.has(SENSOR));
  });

  it('are made again when the device was silent for longer than its patience, and not at every Update', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    await world.pass(60_000);
    await update(device);
    await world.pass(2_000);
    expect(timesAsked(device)).toBe(1);
    for (let minutes = 0; minutes < 11; minutes++) {
      await world.clock.run(60_000);
      if (minutes % 4 === 3) await update(device);
    }
    await world.clock.run(120_000);
    await update(device);
    await world.until('it is observed again', () => timesAsked(device) === 2);
    await world.clock.run(120_000);
    await update(device);
    await world.pass(2_000);
    expect(timesAsked(device)).toBe(2);
  });

  it('are made again when the device ended one by a response without Observe', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    const raw = world.raw('device:2', 'server:5683');
    raw.send({
      code: Code.CONTENT,
      token: tokenOf(device),
      messageId: 9,
      options: [contentFormatOption(0)],
      payload: '2',
    });
    await world.pass(500);
    await update(device);
    await world.until('it is observed again', () => timesAsked(device) === 2);
  });

  it('are not made again where a person cancelled them', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    await world.wait(world.api.delete(`/api/devices/modem/observations${SENSOR}`));
    await update(device);
    await world.pass(3_000);
    const { items } = await world.api.get<{ items: unknown[] }>('/api/devices/modem/observations');
    expect(items).toEqual([]);
  });

  it('include what an Update adds while they are being made', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    let held: IncomingRequest | undefined;
    device.answers.set(`GET ${SENSOR}`, (request) => {
      held = request;
    });
    device.has(SECOND, () => [{ path: SECOND, value: 1 }]);
    await device.register('</42770/0>');
    await world.until('the first is asked for', () => held !== undefined);
    await device.request(Code.POST, device.location, [], '</42770/0>,</42770/1>');
    held?.respond(senml(SENSOR, [{ path: SENSOR, value: 0 }]));
    await world.until('the second is observed', () => device.observers.has(SECOND));
  });

  it('go on at the new address when the device moves while they are being made', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    const moved = world.device('device:2', 'modem');
    for (const path of [SENSOR, SECOND]) moved.has(path, () => [{ path, value: 1 }]);
    device.answers.set(`GET ${SENSOR}`, () => undefined);
    await device.register('</42770/0>,</42770/1>');
    await world.until('the first is asked for', () => device.asked.length > 0);
    await device.endpoint.close();
    await moved.request(Code.POST, device.location);
    await world.until('both are observed', () => moved.observers.has(SENSOR) && moved.observers.has(SECOND));
  });

  it('go on where one path may not be observed, and the device is identified', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    // 2.05 without Observe: the value, and no observation.
    device.refuses.add('/42769/0');
    device.has('/42769/0', () => [{ path: '/42769/0/0', value: 'AT&T' }]);
    device.has(SENSOR, () => [{ path: SENSOR, value: 1 }]);
    device.has('/3/0', () => [{ path: '/3/0/0', value: 'Acme' }]);
    await device.register('</42769/0>,</42770/0>,</3/0>');
    await world.until('it is identified', async () => {
      const { manufacturer } = await world.api.get<{ manufacturer?: string }>('/api/devices/modem');
      return manufacturer === 'Acme';
    });
    expect(device.observers.has(SENSOR)).toBe(true);
  });

  it('are bounded, however much a device lists', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    const links = Array.from({ length: 600 }, (_, id) => `</42770/${id}>`);
    await device.register(links.join(','));
    await world.until('it is asked', () => device.asked.length >= 256);
    await world.pass(3_000);
    expect(device.asked).toHaveLength(256);
  });

  it('of a registration that was replaced while they were being made are given up', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    const held: IncomingRequest[] = [];
    device.answers.set(`GET ${SENSOR}`, (request) => {
      held.push(request);
    });
    await device.register('</42770/0>');
    await world.until('it is asked for', () => held.length === 1);
    await world.pass(3_000);
    const first = device.observers.get(SENSOR);
    await device.register('</42770/0>');
    await world.until('it is asked for again', () => held.length === 2);
    for (const request of held) request.respond(senml(SENSOR, [{ path: SENSOR, value: 0 }]));
    await world.pass(3_000);
    const second = device.observers.get(SENSOR);
    const notify = (observer: Observer | undefined): Promise<boolean> =>
      new Promise((resolve) => {
        observer?.notify(senml(SENSOR, [{ path: SENSOR, value: 5 }]), { keep: true }, resolve);
      });
    expect(await world.wait(notify(second))).toBe(true);
    // For half a minute what it tells for the former one is taken.
    await world.pass(31_000);
    expect(await world.wait(notify(first))).toBe(false);
  });
});

describe('an observation that a person asked for', () => {
  it('is there once, however often it is asked for at once', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    device.has('/3/0/9', () => [{ path: '/3/0/9', value: 50 }]);
    await device.register('</3/0>');
    await world.pass(1_000);
    const post = () => world.api.post('/api/devices/modem/observations/3/0/9', {});
    await world.wait(Promise.all([post(), post(), post()]));
    const { items } = await world.api.get<{ items: unknown[] }>('/api/devices/modem/observations');
    expect(items).toHaveLength(1);
  });

  it('ends with the registration, which is told, and is made anew', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    device.has('/3/0/9', () => [{ path: '/3/0/9', value: 50 }]);
    await device.register('</3/0>');
    await world.pass(500);
    await world.wait(world.api.post('/api/devices/modem/observations/3/0/9', {}));
    await device.register('</3/0>');
    await world.until('its end', async () => (await world.eventTypes('modem')).includes('observation-ended'));
    await world.until('its new beginning', async () => {
      const told = (await world.eventTypes('modem')).filter((type) => type.startsWith('obs'));
      return told.at(-1) === 'observed' && told.length === 3;
    });
  });
});

describe('a device that moves', () => {
  it('does not take along the requests of another device that has its former address', async () => {
    world = await ServerWorld.open();
    // X registers behind device:1; its NAT mapping then goes to Y, which registers from there.
    const y = world.device('device:1', 'y');
    await y.register('</9/0>');
    const links = '</>;rt="oma.lwm2m";ct="110 112",</9/0>';
    const registered = await y.request(Code.POST, '/rd', ['ep=x', 'lt=300', 'lwm2m=1.1'], links);
    const location = `/${locationPath(registered.options).join('/')}`;
    y.answers.set('GET /9/0', () => undefined);
    const x = world.device('device:2', 'x');
    const reading = world.api.get('/api/devices/y/objects/9/0').then(
      () => 'answered',
      (error: unknown) => String(error),
    );
    world.link.filter = (_, __, to) => to === 'device:1';
    await world.pass(300);
    const answer = await world.wait(
      x.endpoint.request('server:5683', { code: Code.POST, options: pathOptions(location) }),
    );
    expect(answer.code).toBe(Code.CHANGED);
    await world.pass(15_000);
    expect(await reading).toContain('504');
    expect(x.asked).toEqual([]);
  });

  it('executes once what it is asked again at its new address, for it is asked by the same message', async () => {
    world = await ServerWorld.open();
    const device = world.device('device', 'modem');
    world.link.masquerade('device', 'nat:1');
    let executed = 0;
    device.answers.set('POST /3/0/4', (request) => {
      executed++;
      request.respond({ code: Code.CHANGED });
    });
    await device.register('</9/0>');
    await world.pass(300);
    world.link.filter = (_, from) => from === 'nat:1';
    const execution = world.api.post('/api/devices/modem/objects/3/0/4', {});
    await world.until('it is executed', () => executed === 1);
    world.link.masquerade('device', 'nat:2');
    await device.request(Code.POST, device.location);
    await world.wait(execution);
    expect(executed).toBe(1);
  });

  it('is not asked again to execute what it may have executed before it registered anew', async () => {
    world = await ServerWorld.open();
    const device = world.device('device', 'modem');
    const restarted = world.device('device:2', 'modem');
    device.answers.set('POST /3/0/4', () => undefined);
    await device.register('</9/0>');
    const execution = world.api.post('/api/devices/modem/objects/3/0/4', {}).then(
      () => 'executed',
      (error: unknown) => String(error),
    );
    await world.until('it is asked', () => device.asked.includes('POST /3/0/4'));
    await device.endpoint.close();
    await restarted.register('</9/0>');
    expect(await world.wait(execution)).toContain('the device registered anew while it was asked');
    await world.pass(5_000);
    expect(restarted.asked.filter((what) => what.startsWith('POST'))).toEqual([]);
  });

  it('is not moved back by a notification that was overtaken', async () => {
    world = await ServerWorld.open();
    const device = await observed();
    const token = tokenOf(device);
    const base = Math.floor(world.clock.wallTime() / 8);
    const send = (address: string, sequence: number, messageId: number): void => {
      world.raw(address, 'server:5683').send({
        code: Code.CONTENT,
        token,
        messageId,
        options: [uintOption(OptionNumber.OBSERVE, sequence & 0xff_ff_ff), contentFormatOption(0)],
        payload: '2',
      });
    };
    send('device:2', base + 1000, 1);
    await world.pass(500);
    send('device:3', base + 900, 2);
    await world.pass(500);
    const { registration } = await world.api.get<{ registration?: { address: string } }>(
      '/api/devices/modem',
    );
    expect(registration?.address).toBe('device:2');
  });
});

describe('time', () => {
  it('that the system sets an hour ahead ends no registration', async () => {
    world = await ServerWorld.open();
    await observed();
    world.clock.setWallTime(world.clock.wallTime() + 3_600_000);
    await world.pass(3_000);
    expect((await world.api.get<{ state: string }>('/api/devices/modem')).state).toBe('awake');
  });

  it('that passed while the server was down gives a device the chance to update', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simyard-absence-'));
    world = await ServerWorld.open();
    const start = () =>
      startServer(loadConfig({}, ['--http-port', '0', '--data', folder]), {
        log: createLog('silent'),
        clock: world.clock,
        port: world.link.port('second:1'),
      });
    let server = await start();
    try {
      const device = world.device('device:7', 'modem');
      const send = (path: string, queries: readonly string[]) =>
        world.wait(
          device.endpoint.request('second:1', {
            code: Code.POST,
            options: [...pathOptions(path), ...queryOptions(queries)],
          }),
        );
      const registered = await send('/rd', ['ep=modem', 'lt=60', 'lwm2m=1.1']);
      await server.close();
      await world.clock.run(120_000);
      server = await start();
      await world.pass(3_000);
      const answer = await send(`/${locationPath(registered.options).join('/')}`, []);
      expect(answer.code).toBe(Code.CHANGED);
    } finally {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
