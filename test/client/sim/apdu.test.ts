import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  channelOf,
  decodeCommand,
  decodeResponse,
  describeStatusWord,
  encodeCommand,
  encodeResponse,
  isOk,
  onChannel,
} from '../../../client/sim/apdu.ts';
import { fromHex, toHex } from '../../../client/sim/hex.ts';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';

const commands = [
  { hex: '80AA0000', apdu: { cla: 0x80, ins: 0xaa, p1: 0, p2: 0 }, name: 'case 1' },
  { hex: '0070000001', apdu: { cla: 0, ins: 0x70, p1: 0, p2: 0, le: 1 }, name: 'case 2' },
  { hex: '00B0000000', apdu: { cla: 0, ins: 0xb0, p1: 0, p2: 0, le: 256 }, name: 'case 2, all' },
  {
    hex: '00A40000022FE2',
    apdu: { cla: 0, ins: 0xa4, p1: 0, p2: 0, data: fromHex('2FE2') },
    name: 'case 3',
  },
  {
    hex: '00A40000022FE211',
    apdu: { cla: 0, ins: 0xa4, p1: 0, p2: 0, data: fromHex('2FE2'), le: 17 },
    name: 'case 4',
  },
] as const;

describe('a command APDU', () => {
  it.each(commands)('of $name is written and read as ISO/IEC 7816-4 has it', ({ hex, apdu }) => {
    expect(toHex(encodeCommand(apdu))).toBe(hex);
    expect(decodeCommand(fromHex(hex))).toEqual(apdu);
  });

  it('survives encoding and decoding whatever it carries', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(
        byte,
        byte,
        fc.option(fc.uint8Array({ minLength: 1, maxLength: 255 })),
        fc.option(fc.integer({ min: 1, max: 256 })),
        (ins, p1, data, le) => {
          const apdu = { cla: 0, ins, p1, p2: 0, ...(data && { data }), ...(le && { le }) };
          expect(decodeCommand(encodeCommand(apdu))).toEqual(apdu);
        },
      ),
    );
  });

  it.each(['', '00A4', '00A400', '00A4000003112', '00A40000052FE2', '00A40000002FE2', '00A40000012FE2AA'])(
    'is refused when its bytes do not fit together: %s',
    (hex) => {
      expect(() => decodeCommand(fromHex(hex))).toThrow(DecodeError);
    },
  );

  it('is refused when it does not fit the short form', () => {
    expect(() => encodeCommand({ cla: 0, ins: 0, p1: 0, p2: 0, data: new Uint8Array(256) })).toThrow(
      RequestError,
    );
    expect(() => encodeCommand({ cla: 0, ins: 0, p1: 0, p2: 0, le: 257 })).toThrow(RequestError);
  });
});

describe('a response APDU', () => {
  it('ends with its status word', () => {
    expect(decodeResponse(fromHex('019000'))).toEqual({ data: fromHex('01'), sw: 0x9000 });
    expect(toHex(encodeResponse({ data: fromHex('01'), sw: 0x910b }))).toBe('01910B');
    expect(() => decodeResponse(fromHex('90'))).toThrow(DecodeError);
  });

  it('is explained to people', () => {
    expect(describeStatusWord(0x6a82)).toBe('6A82 file not found');
    expect(describeStatusWord(0x910b)).toBe('910B ok, 11 bytes of a proactive command pending');
    expect(describeStatusWord(0x6111)).toBe('6111 17 bytes available');
    expect(describeStatusWord(0x1234)).toBe('1234 unknown status');
    expect(isOk(0x910b)).toBe(true);
    expect(isOk(0x6a82)).toBe(false);
  });
});

describe('a status word', () => {
  it.each([
    [0x63c3, '63C3 verification failed, 3 tries left'],
    [0x63c0, '63C0 verification failed, 0 tries left'],
    [0x9300, '9300 card application toolkit busy'],
    [0x9203, "9203 ok, after 3 retries of the card's memory"],
    [0x9240, '9240 memory problem'],
    [0x6c00, '6C00 wrong length, 256 is right'],
    [0x9862, '9862 authentication error, incorrect MAC'],
    [0x62f1, '62F1 more data available'],
    [0x63f1, '63F1 more data expected'],
    [0x6982, '6982 security status not satisfied'],
  ])('%i has a meaning', (sw, text) => {
    expect(describeStatusWord(sw)).toBe(text);
  });
});

describe('a logical channel', () => {
  it('is in the class byte, 0 to 19, of both kinds of commands', () => {
    for (let channel = 0; channel <= 19; channel++) {
      for (const cla of [0x00, 0x80]) {
        const command = onChannel({ cla, ins: 0xa4, p1: 0, p2: 0 }, channel);
        expect(channelOf(command.cla)).toBe(channel);
        expect(command.cla & 0x80).toBe(cla);
      }
    }
    expect(onChannel({ cla: 0, ins: 0, p1: 0, p2: 0 }, 3).cla).toBe(0x03);
    expect(onChannel({ cla: 0, ins: 0, p1: 0, p2: 0 }, 4).cla).toBe(0x40);
    expect(onChannel({ cla: 0x80, ins: 0, p1: 0, p2: 0 }, 19).cla).toBe(0xcf);
  });

  it.each([-1, 20, 1.5])('%d is none', (channel) => {
    expect(() => onChannel({ cla: 0, ins: 0, p1: 0, p2: 0 }, channel)).toThrow(RequestError);
  });
});
