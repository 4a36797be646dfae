import { describe, expect, test } from 'vitest';
import type { IncomingRequest, Observer } from '../../../protocol/coap/exchange.ts';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { observe, uintOption } from '../../../protocol/coap/options.ts';
import type { CoapParameters } from '../../../protocol/coap/parameters.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { blockText, bytes, type Draft, hex, text } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const { CON, NON, ACK, RST } = MessageType;
const register = uintOption(OptionNumber.OBSERVE, 0);
const deregister = uintOption(OptionNumber.OBSERVE, 1);

function setUp(parameters: Partial<CoapParameters> = {}, code: Code = Code.CONTENT, ids = 65_536) {
  const world = new World();
  const observers: Observer[] = [];
  const ends: string[] = [];
  const requests: IncomingRequest[] = [];
  const endpoint = world.endpoint('server', {
    parameters,
    messageIds: { first: 0, count: ids },
    handler: (request) => {
      requests.push(request);
      if (request.observe === 0) observers.push(request.acceptObserve((reason) => ends.push(reason)));
      request.respond({ code, payload: bytes('first') });
    },
  });
  const client = world.raw('client', 'server');
  let messageId = 1;
  const ask = (fields: Draft = {}) => {
    client.send({
      code: Code.GET,
      messageId: messageId++,
      token: 'aa',
      path: '/t',
      options: [register],
      ...fields,
    });
    world.clock.advance(20);
    return client.take();
  };
  const first = ask();
  const observer = observers[0] as Observer;
  const results: [string, boolean][] = [];
  const notify = (payload: string, options: Parameters<Observer['notify']>[1] = {}) =>
    observer.notify({ code: Code.CONTENT, payload: bytes(payload) }, options, (done) =>
      results.push([payload, done]),
    );
  const ack = (message = client.take()) => {
    client.send({ type: ACK, messageId: message.messageId });
    world.clock.advance(20);
    return message;
  };
  return { world, endpoint, client, requests, observers, observer, ends, results, notify, ack, ask, first };
}

describe('an observer', () => {
  test('is told in the answer, and counted', () => {
    const { first, endpoint, observer, requests } = setUp();
    expect(first.type).toBe(ACK);
    expect(observe(first.options)).toBeDefined();
    expect(endpoint.statistics.observers).toBe(1);
    expect([observer.peer, hex(observer.token)]).toEqual(['client', 'aa']);
    expect(requests[0]?.observe).toBe(0);
  });

  test('is none where the answer is an error', () => {
    const { first, endpoint, ends } = setUp({}, Code.NOT_FOUND);
    expect(observe(first.options)).toBeUndefined();
    expect(ends).toEqual(['error-response']);
    expect(endpoint.statistics.observers).toBe(0);
  });

  test('cannot be made of another request', () => {
    const { world, client, requests } = setUp();
    client.send({ code: Code.GET, messageId: 50, token: 'bb' });
    client.send({ code: Code.POST, messageId: 51, token: 'cc', options: [register] });
    world.clock.advance(20);
    for (const request of requests.slice(1)) {
      expect(request.observe).toBeUndefined();
      expect(() => request.acceptObserve(() => {})).toThrow(RequestError);
    }
    expect(() => requests[0]?.acceptObserve(() => {})).toThrow(RequestError);
  });

  test('gets confirmable notifications one at a time, each again until it acknowledges', () => {
    const { world, client, notify, ack, results } = setUp();
    notify('1');
    world.clock.advance(3_100);
    expect(client.received).toHaveLength(2);
    const [first, again] = [client.take(), client.take()];
    expect(again).toEqual(first);
    expect([first.type, hex(first.token), text(first.payload)]).toEqual([CON, 'aa', '1']);
    expect(results).toEqual([]);
    ack(first);
    expect(results).toEqual([['1', true]]);
    notify('2');
    world.clock.advance(20);
    ack();
    expect(results).toEqual([
      ['1', true],
      ['2', true],
    ]);
  });

  test('gets the newest of those that waited, and all that are to be kept, in order', () => {
    const { world, notify, ack, results } = setUp();
    notify('1');
    notify('2');
    notify('kept', { keep: true });
    notify('3');
    notify('4');
    world.clock.advance(20);
    expect(results).toEqual([
      ['2', false],
      ['3', false],
    ]);
    expect(['1', 'kept', '4'].map(() => text(ack().payload))).toEqual(['1', 'kept', '4']);
    expect(results.slice(2)).toEqual([
      ['1', true],
      ['kept', true],
      ['4', true],
    ]);
  });

  test('gets a newer state in place of a retransmission (RFC 7641 §4.5.2)', () => {
    const { world, client, notify, ack, results } = setUp();
    notify('1');
    notify('2');
    world.clock.advance(3_100);
    const [first, second] = [client.take(), client.take()];
    expect([text(first.payload), text(second.payload)]).toEqual(['1', '2']);
    expect(second.messageId).not.toBe(first.messageId);
    expect(observe(second.options) ?? 0).toBeGreaterThan(observe(first.options) ?? 0);
    expect(results).toEqual([['1', false]]);
    // The attempts are counted together.
    world.clock.advance(2_000);
    expect(client.received).toEqual([]);
    ack(second);
    expect(results).toEqual([
      ['1', false],
      ['2', true],
    ]);
  });

  test('gets one that is kept as often as it takes, whatever waits behind it', () => {
    const { world, client, notify } = setUp();
    notify('kept', { keep: true });
    notify('newer');
    world.clock.advance(3_100);
    expect(client.received.map(({ payload }) => text(payload))).toEqual(['kept', 'kept']);
  });

  test('has a bounded queue', () => {
    const { endpoint, world, notify, results } = setUp({ maxQueuedPerPeer: 2 });
    for (const one of ['1', '2', '3', '4']) notify(one, { keep: true });
    expect(results).toEqual([['4', false]]);
    expect(endpoint.statistics.refused).toBe(1);
    world.clock.advance(20);
  });

  test('that shares a peer with too many others gets nothing, and its notifier hears of it', () => {
    const { world, endpoint, ask, observers, observer } = setUp({ maxQueuedPerPeer: 0 });
    ask({ token: 'bb' });
    const results: boolean[] = [];
    observer.notify({ code: Code.CONTENT }, {}, (done) => results.push(done));
    observers[1]?.notify({ code: Code.CONTENT }, {}, (done) => results.push(done));
    expect(results).toEqual([false]);
    expect(endpoint.statistics.refused).toBe(1);
    world.clock.advance(20);
  });

  test('gets NON notifications at once, one of a day confirmable all the same', () => {
    const { world, client, notify, results } = setUp();
    notify('1', { confirmable: false });
    notify('2', { confirmable: false });
    world.clock.advance(20);
    expect(client.received.map(({ type }) => type)).toEqual([NON, NON]);
    expect(results).toEqual([
      ['1', true],
      ['2', true],
    ]);
    client.received.length = 0;
    world.clock.advance(24 * 3_600_000);
    notify('3', { confirmable: false });
    world.clock.advance(20);
    expect(client.take().type).toBe(CON);
  });

  test('has numbers that go on when it registers again', () => {
    const { world, client, ask, first, notify } = setUp();
    for (let i = 0; i < 50; i++) notify(String(i), { confirmable: false });
    world.clock.advance(20);
    client.received.length = 0;
    expect(((observe(ask().options) ?? 0) - (observe(first.options) ?? 0)) & 0xffffff).toBe(51);
  });

  test('has numbers that go on from those before a restart of the server', () => {
    const one = setUp();
    const two = setUp();
    // The second runs an hour later.
    const later = new World();
    later.clock.setWallTime(one.world.clock.wallTime() + 3_600_000);
    let observer: Observer | undefined;
    later.endpoint('server', {
      handler: (request) => {
        observer = request.acceptObserve(() => {});
        request.respond({ code: Code.CONTENT });
      },
    });
    const client = later.raw('client', 'server');
    client.send({ code: Code.GET, messageId: 1, token: 'aa', options: [register] });
    later.clock.advance(20);
    expect(observer).toBeDefined();
    const before = observe(one.first.options) ?? 0;
    const after = observe(client.take().options) ?? 0;
    expect((after - before) & 0xffffff).toBeLessThan(1 << 23);
    expect(after).not.toBe(before);
    expect(two.first.options).toEqual(one.first.options);
  });

  test('in blocks gets the first one, and reads the others', () => {
    const { world, client, notify } = setUp({ preferredBlockSize: 16 });
    notify('a body of some more bytes', { confirmable: false });
    world.clock.advance(20);
    const first = client.take();
    expect(blockText(first, 2)).toBe('0/1/16');
    expect(text(first.payload)).toBe('a body of some m');
  });
});

describe('a notification that cannot be encoded', () => {
  test('is the fault of who gave it, and hinders nothing', () => {
    const { world, observer, notify, ack, results } = setUp();
    const options = [{ number: 70_000, value: new Uint8Array(0) }];
    expect(() => observer.notify({ code: Code.CONTENT, options })).toThrow(RequestError);
    notify('next');
    world.clock.advance(20);
    ack();
    expect(results).toEqual([['next', true]]);
  });
});

describe('an observation ends', () => {
  test('by Observe 1 with the same token, which is answered', () => {
    const { endpoint, ask, ends, observer, results, notify } = setUp();
    const answer = ask({ options: [deregister] });
    expect(text(answer.payload)).toBe('first');
    expect(observe(answer.options)).toBeUndefined();
    expect([ends, endpoint.statistics.observers]).toEqual([['deregistered'], 0]);
    notify('late');
    expect(results).toEqual([['late', false]]);
    observer.end();
    expect(ends).toEqual(['deregistered']);
  });

  test('not by Observe 1 with another token', () => {
    const { ask, ends } = setUp();
    ask({ options: [deregister], token: 'bb' });
    expect(ends).toEqual([]);
  });

  test('by a new registration with the same token', () => {
    const { ask, ends, observers, endpoint } = setUp();
    ask();
    expect([ends, observers.length, endpoint.statistics.observers]).toEqual([['replaced'], 2, 1]);
  });

  test('by RST to a confirmable notification, with all that waited', () => {
    const { world, client, notify, ends, results } = setUp();
    notify('1');
    notify('2');
    notify('3', { keep: true });
    world.clock.advance(20);
    client.send({ type: RST, messageId: client.take().messageId });
    world.clock.advance(20);
    expect(ends).toEqual(['reset']);
    expect(results).toEqual([
      ['1', false],
      ['2', false],
      ['3', false],
    ]);
    world.clock.advance(100_000);
    expect(client.received).toEqual([]);
  });

  test('by RST to a NON notification', () => {
    const { world, client, notify, ends } = setUp();
    notify('1', { confirmable: false });
    world.clock.advance(20);
    const { messageId } = client.take();
    client.send({ type: RST, messageId: messageId ^ 1 });
    world.clock.advance(20);
    expect(ends).toEqual([]);
    client.send({ type: RST, messageId });
    world.clock.advance(20);
    expect(ends).toEqual(['reset']);
    client.send({ type: RST, messageId });
    world.clock.advance(20);
    expect(ends).toEqual(['reset']);
  });

  test('by a confirmable notification that nobody acknowledges', () => {
    const { world, notify, ends, results, endpoint } = setUp();
    notify('1');
    world.clock.advance(100_000);
    expect([ends, results, endpoint.statistics.timeouts]).toEqual([['timeout'], [['1', false]], 1]);
  });

  test('by an error that is notified, without the Observe option', () => {
    for (const confirmable of [true, false]) {
      const { world, client, observer, ends, ack } = setUp();
      const results: boolean[] = [];
      observer.notify({ code: Code.NOT_FOUND }, { confirmable }, (done) => results.push(done));
      world.clock.advance(20);
      const message = confirmable ? ack() : client.take();
      expect([message.code, observe(message.options)]).toEqual([Code.NOT_FOUND, undefined]);
      expect([ends, results]).toEqual([['error-response'], [true]]);
    }
  });

  test('by RST to a separate first answer, and where that is not acknowledged', () => {
    for (const reset of [true, false]) {
      const world = new World();
      const ends: string[] = [];
      world.endpoint('server', {
        handler: (request) => {
          request.acceptObserve((reason) => ends.push(reason));
          world.clock.setTimer(2_000, () => request.respond({ code: Code.CONTENT }));
        },
      });
      const client = world.raw('client', 'server');
      client.send({ code: Code.GET, messageId: 1, token: 'aa', options: [register] });
      world.clock.advance(2_100);
      const [, separate] = client.received;
      expect(observe(separate?.options ?? [])).toBeDefined();
      if (reset) client.send({ type: RST, messageId: separate?.messageId ?? 0 });
      world.clock.advance(100_000);
      expect(ends).toEqual([reset ? 'reset' : 'timeout']);
    }
  });

  test('without a word by end(), and by closing', async () => {
    const { world, endpoint, ask, observer, ends, notify, results, client } = setUp();
    notify('1');
    observer.end();
    expect([ends, results]).toEqual([[], [['1', false]]]);
    ask({ token: 'bb' });
    await endpoint.close();
    expect(ends).toEqual(['closed']);
    client.received.length = 0;
    world.clock.advance(100_000);
    expect(client.received).toEqual([]);
  });
});

describe('the bounds on observers', () => {
  test('let no peer have more than its share; what does not fit is an ordinary request', () => {
    const { ask, endpoint, requests } = setUp({ maxObserversPerPeer: 2 });
    expect(observe(ask({ token: 'bb' }).options)).toBeDefined();
    expect(observe(ask({ token: 'cc' }).options)).toBeUndefined();
    expect(requests.at(-1)?.observe).toBeUndefined();
    // What observes already may register again.
    expect(observe(ask({ token: 'bb' }).options)).toBeDefined();
    expect(endpoint.statistics.observers).toBe(2);
  });

  test('let all peers together have no more than that', () => {
    const { world, endpoint } = setUp({ maxObservers: 2 });
    for (const name of ['x', 'y']) {
      const peer = world.raw(name, 'server');
      peer.send({ code: Code.GET, messageId: 1, token: 'aa', options: [register] });
      world.clock.advance(20);
      expect(observe(peer.take().options) !== undefined).toBe(name === 'x');
    }
    expect(endpoint.statistics.observers).toBe(2);
  });
});

describe('several observers of one peer', () => {
  test('are told one after the other, and the one that goes first before those that wait', () => {
    const { world, ask, observers, notify, client, ack } = setUp();
    ask({ token: 'bb' });
    ask({ token: 'cc' });
    notify('1');
    const tell = (index: number, options: Parameters<Observer['notify']>[1]) =>
      observers[index]?.notify({ code: Code.CONTENT, payload: bytes(`${index}`) }, options);
    tell(1, {});
    tell(2, { first: true });
    world.clock.advance(20);
    const order: string[] = [];
    for (let count = 0; count < 3; count++) order.push(hex(ack().token));
    expect(order).toEqual(['aa', 'cc', 'bb']);
    expect(client.received).toEqual([]);
  });

  test.each([[false], [true]])('are told where what is to be said has no place: first %s', (first) => {
    const { world, ask, observers, notify, ack } = setUp({ nstart: 2, maxQueuedPerPeer: 0 }, Code.CONTENT, 1);
    ask({ token: 'bb' });
    // It takes the one message id that there is.
    notify('1');
    const told: boolean[] = [];
    const tell = () =>
      observers[1]?.notify({ code: Code.CONTENT, payload: bytes('2') }, { first }, (done) => told.push(done));
    tell();
    expect(told).toEqual([false]);
    world.clock.advance(20);
    ack();
    tell();
    world.clock.advance(20);
    ack();
    expect(told).toEqual([false, true]);
  });
});
