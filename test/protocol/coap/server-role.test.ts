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

  test('that answers late to many peers that never acknowledge has what is beyond a bound sent once', () => {
    const { world, requests, endpoint } = setUp(undefined, { maxSeparateResponses: 3 });
    const clients = Array.from({ length: 5 }, (_, number) => world.raw(`client:${number}`, 'server'));
    const answered = (): number[] => {
      for (const client of clients) client.send({ code: Code.GET, messageId: 5, token: 'aa' });
      world.clock.advance(1_100);
      for (const client of clients) client.take();
      for (const request of requests.splice(0)) request.respond({ code: Code.CONTENT });
      world.clock.advance(20);
      return clients.map((client) => client.take().type);
    };
    expect(answered()).toEqual([CON, CON, CON, NON, NON]);
    expect(endpoint.statistics.sentOnce).toBe(2);
    world.clock.advance(300_000);
    expect(endpoint.statistics.timeouts).toBe(3);
    expect(clients.map(({ received }) => received.length)).toEqual([4, 4, 4, 0, 0]);
    // There is room again.
    for (const client of clients) client.received.length = 0;
    expect(answered()).toEqual([CON, CON, CON, NON, NON]);
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
