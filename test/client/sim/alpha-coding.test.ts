import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAlpha, encodeAlpha } from '../../../client/sim/alpha-coding.ts';
import { fromHex, toHex } from '../../../client/sim/hex.ts';
import { DecodeError } from '../../../protocol/errors.ts';

describe('a text on a card', () => {
  it.each([
    ['T-Mobile', '542D4D6F62696C65FFFF'],
    ['AT&T', '41542654FFFFFFFFFFFF'],
    ['Fón@', '80004600F3006E0040FF'],
    ['é@_Ä', '0500115BFFFFFFFFFFFF'],
    ['[€]', '1B3C1B651B3EFFFFFFFF'],
    ['中国', '804E2D56FDFFFFFFFFFF'],
    ['', 'FFFFFFFFFFFFFFFFFFFF'],
  ])('%s is written and read', (text, hex) => {
    expect(toHex(encodeAlpha(text, 10))).toBe(hex);
    expect(decodeAlpha(fromHex(hex))).toBe(text);
  });

  it.each([
    ['8103135395A6', 'S\u0995\u09a6'],
    ['820305302D82D3', '-\u0532\u0583'],
  ])('in a compact form of UCS2 is read: %s', (hex, text) => {
    expect(decodeAlpha(fromHex(hex))).toBe(text);
  });

  it.each(['81', '8105134142', '82030530', '8A'])('that is cut off, or none, is refused: %s', (hex) => {
    expect(() => decodeAlpha(fromHex(hex))).toThrow(DecodeError);
  });

  it('is cut where it does not fit, and never within a character', () => {
    expect(decodeAlpha(encodeAlpha('a text that is long', 6))).toBe('a text');
    expect(decodeAlpha(encodeAlpha('abc[', 4))).toBe('abc');
    expect(decodeAlpha(encodeAlpha('中国移动', 6))).toBe('中国');
  });

  it('survives encoding and decoding', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (text) => {
        expect(decodeAlpha(encodeAlpha(text, 80))).toBe(text);
      }),
    );
  });

  it('throws nothing but DecodeError whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decodeAlpha(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});
