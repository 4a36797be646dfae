import { describe, expect, test } from 'vitest';
import type {
  IncomingNotification,
  NotificationHandler,
  Observation,
  ResolvedObservation,
} from '../../../protocol/coap/exchange.ts';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { observe, pathOptions, uintOption } from '../../../protocol/coap/options.ts';
import type { CoapParameters } from '../../../protocol/coap/parameters.ts';
import { RequestError, TimeoutError } from '../../../protocol/errors.ts';
import { block, blockText, bytes, type Draft, hex, text } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const { CON, NON, ACK, RST } = MessageType;
const seq = (value: number) => uintOption(OptionNumber.OBSERVE, value);
const request = { code: Code.GET, options: pathOptions('/t') };
const TOKEN = 'a1b2c3d4';

function setUp(
  onNotification?: NotificationHandler,
  options: { followPeer?: boolean; parameters?: Partial<CoapParameters> } = {},
) {
  const world = new World();
  const seen: IncomingNotification[] = [];
  const { parameters = {}, followPeer = false } = options;
  const endpoint = world.endpoint('client', { parameters });
  const server = world.raw('server', 'client');
  const handler: NotificationHandler = (one) => {
    seen.push(one);
    if (onNotification === undefined) one.accept();
    else onNotification(one);
  };
  const observation = endpoint.restoreObservation({ token: TOKEN, peer: 'server', request }, handler, {
    followPeer,
  });
  let messageId = 100;
  const notify = (value: number | undefined, fields: Draft = {}, from = server) => {
    from.send({
      code: Code.CONTENT,
      messageId: messageId++,
      token: TOKEN,
      options: value === undefined ? [] : [seq(value)],
      ...fields,
    });
    world.clock.advance(20);
  };
  return { world, endpoint, server, seen, observation, notify, handler };
}

describe('freshness (RFC 7641 §3.4)', () => {
  const cases: readonly (readonly [first: number, second: number, seconds: number, fresh: boolean])[] = [
    [1, 2, 0, true],
    [2, 1, 0, false],
    [0, (1 << 23) - 1, 0, true],
    [0, 1 << 23, 0, false],
    [(1 << 24) - 1, 0, 0, true],
    [(1 << 23) + 1, 0, 0, true],
    [1 << 23, 0, 0, false],
    [5, 4, 127, false],
    [5, 4, 129, true],
  ];
  for (const [first, second, seconds, fresh] of cases) {
    test(`${second} is ${fresh ? '' : 'not '}newer than ${first} after ${seconds} s`, () => {
      const { world, notify, seen } = setUp();
      notify(first);
      world.clock.advance(seconds * 1000);
      notify(second);
      expect(seen.map((one) => [one.observe, one.fresh])).toEqual([
        [first, true],
        [second, fresh],
      ]);
    });
  }

  test('an old one does not make those after it old', () => {
    const { notify, seen } = setUp();
    for (const value of [10, 12, 11, 13, 12]) notify(value);
    expect(seen.map(({ fresh }) => fresh)).toEqual([true, true, false, true, false]);
  });
});

describe('a confirmable notification', () => {
  test('is acknowledged when it is accepted, not before', () => {
    const { world, notify, seen, server } = setUp(() => {});
    notify(1, { payload: 'x' });
    world.clock.advance(1_000);
    expect(server.received).toEqual([]);
    const [one] = seen;
    expect(one).toMatchObject({
      confirmable: true,
      messageId: 100,
      peer: 'server',
      code: Code.CONTENT,
      observe: 1,
    });
    one?.accept();
    one?.accept();
    one?.reject();
    one?.ignore();
    world.clock.advance(20);
    expect(server.received.map(({ type, messageId }) => [type, messageId])).toEqual([[ACK, 100]]);
  });

  test('is delivered once: duplicates meet silence while it is pending, and the same ACK afterwards', () => {
    const { world, seen, server, notify } = setUp(() => {});
    notify(1);
    notify(1, { messageId: 100 });
    expect(seen).toHaveLength(1);
    expect(server.received).toEqual([]);
    seen[0]?.accept();
    world.clock.advance(20);
    notify(1, { messageId: 100 });
    expect(seen).toHaveLength(1);
    expect(server.received.map(({ type }) => type)).toEqual([ACK, ACK]);
  });

  test('that is rejected gets RST, and its observation is over', () => {
    const { endpoint, server, notify } = setUp((one) => one.reject());
    notify(1);
    expect(server.take()).toMatchObject({ type: RST, messageId: 100 });
    expect(endpoint.observation(TOKEN)).toBeUndefined();
    notify(2);
    expect(server.take()).toMatchObject({ type: RST, messageId: 101 });
  });

  test('that is ignored gets nothing, and is delivered anew and as fresh when it comes again', () => {
    let times = 0;
    const { seen, server, notify } = setUp((one) => (times++ < 2 ? one.ignore() : one.accept()));
    for (let i = 0; i < 3; i++) notify(7, { messageId: 100 });
    expect(seen.map(({ fresh }) => fresh)).toEqual([true, true, true]);
    expect(server.received.map(({ type }) => type)).toEqual([ACK]);
  });

  test('whose handler throws is left to come again, and the fault is told', () => {
    const fault = new Error('a bug');
    const { world, endpoint, seen, server, notify } = setUp(() => {
      throw fault;
    });
    notify(7, { messageId: 100 });
    notify(7, { messageId: 100 });
    expect(seen).toHaveLength(2);
    expect(server.received).toEqual([]);
    expect(world.faults).toEqual([fault, fault]);
    expect(endpoint.observation(TOKEN)).toBeDefined();
  });

  test('decided after its lifetime changes nothing', () => {
    const { world, seen, server, notify } = setUp(() => {}, { parameters: { maxDeduplicationPerPeer: 1 } });
    notify(1);
    world.clock.advance(248_000);
    notify(2);
    seen[0]?.accept();
    seen[0]?.ignore();
    world.clock.advance(20);
    expect(server.received).toEqual([]);
    seen[1]?.accept();
    world.clock.advance(20);
    expect(server.take()).toMatchObject({ type: ACK, messageId: 101 });
  });
});

describe('a NON notification', () => {
  test('is never acknowledged, may be rejected, and may be ignored', () => {
    const actions: ((one: IncomingNotification) => void)[] = [
      (one) => one.accept(),
      (one) => one.ignore(),
      (one) => one.accept(),
      (one) => one.reject(),
    ];
    const { seen, server, notify } = setUp((one) => actions.shift()?.(one));
    notify(1, { type: NON, messageId: 1 });
    notify(1, { type: NON, messageId: 1 });
    notify(2, { type: NON, messageId: 2 });
    notify(2, { type: NON, messageId: 2 });
    notify(3, { type: NON, messageId: 3 });
    expect(seen.map(({ messageId }) => messageId)).toEqual([1, 2, 2, 3]);
    expect(seen[0]?.confirmable).toBe(false);
    expect(server.received.map(({ type, messageId }) => [type, messageId])).toEqual([[RST, 3]]);
  });
});

describe('the end of an observation', () => {
  test('is a notification without the Observe option, or with an error', () => {
    for (const fields of [
      { code: Code.CONTENT, options: [] },
      { code: Code.NOT_FOUND, options: [] },
      { code: Code.NOT_FOUND, options: [seq(9)] },
    ]) {
      const { endpoint, seen, server, notify } = setUp();
      notify(undefined, fields);
      expect(seen[0]).toMatchObject({ code: fields.code, observe: undefined, fresh: true });
      expect(server.take().type).toBe(ACK);
      expect(endpoint.observation(TOKEN)).toBeUndefined();
    }
  });

  test('comes again where it was ignored', () => {
    let times = 0;
    const { endpoint, seen, notify } = setUp((one) => (times++ === 0 ? one.ignore() : one.accept()));
    notify(undefined, { messageId: 5, code: Code.NOT_FOUND });
    expect(endpoint.observation(TOKEN)).toBeDefined();
    notify(undefined, { messageId: 5, code: Code.NOT_FOUND });
    expect(seen).toHaveLength(2);
    expect(endpoint.observation(TOKEN)).toBeUndefined();
  });

  test('may be passive: what is forgotten is rejected when it next speaks', () => {
    const { observation, seen, server, notify } = setUp();
    observation.forget();
    notify(1);
    expect(seen).toEqual([]);
    expect(server.take().type).toBe(RST);
  });

  test('may be active: Observe 1 with the same token; what was still under way is rejected', async () => {
    const { world, endpoint, observation, server, notify } = setUp();
    const cancelled = observation.cancel();
    world.clock.advance(20);
    const cancel = server.take();
    expect([hex(cancel.token), observe(cancel.options), cancel.code]).toEqual([TOKEN, 1, Code.GET]);
    expect(endpoint.observation(TOKEN)).toBeUndefined();
    notify(3);
    expect(server.take().type).toBe(RST);
    server.send({
      type: ACK,
      code: Code.CONTENT,
      messageId: cancel.messageId,
      token: TOKEN,
      payload: 'last',
    });
    expect(text((await world.settle(cancelled)).payload)).toBe('last');
  });

  test('active, has a deadline', async () => {
    const { world, observation } = setUp();
    await expect(world.settle(observation.cancel({ timeout: 100 }))).rejects.toThrow(TimeoutError);
    expect(world.clock.now()).toBe(100);
  });
});

describe('observing', () => {
  test('ends without an observation where the peer declines', async () => {
    for (const answer of [{ code: Code.CONTENT }, { code: Code.NOT_FOUND, options: [seq(1)] }]) {
      const { world, endpoint, server, handler } = setUp();
      server.onMessage = ({ messageId, token }) =>
        server.send({ ...answer, type: ACK, messageId, token: hex(token) });
      const result = await world.settle(endpoint.observe('server', request, { onNotification: handler }));
      expect(result).toMatchObject({ response: { code: answer.code }, observation: undefined });
      expect(endpoint.statistics.observations).toBe(1);
    }
  });

  test('leaves nothing where there is no answer', async () => {
    const { world, endpoint, handler } = setUp();
    await expect(
      world.settle(endpoint.observe('server', request, { onNotification: handler, token: 'ff' })),
    ).rejects.toThrow(TimeoutError);
    expect(endpoint.observation('ff')).toBeUndefined();
  });

  test('takes a notification that overtakes the answer as the answer', async () => {
    const { world, endpoint, server, handler, seen } = setUp();
    const observing = endpoint.observe('server', request, { onNotification: handler, token: 'ff' });
    world.clock.advance(20);
    const { messageId } = server.take();
    server.send({ code: Code.CONTENT, messageId: 3, token: 'ff', options: [seq(6)], payload: 'newer' });
    server.send({
      type: ACK,
      code: Code.CONTENT,
      messageId,
      token: 'ff',
      options: [seq(5)],
      payload: 'older',
    });
    const { response, observation } = await world.settle(observing);
    expect(text(response.payload)).toBe('newer');
    expect(observation).toBeDefined();
    world.clock.advance(20);
    expect(server.received.map(({ type }) => type)).toEqual([ACK]);
    expect(seen).toEqual([]);
  });

  test('refuses tokens that are none, or in use', async () => {
    const { world, endpoint, handler } = setUp();
    for (const token of ['', 'xy', TOKEN]) {
      await expect(endpoint.observe('server', request, { onNotification: handler, token })).rejects.toThrow(
        RequestError,
      );
    }
    const first = endpoint.observe('server', request, { onNotification: handler, token: 'ff' });
    await expect(
      endpoint.observe('server', request, { onNotification: handler, token: 'ff' }),
    ).rejects.toThrow(RequestError);
    await expect(world.settle(first)).rejects.toThrow(TimeoutError);
  });

  test('restoring replaces what had the token', () => {
    const { endpoint, notify, seen } = setUp();
    const again: number[] = [];
    endpoint.restoreObservation({ token: TOKEN, peer: 'server', request }, (one) => {
      again.push(one.observe ?? -1);
      one.accept();
    });
    notify(4);
    expect([seen.length, again]).toEqual([0, [4]]);
    expect(endpoint.statistics.observations).toBe(1);
    expect(endpoint.observation(TOKEN)).toMatchObject({
      token: TOKEN,
      peer: 'server',
      request,
    } satisfies Partial<Observation>);
  });
});

describe('a peer at a new address', () => {
  test('is followed where that was asked for, and its observation is there from then on', () => {
    const { world, endpoint, seen, notify } = setUp(undefined, { followPeer: true });
    const moved = world.raw('moved', 'client');
    notify(1, {}, moved);
    expect(seen.map(({ peer }) => peer)).toEqual(['moved']);
    expect(endpoint.observation(TOKEN)?.peer).toBe('moved');
    expect(moved.take().type).toBe(ACK);
    endpoint.observation(TOKEN)?.forget();
    notify(2, {}, moved);
    expect(moved.take().type).toBe(RST);
  });

  test('is a stranger otherwise', () => {
    const { world, endpoint, seen, notify } = setUp();
    const stranger = world.raw('stranger', 'client');
    notify(1, {}, stranger);
    expect(seen).toEqual([]);
    expect(stranger.take().type).toBe(RST);
    expect(endpoint.observation(TOKEN)?.peer).toBe('server');
  });
});

describe('a block-wise notification', () => {
  const whole = Uint8Array.from({ length: 40 }, (_, i) => i);
  const part = (number: number, options: Draft['options'] = []): Draft => ({
    options: [block(2, `${number}/${number < 2 ? 1 : 0}/16`), ...(options ?? [])],
    payload: whole.subarray(number * 16, number * 16 + 16),
  });

  test('is read whole with the request of its observation, and acknowledged with the whole', () => {
    const { world, server, seen, notify } = setUp(() => {});
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    const second = server.take();
    expect([second.type, second.code, blockText(second, 2)]).toEqual([CON, Code.GET, '1/0/16']);
    expect(second.options.slice(0, 1)).toEqual(request.options);
    expect(observe(second.options)).toBeUndefined();
    expect(hex(second.token)).not.toBe(TOKEN);
    // Sent again meanwhile: nothing happens twice.
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    expect(server.received).toEqual([]);
    const answer = { type: ACK, code: Code.CONTENT } as const;
    server.send({ ...answer, messageId: second.messageId, token: hex(second.token), ...part(1) });
    world.clock.advance(20);
    const third = server.take();
    server.send({ ...answer, messageId: third.messageId, token: hex(third.token), ...part(2) });
    world.clock.advance(20);
    expect(
      seen.map(({ payload, observe: value, fresh, messageId }) => [payload, value, fresh, messageId]),
    ).toEqual([[whole, 5, true, 1]]);
    expect(server.received).toEqual([]);
    seen[0]?.accept();
    world.clock.advance(20);
    expect(server.take()).toMatchObject({ type: ACK, messageId: 1 });
  });

  test('is given up for a newer one', () => {
    const { world, server, seen, notify } = setUp();
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    server.take();
    notify(6, { messageId: 2, payload: 'newer' });
    expect(server.take()).toMatchObject({ type: ACK, messageId: 2 });
    notify(7, { messageId: 3, ...part(0, [seq(7)]) });
    world.clock.advance(200_000);
    expect(seen.map(({ observe: value }) => value)).toEqual([6]);
  });

  test('whose rest cannot be had is left to come again', () => {
    const failures: Draft[] = [
      { type: RST },
      { type: ACK, code: Code.NOT_FOUND },
      { type: ACK, code: Code.CONTENT, ...part(2) },
      { type: ACK, code: Code.CONTENT, ...part(1, [{ number: OptionNumber.ETAG, value: bytes('other') }]) },
    ];
    for (const failure of failures) {
      const { world, endpoint, server, seen, notify } = setUp();
      notify(5, { messageId: 1, ...part(0, [seq(5)]) });
      const second = server.take();
      const token = failure.type === RST ? '' : hex(second.token);
      server.send({ ...failure, messageId: second.messageId, token });
      world.clock.advance(20);
      expect([seen, server.received]).toEqual([[], []]);
      notify(5, { messageId: 1, payload: 'short now' });
      expect(seen.map(({ payload, fresh }) => [text(payload), fresh])).toEqual([['short now', true]]);
      expect(endpoint.statistics.outstanding).toBe(0);
    }
  });

  test('is dropped with its observation', () => {
    const { world, endpoint, server, seen, observation, notify } = setUp();
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    observation.forget();
    expect(endpoint.statistics.outstanding).toBe(0);
    server.received.length = 0;
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    expect(server.take()).toMatchObject({ type: RST, messageId: 1 });
    world.clock.advance(200_000);
    expect(seen).toEqual([]);
  });

  test('that makes no sense is rejected', () => {
    for (const [value, payload] of [
      ['1/1/16', whole.subarray(0, 16)],
      ['0/1/16', whole.subarray(0, 3)],
    ] as const) {
      const { endpoint, server, seen, notify } = setUp();
      notify(5, { options: [seq(5), block(2, value)], payload });
      expect(server.take().type).toBe(RST);
      expect([seen, endpoint.statistics.malformed]).toEqual([[], 1]);
      expect(endpoint.observation(TOKEN)).toBeUndefined();
    }
  });
});

describe('a token that nobody holds', () => {
  type Found = ResolvedObservation | 'unknown' | 'unavailable';

  function resolving() {
    const world = new World();
    const asked: { token: string; peer: string; done: (found: Found) => void }[] = [];
    const endpoint = world.endpoint('client', {
      resolveObservation: (token, peer, _identity, done) => {
        asked.push({ token, peer, done });
      },
    });
    const server = world.raw('server', 'client');
    const seen: number[] = [];
    const found: ResolvedObservation = {
      key: { token: TOKEN, peer: 'server', request },
      onNotification: (one) => {
        seen.push(one.observe ?? -1);
        one.accept();
      },
    };
    const notify = (messageId: number, value = messageId) => {
      server.send({ code: Code.CONTENT, messageId, token: TOKEN, options: [seq(value)] });
      world.clock.advance(20);
    };
    return { world, endpoint, server, asked, seen, found, notify };
  }

  test('is asked for once; what came meanwhile is delivered in order', () => {
    const { endpoint, world, server, asked, seen, found, notify } = resolving();
    for (const id of [1, 2, 2, 3]) notify(id);
    expect(asked.map(({ token, peer }) => [token, peer])).toEqual([[TOKEN, 'server']]);
    expect(server.received).toEqual([]);
    asked[0]?.done(found);
    asked[0]?.done('unknown');
    world.clock.advance(20);
    expect(seen).toEqual([1, 2, 3]);
    expect(server.received.map(({ type, messageId }) => [type, messageId])).toEqual([
      [ACK, 1],
      [ACK, 2],
      [ACK, 3],
    ]);
    notify(4);
    expect(asked).toHaveLength(1);
    expect(endpoint.observation(TOKEN)).toBeDefined();
  });

  test('that is unknown for certain is rejected', () => {
    const { world, server, asked, notify } = resolving();
    notify(1);
    asked[0]?.done('unknown');
    world.clock.advance(20);
    expect(server.take()).toMatchObject({ type: RST, messageId: 1 });
  });

  test('that nobody can tell of meets silence, and is asked for anew when it comes again', () => {
    const { world, server, asked, seen, found, notify } = resolving();
    notify(1);
    asked[0]?.done('unavailable');
    world.clock.advance(20);
    expect(server.received).toEqual([]);
    notify(1);
    asked[1]?.done(found);
    world.clock.advance(20);
    expect(seen).toEqual([1]);
    expect(server.take().type).toBe(ACK);
  });

  test('waits with no more than a bounded number of notifications', () => {
    const { endpoint, asked, seen, found, notify } = resolving();
    for (let id = 1; id <= 20; id++) notify(id);
    asked[0]?.done(found);
    expect(seen).toHaveLength(16);
    expect(endpoint.statistics.refused).toBe(4);
  });

  test('follows whoever has it', () => {
    const { world, endpoint, asked, seen, found } = resolving();
    const moved = world.raw('moved', 'client');
    moved.send({ code: Code.CONTENT, messageId: 1, token: TOKEN, options: [seq(1)] });
    world.clock.advance(20);
    asked[0]?.done(found);
    expect(seen).toEqual([1]);
    expect(endpoint.observation(TOKEN)?.peer).toBe('moved');
  });

  test('leaves silence where the resolver throws', () => {
    const world = new World();
    const fault = new Error('a bug');
    world.endpoint('client', {
      resolveObservation: () => {
        throw fault;
      },
    });
    const server = world.raw('server', 'client');
    server.send({ code: Code.CONTENT, messageId: 1, token: TOKEN, options: [seq(1)] });
    world.clock.advance(20);
    expect([server.received, world.faults]).toEqual([[], [fault]]);
  });

  test('of no bytes is asked of nobody', () => {
    const { world, server, asked } = resolving();
    server.send({ code: Code.CONTENT, messageId: 1, options: [seq(1)] });
    world.clock.advance(20);
    expect(asked).toEqual([]);
    expect(server.take().type).toBe(RST);
  });
});
