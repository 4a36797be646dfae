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
      { type: ACK, code: Code.CONTENT, ...part(1, [{ number: OptionNumber.ETAG, value: bytes('other') }]) },
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
