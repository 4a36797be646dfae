import { DecodeError, RequestError } from './errors.ts';

// temporenc (https://temporenc.org), type DTS with microseconds, the one form that system A sends: a date, a time and
// its fraction, without a zone. 64 bits, big-endian: tag 01, precision 01, year 12, month 4, day 5, hour 5, minute 6,
// second 6, microsecond 20, padding 2. The other types and precisions have other lengths or a zone, and are refused.

/** A date and time as a wall clock shows it, nobody says where. Each part may be absent. */
export interface WallClockTime {
  /** 0 to 4094. */
  readonly year: number | undefined;
  /** 1 to 12. */
  readonly month: number | undefined;
  /** 1 to 31; that the month has such a day is not part of the format. */
  readonly day: number | undefined;
  /** 0 to 23. */
  readonly hour: number | undefined;
  /** 0 to 59. */
  readonly minute: number | undefined;
  /** 0 to 60: there are leap seconds. */
  readonly second: number | undefined;
  /** 0 to 999 999. */
  readonly microsecond: number;
}

export const TEMPORENC_LENGTH = 8;

/** Tag of type DTS (01) and precision "microseconds" (01), in the four highest bits. */
const TYPE_AND_PRECISION = 0b0101;

interface Part {
  readonly name: 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';
  readonly bits: number;
  readonly first: number;
  readonly last: number;
}

/** In the order in which they are sent. All bits set means that a part is absent. */
const parts: readonly Part[] = [
  { name: 'year', bits: 12, first: 0, last: 4094 },
  { name: 'month', bits: 4, first: 1, last: 12 },
  { name: 'day', bits: 5, first: 1, last: 31 },
  { name: 'hour', bits: 5, first: 0, last: 23 },
  { name: 'minute', bits: 6, first: 0, last: 59 },
  { name: 'second', bits: 6, first: 0, last: 60 },
];
const MICROSECOND_BITS = 20;
const PADDING_BITS = 2;

/** @throws RequestError a part that is out of its range */
export function encodeTemporenc(time: WallClockTime): Uint8Array {
  let word = BigInt(TYPE_AND_PRECISION);
  for (const { name, bits, first, last } of parts) {
    const value = time[name];
    if (value !== undefined) checkRange(name, value, first, last);
    const coded = value === undefined ? 2 ** bits - 1 : value - first;
    word = (word << BigInt(bits)) | BigInt(coded);
  }
  checkRange('microsecond', time.microsecond, 0, 999_999);
  word = (word << BigInt(MICROSECOND_BITS)) | BigInt(time.microsecond);
  const bytes = new Uint8Array(TEMPORENC_LENGTH);
  new DataView(bytes.buffer).setBigUint64(0, word << BigInt(PADDING_BITS));
  return bytes;
}

/**
 * @param bytes exactly eight
 * @throws DecodeError another length, type or precision, a part out of its range, padding that is not zero
 */
export function decodeTemporenc(bytes: Uint8Array): WallClockTime {
  if (bytes.length !== TEMPORENC_LENGTH) {
    throw new DecodeError(`a temporenc timestamp of ${bytes.length} bytes instead of ${TEMPORENC_LENGTH}`);
  }
  const word = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0);
  let left = 64;
  const take = (bits: number): number => {
    left -= bits;
    return Number((word >> BigInt(left)) & ((1n << BigInt(bits)) - 1n));
  };
  if (take(4) !== TYPE_AND_PRECISION) {
    throw new DecodeError('a temporenc timestamp that is not of type DTS with microseconds');
  }
  const found: Partial<Record<Part['name'], number>> = {};
  for (const { name, bits, first, last } of parts) {
    const coded = take(bits);
    if (coded === 2 ** bits - 1) continue;
    if (coded + first > last)
      throw new DecodeError(`a temporenc timestamp whose ${name} is ${coded + first}`);
    found[name] = coded + first;
  }
  const microsecond = take(MICROSECOND_BITS);
  if (microsecond > 999_999) throw new DecodeError(`a temporenc timestamp of ${microsecond} microseconds`);
  if (take(PADDING_BITS) !== 0) throw new DecodeError('a temporenc timestamp whose padding is not zero');
  const { year, month, day, hour, minute, second } = found;
  return { year, month, day, hour, minute, second, microsecond };
}

function checkRange(name: string, value: number, first: number, last: number): void {
  if (!Number.isInteger(value) || value < first || value > last) {
    throw new RequestError(`the ${name} of a temporenc timestamp is ${first} to ${last}, not ${value}`);
  }
}
