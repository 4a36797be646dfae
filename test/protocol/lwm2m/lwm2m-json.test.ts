import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { decodeContent, encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { MAX_RECORDS } from '../../../protocol/lwm2m/limits.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { typedRecords } from './typed-records.ts';
import { hex, lookup, utf8 } from './vectors.ts';

const { JSON: FORMAT } = ContentFormat;
const decode = (base: string, text: string, rootPath?: string) =>
  decodeContent(FORMAT, base, utf8(text), lookup, rootPath);

describe('JSON of LwM2M 1.0 is refused', () => {
  test.each([
    ['that is not JSON', '{"e":['],
    ['that is an array', '[{"n":"/3/0/9","v":1}]'],
    ['that is null', 'null'],
    ['without entries', '{"bn":"/3/0/9"}'],
    ['with entries that are no array', '{"bn":"/3/0/9","e":{"v":1}}'],
    ['with an entry that is an array', '{"bn":"/3/0/9","e":[[]]}'],
    ['with an entry that is null', '{"bn":"/3/0/9","e":[null]}'],
    ['with an entry without a value', '{"bn":"/3/0/","e":[{"n":"9"}]}'],
    ['with two values in an entry', '{"bn":"/3/0/9","e":[{"v":1,"sv":"x"}]}'],
    ['with a value that is null', '{"bn":"/3/0/9","e":[{"v":null}]}'],
    ['with a text where a number belongs', '{"bn":"/3/0/9","e":[{"v":"1"}]}'],
    ['with a number where a text belongs', '{"bn":"/3/0/0","e":[{"sv":1}]}'],
    ['with a number where a boolean belongs', '{"bn":"/1/0/6","e":[{"bv":1}]}'],
    ['with an object link that is none', '{"bn":"/3/0/22","e":[{"ov":"5"}]}'],
    ['with an object link in a text that is none', '{"bn":"/3/0/22","e":[{"sv":"5"}]}'],
    ['with half a character', '{"bn":"/3/0/0","e":[{"sv":"\\ud800"}]}'],
    ['with bytes that are not base64', '{"bn":"/42770/0/3","e":[{"sv":"#"}]}'],
    ['with bytes as a number', '{"bn":"/42770/0/3","e":[{"v":1}]}'],
    ['with an infinite value', '{"bn":"/42770/0/2","e":[{"v":1e999}]}'],
    ['with a fraction of an integer', '{"bn":"/3/0/9","e":[{"v":1.5}]}'],
    ['with an infinite base time', '{"bn":"/3/0/9","bt":1e999,"e":[{"v":1}]}'],
    ['with a text where a time belongs', '{"bn":"/3/0/9","e":[{"t":"1","v":1}]}'],
    ['with times whose sum is infinite', '{"bn":"/3/0/9","bt":1.7e308,"e":[{"t":1.7e308,"v":1}]}'],
    ['with a number where a name belongs', '{"bn":"/3/0/","e":[{"n":9,"v":1}]}'],
    ['with a number where a base name belongs', '{"bn":3,"e":[{"v":1}]}'],
    ['with a name that is no path', '{"bn":"urn:dev:1","e":[{"v":1}]}'],
    ['with the path of an instance', '{"bn":"/3/0","e":[{"v":1}]}'],
    ['with a path too deep', '{"bn":"/3/0/9/0/","e":[{"n":"1","v":1}]}'],
    ['with a path that is not canonical', '{"bn":"/3/0/","e":[{"n":"09","v":1}]}'],
    ['with two slashes in a path', '{"bn":"/3/0//","e":[{"n":"9","v":1}]}'],
    ['with a name of 300 characters', `{"bn":"/3/0/9${'/'.repeat(300)}","e":[{"v":1}]}`],
  ])('%s', (_name, text) => {
    expect(() => decode('/', text)).toThrow(DecodeError);
  });

  test('with a path outside of what was asked for', () => {
    expect(() => decode('/4', '{"bn":"/3/0/9","e":[{"v":1}]}')).toThrow(DecodeError);
    expect(() => decode('/3/0', '{"bn":"/3/1/","e":[{"n":"9","v":1}]}')).toThrow(DecodeError);
  });

  test('with text that is not UTF-8', () => {
    expect(() => decodeContent(FORMAT, '/3/0/0', hex('7b 22 e9 22'), lookup)).toThrow(DecodeError);
  });

  test('with more entries than any device has', () => {
    const pack = (count: number) => `{"bn":"/3/0/9","e":[${Array(count).fill('{"v":1}').join(',')}]}`;
    expect(decode('/', pack(MAX_RECORDS))).toHaveLength(MAX_RECORDS);
    expect(() => decode('/', pack(MAX_RECORDS + 1))).toThrow(DecodeError);
  });
});

describe('the root path of a client', () => {
  const records = [{ path: '/3/0/9', value: 100 }];

  test('is not written in names, as version 1.0 does not know it there', () => {
    const bytes = encodeContent(FORMAT, '/3/0/9', records, lookup, '/lwm2m');
    expect(bytes).toEqual(encodeContent(FORMAT, '/3/0/9', records, lookup));
    expect(decodeContent(FORMAT, '/3/0/9', bytes, lookup, '/lwm2m')).toEqual(records);
  });

  test('is read in names of a device that writes it', () => {
    expect(decode('/3/0', '{"bn":"/lwm2m/3/0/","e":[{"n":"9","v":100}]}', '/lwm2m')).toEqual(records);
    expect(decode('/3/0', '{"bn":"/lwm2m","e":[{"n":"3/0/9","v":100}]}', '/lwm2m')).toEqual(records);
    expect(() => decode('/3/0', '{"bn":"/lwm2m/3/0/","e":[{"n":"9","v":100}]}')).toThrow(DecodeError);
  });
});

test('what cannot be written is the fault of the caller', () => {
  const write = (base: string, records: LwM2mRecord[]) => () => encodeContent(FORMAT, base, records, lookup);
  expect(write('/3/0/9', [{ path: '/3/0/9', value: 1.5 }])).toThrow(RequestError);
  expect(write('/4', [{ path: '/3/0/9', value: 1 }])).toThrow(RequestError);
  expect(write('/3', [{ path: '/3/0', value: 1 }])).toThrow(RequestError);
  expect(write('/3/0/9', [{ path: '/3/0/9', value: 1, time: Number.NaN }])).toThrow(RequestError);
});

test('whatever is written is read the same, times to the bit', () => {
  const time = fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: -100_000, max: 2_000_000_000 }),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }).map((value) => value + 0),
  );
  fc.assert(
    fc.property(typedRecords, fc.array(time), (records, times) => {
      const given = records.map((record, index): LwM2mRecord => {
        const taken = times[index];
        return taken === undefined ? record : { ...record, time: taken };
      });
      const bytes = encodeContent(FORMAT, '/', given, lookup);
      expect(decodeContent(FORMAT, '/', bytes, lookup)).toEqual(given);
    }),
    { numRuns: 1000 },
  );
});
