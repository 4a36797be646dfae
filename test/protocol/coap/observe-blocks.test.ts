import { describe, expect, test } from 'vitest';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { observe } from '../../../protocol/coap/options.ts';
import { block, blockText, bytes, type Draft, hex, text } from '../../support/coap/raw-peer.ts';
import { request, restoredObservation, seq, TOKEN } from '../../support/coap/restored-observation.ts';

const { CON, ACK, RST } = MessageType;

describe('a block-wise notification', () => {
  const whole = Uint8Array.from({ length: 40 }, (_, i) => i);
  const part = (number: number, options: Draft['options'] = []): Draft => ({
    options: [block(2, `${number}/${number < 2 ? 1 : 0}/16`), ...(options ?? [])],
    payload: whole.subarray(number * 16, number * 16 + 16),
  });

  test('is read whole with the request of its observation, and acknowledged with the whole', () => {
    const { world, server, seen, notify } = restoredObservation(() => {});
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    const second = server.take();
    expect([second.type, second.code, blockText(second, 2)]).toEqual([CON, Code.GET, '1/0/16']);
    expect(second.options.slice(0, 1)).toEqual(request.options);
    expect(observe(second.options)).toBeUndefined();
    expect(hex(second.token)).not.toBe(TOKEN);
    // Sent again meanwhile: nothing happens twice.
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    expect(server.received).toEqual([]);
    const answer = { type: ACK, code: Code.CONTENT } as const;
    server.send({ ...answer, messageId: second.messageId, token: hex(second.token), ...part(1) });
    world.clock.advance(20);
    const third = server.take();
    server.send({ ...answer, messageId: third.messageId, token: hex(third.token), ...part(2) });
    world.clock.advance(20);
    expect(
      seen.map(({ payload, observe: value, fresh, messageId }) => [payload, value, fresh, messageId]),
    ).toEqual([[whole, 5, true, 1]]);
    expect(server.received).toEqual([]);
    seen[0]?.accept();
    world.clock.advance(20);
    expect(server.take()).toMatchObject({ type: ACK, messageId: 1 });
  });

  test('is given up for a newer one', () => {
    const { world, server, seen, notify } = restoredObservation();
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    server.take();
    notify(6, { messageId: 2, payload: 'newer' });
    expect(server.take()).toMatchObject({ type: ACK, messageId: 2 });
    notify(7, { messageId: 3, ...part(0, [seq(7)]) });
    world.clock.advance(200_000);
    expect(seen.map(({ observe: value }) => value)).toEqual([6]);
  });

  test('whose rest cannot be had is left to come again', () => {
    const failures: Draft[] = [
      { type: RST },
      { type: ACK, code: Code.NOT_FOUND },
      { type: ACK, code: Code.CONTENT, ...part(2) },
    ];
    for (const failure of failures) {
      const { world, endpoint, server, seen, notify } = restoredObservation();
      notify(5, { messageId: 1, ...part(0, [seq(5)]) });
      const second = server.take();
      const token = failure.type === RST ? '' : hex(second.token);
      server.send({ ...failure, messageId: second.messageId, token });
      world.clock.advance(20);
      expect([seen, server.received]).toEqual([[], []]);
      notify(5, { messageId: 1, payload: 'short now' });
      expect(seen.map(({ payload, fresh }) => [text(payload), fresh])).toEqual([['short now', true]]);
      expect(endpoint.statistics.outstanding).toBe(0);
    }
  });

  test('is asked for again where a block of another representation came, then read anew without Observe', () => {
    const { world, server, seen, notify } = restoredObservation();
    const other = { number: OptionNumber.ETAG, value: bytes('other') };
    const answer = (fields: Draft) => {
      const { messageId, token } = server.take();
      server.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token), ...fields });
      world.clock.advance(20);
      return server.received.map((message) => [blockText(message, 2), observe(message.options)]);
    };
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    expect(answer(part(1, [other]))).toEqual([['1/0/16', undefined]]);
    expect(answer(part(1, [other]))).toEqual([[undefined, undefined]]);
    expect(answer(part(0, [other]))).toEqual([['1/0/16', undefined]]);
    expect(answer(part(1, [other]))).toEqual([['2/0/16', undefined]]);
    expect(seen).toEqual([]);
    answer(part(2, [other]));
    expect(seen.map((one) => [one.payload, one.observe, one.messageId])).toEqual([[whole, 5, 1]]);
    expect(server.take()).toMatchObject({ type: ACK, messageId: 1 });
  });

  test('of what changes with every block is acknowledged in the end, so that newer ones can come', () => {
    const { world, endpoint, server, seen, notify } = restoredObservation();
    let reads = 0;
    server.onMessage = ({ type, messageId, token, options }) => {
      server.received.pop();
      if (type !== CON) {
        server.received.push({ type, code: 0, messageId, token, options, payload: bytes('') });
        return;
      }
      const changed = { number: OptionNumber.ETAG, value: Uint8Array.of(reads++) };
      const number = blockText({ options }, 2) === undefined ? 0 : 1;
      server.send({
        type: ACK,
        code: Code.CONTENT,
        messageId,
        token: hex(token),
        ...part(number, [changed]),
      });
    };
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    world.clock.advance(5_000);
    expect(server.take()).toMatchObject({ type: ACK, messageId: 1 });
    expect(reads).toBeLessThan(20);
    notify(6, { messageId: 2, payload: 'newer' });
    expect(seen.map(({ payload }) => text(payload))).toEqual(['newer']);
    expect(endpoint.statistics.outstanding).toBe(0);
  });

  test('that is unconfirmed waits for the one that is being read, and only the newest is read then', () => {
    const { world, server, seen, notify } = restoredObservation();
    const { NON } = MessageType;
    const answer = (number: number) => {
      const { messageId, token } = server.take();
      server.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token), ...part(number) });
      world.clock.advance(20);
    };
    notify(5, { type: NON, ...part(0, [seq(5)]) });
    notify(6, { type: NON, ...part(0, [seq(6)]) });
    answer(1);
    notify(7, { type: NON, ...part(0, [seq(7)]) });
    expect(server.received).toHaveLength(1);
    answer(2);
    answer(1);
    answer(2);
    expect(seen.map((one) => [one.observe, one.payload])).toEqual([
      [5, whole],
      [7, whole],
    ]);
    expect(server.received).toEqual([]);
  });

  test('is dropped with its observation', () => {
    const { world, endpoint, server, seen, observation, notify } = restoredObservation();
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    observation.forget();
    expect(endpoint.statistics.outstanding).toBe(0);
    server.received.length = 0;
    notify(5, { messageId: 1, ...part(0, [seq(5)]) });
    expect(server.take()).toMatchObject({ type: RST, messageId: 1 });
    world.clock.advance(200_000);
    expect(seen).toEqual([]);
  });

  test('that makes no sense is rejected', () => {
    for (const [value, payload] of [
      ['1/1/16', whole.subarray(0, 16)],
      ['0/1/16', whole.subarray(0, 3)],
    ] as const) {
      const { endpoint, server, seen, notify } = restoredObservation();
      notify(5, { options: [seq(5), block(2, value)], payload });
      expect(server.take().type).toBe(RST);
      expect([seen, endpoint.statistics.malformed]).toEqual([[], 1]);
      expect(endpoint.observation(TOKEN)).toBeUndefined();
    }
  });
});
