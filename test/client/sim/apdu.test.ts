import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeCommand,
  decodeResponse,
  describeStatusWord,
  encodeCommand,
  encodeResponse,
  isOk,
} from '../../../client/sim/apdu.ts';
import { CardSession } from '../../../client/sim/card-session.ts';
import {
  CardStatusError,
  type CardTransport,
  CardTransportError,
} from '../../../client/sim/card-transport.ts';
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

/** A card that gives the answers in order and notes what it was asked. */
function scripted(answers: readonly string[]): { transport: CardTransport; asked: string[] } {
  const asked: string[] = [];
  const left = [...answers];
  const transport: CardTransport = {
    connect: async () => new Uint8Array(0),
    reset: async () => new Uint8Array(0),
    close: async () => {},
    async transmit(command) {
      asked.push(toHex(command));
      return fromHex(left.shift() ?? '6F00');
    },
  };
  return { transport, asked };
}

describe('a card session', () => {
  it('fetches what 61XX announces, in as many pieces as the card wants', async () => {
    const { transport, asked } = scripted(['6102', 'AABB6101', 'CC9000']);
    const answer = await new CardSession(transport).send({
      cla: 0x81,
      ins: 0xe2,
      p1: 0x91,
      p2: 0,
      data: fromHex('00'),
    });
    expect(answer).toEqual({ data: fromHex('AABBCC'), sw: 0x9000 });
    expect(asked).toEqual(['81E291000100', '81C0000002', '81C0000001']);
  });

  it('asks again with the length that 6CXX names', async () => {
    const { transport, asked } = scripted(['6C0A', '981014301211111111F19000']);
    const answer = await new CardSession(transport).send({ cla: 0, ins: 0xb0, p1: 0, p2: 0, le: 256 });
    expect(toHex(answer.data)).toBe('981014301211111111F1');
    expect(asked).toEqual(['00B0000000', '00B000000A']);
  });

  it('gives up on a card that announces data and has none', async () => {
    const { transport } = scripted(['6102', '6102']);
    await expect(new CardSession(transport).send({ cla: 0, ins: 0xa4, p1: 0, p2: 0 })).rejects.toThrow(
      CardTransportError,
    );
  });

  it('names what was asked for when the card says no', async () => {
    const { transport } = scripted(['6A82']);
    await expect(
      new CardSession(transport).expectOk('select EF_ICCID', { cla: 0, ins: 0xa4, p1: 0, p2: 0 }),
    ).rejects.toThrow(new CardStatusError('select EF_ICCID', 0x6a82));
  });
});
