import { DecodeError, RequestError } from '../../protocol/errors.ts';

// What BER-TLV and COMPREHENSION-TLV objects have alike: a length in its shortest form, and a value behind it.

const longestValue = 0xffff;

/** One object from the bytes of its tag; several parts are one value. @throws RequestError a value of more than 65535 bytes */
export function joinTlv(tag: readonly number[], parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > longestValue) throw new RequestError(`a TLV object of ${length} bytes`);
  const head = [...tag, ...lengthBytes(length)];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let offset = head.length;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** ETSI TS 101 220 §7.1.2, ISO/IEC 7816-4 §5.2.2.2. */
function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length <= 0xff ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

/** Reads objects that stand one after the other. What is wrong is told by the name of their kind. */
export class TlvReader {
  readonly #bytes: Uint8Array;
  readonly #kind: string;
  #offset = 0;

  constructor(bytes: Uint8Array, kind: string) {
    this.#bytes = bytes;
    this.#kind = kind;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** @throws DecodeError */
  next(): number {
    const byte = this.#bytes[this.#offset++];
    if (byte === undefined) throw new DecodeError(`${this.#kind} ends within an object`);
    return byte;
  }

  /** A length in up to three bytes behind its first, and as much of a value. @throws DecodeError */
  value(): Uint8Array {
    let length = this.next();
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count < 1 || count > 3) throw new DecodeError(`${this.#kind} length in ${count} bytes`);
      length = 0;
      for (let i = 0; i < count; i++) length = (length << 8) | this.next();
    }
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new DecodeError(`${this.#kind} value reaches beyond its end`);
    const value = this.#bytes.slice(this.#offset, end);
    this.#offset = end;
    return value;
  }
}
