import { DecodeError } from '../errors.ts';
import { copyBytes, decodeUtf8 } from './bytes.ts';
import { MAX_DEPTH } from './limits.ts';
import { compactInteger } from './typed-value.ts';

/** What an array or a map says of its length where it ends with a break (RFC 8949 §3.2.2). */
export const INDEFINITE = -1;

const BREAK = 0xff;

/**
 * Reads CBOR (RFC 8949) item by item; each method reads one item of the kind that is expected and
 * throws DecodeError where there is another, or less. Never reads past the input.
 */
export class CborReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The initial byte of the next item; the break byte included. */
  peek(): number {
    if (this.#at >= this.#bytes.length) throw ended();
    return this.#bytes[this.#at] as number;
  }

  /** @throws DecodeError there is more */
  end(): void {
    if (this.#at !== this.#bytes.length) {
      throw new DecodeError(`CBOR: ${this.#bytes.length - this.#at} bytes after the end`);
    }
  }

  /** The number of elements, or INDEFINITE: then ask `breaks` before each. */
  array(): number {
    return this.#container(4);
  }

  /** The number of pairs, or INDEFINITE. */
  map(): number {
    return this.#container(5);
  }

  /** Whether the break of an indefinite container comes next; reads it if so. */
  breaks(): boolean {
    if (this.peek() !== BREAK) return false;
    this.#at++;
    return true;
  }

  /** An integer, a float of any size, or a decimal fraction (tag 4): bigint where an integer is not exact as number. */
  number(): number | bigint {
    const initial = this.peek();
    if (initial < 0x18) {
      this.#at++;
      return initial;
    }
    switch (initial >> 5) {
      case 0:
        return this.#argument();
      case 1: {
        const argument = this.#argument();
        return typeof argument === 'bigint' ? compactInteger(-1n - argument) : compactNegative(argument);
      }
      case 6:
        return this.#decimal();
      case 7:
        return this.#float();
    }
    throw unexpected('a number', initial);
  }

  boolean(): boolean {
    const initial = this.peek();
    if (initial !== 0xf4 && initial !== 0xf5) throw unexpected('a boolean', initial);
    this.#at++;
    return initial === 0xf5;
  }

  /** The number of a tag; what it is on follows. */
  tag(): number | bigint {
    if (this.peek() >> 5 !== 6) throw unexpected('a tag', this.peek());
    return this.#argument();
  }

  text(): string {
    const initial = this.peek();
    if (initial >> 5 !== 3) throw unexpected('a text', initial);
    if (initial !== 0x7f) {
      const start = this.#string();
      return decodeUtf8(this.#bytes, start, this.#at);
    }
    this.#at++;
    let text = '';
    while (!this.breaks()) {
      if (this.peek() >> 5 !== 3 || this.peek() === 0x7f) throw unexpected('a piece of a text', this.peek());
      const start = this.#string();
      text += decodeUtf8(this.#bytes, start, this.#at);
    }
    return text;
  }

  /** A copy. */
  bytes(): Uint8Array {
    const initial = this.peek();
    if (initial >> 5 !== 2) throw unexpected('bytes', initial);
    if (initial !== 0x5f) {
      const start = this.#string();
      return copyBytes(this.#bytes, start, this.#at);
    }
    this.#at++;
    const joined: number[] = [];
    while (!this.breaks()) {
      if (this.peek() >> 5 !== 2 || this.peek() === 0x5f) throw unexpected('a piece of bytes', this.peek());
      const start = this.#string();
      for (let at = start; at < this.#at; at++) joined.push(this.#bytes[at] as number);
    }
    return Uint8Array.from(joined);
  }

  /** Passes over one item of any kind, `depth` levels down already. */
  skip(depth = 0): void {
    if (depth > MAX_DEPTH) throw new DecodeError(`CBOR nested more than ${MAX_DEPTH} deep`);
    const initial = this.peek();
    switch (initial >> 5) {
      case 2:
        this.#skipString(2);
        break;
      case 3:
        this.#skipString(3);
        break;
      case 4:
        this.#skipItems(this.array(), 1, depth);
        break;
      case 5:
        this.#skipItems(this.map(), 2, depth);
        break;
      case 6:
        this.#argument();
        this.skip(depth + 1);
        break;
      case 7:
        if (initial === BREAK) throw unexpected('an item', initial);
        this.#argument();
        break;
      default:
        this.#argument();
    }
  }

  #skipItems(count: number, itemsEach: number, depth: number): void {
    for (let index = 0; count === INDEFINITE ? !this.breaks() : index < count; index++) {
      for (let item = 0; item < itemsEach; item++) this.skip(depth + 1);
    }
  }

  #skipString(major: number): void {
    if ((this.peek() & 0x1f) !== 0x1f) {
      this.#string();
      return;
    }
    this.#at++;
    while (!this.breaks()) {
      if (this.peek() >> 5 !== major || (this.peek() & 0x1f) === 0x1f)
        throw unexpected('a piece', this.peek());
      this.#string();
    }
  }

  #container(major: number): number {
    const initial = this.peek();
    if (initial >> 5 !== major) throw unexpected(major === 4 ? 'an array' : 'a map', initial);
    if ((initial & 0x1f) === 0x1f) {
      this.#at++;
      return INDEFINITE;
    }
    const count = this.#argument();
    // Each element takes a byte at least, so a larger count is a lie that must not cost anything.
    if (count > this.#bytes.length - this.#at) throw ended();
    return Number(count);
  }

  /** Passes over a string of definite length; gives where its content starts, and it ends where we are. */
  #string(): number {
    const length = this.#argument();
    if (length > this.#bytes.length - this.#at) throw ended();
    const start = this.#at;
    this.#at += Number(length);
    return start;
  }

  /** The argument of the next head, RFC 8949 §3; bigint where it is not exact as number. */
  #argument(): number | bigint {
    const at = this.#at;
    const additional = this.peek() & 0x1f;
    if (additional < 24) {
      this.#at = at + 1;
      return additional;
    }
    if (additional > 27) throw new DecodeError(`CBOR: reserved additional information ${additional}`);
    const size = 1 << (additional - 24);
    if (at + 1 + size > this.#bytes.length) throw ended();
    this.#at = at + 1 + size;
    switch (size) {
      case 1:
        return this.#view.getUint8(at + 1);
      case 2:
        return this.#view.getUint16(at + 1);
      case 4:
        return this.#view.getUint32(at + 1);
      default: {
        const high = this.#view.getUint32(at + 1);
        if (high < 0x200000) return high * 0x1_0000_0000 + this.#view.getUint32(at + 5);
        return this.#view.getBigUint64(at + 1);
      }
    }
  }

  #float(): number {
    const at = this.#at + 1;
    const left = this.#bytes.length - at;
    switch (this.#bytes[this.#at]) {
      case 0xf9:
        if (left < 2) throw ended();
        this.#at = at + 2;
        return halfValue(this.#view.getUint16(at));
      case 0xfa:
        if (left < 4) throw ended();
        this.#at = at + 4;
        return this.#view.getFloat32(at);
      case 0xfb:
        if (left < 8) throw ended();
        this.#at = at + 8;
        return this.#view.getFloat64(at);
    }
    throw unexpected('a number', this.peek());
  }

  /** Tag 4, RFC 8949 §3.4.4: [exponent, mantissa], the mantissa times ten to the exponent. */
  #decimal(): number | bigint {
    const tag = this.#argument();
    if (tag !== 4) throw new DecodeError(`CBOR: tag ${tag} where a number belongs`);
    if (this.array() !== 2) throw new DecodeError('CBOR: a decimal fraction is an array of two');
    const exponent = this.#integer();
    const mantissa = this.#integer();
    if (exponent === 0) return mantissa;
    if (exponent > 0 && exponent <= 19) return compactInteger(BigInt(mantissa) * 10n ** BigInt(exponent));
    // A division of two exact numbers is rounded once, and so gives what the text would; it is twenty times as fast.
    const power = typeof exponent === 'number' ? POWERS[-exponent] : undefined;
    if (power !== undefined && typeof mantissa === 'number') return mantissa / power;
    return Number(`${mantissa}e${exponent}`);
  }

  #integer(): number | bigint {
    if (this.peek() >> 5 > 1) throw unexpected('an integer', this.peek());
    return this.number();
  }
}

/** 10^0 to 10^22: each is exact as a float. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

function compactNegative(argument: number): number | bigint {
  return argument < Number.MAX_SAFE_INTEGER ? -1 - argument : -1n - BigInt(argument);
}

/** Half precision, RFC 8949 appendix D. */
function halfValue(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent < 31) return sign * (mantissa + 1024) * 2 ** (exponent - 25);
  return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
}

function ended(): DecodeError {
  return new DecodeError('CBOR ends too early');
}

function unexpected(expected: string, initial: number): DecodeError {
  return new DecodeError(`CBOR: ${expected} expected, found 0x${initial.toString(16).padStart(2, '0')}`);
}
