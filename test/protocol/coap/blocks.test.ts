import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IncomingRequest } from '../../../protocol/coap/exchange.ts';
import {
  type CoapMessage,
  type CoapOption,
  Code,
  MessageType,
  OptionNumber,
} from '../../../protocol/coap/message.ts';
import { findOption, pathOptions, uintOf, uintOption } from '../../../protocol/coap/options.ts';
import type { CoapParameters } from '../../../protocol/coap/parameters.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { block, blockText, bytes, hex } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const { ACK } = MessageType;

function body(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 31 + (i >> 8) + seed);
}

function withServer(
  parameters: Partial<CoapParameters> = {},
  respond: (request: IncomingRequest) => void = (request) => request.respond({ code: Code.CHANGED }),
) {
  const world = new World();
  const requests: IncomingRequest[] = [];
  const endpoint = world.endpoint('server', {
    parameters,
    handler: (request) => {
      requests.push(request);
      respond(request);
    },
  });
  const client = world.raw('client', 'server');
  let messageId = 0;
  const ask = (
    code: Code,
    path: string,
    options: readonly CoapOption[],
    payload: Uint8Array | string = '',
    token = 'aa',
  ) => {
    client.send({ code, path, messageId: messageId++, token, options, payload });
    world.clock.advance(50);
    return client.take();
  };
  return { world, endpoint, requests, client, ask };
}

type Answer = { code: Code; options?: readonly CoapOption[]; payload?: Uint8Array };

function withClient(
  parameters: Partial<CoapParameters>,
  answer: (request: CoapMessage, index: number) => Answer,
) {
  const world = new World();
  const endpoint = world.endpoint('client', { parameters });
  const server = world.raw('server', 'client');
  const requests: CoapMessage[] = [];
  server.onMessage = (request) => {
    const { code, options = [], payload = '' } = answer(request, requests.length);
    requests.push(request);
    server.send({
      type: ACK,
      code,
      messageId: request.messageId,
      token: hex(request.token),
      options,
      payload,
    });
  };
  const get = () => {
    const promise = endpoint.request('server', { code: Code.GET, options: pathOptions('/big') });
    return world.settle(
      promise.then(
        (response) => response,
        (error: unknown) => error as Error,
      ),
    );
  };
  return { world, endpoint, requests, get };
}

describe('a request body in blocks, at the server', () => {
  test('is put together by path and options, not by token: some clients change theirs with each block', () => {
    const { ask, requests } = withServer();
    const sent = body(40);
    ask(Code.PUT, '/a', [block(1, '0/1/16')], sent.subarray(0, 16), '01');
    ask(Code.PUT, '/a', [block(1, '1/1/16')], sent.subarray(16, 32), '02');
    expect(ask(Code.PUT, '/a', [block(1, '2/0/16')], sent.subarray(32), '03').code).toBe(Code.CHANGED);
    expect(requests.map(({ payload }) => payload)).toEqual([sent]);
  });

  test('is told from another to the same resource by its Request-Tag', () => {
    const { ask, requests } = withServer();
    const tag = (value: number) => ({ number: OptionNumber.REQUEST_TAG, value: Uint8Array.of(value) });
    for (const tagged of [1, 2]) ask(Code.PUT, '/a', [block(1, '0/1/16'), tag(tagged)], body(16, tagged));
    for (const tagged of [1, 2]) ask(Code.PUT, '/a', [block(1, '1/0/16'), tag(tagged)], body(4, tagged));
    expect(requests.map(({ payload }) => payload)).toEqual(
      [1, 2].map((tagged) => Uint8Array.from([...body(16, tagged), ...body(4, tagged)])),
    );
  });

  test('is told from another of the same kind from another peer', () => {
    const { world, ask, requests } = withServer();
    const other = world.raw('other', 'server');
    ask(Code.PUT, '/a', [block(1, '0/1/16')], body(16, 1));
    other.send({
      code: Code.PUT,
      path: '/a',
      messageId: 1,
      options: [block(1, '0/1/16')],
      payload: body(16, 2),
    });
    world.clock.advance(50);
    ask(Code.PUT, '/a', [block(1, '1/0/16')], body(1));
    expect(requests[0]?.payload.subarray(0, 16)).toEqual(body(16, 1));
  });

  test('with a gap gets 4.08 and has to begin anew', () => {
    const { ask, requests } = withServer();
    ask(Code.PUT, '/a', [block(1, '0/1/16')], body(16));
    expect(ask(Code.PUT, '/a', [block(1, '2/1/16')], body(16)).code).toBe(Code.REQUEST_ENTITY_INCOMPLETE);
    expect(ask(Code.PUT, '/a', [block(1, '1/0/16')], body(16)).code).toBe(Code.REQUEST_ENTITY_INCOMPLETE);
    expect(requests).toEqual([]);
  });

  test('whose last block comes once more under a new id goes on', () => {
    const { ask, requests } = withServer();
    ask(Code.PUT, '/a', [block(1, '0/1/16')], body(16));
    for (let i = 0; i < 2; i++) {
      expect(ask(Code.PUT, '/a', [block(1, '1/1/16')], body(16)).code).toBe(Code.CONTINUE);
    }
    expect(ask(Code.PUT, '/a', [block(1, '2/0/16')], body(3)).code).toBe(Code.CHANGED);
    expect(requests[0]?.payload).toHaveLength(35);
  });

  test('begins anew with block 0', () => {
    const { ask, requests } = withServer();
    ask(Code.PUT, '/a', [block(1, '0/1/16')], body(16, 1));
    ask(Code.PUT, '/a', [block(1, '0/1/16')], body(16, 2));
    ask(Code.PUT, '/a', [block(1, '1/0/16')], body(1));
    expect(requests[0]?.payload.subarray(0, 16)).toEqual(body(16, 2));
    ask(Code.PUT, '/a', [block(1, '0/1/16')], body(16, 1));
    ask(Code.PUT, '/a', [block(1, '0/0/16')], bytes('short'));
    expect(requests[1]?.payload).toEqual(bytes('short'));
  });

  test('whose blocks have another length than they say gets 4.00', () => {
    const { ask } = withServer();
    expect(ask(Code.PUT, '/a', [block(1, '0/1/16')], body(15)).code).toBe(Code.BAD_REQUEST);
    expect(ask(Code.PUT, '/a', [block(1, '0/1/16')], body(17)).code).toBe(Code.BAD_REQUEST);
    expect(ask(Code.PUT, '/a', [block(1, '0/0/16')], body(17)).code).toBe(Code.BAD_REQUEST);
  });

  test('that is too large gets 4.13 with the limit in Size1, as soon as it says so', () => {
    const { ask, requests, endpoint } = withServer({ maxBodySize: 40 });
    const announced = ask(Code.PUT, '/a', [block(1, '0/1/16'), uintOption(OptionNumber.SIZE1, 41)], body(16));
    expect(announced.code).toBe(Code.REQUEST_ENTITY_TOO_LARGE);
    expect(uintOf(announced.options, OptionNumber.SIZE1)).toBe(40);
    ask(Code.PUT, '/a', [block(1, '0/1/16')], body(16));
    ask(Code.PUT, '/a', [block(1, '1/1/16')], body(16));
    expect(ask(Code.PUT, '/a', [block(1, '2/1/16')], body(16)).code).toBe(Code.REQUEST_ENTITY_TOO_LARGE);
    expect(requests).toEqual([]);
    expect(endpoint.statistics.blockTransfers).toBe(0);
  });

  test('is dropped after a time without a block', () => {
    const { world, ask, endpoint } = withServer({ blockTimeout: 5_000 });
    ask(Code.PUT, '/a', [block(1, '0/1/16')], body(16));
    world.clock.advance(4_000);
    ask(Code.PUT, '/a', [block(1, '1/1/16')], body(16));
    world.clock.advance(4_000);
    expect(endpoint.statistics.blockTransfers).toBe(1);
    world.clock.advance(2_000);
    expect(endpoint.statistics.blockTransfers).toBe(0);
    expect(ask(Code.PUT, '/a', [block(1, '2/0/16')], body(1)).code).toBe(Code.REQUEST_ENTITY_INCOMPLETE);
  });

  test('makes room among those of its own peer, and gets 5.03 where all peers together have too many', () => {
    const { world, ask, endpoint } = withServer({ maxBlockTransfers: 3, maxBlockTransfersPerPeer: 2 });
    for (const path of ['/a', '/b', '/c']) ask(Code.PUT, path, [block(1, '0/1/16')], body(16));
    expect(endpoint.statistics.blockTransfers).toBe(2);
    expect(ask(Code.PUT, '/a', [block(1, '1/0/16')], body(1)).code).toBe(Code.REQUEST_ENTITY_INCOMPLETE);
    expect(ask(Code.PUT, '/c', [block(1, '1/0/16')], body(1)).code).toBe(Code.CHANGED);
    for (let i = 0; i < 3; i++) {
      const peer = world.raw(`peer-${i}`, 'server');
      peer.send({
        code: Code.PUT,
        path: '/a',
        messageId: 1,
        options: [block(1, '0/1/16')],
        payload: body(16),
      });
      world.clock.advance(50);
      const { code, options } = peer.take();
      expect(code).toBe(i < 2 ? Code.CONTINUE : Code.SERVICE_UNAVAILABLE);
      if (i === 2) expect(uintOf(options, OptionNumber.MAX_AGE)).toBe(10);
    }
  });

  test('takes no more memory than all bodies may have together', () => {
    const { world, endpoint } = withServer({ maxBlockMemory: 4_096 });
    const codes: number[] = [];
    for (let i = 0; i < 6; i++) {
      const peer = world.raw(`peer-${i}`, 'server');
      peer.send({
        code: Code.PUT,
        path: '/a',
        messageId: 1,
        options: [block(1, '0/1/1024')],
        payload: body(1024),
      });
      world.clock.advance(50);
      codes.push(peer.take().code);
    }
    expect(codes).toEqual([95, 95, 95, 95, 163, 163]);
    world.clock.advance(100_000);
    expect(endpoint.statistics.blockTransfers).toBe(0);
    const peer = world.raw('later', 'server');
    peer.send({
      code: Code.PUT,
      path: '/a',
      messageId: 1,
      options: [block(1, '0/1/1024')],
      payload: body(1024),
    });
    world.clock.advance(50);
    expect(peer.take().code).toBe(Code.CONTINUE);
  });

  test('of any size, in blocks of any size, arrives as it was sent', async () => {
    const sizes = fc.constantFrom(16, 32, 64, 128, 256, 512, 1024);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 5_000 }), sizes, sizes, async (length, ours, theirs) => {
        const { world, requests } = withServer({ preferredBlockSize: theirs }, (request) =>
          request.respond({ code: Code.CHANGED, payload: request.payload.slice().reverse() }),
        );
        const endpoint = world.endpoint('sender', { parameters: { preferredBlockSize: ours } });
        const payload = body(length);
        const put = { code: Code.PUT, options: pathOptions('/a'), payload };
        const response = await world.settle(endpoint.request('server', put));
        expect(requests.map((request) => request.payload)).toEqual([payload]);
        expect(response.payload).toEqual(payload.slice().reverse());
      }),
      { numRuns: 60 },
    );
  });
});

describe('a response body in blocks, at the server', () => {
  const big = body(100);
  const content = (request: IncomingRequest) => request.respond({ code: Code.CONTENT, payload: big });

  test('is kept, so that its handler runs once, in whatever order and size its blocks are read', () => {
    const { ask, requests } = withServer({ preferredBlockSize: 32 }, content);
    expect(blockText(ask(Code.GET, '/a', []), 2)).toBe('0/1/32');
    expect(ask(Code.GET, '/a', [block(2, '3/0/32')]).payload).toEqual(big.subarray(96));
    expect(ask(Code.GET, '/a', [block(2, '1/0/32')]).payload).toEqual(big.subarray(32, 64));
    expect(ask(Code.GET, '/a', [block(2, '5/0/16')]).payload).toEqual(big.subarray(80, 96));
    const larger = ask(Code.GET, '/a', [block(2, '1/0/64')]);
    expect([blockText(larger, 2), larger.payload]).toEqual(['2/1/32', big.subarray(64, 96)]);
    expect(requests).toHaveLength(1);
  });

  test('has an ETag on every block and its size on the first', () => {
    const { ask } = withServer({ preferredBlockSize: 32 }, content);
    const first = ask(Code.GET, '/a', []);
    const second = ask(Code.GET, '/a', [block(2, '1/0/32')]);
    expect(uintOf(first.options, OptionNumber.SIZE2)).toBe(100);
    expect(uintOf(second.options, OptionNumber.SIZE2)).toBeUndefined();
    const etag = findOption(first.options, OptionNumber.ETAG);
    expect(etag?.value).toHaveLength(8);
    expect(findOption(second.options, OptionNumber.ETAG)).toEqual(etag);
  });

  test('keeps the ETag of the handler', () => {
    const own = { number: OptionNumber.ETAG, value: bytes('v1') };
    const { ask } = withServer({ preferredBlockSize: 32 }, (request) =>
      request.respond({ code: Code.CONTENT, options: [own], payload: big }),
    );
    for (const options of [[], [block(2, '2/0/32')]]) {
      const etags = ask(Code.GET, '/a', options).options.filter(({ number }) => number === OptionNumber.ETAG);
      expect(etags).toEqual([own]);
    }
  });

  test('is read again where it was dropped, but nothing is done again', () => {
    const { world, ask, requests } = withServer({ preferredBlockSize: 32, blockTimeout: 1_000 }, content);
    ask(Code.GET, '/a', []);
    ask(Code.POST, '/a', []);
    world.clock.advance(2_000);
    expect(ask(Code.GET, '/a', [block(2, '1/0/32')]).payload).toEqual(big.subarray(32, 64));
    expect(requests).toHaveLength(3);
    expect(ask(Code.POST, '/a', [block(2, '1/0/32')]).code).toBe(Code.REQUEST_ENTITY_INCOMPLETE);
    expect(requests).toHaveLength(3);
  });

  test('has no block behind its end: 4.00', () => {
    const { ask } = withServer({ preferredBlockSize: 32 }, content);
    ask(Code.GET, '/a', []);
    expect(ask(Code.GET, '/a', [block(2, '4/0/32')]).code).toBe(Code.BAD_REQUEST);
    expect(ask(Code.GET, '/none', [block(2, '1000/0/1024')]).code).toBe(Code.BAD_REQUEST);
  });

  test('cannot be read in blocks so small that their numbers run out', () => {
    const huge = new Uint8Array(17 * 1024 * 1024);
    const { ask } = withServer({}, (request) => request.respond({ code: Code.CONTENT, payload: huge }));
    expect(blockText(ask(Code.GET, '/a', [block(2, '16384/0/1024')]), 2)).toBe('16384/1/1024');
    expect(blockText(ask(Code.GET, '/a', [block(2, '1048575/0/16')]), 2)).toBe('1048575/1/16');
    const small = withServer({ preferredBlockSize: 16 }, (request) =>
      request.respond({ code: Code.CONTENT, payload: huge }),
    );
    expect(small.ask(Code.GET, '/a', [block(2, '17000/0/1024')]).code).toBe(Code.BAD_REQUEST);
  });

  test('drops the oldest where there are too many, since it can be read again', () => {
    const { world, endpoint, ask, requests } = withServer(
      { preferredBlockSize: 32, maxBlockTransfers: 2, maxBlockMemory: 250 },
      content,
    );
    ask(Code.GET, '/a', []);
    for (let i = 0; i < 3; i++) {
      const peer = world.raw(`peer-${i}`, 'server');
      peer.send({ code: Code.GET, path: '/a', messageId: 1 });
      world.clock.advance(50);
      expect(blockText(peer.take(), 2)).toBe('0/1/32');
    }
    expect(endpoint.statistics.blockTransfers).toBe(2);
    expect(ask(Code.GET, '/a', [block(2, '1/0/32')]).payload).toEqual(big.subarray(32, 64));
    expect(requests).toHaveLength(5);
  });

  test('goes out even where it is too large to be kept', () => {
    const { ask, endpoint } = withServer({ preferredBlockSize: 32, maxBlockMemory: 50 }, content);
    expect(blockText(ask(Code.GET, '/a', []), 2)).toBe('0/1/32');
    expect(ask(Code.GET, '/a', [block(2, '3/0/32')]).payload).toEqual(big.subarray(96));
    expect(endpoint.statistics.blockTransfers).toBe(0);
  });

  test('of a FETCH is found by what was asked for, with the body repeated or not', () => {
    const { ask, requests } = withServer({ preferredBlockSize: 32 }, (request) =>
      request.respond({ code: Code.CONTENT, payload: body(100, request.payload[0]) }),
    );
    ask(Code.FETCH, '/', [], 'a');
    ask(Code.FETCH, '/', [], 'b');
    expect(ask(Code.FETCH, '/', [block(2, '1/0/32')], 'a').payload).toEqual(body(100, 97).subarray(32, 64));
    expect(ask(Code.FETCH, '/', [block(2, '1/0/32')], 'b').payload).toEqual(body(100, 98).subarray(32, 64));
    expect(ask(Code.FETCH, '/', [block(2, '1/0/32')]).payload).toEqual(body(100, 98).subarray(32, 64));
    expect(requests).toHaveLength(2);
  });
});

describe('a response body in blocks, at the client', () => {
  const whole = body(48);
  const part = (number: number, more: boolean, options: readonly CoapOption[] = []): Answer => ({
    code: Code.CONTENT,
    options: [block(2, `${number}/${more ? 1 : 0}/16`), ...options],
    payload: whole.subarray(number * 16, number * 16 + 16),
  });
  const etag = (value: number): CoapOption => ({ number: OptionNumber.ETAG, value: Uint8Array.of(value) });

  test('is handed on whole, with the options of its first block and none that speak of blocks', async () => {
    const format = uintOption(OptionNumber.CONTENT_FORMAT, 112);
    const { get, requests } = withClient({}, (_request, i) =>
      part(i, i < 2, i === 0 ? [format, uintOption(OptionNumber.SIZE2, 48)] : []),
    );
    expect(await get()).toMatchObject({ code: Code.CONTENT, payload: whole, options: [format] });
    const tokens = requests.map(({ token }) => hex(token));
    expect(new Set(tokens).size).toBe(3);
  });

  test('begins anew where its ETag changes, and is given up where that goes on', async () => {
    let version = 1;
    const changing = withClient({}, (request, i) => {
      if (i === 2) version = 2;
      const number = Number(blockText(request, 2)?.split('/')[0] ?? 0);
      return part(number, number < 2, [etag(version)]);
    });
    expect(await changing.get()).toMatchObject({ payload: whole });
    expect(changing.requests.map((request) => blockText(request, 2))).toEqual([
      undefined,
      '1/0/16',
      '2/0/16',
      undefined,
      '1/0/16',
      '2/0/16',
    ]);
    const restless = withClient({}, (request, i) => {
      const number = Number(blockText(request, 2)?.split('/')[0] ?? 0);
      return part(number, number < 2, [etag(i)]);
    });
    expect(await restless.get()).toBeInstanceOf(DecodeError);
  });

  const broken: readonly (readonly [
    name: string,
    answer: (i: number) => Answer,
    parameters?: Partial<CoapParameters>,
  ])[] = [
    ['begins with another block than 0', () => part(1, true)],
    ['skips a block', (i) => part(i === 0 ? 0 : 2, i === 0)],
    ['repeats a block', () => part(0, true)],
    ['has a block that is too short', (i) => ({ ...part(i, true), payload: whole.subarray(0, 15) })],
    [
      'has a last block that is too long',
      (i) => (i === 0 ? part(0, true) : { ...part(1, false), payload: whole.subarray(0, 17) }),
    ],
    ['goes on without blocks', (i) => (i === 0 ? part(0, true) : { code: Code.CONTENT, payload: whole })],
    ['changes its code', (i) => ({ ...part(i, i < 2), code: i === 0 ? Code.CONTENT : Code.VALID })],
    ['is larger than allowed', (i) => part(i, i < 2), { maxBodySize: 40 }],
    [
      'says that it is larger than allowed',
      () => part(0, true, [uintOption(OptionNumber.SIZE2, 1_000)]),
      { maxBodySize: 999 },
    ],
    ['finds no memory', (i) => part(i, i < 2), { maxBlockMemory: 10 }],
    [
      'has a reserved block size',
      () => ({ code: Code.CONTENT, options: [{ number: OptionNumber.BLOCK2, value: Uint8Array.of(15) }] }),
    ],
  ];
  for (const [name, answer, parameters = {}] of broken) {
    test(`that ${name} rejects with DecodeError`, async () => {
      const { get, endpoint } = withClient(parameters, (_request, i) => answer(i));
      expect(await get()).toBeInstanceOf(DecodeError);
      expect(endpoint.statistics.outstanding).toBe(0);
    });
  }

  test('that ends in an error is that error', async () => {
    const { get } = withClient({}, (_request, i) =>
      i === 0 ? part(0, true) : { code: Code.NOT_FOUND, payload: bytes('gone') },
    );
    expect(await get()).toMatchObject({ code: Code.NOT_FOUND, payload: bytes('gone') });
  });

  test('follows a server that makes its blocks smaller', async () => {
    const { get, requests } = withClient({}, (_request, i) =>
      i === 0
        ? { code: Code.CONTENT, options: [block(2, '0/1/32')], payload: whole.subarray(0, 32) }
        : { code: Code.CONTENT, options: [block(2, '2/0/16')], payload: whole.subarray(32) },
    );
    expect(await get()).toMatchObject({ payload: whole });
    expect(blockText(requests[1] as CoapMessage, 2)).toBe('1/0/32');
  });

  test('of a FETCH is asked for with its body, of others without', async () => {
    for (const [code, length] of [
      [Code.FETCH, 3],
      [Code.POST, 0],
    ] as const) {
      const { world, endpoint, requests } = withClient({}, (_request, i) => part(i, i < 2));
      await world.settle(endpoint.request('server', { code, payload: bytes('abc') }));
      expect(requests[1]?.payload).toHaveLength(length);
    }
  });
});

describe('a notification in blocks of what was asked with a large body', () => {
  test('is read without repeating that body', async () => {
    const world = new World();
    let notify: ((payload: Uint8Array) => void) | undefined;
    let runs = 0;
    world.endpoint('server', {
      parameters: { preferredBlockSize: 64 },
      handler: (request) => {
        runs++;
        const observer = request.acceptObserve(() => {});
        notify = (payload) => observer.notify({ code: Code.CONTENT, payload });
        request.respond({ code: Code.CONTENT, payload: request.payload });
      },
    });
    const endpoint = world.endpoint('client', { parameters: { preferredBlockSize: 64 } });
    const seen: Uint8Array[] = [];
    const { response, observation } = await world.settle(
      endpoint.observe(
        'server',
        { code: Code.FETCH, payload: body(200) },
        {
          onNotification: (one) => {
            seen.push(one.payload);
            one.accept();
          },
        },
      ),
    );
    expect(response.payload).toEqual(body(200));
    expect(observation).toBeDefined();
    notify?.(body(300, 1));
    await world.clock.run(1_000);
    expect(seen).toEqual([body(300, 1)]);
    expect(runs).toBe(1);
  });
});

describe('a request body in blocks, at the client', () => {
  const payload = body(100);
  const put = { code: Code.PUT, options: pathOptions('/a'), payload };

  async function upload(answer: (request: CoapMessage, index: number) => Answer) {
    const { world, endpoint, requests } = withClient({ preferredBlockSize: 32 }, answer);
    const result = await world.settle(
      endpoint.request('server', put).then(
        (response) => response.code,
        (error: unknown) => (error as Error).name,
      ),
    );
    return { result, blocks: requests.map((request) => blockText(request, 1)), requests };
  }
  const echo = (request: CoapMessage) => block(1, blockText(request, 1) as string);

  test('says its whole size with the first block, and has a fresh token for each', async () => {
    const { requests } = await upload((request) => ({
      code:
        echo(request).value.length > 0 && blockText(request, 1)?.includes('/1/')
          ? Code.CONTINUE
          : Code.CHANGED,
      options: [echo(request)],
    }));
    expect(requests.map(({ options }) => uintOf(options, OptionNumber.SIZE1))).toEqual([
      100,
      undefined,
      undefined,
      undefined,
    ]);
    expect(new Set(requests.map(({ token }) => hex(token))).size).toBe(4);
  });

  test('begins anew in smaller blocks where 4.13 asks for that', async () => {
    const { result, blocks } = await upload((request, i) =>
      i === 0
        ? { code: Code.REQUEST_ENTITY_TOO_LARGE, options: [block(1, '0/1/16')] }
        : {
            code: blockText(request, 1)?.includes('/1/') === true ? Code.CONTINUE : Code.CHANGED,
            options: [echo(request)],
          },
    );
    expect(result).toBe(Code.CHANGED);
    expect(blocks).toEqual(['0/1/32', '0/1/16', '1/1/16', '2/1/16', '3/1/16', '4/1/16', '5/1/16', '6/0/16']);
  });

  test('ends where the server will not have it', async () => {
    for (const code of [Code.REQUEST_ENTITY_TOO_LARGE, Code.REQUEST_ENTITY_INCOMPLETE, Code.UNAUTHORIZED]) {
      const { result, blocks } = await upload((_request, i) => ({
        code: i === 1 ? code : Code.CONTINUE,
        options: [block(1, `${i}/1/32`)],
      }));
      expect([result, blocks.length]).toEqual([code, 2]);
    }
  });

  test('ends with the answer of a server that knows no blocks', async () => {
    const { result, blocks } = await upload(() => ({ code: Code.CHANGED }));
    expect([result, blocks]).toEqual([Code.CHANGED, ['0/1/32']]);
  });

  test('rejects with DecodeError where an answer speaks of another block', async () => {
    expect((await upload(() => ({ code: Code.CONTINUE, options: [block(1, '7/1/32')] }))).result).toBe(
      'DecodeError',
    );
  });

  test('goes on at 2.31, also where that does not say to which block', async () => {
    const { result, blocks } = await upload((_request, i) => ({
      code: i < 3 ? Code.CONTINUE : Code.CHANGED,
    }));
    expect([result, blocks]).toEqual([Code.CHANGED, ['0/1/32', '1/1/32', '2/1/32', '3/0/32']]);
  });

  test('has a Request-Tag only beside others, each another', async () => {
    const world = new World();
    const endpoint = world.endpoint('client', { parameters: { preferredBlockSize: 32, nstart: 4 } });
    const server = world.raw('server', 'client');
    const all = [1, 2, 3].map(() =>
      endpoint.request('server', { ...put, timeout: 1_000 }).catch(() => undefined),
    );
    world.clock.advance(20);
    const tags = server.received.map(({ options }) => findOption(options, OptionNumber.REQUEST_TAG)?.value);
    expect(tags[0]).toBeUndefined();
    expect(tags[1]).toHaveLength(4);
    expect(tags[2]).not.toEqual(tags[1]);
    await world.settle(Promise.all(all));
  });
});
