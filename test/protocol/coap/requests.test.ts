import { describe, expect, test } from 'vitest';
import { EndpointClosedError, ResetError } from '../../../protocol/coap/errors.ts';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { findOption, pathOptions } from '../../../protocol/coap/options.ts';
import type { CoapParameters } from '../../../protocol/coap/parameters.ts';
import { RequestError, TimeoutError } from '../../../protocol/errors.ts';
import { hex, text } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const { CON, ACK, RST } = MessageType;
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

describe('a confirmable request', () => {
  test('is sent MAX_RETRANSMIT times more, the waits doubling from a first one within the jitter', async () => {
    const { world, endpoint, server } = setUp();
    const times: number[] = [];
    server.onMessage = () => times.push(world.clock.now());
    const error = await outcome(world, endpoint.request('server', get));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(times).toHaveLength(5);
    const waits = times.slice(1).map((time, i) => time - (times[i] as number));
    const [first = 0] = waits;
    expect(first).toBeGreaterThanOrEqual(2_000);
    expect(first).toBeLessThanOrEqual(3_000);
    expect(waits.map((wait) => wait / first)).toEqual(
      [1, 2, 4, 8].map((factor) => expect.closeTo(factor, 6)),
    );
    expect(world.clock.now()).toBeCloseTo((times[4] as number) - 10 + first * 16, 6);
    expect(endpoint.statistics).toMatchObject({ timeouts: 1, retransmissions: 4, outstanding: 0 });
    expect(new Set(server.received.map(({ messageId }) => messageId)).size).toBe(1);
  });

  test('has another jitter each time', async () => {
    const { world, endpoint, server } = setUp({ nstart: 20, maxRetransmit: 1 });
    const times = new Map<number, number[]>();
    server.onMessage = ({ messageId }) =>
      times.set(messageId, [...(times.get(messageId) ?? []), world.clock.now()]);
    await Promise.all(Array.from({ length: 20 }, () => outcome(world, endpoint.request('server', get))));
    const waits = [...times.values()].map(([first = 0, second = 0]) => second - first);
    expect(new Set(waits).size).toBeGreaterThan(15);
  });

  test('rejects with ResetError where the peer answers RST', async () => {
    const { world, endpoint, server } = setUp();
    server.onMessage = ({ messageId }) => server.send({ type: RST, messageId });
    expect(await outcome(world, endpoint.request('server', get))).toBeInstanceOf(ResetError);
  });

  test('rejects with TimeoutError where an empty ACK comes and then nothing', async () => {
    const { world, endpoint, server } = setUp();
    server.onMessage = ({ messageId }) => server.send({ type: ACK, messageId });
    expect(await outcome(world, endpoint.request('server', get))).toBeInstanceOf(TimeoutError);
    expect(world.clock.now()).toBeCloseTo(93_020, 0);
    expect(server.received).toHaveLength(1);
  });

  test('tells a peer that acknowledged, and is slow, from one that is silent', async () => {
    const { world, endpoint, server } = setUp();
    const request = { ...get, timeout: 20_000 };
    expect(await outcome(world, endpoint.request('server', request))).toMatchObject({ acknowledged: false });
    server.onMessage = ({ messageId }) => server.send({ type: ACK, messageId });
    expect(await outcome(world, endpoint.request('server', request))).toMatchObject({ acknowledged: true });
  });

  test('takes a separate response that comes before its ACK, and stops retransmitting', async () => {
    const { world, endpoint, server } = setUp();
    const answer = endpoint.request('server', get);
    world.clock.advance(20);
    const request = server.take();
    server.send({ code: Code.CONTENT, messageId: 77, token: hex(request.token), payload: 'early' });
    expect(text((await world.settle(answer)).payload)).toBe('early');
    world.clock.advance(20);
    expect(server.take()).toMatchObject({ type: ACK, messageId: 77 });
    server.send({ type: ACK, messageId: request.messageId });
    world.clock.advance(200_000);
    expect(server.received).toEqual([]);
  });

  test('takes a separate response however many other peers have come in between', async () => {
    const { world, endpoint, server } = setUp({ maxPeers: 2, separateResponseTimeout: 1_000_000 });
    const answer = endpoint.request('server', get);
    world.clock.advance(20);
    const { messageId, token } = server.take();
    server.send({ type: ACK, messageId });
    for (let i = 0; i < 10; i++) {
      world.raw(`other-${i}`, 'client').send({ code: Code.GET, messageId: 1 });
      world.clock.advance(60_000);
    }
    server.send({ code: Code.CONTENT, messageId: 77, token: hex(token), payload: 'late' });
    expect(text((await world.settle(answer)).payload)).toBe('late');
  });

  test('acknowledges a separate response again when its ACK was lost', async () => {
    const { world, endpoint, server } = setUp();
    const answer = endpoint.request('server', get);
    world.clock.advance(20);
    const token = hex(server.take().token);
    for (let i = 0; i < 3; i++) server.send({ code: Code.CONTENT, messageId: 77, token });
    await world.settle(answer);
    world.clock.advance(20);
    expect(server.received.map(({ type, messageId }) => [type, messageId])).toEqual([
      [ACK, 77],
      [ACK, 77],
      [ACK, 77],
    ]);
    expect(endpoint.statistics.duplicates).toBe(2);
  });

  test('ignores an ACK with another token, with another id, and from somebody else', async () => {
    const { world, endpoint, server } = setUp();
    const stranger = world.raw('stranger', 'client');
    const answer = endpoint.request('server', get);
    world.clock.advance(20);
    const { messageId, token } = server.take();
    const wrong = { type: ACK, code: Code.CONTENT, payload: 'wrong' } as const;
    server.send({ ...wrong, messageId, token: '00' });
    server.send({ ...wrong, messageId: messageId ^ 1, token: hex(token) });
    stranger.send({ ...wrong, messageId, token: hex(token) });
    stranger.send({ type: RST, messageId });
    stranger.send({ ...wrong, type: CON, messageId: 5, token: hex(token) });
    world.clock.advance(100);
    // Nobody is told that the token is known: what came from elsewhere is met with silence.
    expect(stranger.received).toEqual([]);
    server.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token), payload: 'right' });
    expect(text((await world.settle(answer)).payload)).toBe('right');
  });

  test('ignores a piggybacked response with an unknown critical option, and rejects a separate one', async () => {
    const { world, endpoint, server } = setUp();
    const answer = endpoint.request('server', get);
    world.clock.advance(20);
    const { messageId, token } = server.take();
    const options = [{ number: 65_001, value: new Uint8Array(1) }];
    server.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token), options });
    server.send({ type: CON, code: Code.CONTENT, messageId: 9, token: hex(token), options });
    world.clock.advance(20);
    expect(server.take()).toMatchObject({ type: RST, messageId: 9 });
    server.send({ type: ACK, code: Code.VALID, messageId, token: hex(token) });
    expect((await world.settle(answer)).code).toBe(Code.VALID);
  });

  test('resolves with the answer whatever its code', async () => {
    const { world, endpoint, server } = setUp();
    server.onMessage = ({ messageId, token }) =>
      server.send({ type: ACK, code: Code.NOT_FOUND, messageId, token: hex(token), payload: 'gone' });
    expect(await world.settle(endpoint.request('server', get))).toMatchObject({
      code: Code.NOT_FOUND,
      peer: 'server',
    });
  });

  test('hands on who answered, as the transport says', async () => {
    const { world, endpoint, server } = setUp();
    const identity = { kind: 'psk', name: 'modem-1' } as const;
    world.link.identities.set('server', identity);
    server.onMessage = ({ messageId, token }) =>
      server.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token) });
    expect((await world.settle(endpoint.request('server', get))).identity).toEqual(identity);
  });

  test('ends at its own deadline, waiting in the queue included', async () => {
    const { world, endpoint } = setUp();
    const all = [endpoint.request('server', get), endpoint.request('server', { ...get, timeout: 1_500 })];
    expect(await outcome(world, all[1] as Promise<unknown>)).toBeInstanceOf(TimeoutError);
    expect(world.clock.now()).toBe(1_500);
    expect(await outcome(world, all[0] as Promise<unknown>)).toBeInstanceOf(TimeoutError);
  });

  test('ends with the reason of its signal, before, in the queue and under way', async () => {
    const { world, endpoint, server } = setUp();
    const controller = new AbortController();
    const reason = new Error('enough');
    const requests = [
      endpoint.request('server', { ...get, signal: controller.signal }),
      endpoint.request('server', { ...get, signal: controller.signal }),
    ];
    world.clock.advance(100);
    controller.abort(reason);
    requests.push(endpoint.request('server', { ...get, signal: controller.signal }));
    const ends = await world.settle(Promise.allSettled(requests));
    expect(ends).toEqual(requests.map(() => ({ status: 'rejected', reason })));
    world.clock.advance(100_000);
    expect(endpoint.statistics).toMatchObject({ outstanding: 0, retransmissions: 0 });
    // The second took the place of the first for the moment between their ends; the third never went out.
    expect(server.received.length).toBeLessThan(3);
  });

  test("that cannot be encoded is the caller's fault", async () => {
    const { world, endpoint } = setUp();
    const options = [{ number: 70_000, value: new Uint8Array(0) }];
    expect(await outcome(world, endpoint.request('server', { code: Code.GET, options }))).toBeInstanceOf(
      RequestError,
    );
  });
});

describe('a NON request', () => {
  test('is never sent again, and is ended by RST', async () => {
    const { world, endpoint, server } = setUp();
    const answer = outcome(world, endpoint.request('server', { ...get, confirmable: false }));
    await world.clock.run(50_000);
    expect(server.received).toHaveLength(1);
    server.send({ type: ACK, messageId: server.received[0]?.messageId ?? 0 });
    server.send({ type: RST, messageId: server.take().messageId });
    expect(await answer).toBeInstanceOf(ResetError);
  });
});

describe('Echo (RFC 9175)', () => {
  test('repeats a challenged request once with the value that it was given', async () => {
    const { world, endpoint, server } = setUp();
    const value = Uint8Array.of(1, 2, 3, 4);
    const echoes: (Uint8Array | undefined)[] = [];
    server.onMessage = ({ messageId, token, options }) => {
      echoes.push(findOption(options, OptionNumber.ECHO)?.value);
      server.send({
        type: ACK,
        code: echoes.length === 1 ? Code.UNAUTHORIZED : Code.CHANGED,
        messageId,
        token: hex(token),
        options: echoes.length === 1 ? [{ number: OptionNumber.ECHO, value }] : [],
      });
    };
    expect((await world.settle(endpoint.request('server', get))).code).toBe(Code.CHANGED);
    expect(echoes).toEqual([undefined, value]);
  });

  test('passes a second challenge on to the caller', async () => {
    const { world, endpoint, server } = setUp();
    let asked = 0;
    server.onMessage = ({ messageId, token }) => {
      asked++;
      const options = [{ number: OptionNumber.ECHO, value: Uint8Array.of(asked) }];
      server.send({ type: ACK, code: Code.UNAUTHORIZED, messageId, token: hex(token), options });
    };
    expect((await world.settle(endpoint.request('server', get))).code).toBe(Code.UNAUTHORIZED);
    expect(asked).toBe(2);
  });

  test('keeps the token of an observation that was challenged', async () => {
    const { world, endpoint, server } = setUp();
    const tokens: string[] = [];
    server.onMessage = ({ messageId, token }) => {
      tokens.push(hex(token));
      const first = tokens.length === 1;
      server.send({
        type: ACK,
        code: first ? Code.UNAUTHORIZED : Code.CONTENT,
        messageId,
        token: hex(token),
        options: [{ number: first ? OptionNumber.ECHO : OptionNumber.OBSERVE, value: Uint8Array.of(9) }],
      });
    };
    const { observation } = await world.settle(
      endpoint.observe('server', get, { token: 'abcd', onNotification() {} }),
    );
    expect(observation?.token).toBe('abcd');
    expect(tokens).toEqual(['abcd', 'abcd']);
  });
});

describe('a ping', () => {
  test('is answered by RST, and tells the time', async () => {
    const { world, endpoint } = setUp();
    world.endpoint('peer');
    expect(await world.settle(endpoint.ping('peer'))).toBe(20);
  });

  test('is content with an ACK as well', async () => {
    const { world, endpoint, server } = setUp();
    server.onMessage = ({ type, code, messageId }) => {
      expect([type, code]).toEqual([CON, Code.EMPTY]);
      server.send({ type: ACK, messageId });
    };
    expect(await world.settle(endpoint.ping('server'))).toBe(20);
  });

  test('times out by itself, and by the deadline of its caller', async () => {
    const { world, endpoint } = setUp();
    expect(await outcome(world, endpoint.ping('server', { timeout: 500 }))).toBeInstanceOf(TimeoutError);
    expect(world.clock.now()).toBe(500);
    expect(await outcome(world, endpoint.ping('server'))).toBeInstanceOf(TimeoutError);
  });

  test('is refused where too much waits for that peer', async () => {
    const { world, endpoint } = setUp({ maxQueuedPerPeer: 0, maxRetransmit: 0 });
    const request = outcome(world, endpoint.request('server', get));
    expect(await outcome(world, endpoint.ping('server'))).toBeInstanceOf(RequestError);
    await request;
  });
});

describe('closing', () => {
  test('rejects what is under way and everything after', async () => {
    const { world, endpoint, server } = setUp();
    const all = [
      endpoint.request('server', get),
      endpoint.request('server', get),
      endpoint.ping('server'),
      endpoint.observe('server', get, { onNotification() {} }),
    ].map((one) => outcome(world, one));
    await endpoint.close();
    await endpoint.close();
    for (const one of all) expect(await one).toBeInstanceOf(EndpointClosedError);
    expect(await outcome(world, endpoint.request('server', get))).toBeInstanceOf(EndpointClosedError);
    expect(await outcome(world, endpoint.ping('server'))).toBeInstanceOf(EndpointClosedError);
    expect(() =>
      endpoint.restoreObservation({ token: 'aa', peer: 'server', request: get }, () => {}),
    ).toThrow(EndpointClosedError);
    server.send({ type: CON, code: Code.GET, messageId: 1 });
    world.clock.advance(1_000_000);
    expect(server.received).toHaveLength(1);
    expect(world.clock.pending).toBe(0);
  });
});

describe('tracing', () => {
  test('shows each message in and out while somebody listens', async () => {
    const { world, endpoint, server } = setUp();
    const lines: string[] = [];
    endpoint.trace(({ direction, peer, data, retransmission }) =>
      lines.push(`${direction} ${peer} ${data.length > 0} ${retransmission}`),
    );
    const answer = endpoint.request('server', get);
    world.clock.advance(3_500);
    const { messageId, token } = server.take();
    server.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token) });
    await world.settle(answer);
    endpoint.trace(undefined);
    server.send({ type: CON, messageId: 1 });
    world.clock.advance(20);
    expect(lines).toEqual(['out server true 0', 'out server true 1', 'in server true 0']);
    expect(endpoint.local).toBe('client');
  });
});
