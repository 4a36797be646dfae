import { describe, expect, test } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { decodeContent, encodeContent } from '../../../protocol/lwm2m/content.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { type ContentVector, contentVectors, lookup } from './vectors.ts';

const decode = (vector: ContentVector, bytes = vector.bytes) =>
  decodeContent(vector.format, vector.base, bytes, lookup);
const encode = (vector: ContentVector, records = vector.records) =>
  encodeContent(vector.format, vector.base, records, lookup);

/** Formats that say where they end: nothing cut from them can be read. */
const selfDelimiting = [60, 110, 112, 11543, 11544];

/** The records, or undefined where DecodeError was thrown. Any other error fails the test. */
function outcome(vector: ContentVector, bytes: Uint8Array): LwM2mRecord[] | undefined {
  try {
    return decode(vector, bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return undefined;
  }
}

describe('a payload', () => {
  test.each(contentVectors)('is read: $name', (vector) => {
    expect(decode(vector)).toEqual(vector.records);
  });

  test.each(contentVectors.filter(({ written }) => written !== false))('is written: $name', (vector) => {
    expect(encode(vector)).toEqual(vector.bytes);
  });

  test.each(contentVectors.filter(({ records, written }) => written === false && records.length > 0))(
    'is read, written our way and read the same: $name',
    (vector) => {
      expect(decode(vector, encode(vector))).toEqual(vector.records);
    },
  );

  test.each(contentVectors)('cut anywhere is read without a look beyond the cut: $name', (vector) => {
    for (let length = 0; length < vector.bytes.length; length++) {
      // The rest of the payload lies right behind the view: whoever reads on finds bytes that fit.
      const view = outcome(vector, vector.bytes.subarray(0, length));
      const alone = outcome(vector, vector.bytes.slice(0, length));
      expect(view).toEqual(alone);
      if (selfDelimiting.includes(vector.format) && length > 0) expect(alone).toBeUndefined();
    }
  });

  test.each(contentVectors)('is not tied to the buffer that it came in: $name', (vector) => {
    const padded = new Uint8Array(vector.bytes.length + 20).fill(0x81);
    padded.set(vector.bytes, 7);
    const records = decode(vector, padded.subarray(7, 7 + vector.bytes.length));
    padded.fill(0);
    expect(records).toEqual(vector.records);
  });
});

describe('a payload of a client that has the numbers of drafts', () => {
  test.each([
    [1541, 0],
    [1542, 11542],
    [1543, 11543],
  ])('%i is read as %i, and never written', (draft, registered) => {
    const own = contentVectors.filter(({ format }) => format === registered);
    expect(own.length).toBeGreaterThan(5);
    for (const vector of own) {
      expect(decode({ ...vector, format: draft })).toEqual(vector.records);
      expect(() => encode({ ...vector, format: draft })).toThrow(RequestError);
    }
  });
});
