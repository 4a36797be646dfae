import { describe, expect, test } from 'vitest';
import { encodeMessage } from '../../../protocol/coap/codec.ts';
import { type CoapMessage, Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import {
  acceptOption,
  blockOption,
  pathOptions,
  queryOptions,
  uintOption,
} from '../../../protocol/coap/options.ts';
import type { ApiTraceMessage } from '../../../server/api/schemas.ts';
import { presentCoapMessage } from '../../../server/leshan/coap-log.ts';

function traced(message: Partial<CoapMessage>, more: Partial<ApiTraceMessage> = {}): ApiTraceMessage {
  const whole = {
    type: MessageType.CON,
    code: Code.GET,
    messageId: 7,
    token: Uint8Array.of(0xab, 1),
    options: [],
    payload: new Uint8Array(),
    ...message,
  };
  const hex = Buffer.from(encodeMessage(whole)).toString('hex');
  return {
    id: 1,
    at: 1_767_225_600_000.5,
    direction: 'out',
    peer: 'p',
    size: hex.length / 2,
    hex,
    options: [],
    ...more,
  };
}

describe('a CoAP message in the log', () => {
  test('has its options by name, each with all of its values', () => {
    const options = [...pathOptions('/3/0'), ...queryOptions(['pmin=1', 'pmax']), acceptOption(112)];
    expect(presentCoapMessage('ep', traced({ options }))).toEqual({
      timestamp: 1_767_225_600_000,
      incoming: false,
      type: 'CON',
      code: 'GET',
      mId: 7,
      token: 'AB01',
      options:
        'Uri-Path/STRING: "3", "0" - Uri-Query/STRING: "pmin=1", "pmax" - Accept/INTEGER: "application/senml+cbor"',
      ep: 'ep',
    });
  });

  test('has numbers, blocks and bytes as they are', () => {
    const options = [
      { number: OptionNumber.ETAG, value: Uint8Array.of(1, 0xfe) },
      uintOption(OptionNumber.OBSERVE, 5),
      uintOption(OptionNumber.CONTENT_FORMAT, 65_000),
      blockOption(OptionNumber.BLOCK2, { number: 2, more: true, size: 64 }),
    ];
    const message = traced({ type: MessageType.ACK, code: Code.CONTENT, options }, { direction: 'in' });
    expect(presentCoapMessage('ep', message)).toMatchObject({
      incoming: true,
      type: 'ACK',
      code: '2.05',
      options:
        'ETag/OPAQUE: 0x01fe - Observe/INTEGER: 5 - Content-Format/INTEGER: "unknown/65000" - ' +
        'Block2/INTEGER: "(szx=2/64, m=true, num=2)"',
    });
  });

  test.each([
    ["0='1'", "0='1'"],
    ['ü', 'Hex:c3bc'],
    ['a\n', 'Hex:610a'],
  ])('has the payload %j as text where it is printable ASCII', (payload, shown) => {
    expect(presentCoapMessage('ep', traced({ payload: new TextEncoder().encode(payload) }))?.payload).toBe(
      shown,
    );
  });

  test('has no code where it is empty, and is left out where it is none', () => {
    const empty = traced({ type: MessageType.RST, code: Code.EMPTY, token: new Uint8Array() });
    expect(presentCoapMessage('ep', empty)).toEqual({
      timestamp: 1_767_225_600_000,
      incoming: false,
      type: 'RST',
      mId: 7,
      token: '',
      ep: 'ep',
    });
    expect(presentCoapMessage('ep', traced({}, { malformed: 'too short' }))).toBeUndefined();
  });
});
