import { type ByteWriter, halfBits } from './byte-writer.ts';
import { encodeUtf8 } from './bytes.ts';

// CBOR as SenML needs it, in preferred serialisation (RFC 8949 §4.1): the shortest form that is exact.

/** Major types, RFC 8949 §3.1. */
export const CborMajor = { UNSIGNED: 0, NEGATIVE: 1, BYTES: 2, TEXT: 3, ARRAY: 4, MAP: 5, TAG: 6 } as const;
export type CborMajor = (typeof CborMajor)[keyof typeof CborMajor];

export function writeHead(writer: ByteWriter, major: CborMajor, argument: number | bigint): void {
  const top = major << 5;
  if (argument < 24) writer.uint8(top | Number(argument));
  else if (argument < 0x100) {
    writer.uint8(top | 24);
    writer.uint8(Number(argument));
  } else if (argument < 0x10000) {
    writer.uint8(top | 25);
    writer.uint16(Number(argument));
  } else if (argument < 0x100000000) {
    writer.uint8(top | 26);
    writer.uint32(Number(argument));
  } else {
    writer.uint8(top | 27);
    writer.uint64(BigInt(argument));
  }
}

/** An integer of -2^64 to 2^64 - 1. */
export function writeInteger(writer: ByteWriter, value: number | bigint): void {
  if (value >= 0) writeHead(writer, CborMajor.UNSIGNED, value);
  else writeHead(writer, CborMajor.NEGATIVE, typeof value === 'bigint' ? -1n - value : -1 - value);
}

export function writeFloat(writer: ByteWriter, value: number): void {
  const half = halfBits(value);
  if (half !== -1) {
    writer.uint8(0xf9);
    writer.uint16(half);
  } else if (Math.fround(value) === value) {
    writer.uint8(0xfa);
    writer.float32(value);
  } else {
    writer.uint8(0xfb);
    writer.float64(value);
  }
}

/** A number whose type says nothing: an integer where it is one. */
export function writeNumber(writer: ByteWriter, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) writeInteger(writer, value);
  else writeFloat(writer, value);
}

/** Tag 4, RFC 8949 §3.4.4: [exponent, mantissa]. */
const DECIMAL_FRACTION = 4;

/**
 * A time in microseconds as seconds: an integer, a short float that is exact to the nanosecond, or a decimal fraction
 * (which RFC 8428 §6 allows). Most fractions of a second have no exact float, and Leshan 2.0 refuses a time whose
 * exact value is finer than nanoseconds. For the usual distances between samples it is shorter, too.
 */
export function writeSeconds(writer: ByteWriter, microseconds: number): void {
  const seconds = microseconds / 1e6;
  if (Number.isInteger(seconds)) {
    writeInteger(writer, seconds);
    return;
  }
  if (Number.isInteger(seconds * 512) && Math.fround(seconds) === seconds) {
    writeFloat(writer, seconds);
    return;
  }
  let mantissa = microseconds;
  let exponent = -6;
  while (mantissa % 10 === 0) {
    mantissa /= 10;
    exponent++;
  }
  writeHead(writer, CborMajor.TAG, DECIMAL_FRACTION);
  writeHead(writer, CborMajor.ARRAY, 2);
  writeInteger(writer, exponent);
  writeInteger(writer, mantissa);
}

/** A time in seconds: as `writeSeconds` has it where that is the same number, else as the float that it is. */
export function writeTime(writer: ByteWriter, seconds: number): void {
  const microseconds = Math.round(seconds * 1e6);
  if (Number.isSafeInteger(microseconds) && Object.is(microseconds / 1e6, seconds)) {
    writeSeconds(writer, microseconds);
  } else writeNumber(writer, seconds);
}

export function writeText(writer: ByteWriter, text: string): void {
  // Names and most values are short ASCII, for which a call of TextEncoder costs more than the rest.
  if (text.length <= 64) {
    const start = writer.length;
    writeHead(writer, CborMajor.TEXT, text.length);
    if (writer.ascii(text)) return;
    writer.truncate(start);
  }
  const bytes = encodeUtf8(text);
  writeHead(writer, CborMajor.TEXT, bytes.length);
  writer.bytes(bytes);
}

export function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writeHead(writer, CborMajor.BYTES, bytes.length);
  writer.bytes(bytes);
}

export function writeBoolean(writer: ByteWriter, value: boolean): void {
  writer.uint8(value ? 0xf5 : 0xf4);
}
