import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCoapEndpoint } from '../../../protocol/coap/endpoint.ts';
import { ResetError } from '../../../protocol/coap/errors.ts';
import type {
  CoapEndpoint,
  IncomingNotification,
  ObservationResolver,
  StrayForwarder,
} from '../../../protocol/coap/exchange.ts';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { pathOptions, uintOption, uriPath } from '../../../protocol/coap/options.ts';
import type { CoapParameters } from '../../../protocol/coap/parameters.ts';
import { type LinkQuality, seededBytes } from '../../support/coap/lossy-link.ts';
import { bytes, hex, text } from '../../support/coap/raw-peer.ts';
import { SharedPort } from '../../support/coap/shared-port.ts';
import { World } from '../../support/coap/world.ts';

const { CON, NON, ACK, RST } = MessageType;
const seq = (value: number) => uintOption(OptionNumber.OBSERVE, value);
const get = { code: Code.GET, options: pathOptions('/a') };

/** Two endpoints at one address; what the peer sends comes to `route`, 0 unless told. */
function setUp(workers = 2, quality: LinkQuality = {}, parameters: Partial<CoapParameters> = {}) {
  const world = new World(quality);
  const shared = new SharedPort(world, 'server');
  const seen: { worker: number; notification: IncomingNotification }[] = [];
  const asked: string[] = [];
  /** What the store knows: tokens of observations. */
  const stored = new Set<string>();
  const start = (worker: number): CoapEndpoint => {
    const resolveObservation: ObservationResolver = (token, peer, _identity, done) => {
      asked.push(`${worker} ${token}`);
      const onNotification = (notification: IncomingNotification): void => {
        seen.push({ worker, notification });
        notification.accept();
      };
      done(stored.has(token) ? { key: { token, peer, request: get }, onNotification } : 'unknown');
    };
    const endpoint = createCoapEndpoint({
      port: shared.port(worker),
      clock: world.clock,
      parameters,
      random: seededBytes(7),
      tokenPrefix: Uint8Array.of(worker),
      messageIds: { first: worker * 4_096, count: 4_096 },
      strays: shared.forwarder(worker),
      resolveObservation,
      onFault: (error) => world.faults.push(error),
    });
    shared.join(worker, endpoint);
    return endpoint;
  };
  const endpoints = Array.from({ length: workers }, (_, worker) => start(worker));
  return { world, shared, endpoints: endpoints as [CoapEndpoint, CoapEndpoint], seen, asked, stored, start };
}

describe('an answer that comes to another process on the same port', () => {
  test('in an ACK finds its request by the message id', async () => {
    const { world, shared, endpoints } = setUp();
    const device = world.raw('device', 'server');
    const answer = endpoints[1].request('device', get);
    world.clock.advance(20);
    const { messageId, token } = device.take();
    expect([messageId >> 12, token[0]]).toEqual([1, 1]);
    device.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token), payload: 'x' });
    expect(text((await world.settle(answer)).payload)).toBe('x');
    expect(shared.forwarded).toEqual(['reply 0→1']);
    expect(endpoints[0].statistics).toMatchObject({ forwarded: 1, adopted: 0 });
    expect(endpoints[1].statistics).toMatchObject({ forwarded: 0, adopted: 1, datagramsIn: 0 });
  });

  test('as an empty ACK and a separate response is taken there, and acknowledged from there', async () => {
    const { world, shared, endpoints } = setUp();
    const device = world.raw('device', 'server');
    const answer = endpoints[1].request('device', get);
    world.clock.advance(20);
    const { messageId, token } = device.take();
    device.send({ type: ACK, messageId });
    device.send({ code: Code.CONTENT, messageId: 77, token: hex(token), payload: 'late' });
    expect(text((await world.settle(answer)).payload)).toBe('late');
    world.clock.advance(20);
    expect(device.take()).toMatchObject({ type: ACK, messageId: 77 });
    // Its ACK was lost: whoever gets the duplicate, it is acknowledged again.
    device.send({ code: Code.CONTENT, messageId: 77, token: hex(token), payload: 'late' });
    world.clock.advance(30);
    expect(device.take()).toMatchObject({ type: ACK, messageId: 77 });
    expect(shared.forwarded).toEqual(['reply 0→1', 'response 0→1', 'response 0→1']);
    expect(endpoints[1].statistics.duplicates).toBe(1);
  });

  test('as RST ends its request', async () => {
    const { world, endpoints } = setUp();
    const device = world.raw('device', 'server');
    const answer = endpoints[1].request('device', get).catch((error: unknown) => error);
    world.clock.advance(20);
    device.send({ type: RST, messageId: device.take().messageId });
    expect(await world.settle(answer)).toBeInstanceOf(ResetError);
    const pinged = endpoints[1].ping('device');
    world.clock.advance(20);
    device.send({ type: RST, messageId: device.take().messageId });
    // A message there and one back, and the bus.
    expect(await world.settle(pinged)).toBeLessThan(100);
  });

  test('as the first answer to an observation is no notification, though the store knows its token', async () => {
    const { world, endpoints, stored, asked, seen } = setUp();
    const device = world.raw('device', 'server');
    const token = '01aa000000000001';
    stored.add(token);
    const observing = endpoints[1].observe('device', get, { onNotification: () => undefined, token });
    world.clock.advance(20);
    device.send({ type: ACK, messageId: device.take().messageId });
    device.send({ code: Code.CONTENT, messageId: 5, token, options: [seq(1)], payload: 'first' });
    const { response, observation } = await world.settle(observing);
    expect(text(response.payload)).toBe('first');
    expect(observation).toBeDefined();
    expect([asked, seen]).toEqual([[], []]);
  });

  test('is of no use to a process that has ended, and is rejected where nobody waits for it', () => {
    const { world, shared, endpoints } = setUp();
    const device = world.raw('device', 'server');
    const lost = endpoints[1].request('device', get).catch((error: unknown) => error);
    world.clock.advance(20);
    const { token } = device.take();
    endpoints[1].close();
    device.send({ code: Code.CONTENT, messageId: 9, token: hex(token) });
    world.clock.advance(30);
    expect(device.take()).toMatchObject({ type: RST, messageId: 9 });
    expect(shared.forwarded).toEqual([]);
    return lost;
  });

  test('is sent again by the peer where the bus lost it', async () => {
    const { world, shared, endpoints } = setUp();
    const device = world.raw('device', 'server');
    shared.busDown = true;
    const answer = endpoints[1].request('device', get);
    device.onMessage = ({ messageId, token }) => {
      device.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token) });
    };
    world.clock.advance(1_000);
    expect(endpoints[0].statistics.forwarded).toBe(1);
    shared.busDown = false;
    await world.settle(answer);
    expect(endpoints[1].statistics.retransmissions).toBe(1);
  });
});

describe('a notification that comes to another process than the one that observes', () => {
  test('is taken where it came, by what the store knows', () => {
    const { world, shared, asked, seen, stored } = setUp();
    const device = world.raw('device', 'server');
    stored.add('01aa');
    for (const messageId of [1, 2]) {
      device.send({ code: Code.CONTENT, messageId, token: '01aa', options: [seq(messageId)] });
      world.clock.advance(30);
      expect(device.take()).toMatchObject({ type: ACK, messageId });
    }
    expect(seen.map(({ worker }) => worker)).toEqual([0, 0]);
    expect(asked).toEqual(['0 01aa']);
    // Once it is known here, nobody else is asked.
    expect(shared.forwarded).toEqual(['response 0→1']);
  });

  test('is acknowledged by whoever has had it before, and taken once', async () => {
    const { world, shared, endpoints, stored, seen } = setUp();
    const device = world.raw('device', 'server');
    stored.add('01aa');
    shared.route = () => 1;
    const notification = { code: Code.CONTENT, messageId: 1, token: '01aa', options: [seq(1)] };
    device.send(notification);
    world.clock.advance(30);
    expect(device.take()).toMatchObject({ type: ACK, messageId: 1 });
    shared.route = () => 0;
    device.send(notification);
    world.clock.advance(30);
    expect(device.take()).toMatchObject({ type: ACK, messageId: 1 });
    expect(seen).toHaveLength(1);
    expect(endpoints[1].observation('01aa')).toBeDefined();
  });

  test('is rejected where nobody knows it', () => {
    const { world, asked } = setUp();
    const device = world.raw('device', 'server');
    device.send({ code: Code.CONTENT, messageId: 1, token: '01aa', options: [seq(1)] });
    world.clock.advance(30);
    expect(device.take()).toMatchObject({ type: RST, messageId: 1 });
    expect(asked).toEqual(['0 01aa']);
  });

  test('is not offered to others where its token is of this process, or is none', () => {
    const { world, shared } = setUp();
    const device = world.raw('device', 'server');
    for (const token of ['00aa', '']) device.send({ code: Code.CONTENT, messageId: token.length, token });
    world.clock.advance(30);
    expect(device.received.map(({ type }) => type)).toEqual([RST, RST]);
    expect(shared.forwarded).toEqual([]);
  });
});

describe('what a process is offered', () => {
  test('is refused where it is a request, no message, or after the end', () => {
    const { endpoints } = setUp();
    const stray = (data: Uint8Array) => ({ data, peer: 'device', identity: undefined });
    // GET, rubbish, an ACK with an id of the other process.
    for (const data of [Uint8Array.of(0x40, 1, 0, 1), Uint8Array.of(1, 2), Uint8Array.of(0x60, 0, 0x20, 1)]) {
      expect(endpoints[0].takeStray(stray(data))).toBe(false);
    }
    const reply = stray(Uint8Array.of(0x60, 0, 0, 1));
    expect(endpoints[0].takeStray(reply)).toBe(true);
    endpoints[0].close();
    expect(endpoints[0].takeStray(reply)).toBe(false);
  });
});

test('a forwarder that throws is told of, and the response goes its usual way', () => {
  const world = new World();
  const broken = (): never => {
    throw new Error('broken');
  };
  const forwarder: StrayForwarder = { reply: broken, response: broken };
  world.endpoint('server', {
    tokenPrefix: Uint8Array.of(1),
    messageIds: { first: 0, count: 16 },
    strays: forwarder,
  });
  const device = world.raw('device', 'server');
  device.send({ type: ACK, messageId: 4_000 });
  device.send({ type: CON, code: Code.CONTENT, messageId: 1, token: '02' });
  world.clock.advance(20);
  expect(device.take()).toMatchObject({ type: RST, messageId: 1 });
  expect(world.faults).toEqual([new Error('broken'), new Error('broken')]);
});

test('only so many responses wait for whether others take them, and the rest are to come again', () => {
  const world = new World();
  const waiting: ((taken: boolean) => void)[] = [];
  const endpoint = world.endpoint('server', {
    tokenPrefix: Uint8Array.of(1),
    parameters: { maxDeduplicationPerPeer: 8_000, maxDeduplication: 8_000 },
    strays: { reply: () => undefined, response: (_token, _stray, done) => waiting.push(done) },
  });
  const device = world.raw('device', 'server');
  for (let messageId = 0; messageId < 4_100; messageId++) {
    device.send({ type: NON, code: Code.CONTENT, messageId, token: '02' });
  }
  world.clock.advance(20);
  expect(waiting).toHaveLength(4_096);
  expect(endpoint.statistics.refused).toBe(4);
  for (const done of waiting) {
    done(true);
    done(false);
  }
  expect(endpoint.statistics.forwarded).toBe(4_096);
  device.send({ type: NON, code: Code.CONTENT, messageId: 4_099, token: '02' });
  world.clock.advance(20);
  expect(waiting).toHaveLength(4_097);
});

test('no exchange gets another one’s answer, and each gets its own, however the port hands out what comes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 20, maxLength: 60 }),
      async (seed, routes) => {
        // So that none ends because all copies of a message are lost.
        const patient = { maxRetransmit: 8 };
        const quality = { loss: 0.05, duplicate: 0.1, reorder: 0.2, delay: 10, jitter: 100, seed };
        const { world, shared, endpoints } = setUp(4, quality, patient);
        let arrived = 0;
        shared.route = () => routes[arrived++ % routes.length] as number;
        const devices = Array.from({ length: 5 }, (_, number) =>
          world.endpoint(`device-${number}`, {
            parameters: patient,
            handler: (request) => {
              const answer = { code: Code.CONTENT, payload: bytes(`${number} ${uriPath(request.options)}`) };
              // Piggybacked or separate.
              if (request.messageId % 2 === 0) request.respond(answer);
              else world.clock.setTimer(3_000, () => request.respond(answer));
            },
          }),
        );
        const asked = Array.from({ length: 40 }, async (_, i) => {
          const answer = await (endpoints[i % 4] as CoapEndpoint).request(`device-${i % 5}`, {
            code: Code.GET,
            options: pathOptions(`/${i}`),
          });
          expect(text(answer.payload)).toBe(`${i % 5} ${i}`);
        });
        await world.settle(Promise.all(asked));
        expect(world.faults).toEqual([]);
        await Promise.all([...endpoints, ...devices].map((endpoint) => endpoint.close()));
      },
    ),
    { numRuns: 20 },
  );
});
