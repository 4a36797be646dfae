import { DecodeError, RequestError } from '../../protocol/errors.ts';

/** One COMPREHENSION-TLV object, ETSI TS 101 220 §7.1.1 and ETSI TS 102 223 §9. */
export interface ComprehensionTlv {
  /** Without the comprehension bit: 0x01 to 0x7E, or up to 0x7FFF in its three-byte form. */
  readonly tag: number;
  /** The comprehension bit (CR): who does not understand this object must refuse the command. */
  readonly required: boolean;
  readonly value: Uint8Array;
}

const longTag = 0x7f;
const comprehensionBit = 0x80;

/** Encodes one object; several parts are one value. @throws RequestError a tag or a length that it cannot have */
export function encodeComprehensionTlv(
  tag: number,
  required: boolean,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  if (!Number.isInteger(tag) || tag < 1 || tag === longTag || tag > 0x7fff) {
    throw new RequestError(`no tag of a COMPREHENSION-TLV: ${tag}`);
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > 0xffff) throw new RequestError(`a COMPREHENSION-TLV of ${length} bytes`);
  const bit = required ? comprehensionBit : 0;
  const head = tag < longTag ? [tag | bit] : [longTag, (tag >> 8) | bit, tag & 0xff];
  head.push(...lengthBytes(length));
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let offset = head.length;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Lengths in their shortest form (ETSI TS 101 220 §7.1.2), up to 65535. */
export function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  return length <= 0xff ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

/** Decodes the objects that stand one after the other. @throws DecodeError */
export function decodeComprehensionTlvs(bytes: Uint8Array): readonly ComprehensionTlv[] {
  const found: ComprehensionTlv[] = [];
  let offset = 0;
  const next = (): number => {
    const byte = bytes[offset++];
    if (byte === undefined) throw new DecodeError('COMPREHENSION-TLV ends within an object');
    return byte;
  };
  while (offset < bytes.length) {
    const first = next();
    let tag = first & ~comprehensionBit;
    let required = (first & comprehensionBit) !== 0;
    if (first === longTag) {
      const high = next();
      required = (high & comprehensionBit) !== 0;
      tag = ((high & ~comprehensionBit) << 8) | next();
    } else if (tag === 0 || tag === longTag) {
      throw new DecodeError(`no tag of a COMPREHENSION-TLV: ${first.toString(16)}`);
    }
    let length = next();
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count < 1 || count > 3) throw new DecodeError(`COMPREHENSION-TLV length in ${count} bytes`);
      length = 0;
      for (let i = 0; i < count; i++) length = (length << 8) | next();
    }
    if (offset + length > bytes.length) {
      throw new DecodeError('COMPREHENSION-TLV value reaches beyond its end');
    }
    found.push({ tag, required, value: bytes.slice(offset, offset + length) });
    offset += length;
  }
  return found;
}
