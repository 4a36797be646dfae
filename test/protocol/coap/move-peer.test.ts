import { describe, expect, test } from 'vitest';
import type { Observer } from '../../../protocol/coap/exchange.ts';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { pathOptions, uintOption } from '../../../protocol/coap/options.ts';
import { hex, text } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const { CON, NON, ACK } = MessageType;
const get = (path: string) => ({ code: Code.GET, options: pathOptions(path) });

function setUp() {
  const world = new World();
  let observer: Observer | undefined;
  let handled = 0;
  const endpoint = world.endpoint('server', {
    handler: (request) => {
      handled++;
      if (request.observe === 0) observer = request.acceptObserve(() => {});
      request.respond({ code: Code.CHANGED });
    },
  });
  return {
    world,
    endpoint,
    before: world.raw('before', 'server'),
    after: world.raw('after', 'server'),
    observer: () => observer,
    handled: () => handled,
  };
}

describe('a peer that has moved', () => {
  test('gets what is under way again at once, under the same message id: a device does nothing twice', async () => {
    const { world, endpoint, before, after } = setUp();
    const answer = endpoint.request('before', get('/a'));
    world.clock.advance(500);
    const first = before.take();
    endpoint.movePeer('before', 'after');
    world.clock.advance(20);
    const again = after.take();
    expect(again).toEqual(first);
    world.clock.advance(4_000);
    expect(after.received.length).toBeGreaterThan(0);
    expect(before.received).toEqual([]);
    after.send({
      type: ACK,
      code: Code.CONTENT,
      messageId: again.messageId,
      token: hex(again.token),
      payload: 'there',
    });
    const response = await world.settle(answer);
    expect([text(response.payload), response.peer]).toEqual(['there', 'after']);
  });

  test('gets what waited, in order, still one at a time', async () => {
    const { world, endpoint, before, after } = setUp();
    const answers = ['/1', '/2', '/3'].map((path) => endpoint.request('before', get(path)));
    world.clock.advance(20);
    const first = before.take();
    endpoint.movePeer('before', 'after');
    const ids: number[] = [];
    for (let i = 0; i < 3; i++) {
      world.clock.advance(20);
      expect(after.received).toHaveLength(1);
      const { messageId, token } = after.take();
      ids.push(messageId);
      after.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token) });
    }
    await world.settle(Promise.all(answers));
    // Its message ids go on: at the new address it meets none that it has seen.
    expect(ids[0]).toBe(first.messageId);
    const steps = ids.slice(1).map((id, i) => (id - (ids[i] as number)) & 0xffff);
    expect(steps.every((step) => step > 0 && step < 100)).toBe(true);
  });

  test('may answer a request that it has acknowledged from its new address', async () => {
    const { world, endpoint, before, after } = setUp();
    const answer = endpoint.request('before', get('/a'));
    world.clock.advance(20);
    const { messageId, token } = before.take();
    before.send({ type: ACK, messageId });
    world.clock.advance(20);
    // Before we know that it moved, it is not rejected; it sends it again.
    after.send({ code: Code.CONTENT, messageId: 9, token: hex(token), payload: 'x' });
    world.clock.advance(20);
    expect(after.received).toEqual([]);
    endpoint.movePeer('before', 'after');
    after.send({ code: Code.CONTENT, messageId: 9, token: hex(token), payload: 'x' });
    expect(text((await world.settle(answer)).payload)).toBe('x');
    world.clock.advance(20);
    expect(after.received.map(({ type, code }) => [type, code])).toEqual([[ACK, Code.EMPTY]]);
  });

  test('keeps message ids apart where the new address is busy', async () => {
    const { world, endpoint, before, after } = setUp();
    const all = [endpoint.request('before', get('/a')), endpoint.request('after', get('/b'))];
    world.clock.advance(20);
    const [a, b] = [before.take(), after.take()];
    expect(a.messageId).toBe(b.messageId);
    endpoint.movePeer('before', 'after');
    world.clock.advance(20);
    const moved = after.take();
    expect(moved.messageId).not.toBe(b.messageId);
    for (const one of [moved, b]) {
      after.send({ type: ACK, code: Code.CONTENT, messageId: one.messageId, token: hex(one.token) });
    }
    await world.settle(Promise.all(all));
    expect(endpoint.statistics.outstanding).toBe(0);
    // All places of NSTART are free again.
    const next = endpoint.request('after', get('/c'));
    world.clock.advance(20);
    const { messageId, token } = after.take();
    after.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token) });
    await world.settle(next);
  });

  test('is recognised by its duplicates', () => {
    const { world, endpoint, before, after, handled } = setUp();
    before.send({ code: Code.POST, messageId: 7, token: '01' });
    world.clock.advance(20);
    endpoint.movePeer('before', 'after');
    after.send({ code: Code.POST, messageId: 7, token: '01' });
    world.clock.advance(20);
    expect(handled()).toBe(1);
    expect(after.take()).toEqual(before.take());
  });

  test('takes observations along that follow it, and leaves others', () => {
    const { endpoint } = setUp();
    const request = get('/t');
    for (const [token, followPeer] of [
      ['aa', true],
      ['bb', true],
      ['cc', false],
    ] as const) {
      endpoint.restoreObservation({ token, peer: 'before', request }, (one) => one.accept(), { followPeer });
    }
    endpoint.observation('bb')?.forget();
    endpoint.movePeer('before', 'after');
    expect([endpoint.observation('aa')?.peer, endpoint.observation('cc')?.peer]).toEqual(['after', 'before']);
    endpoint.movePeer('after', 'before');
    expect(endpoint.observation('aa')?.peer).toBe('before');
  });

  test('is told at its new address what it observes', () => {
    const { world, endpoint, before, after, observer } = setUp();
    before.send({
      code: Code.GET,
      messageId: 7,
      token: '01',
      options: [uintOption(OptionNumber.OBSERVE, 0)],
    });
    after.send({ code: Code.GET, messageId: 8, token: '01', options: [uintOption(OptionNumber.OBSERVE, 0)] });
    world.clock.advance(20);
    before.take();
    after.take();
    const moving = observer();
    before.send({
      code: Code.GET,
      messageId: 9,
      token: '02',
      options: [uintOption(OptionNumber.OBSERVE, 0)],
    });
    world.clock.advance(20);
    before.take();
    const second = observer();
    endpoint.movePeer('before', 'after');
    // The one that was there with the same token has given way.
    expect(endpoint.statistics.observers).toBe(2);
    expect(moving?.peer).toBe('after');
    second?.notify({ code: Code.CONTENT }, { confirmable: false });
    second?.notify({ code: Code.CONTENT });
    world.clock.advance(20);
    expect(after.received.map(({ type, token }) => [type, hex(token)])).toEqual([
      [NON, '02'],
      [CON, '02'],
    ]);
  });

  test('may be one that nobody knows', () => {
    const { endpoint } = setUp();
    endpoint.movePeer('nobody', 'after');
    endpoint.movePeer('after', 'after');
    expect(endpoint.statistics.peers).toBe(0);
  });
});
