/** Bytes that grow as they are written; numbers in network byte order. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written after `length`. */
  truncate(length: number): void {
    this.#length = length;
  }

  uint8(value: number): void {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }

  uint16(value: number): void {
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
  }

  uint32(value: number): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
  }

  uint64(value: bigint): void {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value);
  }

  float32(value: number): void {
    const at = this.#grow(4);
    this.#view.setFloat32(at, value);
  }

  float64(value: number): void {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value);
  }

  bytes(value: Uint8Array): void {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
  }

  /** Writes a text that is ASCII throughout, a byte for each character; false, and nothing, where it is not. */
  ascii(text: string): boolean {
    const { length } = text;
    for (let index = 0; index < length; index++) if (text.charCodeAt(index) > 0x7f) return false;
    const at = this.#grow(length);
    for (let index = 0; index < length; index++) this.#bytes[at + index] = text.charCodeAt(index);
    return true;
  }

  /** What was written from `start` on, as a copy. */
  copy(start = 0): Uint8Array {
    return this.#bytes.slice(start, this.#length);
  }

  #grow(count: number): number {
    const at = this.#length;
    this.#length = at + count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

const scratch = new DataView(new ArrayBuffer(4));

/**
 * The bits of a half-precision float that equals `value`; -1 where none does. Only normal numbers
 * and zero: subnormal halves save bytes for no reading that a sensor makes.
 */
export function halfBits(value: number): number {
  scratch.setFloat32(0, value);
  if (scratch.getFloat32(0) !== value) return -1;
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  if ((bits & 0x7fffffff) === 0) return sign;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (exponent < 1 || exponent > 30 || (bits & 0x1fff) !== 0) return -1;
  return sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}
