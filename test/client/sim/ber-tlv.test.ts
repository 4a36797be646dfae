import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTlvs, encodeTlv, findTlv } from '../../../client/sim/ber-tlv.ts';
import { fromHex, toHex } from '../../../client/sim/hex.ts';
import { DecodeError } from '../../../protocol/errors.ts';

const vectors = [
  { hex: 'BF2D00', tag: 0xbf2d, value: '' },
  { hex: '800100', tag: 0x80, value: '00' },
  { hex: '9F700101', tag: 0x9f70, value: '01' },
  { hex: `5A8180${'AB'.repeat(128)}`, tag: 0x5a, value: 'AB'.repeat(128) },
  { hex: `5A820100${'CD'.repeat(256)}`, tag: 0x5a, value: 'CD'.repeat(256) },
];

describe('BER-TLV', () => {
  it.each(vectors)('encodes and decodes tag $tag', ({ hex, tag, value }) => {
    expect(toHex(encodeTlv(tag, fromHex(value)))).toBe(hex);
    expect(decodeTlvs(fromHex(hex))).toEqual([{ tag, value: fromHex(value) }]);
  });

  it.each(vectors)('refuses each truncation of tag $tag', ({ hex }) => {
    const bytes = fromHex(hex);
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodeTlvs(bytes.slice(0, length))).toThrow(DecodeError);
    }
  });

  it('finds a value by its path of tags', () => {
    const bytes = fromHex('BF3111A00C5A0A98101430121111111 1F18101FF'.replace(' ', ''));
    expect(toHex(findTlv(bytes, 0xbf31, 0xa0, 0x5a) ?? new Uint8Array(0))).toBe('981014301211111111F1');
    expect(findTlv(bytes, 0xbf31, 0x82)).toBeUndefined();
  });

  it('throws nothing but DecodeError whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          for (const tlv of decodeTlvs(bytes)) expect(tlv.value.length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});
