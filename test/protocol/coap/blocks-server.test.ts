import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IncomingRequest } from '../../../protocol/coap/exchange.ts';
import { type CoapOption, Code, OptionNumber } from '../../../protocol/coap/message.ts';
import { findOption, pathOptions, uintOf, uintOption } from '../../../protocol/coap/options.ts';
import { type CoapParameters, defaultParameters } from '../../../protocol/coap/parameters.ts';
import { block, blockText, bytes } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

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

  test('makes room among those of its own peer', () => {
    const { ask, endpoint } = withServer({ maxBlockTransfers: 3, maxBlockTransfersPerPeer: 2 });
    for (const path of ['/a', '/b', '/c']) ask(Code.PUT, path, [block(1, '0/1/16')], body(16));
    expect(endpoint.statistics.blockTransfers).toBe(2);
    expect(ask(Code.PUT, '/a', [block(1, '1/0/16')], body(1)).code).toBe(Code.REQUEST_ENTITY_INCOMPLETE);
    expect(ask(Code.PUT, '/c', [block(1, '1/0/16')], body(1)).code).toBe(Code.CHANGED);
  });

  /** A first block from each of so many addresses; the codes of the answers. */
  function flood(world: World, from: number, to: number): Code[] {
    const peers = Array.from({ length: to - from }, (_, i) => world.raw(`flood-${from + i}`, 'server'));
    for (const peer of peers) {
      peer.send({
        code: Code.PUT,
        path: '/a',
        messageId: 1,
        options: [block(1, '0/1/16')],
        payload: body(16),
      });
    }
    world.clock.advance(50);
    return peers.map((peer) => peer.take().code);
  }

  test('completes after five thousand peers have begun one and left it, and while more of them do', () => {
    const { world, ask, requests, endpoint } = withServer({}, (request) => {
      request.respond({ code: Code.CHANGED });
    });
    const maximum = defaultParameters.maxBlockTransfers;
    expect(new Set(flood(world, 0, 5_000))).toEqual(new Set([Code.CONTINUE]));
    expect(endpoint.statistics.blockTransfers).toBe(maximum);
    const sent = body(9 * 16 + 5);
    for (let i = 0; i < 10; i++) {
      const { code } = ask(
        Code.PUT,
        '/honest',
        [block(1, `${i}/${i < 9 ? 1 : 0}/16`)],
        sent.subarray(i * 16, i * 16 + 16),
      );
      expect(code).toBe(i < 9 ? Code.CONTINUE : Code.CHANGED);
      // More than all transfers that there may be at once, as soon as there was a second block.
      if (i === 1) flood(world, 10_000, 10_000 + maximum + 10);
      if (i > 1) flood(world, 20_000 + i * 100, 20_000 + i * 100 + 100);
    }
    expect(requests.map(({ payload }) => payload)).toEqual([sent]);
    expect(endpoint.statistics.blockTransfers).toBeLessThanOrEqual(maximum);
  });

  test('can begin, and go on, where all the room is taken by transfers that got a second block and stopped', () => {
    const { world, ask, requests, endpoint } = withServer({ maxBlockTransfers: 8 });
    for (let i = 0; i < 8; i++) {
      const peer = world.raw(`stopped-${i}`, 'server');
      for (const number of [0, 1]) {
        const options = [block(1, `${number}/1/16`)];
        peer.send({ code: Code.PUT, path: '/a', messageId: number, options, payload: body(16) });
        world.clock.advance(50);
        expect(peer.take().code).toBe(Code.CONTINUE);
      }
    }
    expect(endpoint.statistics.blockTransfers).toBe(8);
    expect(ask(Code.PUT, '/a', [block(1, '0/1/16')], body(16)).code).toBe(Code.CONTINUE);
    expect(flood(world, 0, 1)).toEqual([Code.CONTINUE]);
    expect(ask(Code.PUT, '/a', [block(1, '1/0/16')], body(1)).code).toBe(Code.CHANGED);
    expect(requests).toHaveLength(1);
  });

  test('takes the memory of those that have been idle for long, not of those that go on', () => {
    const { world, ask } = withServer({ maxBlockMemory: 4_096 });
    const begin = (name: string): Code => {
      const peer = world.raw(name, 'server');
      const options = [block(1, '0/1/1024')];
      peer.send({ code: Code.PUT, path: '/a', messageId: 1, options, payload: body(1024) });
      world.clock.advance(50);
      return peer.take().code;
    };
    expect(ask(Code.PUT, '/a', [block(1, '0/1/1024')], body(1024)).code).toBe(Code.CONTINUE);
    expect([begin('idle-1'), begin('idle-2')]).toEqual([Code.CONTINUE, Code.CONTINUE]);
    world.clock.advance(9_000);
    expect(ask(Code.PUT, '/a', [block(1, '1/1/1024')], body(1024)).code).toBe(Code.CONTINUE);
    expect(begin('early')).toBe(Code.SERVICE_UNAVAILABLE);
    world.clock.advance(1_500);
    expect([begin('late-1'), begin('late-2')]).toEqual([Code.CONTINUE, Code.CONTINUE]);
    expect(begin('late-3')).toBe(Code.SERVICE_UNAVAILABLE);
    expect(ask(Code.PUT, '/a', [block(1, '2/0/1024')], new Uint8Array(0)).code).toBe(Code.CHANGED);
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
