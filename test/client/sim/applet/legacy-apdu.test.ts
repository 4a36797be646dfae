import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCommand } from '../../../../client/sim/apdu.ts';
import {
  decodeLegacyAnswer,
  encodeLegacyAnswer,
  LegacyLength,
  legacyFetch,
  legacyResponse,
  legacyStatus,
} from '../../../../client/sim/applet/legacy-apdu.ts';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { DecodeError, RequestError } from '../../../../protocol/errors.ts';
import { encodePacket } from '../../../../protocol/flow/packet.ts';

const verizon = encodePacket({ kind: 'carrier-switch-perform', carrier: 2 });

describe('commands to the old applet', () => {
  it.each([
    ['a poll', legacyFetch(LegacyLength.POLL), '00F3000015'],
    ['the fetch of an ACK', legacyFetch(LegacyLength.ACK), '00F3000011'],
    ['the fetch of a reading', legacyFetch(LegacyLength.READING), '00F3000021'],
    ['a switch to Verizon', legacyResponse(verizon), '00F40000021020'],
    ['the status', legacyStatus(), '00F2000011'],
  ])('%s', (_what, command, bytes) => expect(toHex(encodeCommand(command))).toBe(bytes));

  it('carry 1 to 255 bytes', () => {
    expect(() => legacyResponse(new Uint8Array(0))).toThrow(RequestError);
    expect(() => legacyResponse(new Uint8Array(256))).toThrow(RequestError);
  });
});

const vectors = [
  {
    what: 'OPEN CHANNEL',
    answer: { kind: 'open-channel', destination: { address: '192.168.1.20', port: 6001 } },
    bytes: 'D01E8103014001820281828500350103390205783C030117713E0521C0A80114',
  },
  { what: 'RECEIVE DATA', answer: { kind: 'receive-data' }, bytes: 'D00E810301420082028121' + '8500B70102' },
  {
    what: 'SEND DATA with an ACK',
    answer: { kind: 'send-data', packet: fromHex('1102') },
    bytes: 'D029810301430182028121' + '8500B61C' + '1102',
  },
  {
    what: 'SEND DATA with a reading',
    answer: { kind: 'send-data', packet: fromHex('000000000357e756b22e30285004000001c3') },
    bytes: 'D029810301430182028121' + '8500B61C' + '000000000357E756B22E30285004000001C3',
  },
] as const;

describe('answers of the old applet', () => {
  it.each(vectors)('$what in both directions', ({ answer, bytes }) => {
    expect(toHex(encodeLegacyAnswer(answer))).toBe(bytes);
    expect(decodeLegacyAnswer(fromHex(bytes))).toEqual(answer);
  });

  it('fit what is asked for: the ACK in 17 bytes, the reading in 33', () => {
    expect(fromHex(vectors[2].bytes).length).toBe(LegacyLength.ACK);
    expect(fromHex(vectors[3].bytes).length).toBe(LegacyLength.READING);
  });

  it('are known by two bytes where a poll cuts them: an OPEN CHANNEL without its address', () => {
    const cut = fromHex(vectors[0].bytes).slice(0, LegacyLength.POLL);
    expect(decodeLegacyAnswer(cut)).toEqual({ kind: 'open-channel', destination: undefined });
  });

  it('have a destination only where one is written', () => {
    const other = fromHex(vectors[0].bytes.replace('3E0521', '3E1157'));
    expect(decodeLegacyAnswer(other)).toEqual({ kind: 'open-channel', destination: undefined });
  });

  it.each(vectors)('$what cut anywhere is refused, or known by its start', ({ answer, bytes }) => {
    const whole = fromHex(bytes);
    for (let length = 0; length < whole.length; length++) {
      const cut = whole.slice(0, length);
      const least = answer.kind === 'send-data' ? 16 : 2;
      if (length < least) expect(() => decodeLegacyAnswer(cut)).toThrow(DecodeError);
      else expect(decodeLegacyAnswer(cut).kind).toBe(answer.kind);
    }
  });

  it('throw DecodeError and nothing else, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeLegacyAnswer(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});
