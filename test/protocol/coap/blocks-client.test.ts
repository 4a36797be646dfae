import { describe, expect, test } from 'vitest';
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

describe('a request that is not to be made a second time', () => {
  test.each([
    ['2/0/1/16', block(2, '0/1/16')],
    ['2/7/0/16', block(2, '7/0/16')],
  ])('takes the first message of the answer for all of it: %s', async (_what, option) => {
    const { world, endpoint, requests } = withClient({}, () => ({
      code: Code.CHANGED,
      options: [option],
      payload: body(16),
    }));
    const request = { code: Code.POST, options: pathOptions('/3/0/4'), wholeAnswer: false };
    const response = await world.settle(endpoint.request('server', request));
    expect(response).toMatchObject({ code: Code.CHANGED, options: [], payload: body(16) });
    expect(requests).toHaveLength(1);
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

test('a single block that was asked for is given as it came, with its Block2 option', async () => {
  const whole = body(48);
  const { world, endpoint, requests } = withClient({}, () => ({
    code: Code.CONTENT,
    options: [block(2, '1/1/16')],
    payload: whole.subarray(16, 32),
  }));
  const answer = await world.settle(
    endpoint.request('server', {
      code: Code.GET,
      options: pathOptions('/big'),
      block2: { number: 1, more: false, size: 16 },
    }),
  );
  expect(requests.map((request) => blockText(request, 2))).toEqual(['1/0/16']);
  expect(answer).toMatchObject({ code: Code.CONTENT, payload: whole.subarray(16, 32) });
  expect(blockText(answer, 2)).toBe('1/1/16');
});
