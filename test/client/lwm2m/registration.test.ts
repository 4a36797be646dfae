import { afterEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import { givenProfiles, hashedProfile } from '../../../client/lwm2m/profile-id.ts';
import { deviceObject } from '../../../objects/device.ts';
import { locationObject } from '../../../objects/location.ts';
import { Code, OptionNumber } from '../../../protocol/coap/message.ts';
import { contentFormat, uintOption } from '../../../protocol/coap/options.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld, serverAddress } from '../../support/client/client-world.ts';
import { describe as told } from '../../support/client/scripted-server.ts';

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
        payload: expect.stringMatching(
          /^<\/>;rt="oma.lwm2m";ct="[\d ]+",<\/1>;ver=1.2,<\/1\/0>,<\/3>;ver=1.2,<\/3\/0>$/,
        ),
      },
    ]);
    expect(client.registration.location).toBe('/rd/1');
  });

  it('naming TLV, and no SenML, when it speaks 1.0', async () => {
    start({ version: '1.0' });
    await world.registered();
    expect(world.server.requests[0]?.query).toContain('lwm2m=1.0');
    expect(world.server.requests[0]?.payload).toMatch(/^<\/>;rt="oma.lwm2m";ct="?11542[ 0-9]*"?,/);
    expect(world.server.requests[0]?.payload).not.toMatch(/\b11[02]\b/);
  });

  it('with the next lower version, at once, when the server declines its own; formats and binding follow', async () => {
    start({ version: '1.2' });
    client.account.queueMode = true;
    world.server.script.push({ code: Code.PRECONDITION_FAILED }, { code: Code.PRECONDITION_FAILED });
    await world.registered();
    expect(world.server.requests.map((request) => request.query.slice(2))).toEqual([
      ['lwm2m=1.2', 'b=U', 'Q'],
      ['lwm2m=1.1', 'b=U', 'Q'],
      ['lwm2m=1.0', 'b=UQ'],
    ]);
    expect(world.server.requests.at(-1)?.at).toBeLessThan(1_000);
    expect(world.server.requests[2]?.payload).not.toContain('112');
    expect(client.sessions[0]?.version).toBe('1.0');
    // What is answered without an Accept is TLV then.
    const { options } = await world.settle(world.server.read('/1/0'));
    expect(contentFormat(options)).toBe(ContentFormat.TLV);
  });

  it('with its own version again when the name leads to another server', async () => {
    const other = '192.0.2.9:5683';
    let address = serverAddress;
    start({ version: '1.2', resolveServer: async () => address });
    const second = world.anotherServer(other);
    world.server.script.push({ code: Code.PRECONDITION_FAILED });
    await world.registered();
    expect(client.registration.version).toBe('1.1');
    client.registration.reregister();
    await world.registered(2);
    expect(client.registration.version).toBe('1.1');
    address = other;
    client.registration.reregister();
    await world.registered(3);
    expect(second.requests[0]?.query).toContain('lwm2m=1.2');
  });

  it('with the highest version that the server has said it speaks', async () => {
    start({ version: '1.2', account: { supportedServerVersions: ['1.0', '1.1.1', '2.0'] } });
    await world.registered();
    expect(world.server.requests.map((request) => request.query[2])).toEqual(['lwm2m=1.1']);
    expect(await world.settle(world.server.values('/1/0/25'))).toEqual({
      '/1/0/25/0': '1.0',
      '/1/0/25/1': '1.1.1',
      '/1/0/25/2': '2.0',
    });
  });

  it('with its own version again, after a while, when the server declines them all', async () => {
    start({ version: '1.1' });
    world.server.script.push({ code: Code.PRECONDITION_FAILED }, { code: Code.PRECONDITION_FAILED });
    await world.registered();
    const [, second, third] = world.server.requests;
    expect(third?.query).toContain('lwm2m=1.1');
    expect((third?.at ?? 0) - (second?.at ?? 0)).toBeGreaterThan(1_000);
  });

  it('with the lifetime of before where the server declines the one that was written', async () => {
    start({ lifetime: 600 });
    await world.registered();
    world.server.script.push({ code: Code.BAD_REQUEST }, { code: Code.BAD_REQUEST });
    expect(told(await world.settle(world.server.writeText('/1/0/1', '2147483647')))).toBe('2.04');
    await world.until('another registration', () => client.registration.location === '/rd/2');
    expect(world.server.of('register').map(({ query }) => query[1])).toEqual([
      'lt=600',
      'lt=2147483647',
      'lt=600',
    ]);
    expect(await world.settle(world.server.values('/1/0/1'))).toEqual({ '/1/0/1': 600 });
    expect(told(await world.settle(world.server.writeText('/1/0/1', '900')))).toBe('2.04');
    await world.until('an Update', () => world.server.requests.at(-1)?.query.includes('lt=900') === true);
  });

  it('with the default lifetime where the server declines what it was set up with, and with that again', async () => {
    start({ lifetime: 5_000_000 });
    const refusal = { code: Code.BAD_REQUEST };
    world.server.script.push(refusal, refusal, refusal);
    await world.registered();
    expect(world.server.requests.map(({ query }) => query[1])).toEqual([
      'lt=5000000',
      'lt=300',
      'lt=5000000',
      'lt=300',
    ]);
  });

  it('with its own version where it was told of one that the server declines', async () => {
    start({ version: '1.1', account: { supportedServerVersions: ['1.0'] } });
    world.server.script.push({ code: Code.PRECONDITION_FAILED });
    await world.registered();
    expect(world.server.requests.map(({ query }) => query[2])).toEqual(['lwm2m=1.0', 'lwm2m=1.1']);
  });

  it.each([
    ['lifetime', 1, 2 ** 31],
    ['disable timeout', 5, 2_147_484],
    ['initial registration delay', 14, 86_401],
    ['communication retry timer', 18, 86_401],
    ['communication sequence delay', 19, 2 ** 32 - 2],
    ['default minimum period', 2, 2 ** 31],
  ])(
    'by a value of the %s that lets it come back, and declines others with 4.00',
    async (_, resource, value) => {
      start();
      await world.registered();
      const path = `/1/0/${resource}`;
      expect(told(await world.settle(world.server.writeText(path, String(value))))).toMatch(
        /^4\.00 .*no more/,
      );
      expect(told(await world.settle(world.server.writeText(path, '3600')))).toBe('2.04');
    },
  );

  it('at least every day while a server declines it, however often pauses have doubled', async () => {
    start({ account: { communicationRetryCount: 255, communicationRetryTimer: 60 } });
    world.server.decline.set('register', Code.FORBIDDEN);
    await world.until('many attempts', () => world.server.requests.length > 20, 20 * 86_400_000);
    const times = world.server.requests.map(({ at }) => at);
    expect(Math.max(...times.map((at, i) => at - (times[i - 1] ?? at)))).toBeLessThanOrEqual(86_401_000);
  });

  it('as often and as late as the Server object says, where it says', async () => {
    start({
      account: {
        communicationRetryCount: 3,
        communicationRetryTimer: 10,
        communicationSequenceDelayTimer: 1_000,
      },
    });
    const refusal = { code: Code.FORBIDDEN };
    world.server.script.push(refusal, refusal, refusal, refusal);
    await world.until('registered', () => world.states.includes('registered'), 2_000_000);
    const times = world.server.requests.map((request) => request.at);
    expect(times.map((at, i) => Math.round((at - (times[i - 1] ?? at)) / 1_000))).toEqual([
      0, 10, 20, 1_000, 10,
    ]);
  });

  it('without flooding a server that would have no pause between attempts', async () => {
    start({ account: { communicationRetryTimer: 0, communicationSequenceDelayTimer: 0 } });
    world.server.decline.set('register', Code.FORBIDDEN);
    await world.clock.run(20_000);
    expect(world.server.of('register').length).toBeLessThanOrEqual(21);
    world.server.decline.clear();
    await world.registered();
  });

  it('no more after its communication sequences where their delay is without end, until it is told to', async () => {
    start({ account: { communicationRetryCount: 1, communicationSequenceDelayTimer: 2 ** 32 - 1 } });
    world.server.script.push({ code: Code.FORBIDDEN });
    await world.until('waiting', () => client.registration.state === 'waiting');
    await world.clock.run(10_000_000);
    expect(world.server.requests).toHaveLength(1);
    client.registration.update();
    await world.registered();
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

  it('tells a new lifetime and new objects with an Update (ETS 102, 107)', async () => {
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

  it('updates when the server triggers it, after the answer (ETS 104)', async () => {
    start();
    await world.registered();
    const executed = await world.settle(world.server.execute('/1/0/8'));
    expect(executed.code).toBe(Code.CHANGED);
    await world.until('updated', () => world.server.of('update').length === 1);
  });

  it('registers anew when the server does not know it any more (ETS 105)', async () => {
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

  it('is silent and deaf for the time that Disable asks for, and registers then (ETS 103)', async () => {
    start();
    await world.registered();
    await world.settle(world.server.writeText('/1/0/5', '100'));
    expect((await world.settle(world.server.execute('/1/0/4'))).code).toBe(Code.CHANGED);
    await world.until('deregistered', () => world.server.of('deregister').length === 1);
    await world.clock.run(5_000);
    await expect(world.settle(world.server.read('/3/0/9'))).rejects.toThrow(TimeoutError);
    expect(world.server.of('register')).toHaveLength(1);
    await world.registered(2);
    expect((await world.settle(world.server.read('/3/0/9'))).code).toBe(Code.CONTENT);
  });

  it('says with an Update that it sleeps from now on, where its binding is written', async () => {
    start();
    await world.registered();
    expect((await world.settle(world.server.writeText('/1/0/7', 'UQ'))).code).toBe(Code.CHANGED);
    await world.until('updated', () => world.server.of('update').length === 1);
    expect(world.server.of('update')[0]?.query).toEqual(['b=U', 'Q']);
    expect(told(await world.settle(world.server.writeText('/1/0/7', 'T')))).toMatch(/^4\.00 /);
  });

  it('shows what is set of the Server object, and takes what is not', async () => {
    start({ account: { registrationPriorityOrder: 1 } });
    await world.registered();
    const shown = await world.settle(world.server.values('/1/0'));
    expect(shown).toMatchObject({ '/1/0/6': true, '/1/0/7': 'U', '/1/0/13': 1, '/1/0/23': false });
    expect(Object.keys(shown)).not.toContain('/1/0/17');
    await world.settle(world.server.writeText('/1/0/17', '4'));
    expect(await world.settle(world.server.values('/1/0/17'))).toEqual({ '/1/0/17': 4 });
    expect(client.account.communicationRetryCount).toBe(4);
  });
});

describe('a profile id', () => {
  const given = givenProfiles(['oma:modem', 'v:1']);

  it('stands for the objects from 1.2 on (ETS 1.2-110)', async () => {
    start({ version: '1.2', profiles: given });
    await world.registered();
    expect(world.server.requests).toMatchObject([{ payload: '' }]);
    expect(world.server.requests[0]?.query).toContain('pid="oma:modem,v:1"');
  });

  it('goes with the objects when the server does not know it (ETS 1.2-111)', async () => {
    start({ version: '1.2', profiles: hashedProfile });
    world.server.script.push({ code: Code.CONFLICT });
    await world.registered();
    const [first, second] = world.server.requests;
    const pid = (request: typeof first): string | undefined =>
      request?.query.find((parameter) => parameter.startsWith('pid='));
    expect(pid(first)).toMatch(/^pid=1:[0-9a-f]{64}$/);
    expect(first?.payload).toBe('');
    expect(pid(second)).toBe(pid(first));
    expect(second?.payload).toContain('</3/0>');
    client.registration.reregister();
    await world.registered(2);
    expect(world.server.requests[2]).toMatchObject({ payload: '' });
  });

  it('is as long as the server prefers, and another one with other objects', async () => {
    start({ version: '1.2', profiles: hashedProfile, account: { profileIdHashAlgorithm: 6 } });
    await world.registered();
    client.tree.add(instance(locationObject, 0, { latitude: { read: () => 52.5 } }));
    client.registration.reregister();
    await world.registered(2);
    const pids = world.server.of('register').map((request) => request.query.at(-1));
    expect(pids[0]).toMatch(/^pid=6:[0-9a-f]{8}$/);
    expect(pids[1]).toMatch(/^pid=6:[0-9a-f]{8}$/);
    expect(pids[1]).not.toBe(pids[0]);
  });

  it('is not sent before 1.2', async () => {
    start({ version: '1.1', profiles: given });
    await world.registered();
    expect(world.server.requests[0]?.query.join()).not.toContain('pid');
    expect(world.server.requests[0]?.payload).toContain('</3/0>');
  });

  it.each(['oma:', 'x:1', 'oma:a,b', 'v:a"'])('%s is none', (id) => {
    expect(() => givenProfiles([id])).toThrow(TypeError);
  });
});
