import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeMessage } from '../../../protocol/coap/codec.ts';
import { Code, MessageType } from '../../../protocol/coap/message.ts';
import { pathOptions, queryOptions } from '../../../protocol/coap/options.ts';
import { Direction } from '../../../protocol/coap/tapped-port.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { withMethods } from '../../../server/telemetry/level-with-log.ts';
import { HISTORY_MESSAGES } from '../../../server/trace/device-history.ts';
import { DeviceTraces, type LiveTrace } from '../../../server/trace/device-traces.ts';
import { FlightRecorder } from '../../../server/trace/flight-recorder.ts';
import { registrationOf } from '../../support/api/api-harness.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const { IN, OUT } = Direction;

let stores: Stores;
let time: FakeClock;
let traces: DeviceTraces;
let live: { endpoint: string; trace: LiveTrace }[];
let errors: unknown[];

beforeEach(async () => {
  stores = await openEmbeddedStores({ path: ':memory:' });
  time = new FakeClock();
  live = [];
  errors = [];
  traces = open(stores);
});
afterEach(async () => {
  traces.close();
  await stores.close();
});

function open(over: Pick<Stores, 'registrations' | 'observations'>, bytes = 4 * 1024 * 1024): DeviceTraces {
  return new DeviceTraces({
    recorder: new FlightRecorder(bytes, 1),
    clock: time,
    stores: over,
    onLive: (endpoint, trace) => live.push({ endpoint, trace }),
    onError: (error) => errors.push(error),
  });
}

let messageId = 0;
/** A datagram with a message id of its own. */
function datagram(path = '/x', query: readonly string[] = [], size = 0): Uint8Array {
  return encodeMessage({
    type: MessageType.NON,
    code: Code.POST,
    messageId: messageId++ & 0xffff,
    token: Uint8Array.of(messageId >> 8, messageId),
    options: [...pathOptions(path), ...queryOptions(query)],
    payload: new Uint8Array(size),
  });
}

async function register(name: string, address: string): Promise<void> {
  const registration = registrationOf(name, { address });
  const { displaced } = await stores.registrations.register(registration);
  if (displaced !== undefined) traces.displaced(displaced.endpoint, address);
  traces.registered(registration, undefined);
}

const ids = async (name: string, limit = 1000): Promise<number[]> =>
  (await traces.read(name, { limit })).messages.map(({ captured }) => captured.id);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what is kept of a device', () => {
  test('is the newest of it, however much others said', async () => {
    await register('a', 'a:1');
    for (let i = 0; i < 3 * HISTORY_MESSAGES; i++) {
      traces.tap(IN, datagram(), 'a:1');
      traces.tap(IN, datagram(), `other:${i}`);
    }
    const { messages, since } = await traces.read('a', { limit: 1000 });
    expect(messages).toHaveLength(HISTORY_MESSAGES);
    expect(new Set(messages.map(({ captured }) => captured.peer))).toEqual(new Set(['a:1']));
    expect(since).toBe(time.wallTime());
  });

  test('once it is looked at, outlasts a flood that overwrites the ring', async () => {
    traces.close();
    traces = open(stores, 256 * 1024);
    await register('a', 'a:1');
    for (let i = 0; i < 5; i++) traces.tap(IN, datagram(), 'a:1');
    expect(await ids('a')).toHaveLength(5);
    for (let i = 0; i < 5_000; i++) traces.tap(IN, datagram('/x', [], 1_000), 'flood:1');
    traces.tap(OUT, datagram(), 'a:1');
    expect(await ids('a')).toHaveLength(6);
    // Of one that nobody had looked at it has gone.
    expect(await ids('b')).toEqual([]);
  });

  test('some minutes after the last look is what the ring has', async () => {
    traces.close();
    traces = open(stores, 256 * 1024);
    await register('a', 'a:1');
    for (let i = 0; i < 5; i++) traces.tap(IN, datagram(), 'a:1');
    await ids('a');
    for (let i = 0; i < 5_000; i++) traces.tap(IN, datagram('/x', [], 1_000), 'flood:1');
    time.advance(4 * 60_000);
    expect(await ids('a')).toHaveLength(5);
    time.advance(10 * 60_000);
    expect(await ids('a')).toEqual([]);
  });

  test('is bounded in bytes as well', async () => {
    await register('a', 'a:1');
    await ids('a');
    for (let i = 0; i < 900; i++) traces.tap(IN, datagram('/x', [], 2_000), 'a:1');
    const { messages } = await traces.read('a', { limit: 1000 });
    const bytes = messages.reduce((sum, { captured }) => sum + captured.data.length, 0);
    expect(bytes).toBeLessThanOrEqual(1024 * 1024);
    expect(messages.length).toBeGreaterThan(500);
  });

  test('has one time, whenever it is asked for, until the civil time is stepped', async () => {
    await register('a', 'a:1');
    traces.tap(IN, datagram(), 'a:1');
    const first = await traces.read('a', { limit: 1 });
    time.advance(1_000);
    expect((await traces.read('a', { limit: 1 })).epoch).toBe(first.epoch);
    time.setWallTime(time.wallTime() + 3_600_000);
    expect((await traces.read('a', { limit: 1 })).epoch).toBe(first.epoch + 3_600_000);
  });

  test('is told again after the store did not answer', async () => {
    let broken = true;
    traces.close();
    traces = open({
      ...stores,
      registrations: withMethods(stores.registrations, {
        byEndpoint: async (name) => {
          if (broken) throw new Error('disk gone');
          return stores.registrations.byEndpoint(name);
        },
      }),
    });
    await register('a', 'a:1');
    traces.tap(IN, datagram(), 'a:1');
    await expect(traces.read('a', { limit: 1 })).rejects.toThrow('disk gone');
    traces.watch('a', true);
    await turn();
    expect(errors).toHaveLength(1);
    broken = false;
    expect(await ids('a')).toHaveLength(1);
  });
});

describe('messages as they come', () => {
  test('are told of devices that are watched, several in one turn together', async () => {
    await register('a', 'a:1');
    await register('b', 'b:1');
    traces.watch('a', true);
    await ids('a');
    for (let i = 0; i < 3; i++) traces.tap(IN, datagram(), 'a:1');
    traces.tap(IN, datagram(), 'b:1');
    await turn();
    expect(live.map(({ endpoint, trace }) => [endpoint, trace.messages.length])).toEqual([['a', 3]]);
    traces.watch('a', false);
    traces.tap(IN, datagram(), 'a:1');
    await turn();
    expect(live).toHaveLength(1);
  });

  test('of a flood are told in part, with how many were left out, and kept', async () => {
    await register('a', 'a:1');
    traces.watch('a', true);
    await ids('a');
    for (let i = 0; i < 800; i++) traces.tap(IN, datagram(), 'a:1');
    await turn();
    expect(live[0]?.trace.messages).toHaveLength(500);
    expect(live[0]?.trace.missed).toBe(300);
    expect(await ids('a')).toHaveLength(800);
    time.advance(1_000);
    traces.tap(IN, datagram(), 'a:1');
    await turn();
    expect(live[1]?.trace).toMatchObject({ missed: 0 });
  });

  test('are refused where too many devices are watched; what has passed is told all the same', async () => {
    for (let i = 0; i < 64; i++) expect(traces.watch(`device-${i}`, true)).toBe(true);
    await register('a', 'a:1');
    traces.tap(IN, datagram(), 'a:1');
    expect(traces.watch('a', true)).toBe(false);
    expect(await ids('a')).toHaveLength(1);
    traces.watch('device-0', false);
    expect(traces.watch('a', true)).toBe(true);
  });

  test('from an address of which only a Register says whose it is are that exchange alone', async () => {
    traces.watch('new', true);
    await ids('new');
    traces.tap(IN, datagram('/elsewhere'), 'n:1');
    traces.tap(IN, datagram('/rd', ['ep=new']), 'n:1');
    traces.tap(IN, datagram('/elsewhere'), 'n:1');
    traces.tap(IN, datagram('/rd', ['ep=another']), 'n:1');
    expect(await ids('new')).toEqual([2]);
  });
});
