import { DecodeError, RequestError } from '../../protocol/errors.ts';
import { joinTlv, TlvReader } from './tlv-object.ts';

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
  const bit = required ? comprehensionBit : 0;
  return joinTlv(tag < longTag ? [tag | bit] : [longTag, (tag >> 8) | bit, tag & 0xff], parts);
}

/** Decodes the objects that stand one after the other. @throws DecodeError */
export function decodeComprehensionTlvs(bytes: Uint8Array): readonly ComprehensionTlv[] {
  const found: ComprehensionTlv[] = [];
  const reader = new TlvReader(bytes, 'COMPREHENSION-TLV');
  while (!reader.isAtEnd) {
    const first = reader.next();
    let tag = first & ~comprehensionBit;
    let required = (first & comprehensionBit) !== 0;
    if (first === longTag) {
      const high = reader.next();
      required = (high & comprehensionBit) !== 0;
      tag = ((high & ~comprehensionBit) << 8) | reader.next();
    } else if (tag === 0 || tag === longTag) {
      throw new DecodeError(`no tag of a COMPREHENSION-TLV: ${first.toString(16)}`);
    }
    found.push({ tag, required, value: reader.value() });
  }
  return found;
}
