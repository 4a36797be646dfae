import { describe, expect, test } from 'vitest';
import { encodeMessage } from '../../../protocol/coap/codec.ts';
import { createCoapEndpoint } from '../../../protocol/coap/endpoint.ts';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { uintOption } from '../../../protocol/coap/options.ts';
import { Direction, tapPort } from '../../../protocol/coap/tapped-port.ts';
import { CapturedMessage } from '../../../server/trace/captured-message.ts';
import { type Annotation, Conversation } from '../../../server/trace/conversation.ts';
import { block, type Draft, draft } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

let nextId = 1;

function captured(time: number, direction: Direction, fields: Draft): CapturedMessage {
  const data = encodeMessage(draft(fields));
  return new CapturedMessage(nextId++, time, direction, 'peer:1', data.length, data);
}

/** What is said of each, with ids counted from 1. */
function annotate(
  ...messages: readonly (readonly [time: number, direction: Direction, fields: Draft])[]
): Omit<Annotation, 'request'>[] {
  nextId = 1;
  const conversation = new Conversation();
  return messages.map(([time, direction, fields]) => {
    const { request: _, ...said } = conversation.add(captured(time, direction, fields));
    return said;
  });
}

const { IN, OUT } = Direction;
const { NON, ACK, RST } = MessageType;
const read: Draft = { code: Code.GET, messageId: 7, token: 'aa', path: '/3/0/9' };

describe('what belongs together', () => {
  test('a piggybacked response answers its request', () => {
    expect(
      annotate(
        [0, OUT, read],
        [12.5, IN, { type: ACK, code: Code.CONTENT, messageId: 7, token: 'aa', payload: '87' }],
      ),
    ).toEqual([{ path: '/3/0/9' }, { path: '/3/0/9', answers: 1, elapsed: 12.5 }]);
  });

  test('a separate response answers the request, and what acknowledges it answers the response', () => {
    expect(
      annotate(
        [0, OUT, read],
        [10, IN, { type: ACK, messageId: 7 }],
        [500, IN, { code: Code.CONTENT, messageId: 900, token: 'aa', payload: '87' }],
        [501, OUT, { type: ACK, messageId: 900 }],
      ),
    ).toEqual([
      { path: '/3/0/9' },
      { path: '/3/0/9', answers: 1, elapsed: 10 },
      { path: '/3/0/9', answers: 1, elapsed: 500 },
      { path: '/3/0/9', answers: 3, elapsed: 1 },
    ]);
  });

  test('a notification has the path of its observation, answers nothing, and is acknowledged or reset', () => {
    const notification = (messageId: number): Draft => ({
      code: Code.CONTENT,
      messageId,
      token: 'aa',
      options: [uintOption(OptionNumber.OBSERVE, messageId)],
      payload: '87',
    });
    expect(
      annotate(
        [0, OUT, { ...read, options: [uintOption(OptionNumber.OBSERVE, 0)] }],
        [5, IN, { ...notification(7), type: ACK }],
        [1_000, IN, notification(50)],
        [1_001, OUT, { type: ACK, messageId: 50 }],
        [2_000, IN, { ...notification(51), type: NON }],
        [2_001, OUT, { type: RST, messageId: 51 }],
      ).map(({ path, answers }) => [path, answers]),
    ).toEqual([
      ['/3/0/9', undefined],
      ['/3/0/9', 1],
      ['/3/0/9', undefined],
      ['/3/0/9', 3],
      ['/3/0/9', undefined],
      ['/3/0/9', 5],
    ]);
  });

  test('of an observation that was made before, the path is asked for', () => {
    const conversation = new Conversation((token) => (token === 'aa' ? '/42770/0/2' : undefined));
    const notification = { code: Code.CONTENT, token: 'aa', payload: '1' };
    expect(conversation.add(captured(0, IN, { ...notification, messageId: 1 })).path).toBe('/42770/0/2');
    expect(conversation.add(captured(0, IN, { ...notification, messageId: 2, token: 'bb' }))).toEqual({});
  });

  test('each block is answered for itself', () => {
    const part = (number: number): Draft => ({
      code: Code.PUT,
      messageId: number,
      token: 'aa',
      path: '/5/0/0',
      options: [block(1, `${number}/1/16`)],
      payload: 'x'.repeat(16),
    });
    const answers = annotate(
      [0, OUT, part(0)],
      [1, IN, { type: ACK, code: Code.CONTINUE, messageId: 0, token: 'aa' }],
      [2, OUT, part(1)],
      [4, IN, { type: ACK, code: Code.CONTINUE, messageId: 1, token: 'aa' }],
    );
    expect(answers.map(({ answers: id, elapsed }) => [id, elapsed])).toEqual([
      [undefined, undefined],
      [1, 1],
      [undefined, undefined],
      [3, 2],
    ]);
  });

  test('the same message id of the other side, or after its lifetime, is another message', () => {
    expect(
      annotate(
        [0, OUT, read],
        [1, IN, { ...read, path: '/rd' }],
        [2, OUT, { type: ACK, messageId: 7, code: Code.CHANGED, token: 'aa' }],
        [248_000, OUT, read],
        [248_001, IN, { type: ACK, messageId: 7 }],
      ).map(({ answers, retransmission, duplicate }) => [answers, retransmission, duplicate]),
    ).toEqual([
      [undefined, undefined, undefined],
      [undefined, undefined, undefined],
      [2, undefined, undefined],
      [undefined, undefined, undefined],
      [4, undefined, undefined],
    ]);
  });

  test('an answer to what is no longer known answers nothing', () => {
    expect(annotate([0, IN, { type: ACK, messageId: 1 }], [0, IN, { type: RST, messageId: 2 }])).toEqual([
      {},
      {},
    ]);
  });
});

describe('what is there again', () => {
  test('of ours is a retransmission, however soon, and the answer is to the first', () => {
    const said = annotate(
      [0, OUT, read],
      [2_500, OUT, read],
      [7_000, OUT, read],
      [7_010, IN, { type: ACK, messageId: 7 }],
    );
    expect(said.map(({ retransmission }) => retransmission)).toEqual([undefined, 1, 2, undefined]);
    expect(said[3]).toEqual({ path: '/3/0/9', answers: 1, elapsed: 7_010 });
  });

  test("of the device's is one after its time-out, and a duplicate before", () => {
    const said = annotate([0, IN, read], [3, IN, read], [2_200, IN, read], [2_201, IN, read]);
    expect(said.map(({ retransmission, duplicate }) => retransmission ?? duplicate)).toEqual([
      undefined,
      true,
      1,
      true,
    ]);
  });

  test('is a duplicate where it is a NON, or an answer that was given again', () => {
    const said = annotate(
      [0, IN, { ...read, type: NON }],
      [5_000, IN, { ...read, type: NON }],
      [5_001, IN, { ...read, messageId: 8 }],
      [5_002, OUT, { type: ACK, messageId: 8, code: Code.CONTENT, token: 'aa' }],
      [7_001, IN, { ...read, messageId: 8 }],
      [7_002, OUT, { type: ACK, messageId: 8, code: Code.CONTENT, token: 'aa' }],
    );
    expect(said.map(({ duplicate, retransmission }) => retransmission ?? duplicate)).toEqual([
      undefined,
      true,
      undefined,
      undefined,
      1,
      true,
    ]);
  });

  test('with other bytes under the same message id is another message', () => {
    const said = annotate([0, OUT, read], [10, OUT, { ...read, path: '/3/0/10' }]);
    expect(said[1]).toEqual({ path: '/3/0/10' });
  });

  test('over a link that loses and doubles is told as the endpoint that is traced did it', async () => {
    const world = new World({ loss: 0.25, duplicate: 0.15, delay: 20, jitter: 40, seed: 11 });
    const device = world.endpoint('device:1', {
      handler: (request) => request.respond({ code: Code.CONTENT, payload: new Uint8Array(3) }),
    });
    const conversation = new Conversation();
    const said: { readonly captured: CapturedMessage; readonly annotation: Annotation }[] = [];
    const server = createCoapEndpoint({
      clock: world.clock,
      port: tapPort(world.link.port('server:1'), (direction, data, peer) => {
        const message = new CapturedMessage(
          said.length + 1,
          world.clock.now(),
          direction,
          peer,
          data.length,
          data,
        );
        said.push({ captured: message, annotation: conversation.add(message) });
      }),
    });
    let timeouts = 0;
    for (let at = 0; at < 200; at++) {
      await world
        .settle(server.request('device:1', { code: Code.GET, options: [], timeout: 100_000 }))
        .catch(() => timeouts++);
    }
    await world.clock.run(100_000);
    const { retransmissions } = server.statistics;
    expect(retransmissions).toBeGreaterThan(40);
    const again = said.filter(({ annotation }) => annotation.retransmission !== undefined);
    expect(again.every(({ captured: { direction } }) => direction === OUT)).toBe(true);
    expect(again.length).toBe(retransmissions);
    // Responses that come twice, doubled by the network or given again to a retransmission.
    const twice = said.filter(({ annotation }) => annotation.duplicate === true);
    expect(twice.length).toBeGreaterThan(10);
    expect(twice.every(({ captured: { direction } }) => direction === IN)).toBe(true);
    // Every response that came is one to the first transmission of its request.
    const responses = said.filter(({ captured: { direction } }) => direction === IN);
    for (const { captured: response, annotation } of responses) {
      const request = said.find(({ captured: { id } }) => id === annotation.answers);
      expect(request?.captured.message?.token).toEqual(response.message?.token);
      expect(request?.annotation.retransmission).toBeUndefined();
    }
    const first = responses.filter(({ annotation }) => annotation.duplicate !== true);
    expect(first.length).toBe(200 - timeouts);
    await device.close();
    await server.close();
  });
});
