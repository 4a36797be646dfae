import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { findOption, pathOptions } from '../../../protocol/coap/options.ts';
import type { CoapParameters } from '../../../protocol/coap/parameters.ts';
import { RequestError, TimeoutError } from '../../../protocol/errors.ts';
import { hex, text } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const { NON, ACK } = MessageType;
const get = { code: Code.GET, options: pathOptions('/a') };

function setUp(parameters: Partial<CoapParameters> = {}, extra: object = {}) {
  const world = new World();
  const endpoint = world.endpoint('client', { parameters, ...extra });
  return { world, endpoint, server: world.raw('server', 'client') };
}

/** What a promise ends with, as a value. */
async function outcome(world: World, promise: Promise<unknown>): Promise<unknown> {
  return world.settle(
    promise.then(
      (value) => value,
      (error: unknown) => error,
    ),
  );
}

describe('NSTART', () => {
  test('lets one interaction with a peer be outstanding, others wait in order', async () => {
    const { world, endpoint, server } = setUp();
    const answers = ['/1', '/2', '/3'].map((path) =>
      endpoint.request('server', { code: Code.GET, options: pathOptions(path) }),
    );
    const other = world.raw('other', 'client');
    const elsewhere = endpoint.request('other', get);
    const paths: string[] = [];
    for (let i = 0; i < 3; i++) {
      world.clock.advance(1_000);
      expect(server.received).toHaveLength(1);
      const { messageId, token, options } = server.take();
      paths.push(text(findOption(options, OptionNumber.URI_PATH)?.value as Uint8Array));
      server.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token) });
    }
    expect(paths).toEqual(['1', '2', '3']);
    await world.settle(Promise.all(answers));
    const { messageId, token } = other.take();
    other.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token) });
    await world.settle(elsewhere);
  });

  test('counts no longer what was acknowledged without a response', async () => {
    const { world, endpoint, server } = setUp();
    const first = endpoint.request('server', get);
    const second = endpoint.request('server', get);
    world.clock.advance(20);
    const one = server.take();
    server.send({ type: ACK, messageId: one.messageId });
    world.clock.advance(20);
    const two = server.take();
    server.send({ type: ACK, code: Code.CONTENT, messageId: two.messageId, token: hex(two.token) });
    await world.settle(second);
    server.send({ type: NON, code: Code.CONTENT, messageId: 1, token: hex(one.token) });
    await world.settle(first);
  });

  test('lets the next block of an answer go before all that waits', async () => {
    const { world, endpoint, server } = setUp();
    const first = endpoint.request('server', get);
    const others = ['/2', '/3'].map((path) =>
      endpoint.request('server', { code: Code.GET, options: pathOptions(path) }),
    );
    world.clock.advance(20);
    const one = server.take();
    server.send({ type: ACK, messageId: one.messageId });
    world.clock.advance(20);
    // The second has taken the place that the first gave back.
    const two = server.take();
    const blocks = (value: number) => ({ number: OptionNumber.BLOCK2, value: Uint8Array.of(value) });
    const part = { code: Code.CONTENT, payload: 'sixteen bytes ..' } as const;
    server.send({ ...part, type: NON, messageId: 1, token: hex(one.token), options: [blocks(0x08)] });
    world.clock.advance(20);
    expect(server.received).toEqual([]);
    server.send({ type: ACK, code: Code.CONTENT, messageId: two.messageId, token: hex(two.token) });
    world.clock.advance(20);
    const next = server.take();
    expect(findOption(next.options, OptionNumber.BLOCK2)?.value).toEqual(Uint8Array.of(0x10));
    server.send({
      ...part,
      type: ACK,
      messageId: next.messageId,
      token: hex(next.token),
      options: [blocks(0x10)],
    });
    expect((await world.settle(first)).payload).toHaveLength(32);
    world.clock.advance(20);
    const three = server.take();
    server.send({ type: ACK, code: Code.CONTENT, messageId: three.messageId, token: hex(three.token) });
    await world.settle(Promise.all(others));
  });

  test('counts a NON request until its response, or ACK_TIMEOUT without one', async () => {
    const { world, endpoint, server } = setUp();
    const silent = endpoint.request('server', { ...get, confirmable: false });
    const second = endpoint.request('server', { ...get, confirmable: false });
    world.clock.advance(1_900);
    expect(server.received).toHaveLength(1);
    world.clock.advance(200);
    expect(server.received).toHaveLength(2);
    server.take();
    const { token } = server.take();
    server.send({ type: NON, code: Code.CONTENT, messageId: 4, token: hex(token) });
    await world.settle(second);
    expect(await outcome(world, silent)).toBeInstanceOf(TimeoutError);
    expect(world.clock.now()).toBeCloseTo(93_000, -2);
  });

  test('queues no more than the bound for one peer', async () => {
    const { world, endpoint } = setUp({ maxQueuedPerPeer: 2, maxRetransmit: 0 });
    const all = Array.from({ length: 5 }, () => outcome(world, endpoint.request('server', get)));
    const kinds = (await Promise.all(all)).map((error) => (error as Error).name);
    expect(kinds.sort()).toEqual([
      'RequestError',
      'RequestError',
      'TimeoutError',
      'TimeoutError',
      'TimeoutError',
    ]);
    expect(endpoint.statistics.refused).toBe(2);
  });
});

describe('ids within a small part of the space', () => {
  test('that are all in use make the next request wait', async () => {
    const { world, endpoint } = setUp(
      { nstart: 10, maxRetransmit: 0 },
      { messageIds: { first: 0, count: 2 } },
    );
    const all = Array.from({ length: 3 }, () => outcome(world, endpoint.request('server', get)));
    const times: number[] = [];
    for (const one of all) one.then(() => times.push(Math.round(world.clock.now() / 1_000)));
    const names = (await Promise.all(all)).map((error) => (error as Error).name);
    expect(names).toEqual(['TimeoutError', 'TimeoutError', 'TimeoutError']);
    expect((times[2] as number) - (times[0] as number)).toBeGreaterThanOrEqual(2);
    expect(endpoint.statistics.outstanding).toBe(0);
  });
});

describe('tokens and message ids', () => {
  test('tokens have 8 bytes, begin with the prefix and do not repeat', async () => {
    const { world, endpoint, server } = setUp(
      { nstart: 500, maxRetransmit: 0 },
      { tokenPrefix: Uint8Array.of(0xab, 1) },
    );
    const all = Array.from({ length: 300 }, () => outcome(world, endpoint.request('server', get)));
    world.clock.advance(20);
    const tokens = server.received.map(({ token }) => hex(token));
    expect(new Set(tokens).size).toBe(300);
    expect(tokens.every((token) => token.length === 16 && token.startsWith('ab01'))).toBe(true);
    await Promise.all(all);
  });

  test('a longer prefix, and ids that are none, are refused', () => {
    const world = new World();
    expect(() => world.endpoint('x', { tokenPrefix: new Uint8Array(3) })).toThrow(RequestError);
    for (const [first, count] of [
      [0, 0],
      [-1, 5],
      [60_000, 10_000],
      [0.5, 3],
    ] as const) {
      expect(() => world.endpoint('x', { messageIds: { first, count } })).toThrow(RequestError);
    }
  });

  test('ids stay within the part of this process, and go round in it', async () => {
    const { world, endpoint, server } = setUp(
      { nstart: 1000, maxRetransmit: 0 },
      { messageIds: { first: 1_000, count: 8 } },
    );
    for (let i = 0; i < 4; i++) {
      const all = Array.from({ length: 5 }, () => outcome(world, endpoint.request('server', get)));
      await Promise.all(all);
    }
    const ids = server.received.map(({ messageId }) => messageId);
    expect(ids).toHaveLength(20);
    expect(new Set(ids)).toEqual(new Set([1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007]));
  });

  test('an endpoint that was started again, or has forgotten its peer, uses no id that it may remember', async () => {
    // EXCHANGE_LIFETIME, and what the last copy of a message may be late by (MAX_TRANSMIT_SPAN, MAX_LATENCY).
    const LIFETIME = 247_000 + 45_000 + 100_000;
    await fc.assert(
      fc.asyncProperty(
        // Now and then a message, a burst, a long silence, a restart.
        fc.array(
          fc.record({
            messages: fc.integer({ min: 1, max: 30 }),
            gap: fc.constantFrom(0, 50, 3_000, 100_000, 400_000, 3_000_000),
            restart: fc.boolean(),
          }),
          { minLength: 2, maxLength: 12 },
        ),
        async (steps) => {
          const world = new World();
          const server = world.raw('server', 'client');
          const used = new Map<number, number>();
          server.onMessage = ({ messageId, token }) => {
            const now = world.clock.now();
            expect(now - (used.get(messageId) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(LIFETIME);
            used.set(messageId, now);
            server.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token) });
          };
          let endpoint = world.endpoint('client');
          for (const { messages, gap, restart } of steps) {
            for (let i = 0; i < messages; i++) await world.settle(endpoint.request('server', get));
            world.clock.advance(gap);
            if (!restart) continue;
            await endpoint.close();
            endpoint = world.endpoint('client');
          }
          await endpoint.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  test.each([
    ['EXCHANGE_LIFETIME, in which it may still remember what came late', [120_000, 120_000, 6_900]],
    ['the period after which ids are used again', [192_000, 192_000, 7_900]],
  ])('a peer that is spoken to rarely meets no id again when it is after %s', async (_what, pauses) => {
    const { world, endpoint, server } = setUp();
    const used = new Map<number, number>();
    let sent = 0;
    server.onMessage = ({ messageId, token }) => {
      const now = world.clock.now();
      expect(now - (used.get(messageId) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(392_000);
      used.set(messageId, now);
      sent++;
      server.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token) });
    };
    for (const pause of pauses) {
      await world.settle(endpoint.request('server', get));
      world.clock.advance(pause);
    }
    // A mark that went round in that time would be at the id of the first message.
    await endpoint.close();
    const again = world.endpoint('client');
    for (let i = 0; i < 50; i++) await world.settle(again.request('server', get));
    expect(sent).toBe(53);
  });

  test('ids rise though the civil time is set back', async () => {
    const { world, endpoint, server } = setUp();
    const ids: number[] = [];
    server.onMessage = ({ messageId, token }) => {
      ids.push(messageId);
      server.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token) });
    };
    await world.settle(endpoint.request('server', get));
    world.clock.setWallTime(world.clock.wallTime() - 60_000);
    await world.settle(endpoint.request('server', get));
    expect(((ids[1] as number) - (ids[0] as number)) & 0xffff).toBe(1);
  });
});
