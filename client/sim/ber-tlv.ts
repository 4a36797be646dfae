import { DecodeError } from '../../protocol/errors.ts';
import { joinTlv, TlvReader } from './tlv-object.ts';

/** One BER-TLV object (ISO/IEC 7816-4 §5.2.2). The tag is a number as it is written: 0xBF2D. */
export interface Tlv {
  readonly tag: number;
  readonly value: Uint8Array;
}

const maxTagBytes = 3;

/** Encodes one object; several parts are one value. @throws RequestError a value of more than 65535 bytes */
export function encodeTlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const bytes: number[] = [];
  if (tag > 0xffff) bytes.push((tag >> 16) & 0xff);
  if (tag > 0xff) bytes.push((tag >> 8) & 0xff);
  bytes.push(tag & 0xff);
  return joinTlv(bytes, parts);
}

/** Decodes the objects that stand one after the other. @throws DecodeError */
export function decodeTlvs(bytes: Uint8Array): readonly Tlv[] {
  const found: Tlv[] = [];
  const reader = new TlvReader(bytes, 'BER-TLV');
  while (!reader.isAtEnd) {
    let tag = reader.next();
    if ((tag & 0x1f) === 0x1f) {
      let byte: number;
      let count = 1;
      do {
        byte = reader.next();
        if (++count > maxTagBytes) throw new DecodeError('BER-TLV tag of more than 3 bytes');
        tag = (tag << 8) | byte;
      } while ((byte & 0x80) !== 0);
    }
    found.push({ tag, value: reader.value() });
  }
  return found;
}

/** The value at a path of tags, each within the one before; undefined where there is none. @throws DecodeError */
export function findTlv(bytes: Uint8Array, ...path: readonly number[]): Uint8Array | undefined {
  let value: Uint8Array | undefined = bytes;
  for (const tag of path) {
    value = decodeTlvs(value).find((tlv) => tlv.tag === tag)?.value;
    if (value === undefined) return undefined;
  }
  return value;
}
