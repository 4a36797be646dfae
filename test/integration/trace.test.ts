import { afterEach, describe, expect, it } from 'vitest';
import { Code } from '../../protocol/coap/message.ts';
import type { ApiLiveTrace, ApiTraceAnswer, ApiTraceMessage } from '../../server/api/schemas.ts';
import { EventStream } from '../interop/support/event-stream.ts';
import { type ScriptedDevice, ServerWorld } from '../support/server-world.ts';
import { ManagedModem } from './conformance/managed-modem.ts';

const SHARED = '192.0.2.1:41001';

let world: ServerWorld;
let modem: ManagedModem | undefined;
afterEach(async () => {
  if (modem === undefined) await world.close();
  else await modem.close();
  modem = undefined;
});

async function open(flags: readonly string[] = []): Promise<void> {
  world = await ServerWorld.open((stores) => stores, ':memory:', flags);
}

const trace = (name: string, query = '?limit=1000'): Promise<ApiTraceAnswer> =>
  world.wait(world.api.get<ApiTraceAnswer>(`/api/devices/${name}/trace${query}`));

/** `< CON POST /rd`, `> ACK Created /rd`. */
function lines({ items }: Pick<ApiTraceAnswer, 'items'>): string[] {
  return items.map(line);
}

function line(message: ApiTraceMessage): string {
  const { direction, type, name, path, retransmission, duplicate } = message;
  const again = retransmission === undefined ? '' : ` again ${retransmission}`;
  return `${direction === 'in' ? '<' : '>'} ${type} ${name} ${path ?? '-'}${again}${duplicate === true ? ' duplicate' : ''}`;
}

function obliging(address: string, name: string): ScriptedDevice {
  const device = world.device(address, name);
  device.answers.set('POST /3/0/4', (request) => request.respond({ code: Code.CHANGED }));
  device.has('/33000/0/1', () => [{ path: '/33000/0/1', value: 1 }]);
  return device;
}

describe('the trace of our modem', () => {
  it('tells its registration, what is asked of it and what it reports, decoded, each answer with its request', async () => {
    modem = await ManagedModem.open({ rates: { imu: 0, gyro: 0, temperature: 1 } });
    world = modem.world;
    await modem.values('/3/0');
    await world.pass(5_000);
    const { items, since } = await trace('modem-1');
    expect(items.map(({ id }) => id)).toEqual(items.map(({ id }) => id).sort((a, b) => a - b));
    expect(since).toBeLessThanOrEqual(items[0]?.at ?? 0);
    const [register, created] = items;
    expect(register).toMatchObject({
      direction: 'in',
      peer: 'modem:49152',
      type: 'CON',
      code: '0.02',
      name: 'POST',
      path: '/rd',
      contentFormat: 40,
      payload: { links: expect.arrayContaining([expect.objectContaining({ path: '/3/0', name: 'Device' })]) },
    });
    expect(register?.options).toContainEqual({ number: 15, name: 'Uri-Query', value: 'ep=modem-1' });
    expect(register?.options).toContainEqual({
      number: 12,
      name: 'Content-Format',
      value: '40 application/link-format',
    });
    expect(created).toMatchObject({
      direction: 'out',
      type: 'ACK',
      code: '2.01',
      name: 'Created',
      path: '/rd',
      answers: register?.id,
      messageId: register?.messageId,
      token: register?.token,
    });
    expect(created?.elapsed).toBeGreaterThanOrEqual(0);
    const read = items.find(({ path, code }) => path === '/3/0' && code === '2.05');
    expect(read?.payload?.values).toContainEqual({
      path: '/3/0/9',
      value: expect.any(Number),
      name: 'Battery Level',
      type: 'integer',
      units: '/100',
    });
    const pack = items.find(
      ({ type, code, options }) =>
        type === 'CON' && code === '2.05' && options.some(({ name }) => name === 'Observe'),
    );
    expect(pack?.path).toMatch(/^\/\d+/);
    expect(pack?.payload?.values?.length).toBeGreaterThan(0);
    expect(pack).not.toHaveProperty('answers');
    const acknowledged = items.find(({ answers }) => answers === pack?.id);
    expect(acknowledged).toMatchObject({
      direction: 'out',
      type: 'ACK',
      code: '0.00',
      name: 'Acknowledgement',
    });
  });

  it('goes on behind the message that was given', async () => {
    modem = await ManagedModem.open();
    world = modem.world;
    const { items } = await trace('modem-1');
    const after = items[3]?.id ?? 0;
    const next = await trace('modem-1', `?after=${after}&limit=2`);
    expect(next.items.map(({ id }) => id)).toEqual(items.slice(4, 6).map(({ id }) => id));
    expect((await trace('modem-1', `?after=${items.at(-1)?.id}`)).items).toEqual([]);
    expect((await trace('modem-1', '?limit=3')).items.map(({ id }) => id)).toEqual(
      items.slice(-3).map(({ id }) => id),
    );
  });
});

describe('messages as they come', () => {
  it('are those that the trace has, and come only while they are watched', async () => {
    await open();
    const device = obliging('192.0.2.1:1', 'watched');
    await device.register('</3/0>,</33000/0>');
    const stream = await EventStream.open(`${world.server.httpAddress}/api/events?watch=trace@watched`);
    const known = (await trace('watched')).items.map(({ id }) => id);
    await world.wait(world.api.get('/api/devices/watched/objects/33000/0/1'));
    // What is live goes out at a pace, which is of simulated time here.
    await world.pass(500);
    const heard: ApiTraceMessage[] = [];
    const isAnswer = ({ direction, path }: ApiTraceMessage): boolean =>
      direction === 'in' && path === '/33000/0/1';
    await stream.until(({ type, data }) => {
      if (type !== 'trace') return false;
      const { endpoint, messages } = data as ApiLiveTrace;
      expect(endpoint).toBe('watched');
      heard.push(...messages);
      return messages.some(isAnswer);
    });
    stream.close();
    const { items } = await trace('watched');
    const added = items.filter(({ id }) => !known.includes(id));
    expect(heard.filter(({ id }) => !known.includes(id))).toEqual(added.slice(0, heard.length));
    expect(heard.find(isAnswer)?.payload?.values).toMatchObject([{ path: '/33000/0/1', value: 1 }]);
  });
});

describe('devices that share an address, one after the other', () => {
  async function share(): Promise<ScriptedDevice> {
    await open();
    const first = obliging(SHARED, 'first');
    await first.register('</3/0>,</33000/0>');
    await world.wait(world.api.post('/api/devices/first/observations/33000/0/1', {}));
    first.endpoint.close();
    const second = obliging(SHARED, 'second');
    await second.register('</3/0>,</33000/0>');
    await world.pass(1_000);
    await world.wait(world.api.get('/api/devices/second/objects/33000/0/1'));
    return second;
  }

  const registrations = ({ items }: ApiTraceAnswer): string[] =>
    items.flatMap(({ options }) =>
      options.flatMap(({ name, value }) => (name === 'Uri-Query' && value.startsWith('ep=') ? [value] : [])),
    );

  it('are not mixed: each has what was exchanged with it', async () => {
    await share();
    const [first, second] = [await trace('first'), await trace('second')];
    expect(registrations(first)).toEqual(['ep=first']);
    expect(registrations(second)).toEqual(['ep=second']);
    expect(lines(first).slice(0, 2)).toEqual(['< CON POST /rd', '> ACK Created /rd']);
    expect(lines(first).slice(-2)).toEqual(['> CON GET /33000/0/1', '< ACK Content /33000/0/1']);
    const firstIds = first.items.map(({ id }) => id);
    const secondIds = second.items.map(({ id }) => id);
    expect(firstIds.filter((id) => secondIds.includes(id))).toEqual([]);
    expect(Math.max(...firstIds)).toBeLessThan(Math.min(...secondIds));
    expect(lines(second)).toContain('> CON GET /33000/0/1');
  });

  it('are not mixed for who looks all the while, either', async () => {
    await open();
    const first = obliging(SHARED, 'first');
    await first.register('</3/0>,</33000/0>');
    await trace('first');
    await world.wait(world.api.get('/api/devices/first/objects/33000/0/1'));
    const before = await trace('first');
    first.endpoint.close();
    const second = obliging(SHARED, 'second');
    await second.register('</3/0>,</33000/0>');
    await world.wait(world.api.get('/api/devices/second/objects/33000/0/1'));
    expect((await trace('first')).items).toEqual(before.items);
    expect(lines(await trace('second')).slice(0, 2)).toEqual(['< CON POST /rd', '> ACK Created /rd']);
  });
});

describe('a device that moves', () => {
  for (const looked of [false, true]) {
    it(`has its messages at all its addresses, ${looked ? 'for who looks while it does' : 'for who looks afterwards'}`, async () => {
      await open();
      const device = obliging('192.0.2.7:1000', 'mobile');
      await device.register('</3/0>,</33000/0>');
      await world.wait(world.api.post('/api/devices/mobile/observations/33000/0/1', {}));
      if (looked) await trace('mobile');
      // A notification tells where it is now, and then an Update.
      world.link.masquerade('192.0.2.7:1000', '192.0.2.8:2000');
      await world.wait(device.notify('/33000/0/1', [{ path: '/33000/0/1', value: 2 }]));
      world.link.masquerade('192.0.2.7:1000', '192.0.2.9:3000');
      await device.request(Code.POST, device.location);
      const { items } = await trace('mobile');
      expect([...new Set(items.map(({ peer }) => peer))]).toEqual([
        '192.0.2.7:1000',
        '192.0.2.8:2000',
        '192.0.2.9:3000',
      ]);
      expect(lines({ items: items.filter(({ peer }) => peer === '192.0.2.8:2000') })).toEqual([
        '< CON Content /33000/0/1',
        '> ACK Acknowledgement /33000/0/1',
      ]);
      expect(lines({ items: items.filter(({ peer }) => peer === '192.0.2.9:3000') }).slice(0, 2)).toEqual([
        `< CON POST ${device.location}`,
        `> ACK Changed ${device.location}`,
      ]);
    });
  }
});

describe('what a device does in vain', () => {
  for (const looked of [false, true]) {
    it(`is seen: a Register that is refused, of a device that nobody knows${looked ? ', by who looks at it before' : ''}`, async () => {
      await open();
      const known = obliging('192.0.2.2:2', 'other');
      await known.register('</3/0>');
      const device = world.device('192.0.2.1:1', 'hopeless');
      if (looked) {
        const early = await fetch(`${world.server.httpAddress}/api/devices/hopeless/trace`);
        expect(early.status).toBe(404);
      }
      await device.register('</3/0>', ['lt=300', 'lwm2m=9.9', 'b=U']);
      const { items } = await trace('hopeless');
      expect(lines({ items })).toEqual(['< CON POST /rd', '> ACK Precondition Failed /rd']);
      expect(items[1]?.payload?.text).toMatch(/9\.9/);
    });

    it(`is seen: an Update when its registration has run out${looked ? ', by who looks meanwhile' : ''}`, async () => {
      await open();
      const device = obliging('192.0.2.1:1', 'late');
      await device.register('</3/0>', ['lt=20', 'lwm2m=1.1', 'b=U']);
      if (looked) await trace('late');
      await world.pass(60_000);
      expect(await world.eventTypes('late')).toContain('expired');
      await device.request(Code.POST, device.location);
      expect(lines(await trace('late')).slice(-2)).toEqual([
        `< CON POST ${device.location}`,
        `> ACK Not Found ${device.location}`,
      ]);
    });
  }

  it('is seen: datagrams that are no CoAP, with why', async () => {
    await open();
    const device = obliging('192.0.2.1:1', 'odd');
    await device.register('</3/0>');
    world.link.carry(Uint8Array.of(0x49, 1, 0, 1), '192.0.2.1:1', 'server:5683');
    await world.pass(100);
    const { items } = await trace('odd');
    expect(items.find(({ malformed }) => malformed !== undefined)).toMatchObject({
      malformed: 'token length 9 is reserved',
      hex: '49010001',
      size: 4,
      options: [],
    });
  });
});

it('a server that keeps no messages says so', async () => {
  await open(['--trace-bytes', '0']);
  await obliging('192.0.2.1:1', 'any').register('</3/0>');
  const answer = await fetch(`${world.server.httpAddress}/api/devices/any/trace`);
  expect(answer.status).toBe(409);
  expect(await answer.json()).toMatchObject({ code: 'trace_off' });
});

it('what somebody else sent before a device was first heard at its address is not its own', async () => {
  await open();
  const stranger = world.device(SHARED, 'stranger');
  await stranger.request(Code.GET, '/.well-known/core');
  stranger.endpoint.close();
  await obliging(SHARED, 'device').register('</3/0>');
  const { items } = await trace('device');
  expect(lines({ items })[0]).toBe('< CON POST /rd');
});
