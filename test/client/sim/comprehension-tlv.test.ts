import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeComprehensionTlvs, encodeComprehensionTlv } from '../../../client/sim/comprehension-tlv.ts';
import { fromHex, toHex } from '../../../client/sim/hex.ts';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';

const vectors = [
  { hex: '8103014001', tag: 0x01, required: true, value: '014001' },
  { hex: '0502494F', tag: 0x05, required: false, value: '494F' },
  { hex: '9900', tag: 0x19, required: true, value: '' },
  { hex: `B681C8${'5A'.repeat(200)}`, tag: 0x36, required: true, value: '5A'.repeat(200) },
  { hex: `36820100${'5A'.repeat(256)}`, tag: 0x36, required: false, value: '5A'.repeat(256) },
  { hex: '7F81020155', tag: 0x102, required: true, value: '55' },
  { hex: '7F01020155', tag: 0x102, required: false, value: '55' },
];

describe('COMPREHENSION-TLV', () => {
  it.each(vectors)('$hex is written', ({ hex, tag, required, value }) => {
    expect(toHex(encodeComprehensionTlv(tag, required, fromHex(value)))).toBe(hex);
  });

  it.each(vectors)('$hex is read', ({ hex, tag, required, value }) => {
    expect(decodeComprehensionTlvs(fromHex(hex))).toEqual([{ tag, required, value: fromHex(value) }]);
  });

  it.each(vectors)('$hex is refused in each truncation', ({ hex }) => {
    const bytes = fromHex(hex);
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodeComprehensionTlvs(bytes.slice(0, length))).toThrow(DecodeError);
    }
  });

  it.each(['0000', '8000', 'FF00', '018001', '0184000000010055'])('is refused when it is none: %s', (hex) => {
    expect(() => decodeComprehensionTlvs(fromHex(hex))).toThrow(DecodeError);
  });

  it.each([0, 0x7f, 0x8000, 1.5])('has no tag %d', (tag) => {
    expect(() => encodeComprehensionTlv(tag, false)).toThrow(RequestError);
  });

  it('survives encoding and decoding, several in a row', () => {
    const tag = fc.oneof(fc.integer({ min: 1, max: 0x7e }), fc.integer({ min: 0x80, max: 0x7fff }));
    const tlv = fc.record({ tag, required: fc.boolean(), value: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(fc.array(tlv, { maxLength: 5 }), (tlvs) => {
        const bytes = tlvs.map((each) => encodeComprehensionTlv(each.tag, each.required, each.value));
        expect(decodeComprehensionTlvs(new Uint8Array(Buffer.concat(bytes)))).toEqual(tlvs);
      }),
    );
  });

  it('throws nothing but DecodeError whatever the bytes, and gives no byte that was not there', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          const sum = decodeComprehensionTlvs(bytes).reduce((all, { value }) => all + value.length, 0);
          expect(sum).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});
