import { DecodeError } from '../../errors.ts';

/**
 * Reads the presentation language of RFC 5246 §4 from front to back: numbers in network byte order, and vectors
 * behind their length. Never reads past its input; what is returned are views of it.
 */
export class ByteReader {
  readonly #data: Uint8Array;
  readonly #what: string;
  #at = 0;

  /** `what` names the structure in error texts. */
  constructor(data: Uint8Array, what: string) {
    this.#data = data;
    this.#what = what;
  }

  get left(): number {
    return this.#data.length - this.#at;
  }

  bytes(length: number): Uint8Array {
    if (length > this.left) throw new DecodeError(`${this.#what} is cut short`);
    const start = this.#at;
    this.#at += length;
    return this.#data.subarray(start, this.#at);
  }

  uint8(): number {
    return this.#number(1);
  }

  uint16(): number {
    return this.#number(2);
  }

  uint24(): number {
    return this.#number(3);
  }

  uint48(): number {
    return this.#number(6);
  }

  /** `opaque x<min..max>` with a length of one byte. */
  vector8(min = 0, max = 0xff): Uint8Array {
    return this.#vector(this.uint8(), min, max);
  }

  /** `opaque x<min..max>` with a length of two bytes. */
  vector16(min = 0, max = 0xffff): Uint8Array {
    return this.#vector(this.uint16(), min, max);
  }

  /** `opaque x<min..max>` with a length of three bytes. */
  vector24(min = 0, max = 0xffffff): Uint8Array {
    return this.#vector(this.uint24(), min, max);
  }

  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  /** @throws DecodeError where bytes are left over. */
  end(): void {
    if (this.left > 0) throw new DecodeError(`${this.#what} has ${this.left} bytes too many`);
  }

  #vector(length: number, min: number, max: number): Uint8Array {
    if (length < min || length > max) {
      throw new DecodeError(`${this.#what} has a vector of ${length} bytes, not ${min} to ${max}`);
    }
    return this.bytes(length);
  }

  #number(size: number): number {
    const bytes = this.bytes(size);
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (bytes[i] as number);
    return value;
  }
}

/**
 * The numbers of a vector of `uint8` or `uint16`.
 * @throws DecodeError where the vector's length is no multiple of `size`.
 */
export function numbersOf(vector: Uint8Array, size: 1 | 2, what: string): number[] {
  if (vector.length % size !== 0) throw new DecodeError(`${what} has half a number at its end`);
  const reader = new ByteReader(vector, what);
  const numbers: number[] = [];
  while (reader.left > 0) numbers.push(size === 1 ? reader.uint8() : reader.uint16());
  return numbers;
}
