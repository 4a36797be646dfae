import { describe, expect, test } from 'vitest';
import { decodeMessage } from '../../../protocol/coap/codec.ts';
import type { IncomingRequest, OutgoingResponse } from '../../../protocol/coap/exchange.ts';
import {
  type CoapMessage,
  Code,
  formatCode,
  MessageType,
  OptionNumber,
} from '../../../protocol/coap/message.ts';
import { observe, pathOptions, uintOption } from '../../../protocol/coap/options.ts';
import type { CoapParameters } from '../../../protocol/coap/parameters.ts';
import { block, blockText, hex } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const { CON, ACK } = MessageType;
const register = uintOption(OptionNumber.OBSERVE, 0);

function body(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 31 + (i >> 8));
}

/** Our server with blocks of a size, and a peer that asks it as the figures show. */
function withServer(size: number, respond: (request: IncomingRequest) => OutgoingResponse) {
  const world = new World();
  const requests: IncomingRequest[] = [];
  world.endpoint('server', {
    parameters: { preferredBlockSize: size },
    handler: (request) => {
      requests.push(request);
      if (request.observe === 0) request.acceptObserve(() => {});
      request.respond(respond(request));
    },
  });
  const client = world.raw('client', 'server');
  let messageId = 1234;
  /** One request, and the answer in the notation of the figures. */
  const ask = (
    code: Code,
    path: string,
    options: Parameters<typeof client.send>[0]['options'],
    payload?: Uint8Array,
  ) => {
    client.send({
      code,
      path,
      messageId: messageId++,
      token: 'a0',
      options: options ?? [],
      payload: payload ?? '',
    });
    world.clock.advance(100);
    return client.take();
  };
  return { world, requests, client, ask };
}

/** Our client with blocks of a size, and a server that answers each request from a list. */
function withClient(
  parameters: Partial<CoapParameters>,
  answer: (
    request: CoapMessage,
    index: number,
  ) => { code: Code; options: ReturnType<typeof block>[]; payload?: Uint8Array },
) {
  const world = new World();
  const endpoint = world.endpoint('client', { parameters });
  const server = world.raw('server', 'client');
  const log: string[] = [];
  const uploaded: number[] = [];
  let index = 0;
  server.onMessage = (request) => {
    if (request.type !== CON) return;
    const one = blockText(request, 1);
    const two = blockText(request, 2);
    log.push([formatCode(request.code), one && `1:${one}`, two && `2:${two}`].filter(Boolean).join(' '));
    uploaded.push(...request.payload);
    const { code, options, payload } = answer(request, index++);
    server.send({
      type: ACK,
      code,
      messageId: request.messageId,
      token: hex(request.token),
      options,
      payload: payload ?? '',
    });
  };
  return { world, endpoint, log, uploaded };
}

const shown = (message: CoapMessage): string => {
  const one = blockText(message, 1);
  const two = blockText(message, 2);
  return [formatCode(message.code), one && `1:${one}`, two && `2:${two}`].filter(Boolean).join(' ');
};

describe('RFC 7959 §3.1, Block2', () => {
  const status = body(300);
  const content = () => ({ code: Code.CONTENT, payload: status });

  test('figure 2, the server: a simple block-wise GET', () => {
    const { ask, requests } = withServer(128, content);
    const answers = [
      ask(Code.GET, '/status', []),
      ask(Code.GET, '/status', [block(2, '1/0/128')]),
      ask(Code.GET, '/status', [block(2, '2/0/128')]),
    ];
    expect(answers.map(shown)).toEqual(['2.05 2:0/1/128', '2.05 2:1/1/128', '2.05 2:2/0/128']);
    expect(answers.flatMap(({ payload }) => [...payload])).toEqual([...status]);
    expect(requests).toHaveLength(1);
  });

  test('figure 2, the client', async () => {
    const { world, endpoint, log } = withClient({}, (_request, i) => ({
      code: Code.CONTENT,
      options: [block(2, `${i}/${i < 2 ? 1 : 0}/128`)],
      payload: status.subarray(i * 128, i * 128 + 128),
    }));
    const response = await world.settle(
      endpoint.request('server', { code: Code.GET, options: pathOptions('/status') }),
    );
    expect(response.payload).toEqual(status);
    expect(log).toEqual(['0.01', '0.01 2:1/0/128', '0.01 2:2/0/128']);
  });

  test('figure 3, the server: early negotiation', () => {
    const { ask } = withServer(1024, content);
    const answers = Array.from({ length: 5 }, (_, i) => ask(Code.GET, '/status', [block(2, `${i}/0/64`)]));
    expect(answers.map(shown)).toEqual([0, 1, 2, 3, 4].map((i) => `2.05 2:${i}/${i < 4 ? 1 : 0}/64`));
    expect(answers.flatMap(({ payload }) => [...payload])).toEqual([...status]);
  });

  test('figure 3, the client: whoever wants small blocks says so at once', async () => {
    const { world, endpoint, log } = withClient({ preferredBlockSize: 64 }, (_request, i) => ({
      code: Code.CONTENT,
      options: [block(2, `${i}/${i < 4 ? 1 : 0}/64`)],
      payload: status.subarray(i * 64, i * 64 + 64),
    }));
    const response = await world.settle(
      endpoint.request('server', { code: Code.GET, options: pathOptions('/status') }),
    );
    expect(response.payload).toEqual(status);
    expect(log[0]).toBe('0.01 2:0/0/64');
  });

  test('figure 4: late negotiation, the client goes on with smaller blocks of the same body', () => {
    const { ask, requests } = withServer(128, content);
    const answers = [ask(Code.GET, '/status', [])];
    for (let i = 2; i < 5; i++) answers.push(ask(Code.GET, '/status', [block(2, `${i}/0/64`)]));
    expect(answers.map(shown)).toEqual(['2.05 2:0/1/128', '2.05 2:2/1/64', '2.05 2:3/1/64', '2.05 2:4/0/64']);
    expect(answers.flatMap(({ payload }) => [...payload])).toEqual([...status]);
    expect(requests).toHaveLength(1);
  });

  test('figure 5: late negotiation, a lost CON is sent again', async () => {
    const world = new World();
    world.endpoint('server', {
      parameters: { preferredBlockSize: 64 },
      handler: (r) => r.respond(content()),
    });
    const endpoint = world.endpoint('client');
    let sent = 0;
    world.link.filter = (_data, from) => from === 'client' && ++sent === 3;
    const response = await world.settle(
      endpoint.request('server', { code: Code.GET, options: pathOptions('/status') }),
    );
    expect(response.payload).toEqual(status);
    expect(endpoint.statistics.retransmissions).toBe(1);
  });

  test('figure 6: late negotiation, a lost ACK is sent again for the duplicate', async () => {
    const world = new World();
    let handled = 0;
    const server = world.endpoint('server', {
      parameters: { preferredBlockSize: 64 },
      handler: (request) => {
        handled++;
        request.respond(content());
      },
    });
    const endpoint = world.endpoint('client');
    let sent = 0;
    world.link.filter = (_data, from) => from === 'server' && ++sent === 3;
    const response = await world.settle(
      endpoint.request('server', { code: Code.GET, options: pathOptions('/status') }),
    );
    expect(response.payload).toEqual(status);
    expect(handled).toBe(1);
    expect(server.statistics.duplicates).toBe(1);
  });
});

describe('RFC 7959 §3.2, Block1', () => {
  const options = body(300);
  const changed = () => ({ code: Code.CHANGED });

  test('figure 7, the server: a simple atomic block-wise PUT', () => {
    const { ask, requests } = withServer(1024, changed);
    const answers = [0, 1, 2].map((i) =>
      ask(
        Code.PUT,
        '/options',
        [block(1, `${i}/${i < 2 ? 1 : 0}/128`)],
        options.subarray(i * 128, i * 128 + 128),
      ),
    );
    expect(answers.map(shown)).toEqual(['2.31 1:0/1/128', '2.31 1:1/1/128', '2.04 1:2/0/128']);
    expect(requests.map(({ payload }) => payload)).toEqual([options]);
  });

  test('figure 7, the client', async () => {
    const { world, endpoint, log, uploaded } = withClient({ preferredBlockSize: 128 }, (request) => ({
      code: blockText(request, 1)?.includes('/1/') === true ? Code.CONTINUE : Code.CHANGED,
      options: [block(1, blockText(request, 1) as string)],
    }));
    const put = { code: Code.PUT, options: pathOptions('/options'), payload: options };
    expect((await world.settle(endpoint.request('server', put))).code).toBe(Code.CHANGED);
    expect(log).toEqual(['0.03 1:0/1/128', '0.03 1:1/1/128', '0.03 1:2/0/128']);
    expect(uploaded).toEqual([...options]);
  });

  test('figure 8, the client: a stateless server answers each block by itself', async () => {
    const { world, endpoint, log } = withClient({ preferredBlockSize: 128 }, (_request, i) => ({
      code: Code.CHANGED,
      options: [block(1, `${i}/0/128`)],
    }));
    const put = { code: Code.PUT, options: pathOptions('/options'), payload: options };
    expect((await world.settle(endpoint.request('server', put))).code).toBe(Code.CHANGED);
    expect(log).toEqual(['0.03 1:0/1/128', '0.03 1:1/1/128', '0.03 1:2/0/128']);
  });

  test('figure 9, the server: it asks for smaller blocks, the client follows', () => {
    const { ask, requests } = withServer(32, changed);
    const sent = options.subarray(0, 250);
    const answers = [ask(Code.PUT, '/options', [block(1, '0/1/128')], sent.subarray(0, 128))];
    for (let i = 4; i < 8; i++) {
      answers.push(
        ask(Code.PUT, '/options', [block(1, `${i}/${i < 7 ? 1 : 0}/32`)], sent.subarray(i * 32, i * 32 + 32)),
      );
    }
    expect(answers.map(shown)).toEqual([
      '2.31 1:0/1/32',
      '2.31 1:4/1/32',
      '2.31 1:5/1/32',
      '2.31 1:6/1/32',
      '2.04 1:7/0/32',
    ]);
    expect(requests.map(({ payload }) => payload)).toEqual([sent]);
  });

  test('figure 9, the client', async () => {
    const sent = options.subarray(0, 250);
    const { world, endpoint, log, uploaded } = withClient({ preferredBlockSize: 128 }, (request, i) => {
      const asked = blockText(request, 1) as string;
      return {
        code: asked.includes('/1/') ? Code.CONTINUE : Code.CHANGED,
        options: [block(1, i === 0 ? '0/1/32' : asked)],
      };
    });
    const put = { code: Code.PUT, options: pathOptions('/options'), payload: sent };
    expect((await world.settle(endpoint.request('server', put))).code).toBe(Code.CHANGED);
    expect(log).toEqual([
      '0.03 1:0/1/128',
      '0.03 1:4/1/32',
      '0.03 1:5/1/32',
      '0.03 1:6/1/32',
      '0.03 1:7/0/32',
    ]);
    expect(uploaded).toEqual([...sent]);
  });
});

describe('RFC 7959 §3.3, Block1 and Block2 together', () => {
  const question = body(300);
  const reply = body(280).reverse();

  test('figure 10, the server: an atomic block-wise POST with a block-wise response', () => {
    const { ask, requests } = withServer(128, () => ({ code: Code.CHANGED, payload: reply }));
    const answers = [0, 1, 2].map((i) =>
      ask(
        Code.POST,
        '/soap',
        [block(1, `${i}/${i < 2 ? 1 : 0}/128`)],
        question.subarray(i * 128, i * 128 + 128),
      ),
    );
    answers.push(
      ask(Code.POST, '/soap', [block(2, '1/0/128')]),
      ask(Code.POST, '/soap', [block(2, '2/0/128')]),
    );
    expect(answers.map(shown)).toEqual([
      '2.31 1:0/1/128',
      '2.31 1:1/1/128',
      '2.04 1:2/0/128 2:0/1/128',
      '2.04 2:1/1/128',
      '2.04 2:2/0/128',
    ]);
    expect(answers.slice(2).flatMap(({ payload }) => [...payload])).toEqual([...reply]);
    expect(requests.map(({ payload }) => payload)).toEqual([question]);
  });

  test('figure 10, both ends: the handler runs once', async () => {
    const world = new World();
    const requests: IncomingRequest[] = [];
    world.endpoint('server', {
      parameters: { preferredBlockSize: 128 },
      handler: (request) => {
        requests.push(request);
        request.respond({ code: Code.CHANGED, payload: reply });
      },
    });
    const endpoint = world.endpoint('client', { parameters: { preferredBlockSize: 128 } });
    const post = { code: Code.POST, options: pathOptions('/soap'), payload: question };
    expect((await world.settle(endpoint.request('server', post))).payload).toEqual(reply);
    expect(requests.map(({ payload }) => payload)).toEqual([question]);
  });

  test('figure 11, the server: the client asks for a response in smaller blocks, late', () => {
    const { ask } = withServer(128, () => ({ code: Code.CHANGED, payload: reply }));
    const answers = [0, 1, 2].map((i) =>
      ask(
        Code.POST,
        '/soap',
        // In the last block of the request it names the size that it wants.
        i < 2 ? [block(1, `${i}/1/128`)] : [block(1, '2/0/128'), block(2, '0/0/64')],
        question.subarray(i * 128, i * 128 + 128),
      ),
    );
    for (let i = 1; i < 5; i++) answers.push(ask(Code.POST, '/soap', [block(2, `${i}/0/64`)]));
    expect(answers.slice(2).map(shown)).toEqual([
      '2.04 1:2/0/128 2:0/1/64',
      '2.04 2:1/1/64',
      '2.04 2:2/1/64',
      '2.04 2:3/1/64',
      '2.04 2:4/0/64',
    ]);
    expect(answers.slice(2).flatMap(({ payload }) => [...payload])).toEqual([...reply]);
  });
});

describe('RFC 7959 §3.4, Observe and Block2', () => {
  const status = body(300);

  test('figure 12: only the first block is a notification, the rest is read with a fresh token and without Observe', async () => {
    const world = new World();
    world.link.recording = true;
    const observers: ReturnType<IncomingRequest['acceptObserve']>[] = [];
    let handled = 0;
    world.endpoint('server', {
      parameters: { preferredBlockSize: 128 },
      handler: (request) => {
        handled++;
        observers.push(request.acceptObserve(() => {}));
        request.respond({ code: Code.CONTENT, payload: status });
      },
    });
    const endpoint = world.endpoint('client');
    const seen: Uint8Array[] = [];
    const observing = endpoint.observe(
      'server',
      { code: Code.GET, options: pathOptions('/status') },
      {
        token: 'fb',
        onNotification: (one) => {
          seen.push(one.payload);
          one.accept();
        },
      },
    );
    expect((await world.settle(observing)).response.payload).toEqual(status);
    const changed = status.slice().reverse();
    const delivered: boolean[] = [];
    observers[0]?.notify({ code: Code.CONTENT, payload: changed }, {}, (done) => delivered.push(done));
    await world.clock.run(1_000);
    expect(seen).toEqual([changed]);
    expect(delivered).toEqual([true]);
    expect(handled).toBe(1);
    const messages = world.link.log.map(({ data }) => decodeMessage(data));
    for (const message of messages.filter(({ code }) => code !== Code.EMPTY)) {
      const number = Number(blockText(message, 2)?.split('/')[0] ?? 0);
      expect([number, hex(message.token) === 'fb', observe(message.options) !== undefined]).toEqual([
        number,
        number === 0,
        number === 0,
      ]);
    }
    // The first block of the notification is acknowledged last of all: when the whole has arrived.
    expect(messages.at(-1)).toMatchObject({ type: ACK, code: Code.EMPTY });
  });

  test('figure 13: with early negotiation the notifications come in the size that was asked for', () => {
    const { ask, requests, client } = withServer(1024, () => ({
      code: Code.CONTENT,
      payload: status,
    }));
    const answers = [ask(Code.GET, '/status', [register, block(2, '0/0/64')])];
    for (let i = 1; i < 5; i++) answers.push(ask(Code.GET, '/status', [block(2, `${i}/0/64`)]));
    expect(answers.map(shown)).toEqual([0, 1, 2, 3, 4].map((i) => `2.05 2:${i}/${i < 4 ? 1 : 0}/64`));
    expect(answers.map(({ options }) => observe(options) !== undefined)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(requests).toHaveLength(1);
    expect(client.received).toEqual([]);
  });

  test('figure 13: the notification too', () => {
    const world = new World();
    let observer: ReturnType<IncomingRequest['acceptObserve']> | undefined;
    world.endpoint('server', {
      handler: (request) => {
        observer = request.acceptObserve(() => {});
        request.respond({ code: Code.CONTENT, payload: status });
      },
    });
    const client = world.raw('client', 'server');
    client.send({
      code: Code.GET,
      messageId: 1,
      token: 'fb',
      path: '/status',
      options: [register, block(2, '0/0/64')],
    });
    world.clock.advance(20);
    client.take();
    observer?.notify({ code: Code.CONTENT, payload: status }, { confirmable: false });
    world.clock.advance(20);
    expect(shown(client.take())).toBe('2.05 2:0/1/64');
  });
});
