import { Decoder } from 'cbor-x';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { decodeContent, encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { MAX_RECORDS } from '../../../protocol/lwm2m/limits.ts';
import { comparePaths } from '../../../protocol/lwm2m/path.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { typedRecords } from './typed-records.ts';
import { hex, lookup } from './vectors.ts';

const { LWM2M_CBOR } = ContentFormat;
const decode = (base: string, bytes: string) => decodeContent(LWM2M_CBOR, base, hex(bytes), lookup);
const encode = (base: string, records: readonly LwM2mRecord[]) =>
  encodeContent(LWM2M_CBOR, base, records, lookup);

describe('LwM2M CBOR is refused', () => {
  test.each([
    ['that is an array', '84 03 00 09 01'],
    ['that is a value', '18 64'],
    ['with more after its end', 'a1 83 03 00 09 01 00'],
    ['with a text as a key', 'a1 61 33 a1 82 00 09 01'],
    ['with a text in a key', 'a1 83 61 33 00 09 01'],
    ['with a negative key', 'a1 83 03 20 09 01'],
    ['with a float in a key', 'a1 83 03 f9 0000 09 01'],
    ['with a tag on a key', 'a1 83 03 c1 00 09 01'],
    ['with an array within a key', 'a1 82 03 82 00 09 01'],
    ['with the reserved id 65535', 'a1 83 03 19 ffff 09 01'],
    ['with an id of 64 bits', 'a1 83 03 1b ffffffffffffffff 09 01'],
    ['with a key without ids', 'a1 80 01'],
    ['with a key without ids, of indefinite length', 'a1 9f ff 01'],
    ['with a key of five ids', 'a1 85 03 00 09 00 00 01'],
    ['with five levels of maps', 'a1 03 a1 00 a1 09 a1 00 a1 00 01'],
    ['with a map below a resource instance', 'a1 84 03 00 09 00 a0'],
    ['with a value at an object', 'a1 03 01'],
    ['with a value at an instance', 'a1 82 03 00 01'],
    ['with an array as a value', 'a1 83 03 00 09 81 01'],
    ['with undefined as a value', 'a1 83 03 00 09 f7'],
    ['with a float that is no number', 'a1 83 19 a712 00 02 f9 7e00'],
    ['with an object link that is none', 'a1 83 03 00 16 61 35'],
    ['with a text where an integer belongs', 'a1 83 03 00 09 61 31'],
    ['with a tagged time that is a text', 'a1 83 03 00 0d c1 61 31'],
    ['with the same resource twice', 'a2 83 03 00 09 01 83 03 00 09 01'],
    ['with the same resource twice, named in two ways', 'a2 82 03 00 a1 09 01 83 03 00 09 01'],
    ['with the same resource instance twice', 'a1 83 03 00 06 a2 00 01 00 02'],
    ['with a resource as single, then as multiple', 'a2 83 03 00 06 01 84 03 00 06 00 01'],
    ['with a resource as multiple, then as single', 'a2 84 03 00 06 00 01 83 03 00 06 01'],
    ['that says it has 2^64 - 1 keys', 'bb ffffffffffffffff'],
    ['with a key that says it has 2^32 - 1 ids', 'a1 9a ffffffff'],
    ['with a break where a value belongs', 'bf 83 03 00 09 ff'],
  ])('%s', (_name, bytes) => {
    expect(() => decode('/', bytes)).toThrow(DecodeError);
  });

  test('with a path outside of what was asked for', () => {
    expect(() => decode('/4', 'a1 83 03 00 09 01')).toThrow(DecodeError);
    expect(() => decode('/3/0/9/1', 'a1 83 03 00 09 01')).toThrow(DecodeError);
  });

  test('with more values than any device has', () => {
    const bytes = (count: number) =>
      `a1 83 03 00 06 b9 ${count.toString(16).padStart(4, '0')}` +
      Array.from({ length: count }, (_, id) => `19 ${id.toString(16).padStart(4, '0')} 01`).join('');
    expect(decode('/3/0/6', bytes(MAX_RECORDS))).toHaveLength(MAX_RECORDS);
    expect(() => decode('/3/0/6', bytes(MAX_RECORDS + 1))).toThrow(DecodeError);
  });
});

describe('what cannot be written in LwM2M CBOR is the fault of the caller', () => {
  const level = { path: '/3/0/9', value: 1 };
  test.each<[string, string, LwM2mRecord[]]>([
    ['a value that does not fit', '/3/0/9', [{ path: '/3/0/9', value: 1.5 }]],
    ['a path outside of the base', '/4', [level]],
    ['an instance as a record', '/3', [{ path: '/3/0', value: 1 }]],
    ['a resource twice', '/3/0', [level, level]],
    ['what is no path', '/', [{ path: '/x', value: 1 }]],
    ['a resource that is multiple and single', '/3/0', [level, { path: '/3/0/9/1', value: 1 }]],
    ['a resource that is single and multiple', '/3/0', [{ path: '/3/0/9/1', value: 1 }, level]],
    ['too many records', '/3/0/9', Array(MAX_RECORDS + 1).fill(level)],
  ])('%s', (_name, base, records) => {
    expect(() => encode(base, records)).toThrow(RequestError);
  });
});

test('a time is left out, as the format has no place for it, and a root path does not matter', () => {
  const record = { path: '/3/0/9', value: 1 };
  const bytes = encodeContent(LWM2M_CBOR, '/', [{ ...record, time: 1_700_000_000 }], lookup, '/lwm2m');
  expect(decodeContent(LWM2M_CBOR, '/', bytes, lookup, '/lwm2m')).toEqual([record]);
});

test('another reader of CBOR sees maps within maps, in the order of ids', () => {
  const records = [
    { path: '/3/0/7/1', value: 5000 },
    { path: '/3/0/16', value: 'U' },
    { path: '/3/0/7/0', value: 3800 },
    { path: '/3/0/9', value: 100 },
  ];
  const decoder = new Decoder({ mapsAsObjects: false });
  const map = decoder.decode(encode('/3', records)) as Map<number[], Map<number, unknown>>;
  expect(map.size).toBe(1);
  const [key, resources] = [...map].at(0) ?? [];
  expect(key).toEqual([3, 0]);
  const voltages = new Map([
    [0, 3800],
    [1, 5000],
  ]);
  expect([...(resources ?? [])]).toEqual([
    [7, voltages],
    [9, 100],
    [16, 'U'],
  ]);
});

test('whatever is written is read the same, in the order of the tree', () => {
  fc.assert(
    fc.property(typedRecords, (given) => {
      const records = [...new Map(given.map((record) => [record.path, record])).values()];
      const sorted = records.toSorted((a, b) => comparePaths(a.path, b.path));
      const bytes = encode('/', records);
      expect(decodeContent(LWM2M_CBOR, '/', bytes, lookup)).toEqual(sorted);
      expect(encode('/', sorted)).toEqual(bytes);
    }),
    { numRuns: 1000 },
  );
});
