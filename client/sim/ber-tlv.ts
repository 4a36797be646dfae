import { DecodeError } from '../../protocol/errors.ts';

/** One BER-TLV object (ISO/IEC 7816-4 §5.2.2). The tag is a number as it is written: 0xBF2D. */
export interface Tlv {
  readonly tag: number;
  readonly value: Uint8Array;
}

const maxTagBytes = 3;

/** Encodes one object; several parts are one value. Lengths up to 65535 in their shortest form. */
export function encodeTlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head: number[] = [];
  if (tag > 0xffff) head.push((tag >> 16) & 0xff);
  if (tag > 0xff) head.push((tag >> 8) & 0xff);
  head.push(tag & 0xff);
  if (length < 0x80) head.push(length);
  else if (length <= 0xff) head.push(0x81, length);
  else head.push(0x82, length >> 8, length & 0xff);
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let offset = head.length;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Decodes the objects that stand one after the other. @throws DecodeError */
export function decodeTlvs(bytes: Uint8Array): readonly Tlv[] {
  const found: Tlv[] = [];
  let offset = 0;
  const next = (): number => {
    const byte = bytes[offset++];
    if (byte === undefined) throw new DecodeError('BER-TLV ends within an object');
    return byte;
  };
  while (offset < bytes.length) {
    let tag = next();
    if ((tag & 0x1f) === 0x1f) {
      let byte: number;
      let count = 1;
      do {
        byte = next();
        if (++count > maxTagBytes) throw new DecodeError('BER-TLV tag of more than 3 bytes');
        tag = (tag << 8) | byte;
      } while ((byte & 0x80) !== 0);
    }
    let length = next();
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count < 1 || count > 3) throw new DecodeError(`BER-TLV length in ${count} bytes`);
      length = 0;
      for (let i = 0; i < count; i++) length = (length << 8) | next();
    }
    if (offset + length > bytes.length) throw new DecodeError('BER-TLV value reaches beyond its end');
    found.push({ tag, value: bytes.slice(offset, offset + length) });
    offset += length;
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
