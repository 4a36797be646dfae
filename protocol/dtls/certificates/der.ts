import { DecodeError } from '../../errors.ts';

/** One element of DER (X.690 §8.1): a tag of one byte, and its content. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** Tags that X.509 uses: universal ones, and those of constructed types with the bit 0x20. */
export const DerTag = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OBJECT_IDENTIFIER: 0x06,
  UTF8_STRING: 0x0c,
  PRINTABLE_STRING: 0x13,
  T61_STRING: 0x14,
  IA5_STRING: 0x16,
  UNIVERSAL_STRING: 0x1c,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

/**
 * The elements of which `data` consists, one after the other. Takes definite lengths of up to four bytes.
 * @throws DecodeError
 */
export function derElements(data: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < data.length; ) {
    const tag = data[at] as number;
    if ((tag & 0x1f) === 0x1f) throw new DecodeError('a DER tag of more than one byte');
    let length = data[at + 1];
    if (length === undefined) throw new DecodeError('DER is cut short');
    at += 2;
    if (length >= 0x80) {
      const size = length & 0x7f;
      if (size === 0 || size > 4 || at + size > data.length) throw new DecodeError('a bad length in DER');
      length = 0;
      for (let i = 0; i < size; i++) length = length * 256 + (data[at++] as number);
    }
    if (at + length > data.length) throw new DecodeError('DER is cut short');
    elements.push({ tag, content: data.subarray(at, at + length) });
    at += length;
  }
  return elements;
}

/** The one element that `data` is. @throws DecodeError where it is none, several, or of another tag. */
export function derElement(data: Uint8Array, tag: number): Uint8Array {
  const [element, ...others] = derElements(data);
  if (element === undefined || element.tag !== tag || others.length > 0) {
    throw new DecodeError(`not one DER element of tag ${tag}`);
  }
  return element.content;
}

/** `2.5.29.15` of the content of an OBJECT IDENTIFIER (X.690 §8.19). @throws DecodeError */
export function derObjectIdentifier(content: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DecodeError('an arc that is too large');
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [first, ...others] = arcs;
  if (first === undefined || (content.at(-1) as number) >= 0x80) {
    throw new DecodeError('an object identifier is cut short');
  }
  const top = Math.min(Math.floor(first / 40), 2);
  return [top, first - top * 40, ...others].join('.');
}

/** A character string of X.509 (RFC 5280 §4.1.2.4); undefined where it is of no kind that is read. */
export function derText({ tag, content }: DerElement): string | undefined {
  switch (tag) {
    case DerTag.UTF8_STRING:
      return Buffer.from(content).toString('utf8');
    case DerTag.PRINTABLE_STRING:
    case DerTag.IA5_STRING:
      return Buffer.from(content).toString('latin1');
    default:
      return undefined;
  }
}
