import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { CoapEndpoint, IncomingResponse } from '../../../protocol/coap/exchange.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { locationPath, maxAge, pathOptions, queryOptions } from '../../../protocol/coap/options.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { Profiles } from '../../../server/lwm2m/profiles.ts';
import { RegistrationInterface } from '../../../server/lwm2m/registration-interface.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import type { RegistrationStore } from '../../../server/ports/registration-store.ts';
import { withMethods } from '../../../server/telemetry/level-with-log.ts';
import { World } from '../../support/coap/world.ts';

/** The interface over a store whose steps each wait until the test lets one through. */
async function setUp({ isDown = false } = {}) {
  const world = new World();
  const stores = await openEmbeddedStores({ path: ':memory:' });
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'warn' },
    new Writable({
      write(line, _, done) {
        lines.push(JSON.parse(String(line)));
        done();
      },
    }),
  );
  const held: (() => void)[] = [];
  let isHolding = false;
  const gate = async <T>(step: () => Promise<T>): Promise<T> => {
    if (isDown) throw new StoreUnavailableError('the disk is full');
    if (isHolding) await new Promise<void>((resolve) => held.push(resolve));
    return step();
  };
  const inner = stores.registrations;
  const registrations: RegistrationStore = withMethods(inner, {
    register: (registration, tenant) => gate(() => inner.register(registration, tenant)),
    update: (update, speaker) => gate(() => inner.update(update, speaker)),
    deregister: (id, speaker) => gate(() => inner.deregister(id, speaker)),
  });
  const registered: string[] = [];
  const server = new RegistrationInterface({
    registrations,
    profiles: new Profiles(stores.profiles, world.clock),
    clock: world.clock,
    log,
    node: 'node',
    grace: 0,
    listener: {
      registered: ({ address }) => registered.push(address),
      updated: () => undefined,
      deregistered: () => undefined,
      displaced: () => undefined,
    },
    binding: {
      admit: async (endpoint) => (endpoint === undefined ? {} : { endpoint }),
      confirm: () => undefined,
    },
    onRefused: () => undefined,
  });
  world.endpoint('server', { handler: (request) => server.handle(request) });
  const client = (address: string): CoapEndpoint => world.endpoint(address);
  const ask = (from: CoapEndpoint, code: Code, path: string, query: readonly string[] = []) =>
    from.request('server', { code, options: [...pathOptions(path), ...queryOptions(query)] });
  const register = (from: CoapEndpoint, endpoint = 'a'): Promise<IncomingResponse> =>
    ask(from, Code.POST, '/rd', [`ep=${endpoint}`, 'lwm2m=1.1']);
  /** Real time for the store's thread, and simulated time for the network. */
  const pass = async (milliseconds = 200): Promise<void> => {
    for (let left = 4; left > 0; left--) {
      await world.clock.run(milliseconds / 4);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return {
    ...{ world, server, client, ask, register, pass, lines, registered, held, registrations: inner },
    hold: (): void => {
      isHolding = true;
    },
    letThrough: (): void => held.shift()?.(),
    close: () => stores.close(),
  };
}

const answers = async (asked: readonly Promise<IncomingResponse>[]): Promise<readonly Code[]> =>
  (await Promise.all(asked)).map(({ code }) => code);

describe('many Registers of one endpoint', () => {
  it('have one served at a time, and only the newest wait: the others are told to come back', async () => {
    const { hold, client, register, pass, held, letThrough, server, registered, registrations, close } =
      await setUp();
    hold();
    const asked: Promise<IncomingResponse>[] = [];
    for (let number = 0; number < 50; number++) {
      asked.push(register(client(`device:${number}`)));
      await pass(4);
    }
    await pass();
    expect(held).toHaveLength(1);
    expect(server.refusals.superseded).toBe(48);
    const told = await Promise.all(asked.slice(1, 49));
    expect(new Set(told.map(({ code }) => code))).toEqual(new Set([Code.SERVICE_UNAVAILABLE]));
    expect(maxAge((told[0] as IncomingResponse).options)).toBe(5);
    letThrough();
    await pass();
    letThrough();
    await pass();
    expect(await answers([asked[0], asked[49]] as Promise<IncomingResponse>[])).toEqual([
      Code.CREATED,
      Code.CREATED,
    ]);
    expect(registered).toEqual(['device:0', 'device:49']);
    expect((await registrations.byEndpoint('a'))?.address).toBe('device:49');
    await close();
  });

  it('do not hold up other endpoints', async () => {
    const { hold, client, register, pass, held, close } = await setUp();
    hold();
    for (let number = 0; number < 10; number++) void register(client(`device:${number}`), 'same');
    for (let number = 10; number < 20; number++) void register(client(`device:${number}`), `own-${number}`);
    await pass(20);
    expect(held).toHaveLength(11);
    await close();
  });

  it('are not served any more when nobody waits for the answer', async () => {
    const { hold, client, register, pass, letThrough, held, server, registered, close } = await setUp();
    hold();
    const asked = [register(client('device:1')), register(client('device:2'))];
    const given = Promise.allSettled(asked);
    await pass(95_000);
    letThrough();
    await pass();
    expect(held).toHaveLength(0);
    expect(registered).toEqual(['device:1']);
    expect(server.refusals.superseded).toBe(1);
    await given;
    await close();
  });
});

describe('many Updates and De-registers of one registration', () => {
  it('have few wait, in order, and the oldest of those are told to come back', async () => {
    const { world, hold, client, ask, register, pass, held, letThrough, close } = await setUp();
    const device = client('device:1');
    const created = register(device);
    await pass();
    const location = `/${locationPath((await world.settle(created)).options).join('/')}`;
    hold();
    const asked: Promise<IncomingResponse>[] = [];
    for (let number = 0; number < 10; number++) {
      const code = number === 9 ? Code.DELETE : Code.POST;
      asked.push(ask(client(`other:${number}`), code, location));
      await pass(4);
    }
    await pass(20);
    expect(held).toHaveLength(1);
    for (let step = 0; step < 5; step++) {
      await pass(20);
      letThrough();
    }
    await pass();
    expect(await answers(asked)).toEqual([
      Code.CHANGED,
      ...Array(5).fill(Code.SERVICE_UNAVAILABLE),
      ...Array(3).fill(Code.CHANGED),
      Code.DELETED,
    ]);
    await close();
  });
});

describe('a store that does not take registrations', () => {
  it('is told of once a minute with how often it was, and without a stack', async () => {
    const { client, register, pass, lines, close } = await setUp({ isDown: true });
    for (let number = 0; number < 20; number++) void register(client(`device:${number}`), `own-${number}`);
    await pass(20);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ reason: 'the disk is full' });
    expect(JSON.stringify(lines[0])).not.toContain('at ');
    await pass(61_000);
    void register(client('device:20'));
    await pass(20);
    expect(lines[1]).toMatchObject({ again: 19 });
    expect(lines).toHaveLength(2);
    await close();
  });
});
