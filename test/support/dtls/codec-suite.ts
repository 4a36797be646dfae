import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DecodeError } from '../../../protocol/errors.ts';
import { hex, unhex } from '../coap/raw-peer.ts';

/** What one codec is tried with: its vectors, what it must refuse, and values made at random. */
export interface CodecSuite<Value> {
  encode(value: Value): Uint8Array;
  decode(data: Uint8Array): Value;
  readonly vectors: readonly (readonly [name: string, bytes: string, value: Value])[];
  readonly malformed: readonly (readonly [name: string, bytes: string])[];
  readonly any: fc.Arbitrary<Value>;
}

/** The tests that every pair of encoder and decoder has to pass. */
export function testCodec<Value>({ encode, decode, vectors, malformed, any }: CodecSuite<Value>): void {
  for (const [name, bytes, value] of vectors) {
    const data = unhex(bytes);
    test(`encodes ${name}`, () => expect(hex(encode(value))).toBe(hex(data)));
    test(`decodes ${name}`, () => expect(decode(data)).toEqual(value));
    test(`reads every truncation of ${name} by the grammar alone`, () => {
      for (let length = 0; length < data.length; length++) {
        // Bytes behind the end: who reads beyond it gets another value, or none.
        const padded = new Uint8Array(length + 64).fill(0xff);
        padded.set(data.subarray(0, length));
        const decoded = decodedOrRefused(decode, padded.subarray(0, length));
        // What is still a message is the one that these bytes spell.
        if (decoded !== undefined) expect(hex(encode(decoded))).toBe(hex(data.subarray(0, length)));
      }
    });
  }
  for (const [name, bytes] of malformed) {
    test(`refuses ${name}`, () => expect(() => decode(unhex(bytes))).toThrow(DecodeError));
  }
  test('decodes whatever it encodes', () => {
    fc.assert(
      fc.property(any, (value) => {
        expect(decode(encode(value))).toEqual(value);
      }),
    );
  });
  test('answers any bytes with a value or a DecodeError', () => {
    fc.assert(
      fc.property(any, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, at, byte) => {
        const data = Uint8Array.from(encode(value));
        if (data.length > 0) data[at % data.length] = byte;
        decodedOrRefused(decode, data);
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 96 }), (data) => void decodedOrRefused(decode, data)));
  });
}

function decodedOrRefused<Value>(decode: (data: Uint8Array) => Value, data: Uint8Array): Value | undefined {
  try {
    return decode(data);
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return undefined;
  }
}

/** Bytes of a random content and, where only one is given, a fixed length. */
export function anyBytes(minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> {
  // Copied, for fast-check's arrays may be views.
  return fc.uint8Array({ minLength, maxLength }).map((bytes) => Uint8Array.from(bytes));
}

export const anyUint16 = fc.integer({ min: 0, max: 0xffff });
export const anyUint8 = fc.integer({ min: 0, max: 0xff });
