import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeMessage,
  encodeEmpty,
  encodeMessage,
  readHeader,
  setMessageId,
  sortOptions,
} from '../../../protocol/coap/codec.ts';
import { type CoapMessage, type CoapOption, MessageType } from '../../../protocol/coap/message.ts';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { draft, hex, unhex } from '../../support/coap/raw-peer.ts';

const { CON, NON, ACK, RST } = MessageType;
const option = (number: number, value: string): CoapOption => ({ number, value: unhex(value) });

interface Vector {
  readonly name: string;
  readonly bytes: string;
  readonly message: CoapMessage;
}

const vectors: readonly Vector[] = [
  { name: 'an empty ACK', bytes: '60000001', message: draft({ type: ACK, messageId: 1 }) },
  {
    name: 'an empty RST with the highest id',
    bytes: '7000ffff',
    message: draft({ type: RST, messageId: 0xffff }),
  },
  { name: 'a ping', bytes: '40001234', message: draft({ messageId: 0x1234 }) },
  {
    name: 'RFC 7252 figure 16: a GET without token',
    bytes: '40017d34bb74656d7065726174757265',
    message: draft({ code: 1, messageId: 0x7d34, path: '/temperature' }),
  },
  {
    name: 'RFC 7252 figure 16: its piggybacked answer',
    bytes: '60457d34ff32322e332043',
    message: draft({ type: ACK, code: 0x45, messageId: 0x7d34, payload: '22.3 C' }),
  },
  {
    name: 'RFC 7252 figure 17: a GET with a token',
    bytes: '41017d3520bb74656d7065726174757265',
    message: draft({ code: 1, messageId: 0x7d35, token: '20', path: '/temperature' }),
  },
  {
    name: 'RFC 7252 figure 17: its piggybacked answer',
    bytes: '61457d3520ff32322e332043',
    message: draft({ type: ACK, code: 0x45, messageId: 0x7d35, token: '20', payload: '22.3 C' }),
  },
  {
    name: 'the longest token and a payload of one byte',
    bytes: '5845000101020304050607 08 ff 00',
    message: draft({
      type: NON,
      code: 0x45,
      messageId: 1,
      token: '0102030405060708',
      payload: new Uint8Array(1),
    }),
  },
  {
    name: 'several options of one number, one of them empty',
    bytes: '4001000b b1 61 00 01 62',
    message: draft({ code: 1, messageId: 11, options: [option(11, '61'), option(11, ''), option(11, '62')] }),
  },
  {
    name: 'deltas of 12, 13 and 268: the ends of the short forms',
    bytes: '40010001 c0 d000 d0ff',
    message: draft({ code: 1, messageId: 1, options: [option(12, ''), option(25, ''), option(293, '')] }),
  },
  {
    name: 'the least delta of two bytes, and the highest number',
    bytes: '40010001 e00000 e0fde5',
    message: draft({ code: 1, messageId: 1, options: [option(269, ''), option(65_535, '')] }),
  },
  {
    name: 'values of 12, 13, 268 and 269 bytes: the ends of the length forms',
    bytes: `40010001 1c ${'aa'.repeat(12)} 0d00 ${'bb'.repeat(13)} 0dff ${'cc'.repeat(268)} 0e0000 ${'dd'.repeat(269)}`,
    message: draft({
      code: 1,
      messageId: 1,
      options: [
        option(1, 'aa'.repeat(12)),
        option(1, 'bb'.repeat(13)),
        option(1, 'cc'.repeat(268)),
        option(1, 'dd'.repeat(269)),
      ],
    }),
  },
  {
    name: 'an LwM2M Register',
    bytes:
      '48020001 0102030405060708 b27264 1128 39 6c776d326d3d312e31 06 65703d6e6f64 05 6c743d3330 03 623d55 ff 3c2f312f303e',
    message: draft({
      code: 2,
      messageId: 1,
      token: '0102030405060708',
      path: '/rd',
      options: [
        option(12, '28'),
        option(15, '6c776d326d3d312e31'),
        option(15, '65703d6e6f64'),
        option(15, '6c743d3330'),
        option(15, '623d55'),
      ],
      payload: '</1/0>',
    }),
  },
];

describe('the message codec', () => {
  for (const { name, bytes, message } of vectors) {
    const data = unhex(bytes);
    test(`encodes ${name}`, () => expect(hex(encodeMessage(message))).toBe(hex(data)));
    test(`decodes ${name}`, () => expect(decodeMessage(data)).toEqual(message));
    test(`mirrors ${name}`, () => expect(encodeMessage(decodeMessage(data))).toEqual(data));
    test(`reads every truncation of ${name} by the grammar alone`, () => {
      for (let length = 0; length < data.length; length++) {
        // Bytes behind the end: who reads beyond it gets another message, or none.
        const padded = new Uint8Array(length + 64).fill(0xff);
        padded.set(data.subarray(0, length));
        const cut = padded.subarray(0, length);
        let decoded: CoapMessage | undefined;
        try {
          decoded = decodeMessage(cut);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
        // What is still a message is the one that these bytes spell.
        if (decoded !== undefined) expect(encodeMessage(decoded)).toEqual(data.slice(0, length));
      }
    });
  }

  const malformed: readonly (readonly [name: string, bytes: string])[] = [
    ['nothing', ''],
    ['three bytes', '400100'],
    ['version 0', '00010001'],
    ['version 2', '80010001'],
    ['version 3', 'c0010001'],
    ['a token length of 9', '49010001 010203040506070809'],
    ['a token length of 15', `4f010001 ${'00'.repeat(15)}`],
    ['a token that is cut short', '44010001 010203'],
    ['an empty message with a token', '41000001 01'],
    ['an empty message with an option', '40000001 b0'],
    ['an empty message with a payload', '40000001 ff00'],
    ['a payload marker without a payload', '40010001 ff'],
    ['a reserved delta', '40010001 f0'],
    ['a reserved length', '40010001 0f'],
    ['a delta of one byte that is not there', '40010001 d0'],
    ['a delta of two bytes that are not there', '40010001 e000'],
    ['a length of one byte that is not there', '40010001 0d'],
    ['a length of two bytes that are not there', '40010001 0e00'],
    ['a value that is cut short', '40010001 b2 61'],
    ['an option number beyond 65535', '40010001 e0ffff'],
  ];
  for (const [name, bytes] of malformed) {
    test(`refuses ${name}`, () => expect(() => decodeMessage(unhex(bytes))).toThrow(DecodeError));
  }

  test('sorts options by number and keeps the order of equal ones', () => {
    const shuffled = [option(15, '01'), option(11, '02'), option(15, '03'), option(3, '04')];
    expect(sortOptions(shuffled).map(({ value }) => value[0])).toEqual([4, 2, 1, 3]);
    expect(hex(encodeMessage(draft({ code: 1, options: shuffled })))).toBe('40010000310481024101' + '0103');
  });

  test('refuses to encode what cannot be', () => {
    expect(() => encodeMessage(draft({ code: 1, token: '00'.repeat(9) }))).toThrow(RequestError);
    expect(() => encodeMessage(draft({ code: 1, messageId: 65_536 }))).toThrow(RequestError);
    expect(() => encodeMessage(draft({ code: 1, messageId: -1 }))).toThrow(RequestError);
    expect(() => encodeMessage(draft({ code: 0, payload: 'x' }))).toThrow(RequestError);
    expect(() => encodeMessage(draft({ code: 1, options: [option(65_536, '')] }))).toThrow(RequestError);
    const long = { number: 1, value: new Uint8Array(65_805) };
    expect(() => encodeMessage(draft({ code: 1, options: [long] }))).toThrow(RequestError);
  });

  test('encodes a payload larger than a slab', () => {
    const message = draft({ code: 2, payload: new Uint8Array(60_000).fill(7) });
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  test('never gives two messages the same memory', () => {
    const all = Array.from({ length: 3000 }, (_, i) =>
      encodeMessage(draft({ code: 1, messageId: i, token: 'ab' })),
    );
    expect(all.map((data) => decodeMessage(data).messageId)).toEqual(all.map((_, i) => i));
  });

  test('reads the header of what is malformed behind it', () => {
    expect(readHeader(unhex('4f010102'))).toEqual({ type: CON, messageId: 0x102 });
    expect(readHeader(unhex('8f010102'))).toBeUndefined();
    expect(readHeader(unhex('400101'))).toBeUndefined();
  });

  test('writes empty messages and message ids', () => {
    const data = encodeEmpty(ACK, 0x1234);
    expect(hex(data)).toBe('60001234');
    setMessageId(data, 0xabcd);
    expect(hex(data)).toBe('6000abcd');
  });

  const anyOption = fc.record({
    number: fc.integer({ min: 0, max: 65_535 }),
    value: fc.uint8Array({ maxLength: 300 }),
  });
  const anyMessage = fc.record({
    type: fc.constantFrom(CON, NON, ACK, RST),
    code: fc.integer({ min: 1, max: 255 }),
    messageId: fc.integer({ min: 0, max: 65_535 }),
    token: fc.uint8Array({ maxLength: 8 }),
    options: fc.array(anyOption, { maxLength: 6 }),
    payload: fc.uint8Array({ maxLength: 64 }),
  });

  test('decodes whatever it encodes', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(decodeMessage(encodeMessage(message))).toEqual({
          ...message,
          options: sortOptions(message.options),
        });
      }),
    );
  });

  test('answers any bytes with a message or a DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (data) => {
        if (data.length > 0) data[0] = 0x40 | ((data[0] as number) & 0x3f);
        try {
          decodeMessage(data);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
