import { describe, expect, test } from 'vitest';
import type { IncomingRequest } from '../../../protocol/coap/exchange.ts';
import { Code, MessageType } from '../../../protocol/coap/message.ts';
import type { CoapParameters } from '../../../protocol/coap/parameters.ts';
import { World } from '../../support/coap/world.ts';

const { NON, ACK } = MessageType;

function setUp(handler?: (request: IncomingRequest) => void, parameters: Partial<CoapParameters> = {}) {
  const world = new World();
  const requests: IncomingRequest[] = [];
  const endpoint = world.endpoint('server', {
    parameters,
    handler: (request) => {
      requests.push(request);
      handler?.(request);
    },
  });
  return { world, endpoint, requests, client: world.raw('client', 'server') };
}

const content = (request: IncomingRequest) => request.respond({ code: Code.CONTENT });

describe('deduplication', () => {
  test('a duplicate gets the same answer, and the handler runs once', () => {
    const { world, requests, client } = setUp((request) =>
      request.respond({ code: Code.CONTENT, payload: Uint8Array.of(requests.length) }),
    );
    for (let i = 0; i < 3; i++) client.send({ code: Code.POST, messageId: 5, token: 'aa' });
    world.clock.advance(100);
    expect(requests).toHaveLength(1);
    expect(client.received).toHaveLength(3);
    expect(client.received.every((message) => message.payload[0] === 1)).toBe(true);
  });

  test('a duplicate meets silence while the handler works, the empty ACK afterwards, and never a second run', () => {
    const { world, requests, client } = setUp();
    client.send({ code: Code.POST, messageId: 5, token: 'aa' });
    world.clock.advance(500);
    client.send({ code: Code.POST, messageId: 5, token: 'aa' });
    world.clock.advance(100);
    expect(client.received).toEqual([]);
    world.clock.advance(1_000);
    expect(client.take()).toMatchObject({ type: ACK, code: Code.EMPTY, messageId: 5 });
    client.send({ code: Code.POST, messageId: 5, token: 'aa' });
    world.clock.advance(100);
    expect(client.take()).toMatchObject({ type: ACK, code: Code.EMPTY, messageId: 5 });
    requests[0]?.respond({ code: Code.CHANGED });
    world.clock.advance(20);
    const response = client.take();
    client.send({ type: ACK, messageId: response.messageId });
    client.send({ code: Code.POST, messageId: 5, token: 'aa' });
    world.clock.advance(20);
    expect(client.take()).toMatchObject({ type: ACK, code: Code.EMPTY, messageId: 5 });
    expect(requests).toHaveLength(1);
  });

  test('an id is new again after EXCHANGE_LIFETIME, for NON after NON_LIFETIME', () => {
    const { world, requests, client } = setUp(content);
    client.send({ code: Code.GET, messageId: 5 });
    client.send({ type: NON, code: Code.GET, messageId: 6 });
    world.clock.advance(144_000);
    client.send({ type: NON, code: Code.GET, messageId: 6 });
    world.clock.advance(2_000);
    client.send({ type: NON, code: Code.GET, messageId: 6 });
    world.clock.advance(100_000);
    client.send({ code: Code.GET, messageId: 5 });
    world.clock.advance(20);
    expect(requests).toHaveLength(3);
    world.clock.advance(2_000);
    client.send({ code: Code.GET, messageId: 5 });
    world.clock.advance(20);
    expect(requests).toHaveLength(4);
  });

  test('the same id and token from many peers are many requests', () => {
    const { world, requests } = setUp(content);
    const peers = Array.from({ length: 50 }, (_, i) => world.raw(`peer-${i}`, 'server'));
    for (const peer of peers) peer.send({ code: Code.GET, messageId: 1, token: '01' });
    world.clock.advance(100);
    expect(requests).toHaveLength(50);
    expect(peers.every((peer) => peer.received.length === 1)).toBe(true);
  });

  test('a full ring forgets what was answered, never what is being worked on', () => {
    const { world, requests, client, endpoint } = setUp(
      (request) => {
        if (request.token[0] === 1) request.respond({ code: Code.CONTENT });
      },
      { maxDeduplicationPerPeer: 4, ackDelay: 1e9 },
    );
    for (let i = 0; i < 3; i++) client.send({ code: Code.POST, messageId: i, token: '00' });
    for (let i = 10; i < 30; i++) client.send({ code: Code.POST, messageId: i, token: '01' });
    world.clock.advance(100);
    expect(requests).toHaveLength(23);
    for (let i = 0; i < 3; i++) client.send({ code: Code.POST, messageId: i, token: '00' });
    client.send({ code: Code.POST, messageId: 3, token: '00' });
    world.clock.advance(100);
    expect(requests).toHaveLength(24);
    // Now all four are being worked on: a fifth must wait until its sender tries again.
    client.send({ code: Code.POST, messageId: 4, token: '00' });
    for (let i = 0; i < 4; i++) client.send({ code: Code.POST, messageId: i, token: '00' });
    world.clock.advance(100);
    expect(requests).toHaveLength(24);
    expect(endpoint.statistics.refused).toBe(1);
    requests.find((request) => request.token[0] === 0)?.respond({ code: Code.CONTENT });
    client.send({ code: Code.POST, messageId: 4, token: '00' });
    world.clock.advance(100);
    expect(requests).toHaveLength(25);
  });
});

describe('the bound on remembered ids', () => {
  test('of all peers together leaves each a few', () => {
    const { world, requests } = setUp(content, { maxDeduplication: 10 });
    const peers = Array.from({ length: 10 }, (_, i) => world.raw(`peer-${i}`, 'server'));
    const send = (count: number) => {
      for (const peer of peers) for (let i = 0; i < count; i++) peer.send({ code: Code.GET, messageId: i });
      world.clock.advance(100);
    };
    send(2);
    send(2);
    expect(requests).toHaveLength(20);
    send(8);
    expect(requests).toHaveLength(80);
    // One could still grow; the others know their last two.
    for (const peer of peers.slice(1)) for (const i of [6, 7]) peer.send({ code: Code.GET, messageId: i });
    world.clock.advance(100);
    expect(requests).toHaveLength(80);
    for (const peer of peers.slice(1)) peer.send({ code: Code.GET, messageId: 5 });
    world.clock.advance(100);
    expect(requests).toHaveLength(89);
  });

  test('is given back by peers that are forgotten', () => {
    const { world, requests } = setUp(content, { maxDeduplication: 8 });
    for (let round = 0; round < 3; round++) {
      const client = world.raw(`client-${round}`, 'server');
      for (const i of [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2]) client.send({ code: Code.GET, messageId: i });
      world.clock.advance(400_000);
    }
    expect(requests).toHaveLength(24);
  });
});

describe('the bound on peers', () => {
  test('evicts the peer that was idle longest, and refuses new ones only where all are busy', () => {
    const { world, endpoint, requests } = setUp(
      (request) => {
        if (request.token.length === 0) request.respond({ code: Code.CONTENT });
      },
      { maxPeers: 4 },
    );
    const peers = Array.from({ length: 12 }, (_, i) => world.raw(`peer-${i}`, 'server'));
    for (const peer of peers.slice(0, 8)) {
      peer.send({ code: Code.GET, messageId: 1 });
      world.clock.advance(20);
    }
    expect(endpoint.statistics.peers).toBe(4);
    for (const peer of peers.slice(4, 8)) peer.send({ code: Code.GET, messageId: 2, token: '01' });
    world.clock.advance(20);
    expect(requests).toHaveLength(12);
    peers[9]?.send({ code: Code.GET, messageId: 1 });
    world.clock.advance(20);
    expect(endpoint.statistics).toMatchObject({ peers: 4, refused: 1 });
    expect(requests).toHaveLength(12);
    requests.at(-1)?.respond({ code: Code.CONTENT });
    peers[9]?.send({ code: Code.GET, messageId: 1 });
    world.clock.advance(20);
    expect(requests).toHaveLength(13);
  });

  test('idle peers are forgotten after EXCHANGE_LIFETIME', () => {
    const { world, endpoint, client } = setUp(content);
    client.send({ code: Code.GET, messageId: 1 });
    world.clock.advance(200_000);
    expect(endpoint.statistics.peers).toBe(1);
    world.clock.advance(150_000);
    expect(endpoint.statistics.peers).toBe(0);
  });
});
