import { RequestError } from '../../errors.ts';

const FIRST_SIZE = 128;

/** Writes the presentation language of RFC 5246 §4; the counterpart of ByteReader. */
export class ByteWriter {
  #data = new Uint8Array(FIRST_SIZE);
  #length = 0;

  uint8(value: number): this {
    return this.#number(value, 1);
  }

  uint16(value: number): this {
    return this.#number(value, 2);
  }

  uint24(value: number): this {
    return this.#number(value, 3);
  }

  uint48(value: number): this {
    return this.#number(value, 6);
  }

  bytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#data.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  vector8(bytes: Uint8Array): this {
    return this.uint8(bytes.length).bytes(bytes);
  }

  vector16(bytes: Uint8Array): this {
    return this.uint16(bytes.length).bytes(bytes);
  }

  vector24(bytes: Uint8Array): this {
    return this.uint24(bytes.length).bytes(bytes);
  }

  /** What was written, in memory of its own. */
  finish(): Uint8Array {
    return this.#data.slice(0, this.#length);
  }

  /** @throws RequestError where the value does not fit. */
  #number(value: number, size: number): this {
    if (!(Number.isInteger(value) && value >= 0 && value < 256 ** size)) {
      throw new RequestError(`${value} does not fit ${size} bytes`);
    }
    this.#reserve(size);
    let left = value;
    for (let i = size - 1; i >= 0; i--) {
      this.#data[this.#length + i] = left % 256;
      left = Math.floor(left / 256);
    }
    this.#length += size;
    return this;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#data.length) return;
    const larger = new Uint8Array(Math.max(this.#data.length * 2, this.#length + size));
    larger.set(this.#data.subarray(0, this.#length));
    this.#data = larger;
  }
}

/** A vector of `uint8` or `uint16` without its length. */
export function numbersToBytes(numbers: readonly number[], size: 1 | 2): Uint8Array {
  const writer = new ByteWriter();
  for (const number of numbers) {
    if (size === 1) writer.uint8(number);
    else writer.uint16(number);
  }
  return writer.finish();
}
