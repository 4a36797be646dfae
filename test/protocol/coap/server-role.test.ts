import { describe, expect, test } from 'vitest';
import type { IncomingRequest } from '../../../protocol/coap/exchange.ts';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { pathOptions, stringOption, uintOption } from '../../../protocol/coap/options.ts';
import type { CoapParameters } from '../../../protocol/coap/parameters.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { hex, text, unhex } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const { CON, NON, ACK, RST } = MessageType;

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

describe('a handler', () => {
  test('that takes longer than ACK_DELAY answers in a CON of its own, which is sent again until acknowledged', () => {
    const { world, requests, client } = setUp();
    client.send({ code: Code.GET, messageId: 5, token: 'aa' });
    world.clock.advance(1_100);
    client.take();
    requests[0]?.respond({ code: Code.CONTENT, payload: new Uint8Array(3) });
    world.clock.advance(3_100);
    expect(client.received.map(({ type, code }) => [type, code])).toEqual([
      [CON, Code.CONTENT],
      [CON, Code.CONTENT],
    ]);
    const first = client.take();
    expect(client.take()).toEqual(first);
    expect(hex(first.token)).toBe('aa');
    // An ACK that wrongly carries a code is an ACK all the same.
    client.send({ type: ACK, code: Code.CONTENT, messageId: first.messageId });
    world.clock.advance(100_000);
    expect(client.received).toEqual([]);
  });

  test('that answers in vain gives up after MAX_RETRANSMIT', () => {
    const { world, requests, client, endpoint } = setUp();
    client.send({ code: Code.GET, messageId: 5, token: 'aa' });
    world.clock.advance(1_100);
    requests[0]?.respond({ code: Code.CONTENT });
    world.clock.advance(100_000);
    expect(client.received).toHaveLength(6);
    expect(endpoint.statistics.timeouts).toBe(1);
  });

  test('that answers late to a peer that never acknowledges is not kept beyond a bound', () => {
    const { world, requests, client, endpoint } = setUp(undefined, { maxQueuedPerPeer: 5 });
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 2; i++) client.send({ code: Code.GET, messageId: round * 2 + i });
      world.clock.advance(1_100);
      for (const request of requests.splice(0)) request.respond({ code: Code.CONTENT });
    }
    expect(endpoint.statistics.refused).toBe(14);
    world.clock.advance(200_000);
    expect(endpoint.statistics.timeouts).toBe(6);
  });

  test('may answer after its peer was forgotten', () => {
    const { world, requests, client, endpoint } = setUp();
    client.send({ code: Code.GET, messageId: 5, token: 'aa' });
    world.clock.advance(1_000_000);
    expect(endpoint.statistics.peers).toBe(0);
    client.take();
    requests[0]?.respond({ code: Code.CONTENT });
    world.clock.advance(20);
    const response = client.take();
    expect(response.code).toBe(Code.CONTENT);
    client.send({ type: ACK, messageId: response.messageId });
    world.clock.advance(100_000);
    expect(client.received).toEqual([]);
  });

  test('that throws gives 5.00 and is told of', () => {
    const fault = new Error('a bug');
    const { world, client } = setUp(() => {
      throw fault;
    });
    client.send({ code: Code.GET, messageId: 5, token: 'aa' });
    world.clock.advance(100);
    expect(client.take()).toMatchObject({ type: ACK, code: Code.INTERNAL_SERVER_ERROR });
    expect(world.faults).toEqual([fault]);
  });

  test('that throws after it answered changes nothing of the answer', () => {
    const { world, client } = setUp((request) => {
      request.respond({ code: Code.CONTENT });
      throw new Error('late');
    });
    client.send({ code: Code.GET, messageId: 5 });
    world.clock.advance(100);
    expect(client.received.map(({ code }) => code)).toEqual([Code.CONTENT]);
    expect(world.faults).toHaveLength(1);
  });

  test('that answers with what cannot be encoded gives 5.00', () => {
    const { world, client } = setUp((request) =>
      request.respond({ code: Code.CONTENT, options: [{ number: 70_000, value: new Uint8Array(0) }] }),
    );
    client.send({ code: Code.GET, messageId: 5 });
    world.clock.advance(20);
    expect(client.take().code).toBe(Code.INTERNAL_SERVER_ERROR);
    expect(world.faults).toHaveLength(1);
  });

  test('cannot answer twice', () => {
    const { world, requests, client } = setUp(content);
    client.send({ code: Code.GET, messageId: 5 });
    world.clock.advance(20);
    expect(() => requests[0]?.respond({ code: Code.CONTENT })).toThrow(RequestError);
  });

  test('that is missing means that there is nothing: 4.04', () => {
    const world = new World();
    world.endpoint('bare');
    const client = world.raw('client', 'bare');
    client.send({ code: Code.GET, messageId: 5 });
    world.clock.advance(20);
    expect(client.take().code).toBe(Code.NOT_FOUND);
  });

  test('sees the whole request', () => {
    const { world, requests, client } = setUp(content);
    const identity = { kind: 'x509', name: 'CN=modem' } as const;
    world.link.identities.set('client', identity);
    client.send({ type: NON, code: Code.POST, messageId: 5, token: 'aabb', path: '/rd', payload: 'hello' });
    world.clock.advance(20);
    const [request] = requests;
    expect(request).toMatchObject({
      code: Code.POST,
      confirmable: false,
      peer: 'client',
      observe: undefined,
    });
    expect(request?.identity).toEqual(identity);
    expect(hex(request?.token as Uint8Array)).toBe('aabb');
    expect(text(request?.payload as Uint8Array)).toBe('hello');
    expect(request?.options).toEqual(pathOptions('/rd'));
  });
});

describe('what is rejected', () => {
  const cases: readonly (readonly [name: string, bytes: string, reply: string | undefined])[] = [
    ['a ping, with RST', '40001234', '70001234'],
    ['an empty NON, with silence', '50001234', undefined],
    ['a CON with a reserved token length, with RST', '4f011234', '70001234'],
    ['a NON with a reserved token length, with silence', '5f011234', undefined],
    ['an ACK that is malformed, with silence', '6f451234', undefined],
    ['a CON with a payload marker and nothing behind, with RST', '40011234ff', '70001234'],
    ['a CON of code class 1, with RST', '40201234', '70001234'],
    ['a CON of code class 6, with RST', '40c01234', '70001234'],
    ['a CON of code class 7 (the signals of CoAP over TCP), with RST', '40e11234', '70001234'],
    ['a NON of code class 7, with silence', '50e11234', undefined],
    ['another version, with silence', '80011234', undefined],
    ['what is shorter than a header, with silence', '400112', undefined],
    ['nothing at all, with silence', '', undefined],
    ['an ACK that carries a request, with silence', '60011234', undefined],
    ['an RST that carries a response, with silence', '70451234', undefined],
    ['an ACK that nobody waits for, with silence', '60001234', undefined],
    ['an RST that nobody waits for, with silence', '70001234', undefined],
    ['a CON response that nobody waits for, with RST', '41451234aa', '70001234'],
    ['a NON response that nobody waits for, with silence', '51451234aa', undefined],
    ['a NON notification that nobody waits for, with RST', '51451234aa6105', '70001234'],
    ['a NON request with an unknown critical option, with RST', '500112349100', '70001234'],
    ['a CON request with an unknown critical option, with 4.02', '400112349100', '60821234'],
    ['a CON request whose path is not UTF-8, with 4.02', '40011234b1ff', '60821234'],
    ['a CON request with two Accept options, with 4.02', '40011234d1040001 00', '60821234'],
    ['a CON request with a reserved block size, with 4.00', '40011234d10a07', '60801234'],
    ['a CON request with Proxy-Uri, with 5.05', '40011234d11661', '60a51234'],
    ['a CON request with Proxy-Scheme, with 5.05', '40011234d11a61', '60a51234'],
  ];
  for (const [name, bytes, reply] of cases) {
    test(name, () => {
      const { world, requests, client } = setUp(content);
      client.sendBytes(unhex(bytes));
      world.link.recording = true;
      world.clock.advance(10);
      expect(world.link.log.map(({ data }) => hex(data))).toEqual(reply === undefined ? [] : [reply]);
      expect(requests).toEqual([]);
    });
  }

  test('is counted', () => {
    const { world, client, endpoint } = setUp(content);
    client.sendBytes(unhex('4f011234'));
    client.sendBytes(unhex('40e11234'));
    client.sendBytes(unhex('70451234'));
    world.clock.advance(10);
    expect(endpoint.statistics).toMatchObject({ malformed: 3, datagramsIn: 3, bytesIn: 12, datagramsOut: 2 });
  });

  test('an elective option that is unknown or misshapen is ignored', () => {
    const { world, requests, client } = setUp(content);
    const options = [
      stringOption(OptionNumber.URI_HOST, 'simyard.example'),
      { number: OptionNumber.OBSERVE, value: new Uint8Array(4) },
      uintOption(OptionNumber.URI_PORT, 5683),
      { number: 2_048, value: new Uint8Array(3) },
    ];
    client.send({ code: Code.GET, messageId: 1, options });
    world.clock.advance(20);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.observe).toBeUndefined();
  });
});

describe('No-Response (RFC 7967)', () => {
  const suppress = (value: number) => [uintOption(OptionNumber.NO_RESPONSE, value)];

  test('leaves the classes of responses out that the client names', () => {
    const { world, client } = setUp((request) =>
      request.respond({ code: request.payload.length > 0 ? Code.NOT_FOUND : Code.CHANGED }),
    );
    client.send({ type: NON, code: Code.PUT, messageId: 1, options: suppress(2) });
    client.send({ type: NON, code: Code.PUT, messageId: 2, options: suppress(2), payload: 'x' });
    client.send({ type: NON, code: Code.PUT, messageId: 3, options: suppress(26), payload: 'x' });
    client.send({ type: NON, code: Code.PUT, messageId: 4, options: suppress(0) });
    world.clock.advance(20);
    expect(client.received.map(({ code }) => code)).toEqual([Code.NOT_FOUND, Code.CHANGED]);
  });

  test('still acknowledges a CON', () => {
    const { world, client, requests } = setUp(content);
    client.send({ code: Code.PUT, messageId: 1, options: suppress(2) });
    client.send({ code: Code.PUT, messageId: 1, options: suppress(2) });
    world.clock.advance(20);
    expect(client.received.map(({ type, code }) => [type, code])).toEqual([
      [ACK, Code.EMPTY],
      [ACK, Code.EMPTY],
    ]);
    expect(requests).toHaveLength(1);
  });
});

describe('a NON request', () => {
  test('is answered once, its duplicates are dropped', () => {
    const { world, client, requests } = setUp(content);
    for (let i = 0; i < 3; i++) client.send({ type: NON, code: Code.GET, messageId: 1, token: '01' });
    world.clock.advance(20);
    expect(requests).toHaveLength(1);
    expect(client.received.map(({ type }) => type)).toEqual([NON]);
    expect(client.received.some(({ type }) => type === RST)).toBe(false);
  });
});
