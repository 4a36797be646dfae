import { afterEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import { deviceObject } from '../../../objects/device.ts';
import { locationObject } from '../../../objects/location.ts';
import { Code, OptionNumber } from '../../../protocol/coap/message.ts';
import { uintOption } from '../../../protocol/coap/options.ts';
import { ClientWorld } from '../../support/client/client-world.ts';

let world: ClientWorld;
let client: Lwm2mClient;

function start(options: Parameters<ClientWorld['client']>[0] = {}): void {
  world = new ClientWorld();
  client = world.client(options);
  client.tree.add(instance(deviceObject, 0, { batteryLevel: { read: () => 100 } }));
  client.start();
}

afterEach(() => expect(world.faults).toEqual([]));

describe('a client registers', () => {
  it('with name, lifetime, version, binding and its objects', async () => {
    start({ lifetime: 600 });
    await world.registered();
    expect(world.server.requests).toMatchObject([
      {
        kind: 'register',
        path: '/rd',
        query: ['ep=modem-1', 'lt=600', 'lwm2m=1.1', 'b=U'],
        payload: '</>;rt="oma.lwm2m";ct="60 110 112 11542",</1>;ver=1.2,</1/0>,</3>;ver=1.2,</3/0>',
      },
    ]);
    expect(client.registration.location).toBe('/rd/1');
  });

  it('naming TLV alone when it speaks 1.0', async () => {
    start({ version: '1.0' });
    await world.registered();
    expect(world.server.requests[0]?.query).toContain('lwm2m=1.0');
    expect(world.server.requests[0]?.payload).toMatch(/^<\/>;rt="oma.lwm2m";ct=11542,/);
  });

  it('with a lower version when the server declines its own', async () => {
    start({ version: '1.2' });
    world.server.script.push({ code: Code.PRECONDITION_FAILED });
    await world.registered();
    const versions = world.server.requests.map((request) => request.query[2]);
    expect(versions).toEqual(['lwm2m=1.2', 'lwm2m=1.1']);
  });

  it('again and again, later each time, while nobody answers', async () => {
    start({ maxBackOff: 20_000 });
    world.link.filter = () => true;
    await world.clock.run(200_000);
    world.link.filter = undefined;
    expect(world.states.filter((state) => state === 'registering').length).toBeGreaterThan(5);
    await world.registered();
    // Each attempt lasts 15 s; between them 2, 4, 8, 16, 20, 20, 20 s (the jitter of this run is 1).
    const waits = world.states.filter((state) => state === 'waiting').length;
    expect(waits).toBe(7);
  });

  it('not before the time that a busy server asks for', async () => {
    start();
    world.server.script.push({
      code: Code.SERVICE_UNAVAILABLE,
      options: [uintOption(OptionNumber.MAX_AGE, 30)],
    });
    await world.registered();
    const [first, second] = world.server.of('register');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(30_000);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThan(32_000);
  });

  it('when the name of the server can be resolved at last', async () => {
    let known = false;
    start({
      resolveServer: async () => {
        if (known) return '192.0.2.1:5683';
        throw Object.assign(new Error('getaddrinfo ENOTFOUND server.test'), { syscall: 'getaddrinfo' });
      },
    });
    await world.until('waiting', () => client.registration.state === 'waiting');
    expect(world.server.requests).toEqual([]);
    known = true;
    await world.registered();
  });
});

describe('a registered client', () => {
  it('updates before the lifetime ends, and says nothing that has not changed', async () => {
    start({ lifetime: 300 });
    await world.registered();
    await world.clock.run(700_000);
    const updates = world.server.of('update');
    expect(updates.map((update) => [update.path, update.query, update.payload])).toEqual([
      ['/rd/1', [], ''],
      ['/rd/1', [], ''],
      ['/rd/1', [], ''],
    ]);
    const times = [world.server.requests[0]?.at ?? 0, ...updates.map((update) => update.at)];
    for (let i = 1; i < times.length; i++) {
      expect((times[i] ?? 0) - (times[i - 1] ?? 0)).toBeLessThanOrEqual(300_000 - 93_000 + 100);
    }
  });

  it('updates half way through a short lifetime, and as often as a NAT needs', async () => {
    start({ lifetime: 60 });
    await world.registered();
    await world.clock.run(61_000);
    expect(world.server.of('update')).toHaveLength(2);
    await world.settle(client.close());
    start({ lifetime: 86_400, updateInterval: 25 });
    await world.registered();
    await world.clock.run(101_000);
    expect(world.server.of('update')).toHaveLength(4);
  });

  it('tells a new lifetime and new objects with an Update', async () => {
    start();
    await world.registered();
    const written = await world.settle(world.server.writeText('/1/0/1', '120'));
    expect(written.code).toBe(Code.CHANGED);
    await world.until('updated', () => world.server.of('update').length === 1);
    expect(world.server.of('update')[0]?.query).toEqual(['lt=120']);
    client.tree.add(instance(locationObject, 0, { latitude: { read: () => 52.5 } }));
    await world.until('updated', () => world.server.of('update').length === 2);
    expect(world.server.of('update')[1]).toMatchObject({
      query: [],
      payload: expect.stringContaining('</6/0>'),
    });
  });

  it('updates when the server triggers it, after the answer', async () => {
    start();
    await world.registered();
    const executed = await world.settle(world.server.execute('/1/0/8'));
    expect(executed.code).toBe(Code.CHANGED);
    await world.until('updated', () => world.server.of('update').length === 1);
  });

  it('registers anew when the server does not know it any more', async () => {
    start({ lifetime: 60 });
    await world.registered();
    world.server.script.push({ code: Code.NOT_FOUND });
    await world.registered(2);
    expect(world.server.requests.map((request) => request.kind)).toEqual(['register', 'update', 'register']);
    expect(client.registration.location).toBe('/rd/2');
  });

  it('registers anew later each time where its registrations are lost as soon as they are made', async () => {
    const told: string[] = [];
    start({
      maxBackOff: 10_000,
      events: {
        onState: (state, detail) => {
          world.states.push(state);
          if (state === 'waiting') told.push(detail);
        },
        onFault: (error) => void world.faults.push(error),
      },
    });
    const loseAfter = async (milliseconds: number): Promise<number> => {
      const count = world.server.of('register').length;
      await world.clock.run(milliseconds);
      world.server.script.push({ code: Code.NOT_FOUND });
      const at = world.clock.now();
      client.registration.update();
      await world.registered(count + 1);
      return Math.round(((world.server.of('register').at(-1)?.at ?? 0) - at) / 1_000);
    };
    await world.registered();
    const pauses: number[] = [];
    for (let i = 0; i < 5; i++) pauses.push(await loseAfter(500));
    // The first at once, as after a restart of the server; the jitter of this run is 1.
    expect(pauses).toEqual([0, 2, 4, 8, 10]);
    expect(told).toHaveLength(4);
    expect(told[0]).toMatch(
      /^the registration was lost again, 0\.\d s after it was made; another device may use this endpoint name; again in 2\.0 s$/,
    );
    expect(told.filter((line) => line.includes('another device'))).toHaveLength(1);
    // One that lasted is worth making anew at once, and what was before it is forgotten.
    expect(await loseAfter(31_000)).toBe(0);
    expect(await loseAfter(500)).toBe(0);
    expect(await loseAfter(500)).toBe(2);
  });

  it('registers anew when nobody answers its Update', async () => {
    start({ lifetime: 60 });
    await world.registered();
    world.link.filter = () => true;
    await world.until('it gave up', () => client.registration.state === 'registering');
    world.link.filter = undefined;
    await world.registered(2);
    expect(world.server.of('register')).toHaveLength(2);
  });

  it('keeps its registration when the server is busy with an Update', async () => {
    start({ lifetime: 60 });
    await world.registered();
    world.server.script.push({
      code: Code.SERVICE_UNAVAILABLE,
      options: [uintOption(OptionNumber.MAX_AGE, 5)],
    });
    await world.registered(2);
    expect(world.server.requests.map((request) => request.kind)).toEqual(['register', 'update', 'update']);
  });

  it('deregisters when it closes, and only once', async () => {
    start();
    await world.registered();
    await world.settle(Promise.all([client.close(), client.close()]));
    expect(world.server.of('deregister').map((request) => request.path)).toEqual(['/rd/1']);
    expect(client.registration.state).toBe('closed');
  });

  it('does not wait long for a server that is gone when it closes', async () => {
    start();
    await world.registered();
    world.link.filter = () => true;
    await world.settle(client.close(), 6_000);
    expect(client.registration.state).toBe('closed');
  });

  it('is gone for the time that Disable asks for', async () => {
    start();
    await world.registered();
    await world.settle(world.server.writeText('/1/0/5', '100'));
    expect((await world.settle(world.server.execute('/1/0/4'))).code).toBe(Code.CHANGED);
    await world.until('deregistered', () => world.server.of('deregister').length === 1);
    await world.clock.run(95_000);
    expect(world.server.of('register')).toHaveLength(1);
    await world.registered(2);
  });
});
