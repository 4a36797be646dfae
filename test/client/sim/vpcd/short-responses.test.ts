import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { ShortResponses } from '../../../../client/sim/vpcd/short-responses.ts';

const long = (length: number, sw: string): Uint8Array =>
  Uint8Array.of(...Array.from({ length }, (_, i) => i & 0xff), ...fromHex(sw));

/** Fetches the rest as a terminal does. */
function gather(short: ShortResponses, first: Uint8Array): string {
  let response = first;
  let data = '';
  while (response.at(-2) === 0x61) {
    expect(response.length).toBeLessThanOrEqual(255);
    data += toHex(response.subarray(0, -2));
    const next = short.answer(Uint8Array.of(0, 0xc0, 0, 0, response.at(-1) ?? 0));
    if (next === undefined) throw new Error('61XX, and nothing to fetch');
    response = next;
  }
  return data + toHex(response);
}

describe('short responses', () => {
  it('leave alone what is short', () => {
    const short = new ShortResponses();
    const response = long(253, '9000');
    expect(short.shorten(response)).toBe(response);
    expect(short.answer(fromHex('00C0000010'))).toBeUndefined();
  });

  it('give the whole in parts, the status word of the card last', () => {
    const words = fc.constantFrom('9000', '910B', '6282');
    fc.assert(
      fc.property(fc.integer({ min: 254, max: 4_000 }), words, (length, sw) => {
        const short = new ShortResponses();
        const response = long(length, sw);
        expect(gather(short, short.shorten(response))).toBe(toHex(response));
        expect(short.answer(fromHex('00C0000010'))).toBeUndefined();
      }),
    );
  });

  it('tell the right length where more is asked for than there is, and give fewer bytes where fewer are', () => {
    const short = new ShortResponses();
    const answer = (command: string): string => toHex(short.answer(fromHex(command)) ?? new Uint8Array(0));
    expect(toHex(short.shorten(long(256, '9000')).subarray(-2))).toBe('6103');
    expect(answer('00C0000004')).toBe('6C03');
    expect(answer('00C0000002')).toBe('FDFE6101');
    expect(answer('00C0000000')).toBe('FF9000');
  });

  it('forget the rest with the next command of another kind, and with wrong parameters', () => {
    const short = new ShortResponses();
    short.shorten(long(300, '9000'));
    expect(short.answer(fromHex('00A40004023F00'))).toBeUndefined();
    expect(short.answer(fromHex('00C0000010'))).toBeUndefined();
    short.shorten(long(300, '9000'));
    expect(toHex(short.answer(fromHex('00C0010010')) ?? new Uint8Array(0))).toBe('6A86');
    expect(short.answer(fromHex('00C0000010'))).toBeUndefined();
  });
});
