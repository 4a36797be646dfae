import { describe, expect, test } from 'vitest';
import type { IncomingNotification, Observation } from '../../../protocol/coap/exchange.ts';
import { Code, MessageType } from '../../../protocol/coap/message.ts';
import { observe } from '../../../protocol/coap/options.ts';
import { RequestError, TimeoutError } from '../../../protocol/errors.ts';
import { hex, text } from '../../support/coap/raw-peer.ts';
import { request, restoredObservation, seq, TOKEN } from '../../support/coap/restored-observation.ts';

const { NON, ACK, RST } = MessageType;

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
      const { world, notify, seen } = restoredObservation();
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
    const { notify, seen } = restoredObservation();
    for (const value of [10, 12, 11, 13, 12]) notify(value);
    expect(seen.map(({ fresh }) => fresh)).toEqual([true, true, false, true, false]);
  });
});

describe('a confirmable notification', () => {
  test('is acknowledged when it is accepted, not before', () => {
    const { world, notify, seen, server } = restoredObservation(() => {});
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
    const { world, seen, server, notify } = restoredObservation(() => {});
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

  test('is told from another one to which the peer gives the same id', () => {
    const { world, seen, server, notify } = restoredObservation(() => {});
    notify(1, { payload: 'x' });
    seen[0]?.accept();
    notify(2, { messageId: 100, payload: 'y' });
    world.clock.advance(20);
    expect(seen.map(({ payload }) => text(payload))).toEqual(['x', 'y']);
    expect(server.received.map(({ type, messageId }) => [type, messageId])).toEqual([[ACK, 100]]);
    seen[1]?.accept();
    // Each again: both are known, and neither is delivered twice.
    notify(1, { messageId: 100, payload: 'x' });
    notify(2, { messageId: 100, payload: 'y' });
    world.clock.advance(20);
    expect(seen).toHaveLength(2);
    expect(server.received).toHaveLength(4);
  });

  test('that is rejected gets RST, and its observation is over', () => {
    const { endpoint, server, notify } = restoredObservation((one) => one.reject());
    notify(1);
    expect(server.take()).toMatchObject({ type: RST, messageId: 100 });
    expect(endpoint.observation(TOKEN)).toBeUndefined();
    notify(2);
    expect(server.take()).toMatchObject({ type: RST, messageId: 101 });
  });

  test('that is ignored gets nothing, and is delivered anew and as fresh when it comes again', () => {
    let times = 0;
    const { seen, server, notify } = restoredObservation((one) =>
      times++ < 2 ? one.ignore() : one.accept(),
    );
    for (let i = 0; i < 3; i++) notify(7, { messageId: 100 });
    expect(seen.map(({ fresh }) => fresh)).toEqual([true, true, true]);
    expect(server.received.map(({ type }) => type)).toEqual([ACK]);
  });

  test('whose handler throws is left to come again, and the fault is told', () => {
    const fault = new Error('a bug');
    const { world, endpoint, seen, server, notify } = restoredObservation(() => {
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
    const { world, seen, server, notify } = restoredObservation(() => {}, {
      parameters: { maxDeduplicationPerPeer: 1 },
    });
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
    const { seen, server, notify } = restoredObservation((one) => actions.shift()?.(one));
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
      const { endpoint, seen, server, notify } = restoredObservation();
      notify(undefined, fields);
      expect(seen[0]).toMatchObject({ code: fields.code, observe: undefined, fresh: true });
      expect(server.take().type).toBe(ACK);
      expect(endpoint.observation(TOKEN)).toBeUndefined();
    }
  });

  test('comes again where it was ignored', () => {
    let times = 0;
    const { endpoint, seen, notify } = restoredObservation((one) =>
      times++ === 0 ? one.ignore() : one.accept(),
    );
    notify(undefined, { messageId: 5, code: Code.NOT_FOUND });
    expect(endpoint.observation(TOKEN)).toBeDefined();
    notify(undefined, { messageId: 5, code: Code.NOT_FOUND });
    expect(seen).toHaveLength(2);
    expect(endpoint.observation(TOKEN)).toBeUndefined();
  });

  test('may be passive: what is forgotten is rejected when it next speaks', () => {
    const { observation, seen, server, notify } = restoredObservation();
    observation.forget();
    notify(1);
    expect(seen).toEqual([]);
    expect(server.take().type).toBe(RST);
  });

  test('may be active: Observe 1 with the same token; what was still under way is rejected', async () => {
    const { world, endpoint, observation, server, notify } = restoredObservation();
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
    const { world, observation } = restoredObservation();
    await expect(world.settle(observation.cancel({ timeout: 100 }))).rejects.toThrow(TimeoutError);
    expect(world.clock.now()).toBe(100);
  });
});

describe('observing', () => {
  test('ends without an observation where the peer declines', async () => {
    for (const answer of [{ code: Code.CONTENT }, { code: Code.NOT_FOUND, options: [seq(1)] }]) {
      const { world, endpoint, server, handler } = restoredObservation();
      server.onMessage = ({ messageId, token }) =>
        server.send({ ...answer, type: ACK, messageId, token: hex(token) });
      const result = await world.settle(endpoint.observe('server', request, { onNotification: handler }));
      expect(result).toMatchObject({ response: { code: answer.code }, observation: undefined });
      expect(endpoint.statistics.observations).toBe(1);
    }
  });

  test('leaves nothing where there is no answer', async () => {
    const { world, endpoint, handler } = restoredObservation();
    await expect(
      world.settle(endpoint.observe('server', request, { onNotification: handler, token: 'ff' })),
    ).rejects.toThrow(TimeoutError);
    expect(endpoint.observation('ff')).toBeUndefined();
  });

  test('takes a notification that overtakes the answer as the answer', async () => {
    const { world, endpoint, server, handler, seen } = restoredObservation();
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
    const { world, endpoint, handler } = restoredObservation();
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
    const { endpoint, notify, seen } = restoredObservation();
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
    const { world, endpoint, seen, notify } = restoredObservation(undefined, { followPeer: true });
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
    const { world, endpoint, seen, notify } = restoredObservation();
    const stranger = world.raw('stranger', 'client');
    notify(1, {}, stranger);
    expect(seen).toEqual([]);
    expect(stranger.take().type).toBe(RST);
    expect(endpoint.observation(TOKEN)?.peer).toBe('server');
  });
});
