import { describe, expect, test } from 'vitest';
import type { IncomingNotification, Observer } from '../../../protocol/coap/exchange.ts';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { findOption, maxAge, observe, pathOptions, uintOption } from '../../../protocol/coap/options.ts';
import { bytes, hex, text } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const { NON, ACK } = MessageType;
const age = uintOption(OptionNumber.MAX_AGE, 15);
const seq = (value: number) => uintOption(OptionNumber.OBSERVE, value);
const temperature = { code: Code.GET, options: pathOptions('/temperature') };

function withClient() {
  const world = new World();
  const endpoint = world.endpoint('client');
  const seen: IncomingNotification[] = [];
  const onNotification = (notification: IncomingNotification) => {
    seen.push(notification);
    notification.accept();
  };
  return { world, endpoint, server: world.raw('server', 'client'), seen, onNotification };
}

describe('RFC 7641 appendix A', () => {
  test('figure 3, the client: the current state is the answer, two new ones are notifications', async () => {
    const { world, endpoint, server, seen, onNotification } = withClient();
    const observing = endpoint.observe('server', temperature, { onNotification, token: '4a' });
    world.clock.advance(20);
    const request = server.take();
    expect(hex(request.token)).toBe('4a');
    expect(observe(request.options)).toBe(0);
    server.send({
      type: ACK,
      code: Code.CONTENT,
      messageId: request.messageId,
      token: '4a',
      options: [seq(9), age],
      payload: '18.5 Cel',
    });
    const { response, observation } = await world.settle(observing);
    expect(text(response.payload)).toBe('18.5 Cel');
    expect(maxAge(response.options)).toBe(15);
    expect(observation?.token).toBe('4a');
    server.send({
      type: NON,
      code: Code.CONTENT,
      messageId: 1,
      token: '4a',
      options: [seq(16), age],
      payload: '19.2 Cel',
    });
    server.send({
      type: NON,
      code: Code.CONTENT,
      messageId: 2,
      token: '4a',
      options: [seq(25), age],
      payload: '19.7 Cel',
    });
    world.clock.advance(100);
    expect(seen.map((one) => [one.observe, one.fresh, text(one.payload)])).toEqual([
      [16, true, '19.2 Cel'],
      [25, true, '19.7 Cel'],
    ]);
  });

  test('figure 3, the server: numbers rise with each notification', () => {
    const world = new World();
    let observer: Observer | undefined;
    world.endpoint('server', {
      handler: (request) => {
        observer = request.acceptObserve(() => {});
        request.respond({ code: Code.CONTENT, options: [age], payload: bytes('18.5 Cel') });
      },
    });
    const client = world.raw('client', 'server');
    client.send({ code: Code.GET, messageId: 1, token: '4a', path: '/temperature', options: [seq(0)] });
    world.clock.advance(20);
    observer?.notify(
      { code: Code.CONTENT, options: [age], payload: bytes('19.2 Cel') },
      { confirmable: false },
    );
    observer?.notify(
      { code: Code.CONTENT, options: [age], payload: bytes('19.7 Cel') },
      { confirmable: false },
    );
    world.clock.advance(20);
    const all = client.received;
    expect(all.map(({ payload }) => text(payload))).toEqual(['18.5 Cel', '19.2 Cel', '19.7 Cel']);
    expect(all.every(({ token }) => hex(token) === '4a')).toBe(true);
    const [first = 0, second = 0, third = 0] = all.map(({ options }) => observe(options));
    expect([second - first, third - second]).toEqual([1, 1]);
  });

  test('figure 4: a client whose notification was lost registers again when Max-Age ends, with the same token', async () => {
    const { world, endpoint, server, seen, onNotification } = withClient();
    const observing = endpoint.observe('server', temperature, { onNotification, token: 'b2' });
    world.clock.advance(20);
    const answer = { type: ACK, code: Code.CONTENT, token: 'b2' } as const;
    server.send({
      ...answer,
      messageId: server.take().messageId,
      options: [seq(0), age],
      payload: '22.1 Cel',
    });
    const first = await world.settle(observing);
    // The notification of 22.9 Cel is lost; Max-Age ends.
    world.clock.advance(15_000);
    first.observation?.forget();
    const again = endpoint.observe('server', temperature, { onNotification, token: 'b2' });
    world.clock.advance(20);
    const request = server.take();
    expect([hex(request.token), observe(request.options)]).toEqual(['b2', 0]);
    server.send({ ...answer, messageId: request.messageId, options: [seq(9), age], payload: '22.9 Cel' });
    expect(text((await world.settle(again)).response.payload)).toBe('22.9 Cel');
    server.send({
      type: NON,
      code: Code.CONTENT,
      messageId: 9,
      token: 'b2',
      options: [seq(12)],
      payload: '23.0 Cel',
    });
    world.clock.advance(20);
    expect(seen.map((one) => text(one.payload))).toEqual(['23.0 Cel']);
  });

  test('figure 4, the server: the second registration replaces the first and its numbers go on', () => {
    const world = new World();
    const ends: string[] = [];
    const observers: Observer[] = [];
    world.endpoint('server', {
      handler: (request) => {
        observers.push(request.acceptObserve((reason) => ends.push(reason)));
        request.respond({ code: Code.CONTENT });
      },
    });
    const client = world.raw('client', 'server');
    client.send({ code: Code.GET, messageId: 1, token: 'b2', path: '/temperature', options: [seq(0)] });
    world.clock.advance(15_000);
    client.send({ code: Code.GET, messageId: 2, token: 'b2', path: '/temperature', options: [seq(0)] });
    world.clock.advance(20);
    expect(ends).toEqual(['replaced']);
    const [first = 0, second = 0] = client.received.map(({ options }) => observe(options));
    expect(second).toBeGreaterThan(first);
  });

  test('figure 5: ETags let the server select a stored response by 2.03', async () => {
    const { world, endpoint, server, seen, onNotification } = withClient();
    const etag = { number: OptionNumber.ETAG, value: Uint8Array.of(0x78, 0x79, 0x7a, 0x7a, 0x79) };
    const observing = endpoint.observe(
      'server',
      { ...temperature, options: [...temperature.options, etag] },
      { onNotification, token: 'b2' },
    );
    world.clock.advance(20);
    const request = server.take();
    expect(findOption(request.options, OptionNumber.ETAG)).toEqual(etag);
    server.send({
      type: ACK,
      code: Code.VALID,
      messageId: request.messageId,
      token: 'b2',
      options: [etag, seq(9)],
    });
    const { response, observation } = await world.settle(observing);
    expect(response.code).toBe(Code.VALID);
    expect(observation).toBeDefined();
    server.send({ type: NON, code: Code.VALID, messageId: 7, token: 'b2', options: [etag, seq(12)] });
    world.clock.advance(20);
    expect(seen.map(({ code, observe: number }) => [code, number])).toEqual([[Code.VALID, 12]]);
  });

  test('figures 6 and 7: an intermediary that observes upstream notifies its own observers', async () => {
    const world = new World();
    const proxy = world.endpoint('proxy', {
      handler: (request) => {
        const observer = request.acceptObserve(() => {});
        proxy
          .observe('server', temperature, {
            onNotification: (upstream) => {
              // What is confirmable upstream is acknowledged once it has arrived downstream.
              observer.notify({ code: upstream.code, payload: upstream.payload }, {}, (delivered) =>
                delivered ? upstream.accept() : upstream.reject(),
              );
            },
          })
          .then(({ response }) => request.respond({ code: response.code, payload: response.payload }));
      },
    });
    let observer: Observer | undefined;
    world.endpoint('server', {
      handler: (request) => {
        observer = request.acceptObserve(() => {});
        request.respond({ code: Code.CONTENT, payload: bytes('19.6 Cel') });
      },
    });
    const client = world.endpoint('client');
    const seen: string[] = [];
    const { response } = await world.settle(
      client.observe('proxy', temperature, {
        onNotification: (one) => {
          seen.push(text(one.payload));
          one.accept();
        },
      }),
    );
    expect(text(response.payload)).toBe('19.6 Cel');
    const delivered: boolean[] = [];
    observer?.notify({ code: Code.CONTENT, payload: bytes('19.7 Cel') }, {}, (done) => delivered.push(done));
    await world.clock.run(1_000);
    expect(seen).toEqual(['19.7 Cel']);
    expect(delivered).toEqual([true]);
  });
});
