import { DecodeError, RequestError } from '../errors.ts';

// What the data of an IoT packet means where nobody has said otherwise: one signed 32-bit integer, big-endian.

const LENGTH = 4;

/** @throws RequestError not an integer of 32 bits */
export function encodeReadingData(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31) {
    throw new RequestError(`${value} is not a signed integer of 32 bits`);
  }
  const bytes = new Uint8Array(LENGTH);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
}

/** @throws DecodeError not four bytes */
export function decodeReadingData(data: Uint8Array): number {
  if (data.length !== LENGTH)
    throw new DecodeError(`an integer of ${data.length} bytes instead of ${LENGTH}`);
  return new DataView(data.buffer, data.byteOffset, data.length).getInt32(0);
}
