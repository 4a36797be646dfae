import { RequestError } from '../errors.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  CborMajor,
  writeFloat,
  writeHead,
  writeInteger,
  writeSeconds,
  writeText,
  writeTime,
} from './cbor-write.ts';
import { MAX_RECORDS } from './limits.ts';
import { SenmlLabel } from './senml.ts';

/** The head of an array of up to 2^16 - 1 elements; it is written when their number is known. */
const LONGEST_HEAD = 3;

export interface SenmlPackOptions {
  /** The most bytes that the pack may have; default 1024, one CoAP block (RFC 7959 §2.2). */
  readonly maxBytes?: number;
  /** Values are rounded to 24 bits: enough for a sensor, and five bytes instead of nine. */
  readonly singlePrecision?: boolean;
}

/**
 * Builds a SenML CBOR pack of the samples of one resource: the name and the time of the first sample
 * once, then each sample's distance in time and its value. A time comes back exact to the microsecond.
 */
export class SenmlPackBuilder {
  readonly #writer = new ByteWriter(1024);
  readonly #baseName: string;
  readonly #maxBytes: number;
  readonly #single: boolean;
  #baseTime = 0;
  #count = 0;

  /** @throws RequestError `maxBytes` does not hold one sample */
  constructor(baseName: string, options: SenmlPackOptions = {}) {
    this.#baseName = baseName;
    this.#maxBytes = options.maxBytes ?? 1024;
    this.#single = options.singlePrecision ?? false;
    // Head, a map of four, and the longest time and value that a first sample may have.
    if (this.#maxBytes < 32 + 3 * baseName.length) {
      throw new RequestError(`a pack of ${this.#maxBytes} bytes does not hold a sample of ${baseName}`);
    }
  }

  /** Samples in the pack. */
  get count(): number {
    return this.#count;
  }

  /** Bytes that `finish` would give. */
  get size(): number {
    return headLength(this.#count) + this.#writer.length;
  }

  /**
   * Adds a sample; false where it would not fit any more, and then nothing is added.
   * @param time seconds since the epoch, or below 2^28 relative to now (RFC 8428 §4.5.3)
   * @throws RequestError a time or a value that is no finite number
   */
  add(time: number, value: number): boolean {
    if (!Number.isFinite(time) || !Number.isFinite(value))
      throw new RequestError(`a sample of ${value} at ${time}`);
    const before = this.#writer.length;
    if (this.#count === 0) this.#writeFirst(time);
    else this.#writeNext(time);
    writeInteger(this.#writer, SenmlLabel.v);
    writeFloat(this.#writer, this.#single ? single(value) : value);
    if (this.#count === MAX_RECORDS || headLength(this.#count + 1) + this.#writer.length > this.#maxBytes) {
      this.#writer.truncate(before);
      return false;
    }
    this.#count++;
    return true;
  }

  /** The pack; the builder is empty again then. */
  finish(): Uint8Array {
    const pack = new ByteWriter(LONGEST_HEAD + this.#writer.length);
    writeHead(pack, CborMajor.ARRAY, this.#count);
    pack.bytes(this.#writer.copy());
    this.#writer.truncate(0);
    this.#count = 0;
    return pack.copy();
  }

  #writeFirst(time: number): void {
    this.#baseTime = time;
    writeHead(this.#writer, CborMajor.MAP, 3);
    writeInteger(this.#writer, SenmlLabel.bn);
    writeText(this.#writer, this.#baseName);
    writeInteger(this.#writer, SenmlLabel.bt);
    writeTime(this.#writer, rounded(time));
  }

  #writeNext(time: number): void {
    const delta = microseconds(time) - microseconds(this.#baseTime);
    writeHead(this.#writer, CborMajor.MAP, delta === 0 ? 1 : 2);
    if (delta === 0) return;
    writeInteger(this.#writer, SenmlLabel.t);
    writeSeconds(this.#writer, delta);
  }
}

/**
 * A whole pack at once, however large.
 * @throws RequestError times and values are not as many, or one is no finite number
 */
export function encodeSenmlCborPack(
  baseName: string,
  times: ArrayLike<number>,
  values: ArrayLike<number>,
  options: SenmlPackOptions = {},
): Uint8Array {
  if (times.length !== values.length)
    throw new RequestError(`${times.length} times of ${values.length} values`);
  const builder = new SenmlPackBuilder(baseName, { maxBytes: Number.MAX_SAFE_INTEGER, ...options });
  for (let index = 0; index < times.length; index++) {
    if (!builder.add(times[index] as number, values[index] as number)) {
      throw new RequestError(`${times.length} samples do not fit ${options.maxBytes ?? 'a pack of 10000'}`);
    }
  }
  return builder.finish();
}

/** To the microsecond; a time too large for that is whole seconds anyway. */
function rounded(time: number): number {
  const whole = microseconds(time);
  return Number.isSafeInteger(whole) ? whole / 1e6 : time;
}

function microseconds(time: number): number {
  return Math.round(time * 1e6);
}

/** A value too large for a single stays what it is. */
function single(value: number): number {
  const rounded = Math.fround(value);
  return Number.isFinite(rounded) ? rounded : value;
}

function headLength(count: number): number {
  return count < 24 ? 1 : count < 256 ? 2 : LONGEST_HEAD;
}
