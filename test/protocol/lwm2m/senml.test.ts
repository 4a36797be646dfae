import { Decoder, Encoder } from 'cbor-x';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { decodeContent, encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { checkVersion } from '../../../protocol/lwm2m/senml.ts';
import { encodeSenmlCborPack, SenmlPackBuilder } from '../../../protocol/lwm2m/senml-pack.ts';
import { compactInteger } from '../../../protocol/lwm2m/typed-value.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { hex, lookup } from './vectors.ts';

const { SENML_JSON, SENML_CBOR } = ContentFormat;

test.each([1, 5, 10, 26])('version %i is read', (version) =>
  expect(() => checkVersion(version)).not.toThrow(),
);
test.each([0, 11, 25, 27, 1.5, 2n ** 63n])('version %s is refused', (version) =>
  expect(() => checkVersion(version)).toThrow(DecodeError),
);

const id = fc.integer({ min: 0, max: 65534 });
const value = fc.oneof(
  fc.record({
    path: id.map((i) => `/3303/${i}/5700`),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  }),
  fc.record({ path: id.map((i) => `/3/0/6/${i}`), value: fc.oneof(fc.integer(), fc.maxSafeInteger()) }),
  fc.record({
    path: id.map((i) => `/42770/${i}/5`),
    value: fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  }),
  fc.record({
    path: id.map((i) => `/3/${i}/10`),
    value: fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
  }),
  fc.record({ path: id.map((i) => `/3/${i}/0`), value: fc.string({ unit: 'grapheme' }) }),
  fc.record({ path: id.map((i) => `/1/${i}/6`), value: fc.boolean() }),
  fc.record({ path: id.map((i) => `/42770/${i}/3`), value: fc.uint8Array() }),
  fc.record({
    path: fc.tuple(id, id).map(([i, j]) => `/65/${i}/0/${j}`),
    value: fc.record({ objectId: fc.nat(65535), instanceId: fc.nat(65535) }),
  }),
);
const untimed = fc.array(value, { maxLength: 30 });
const time = fc.oneof(
  fc.double({ min: -(2 ** 28), max: 2 ** 40, noNaN: true }).map((seconds) => seconds + 0),
  fc.integer({ min: 0, max: 2e9 }),
);
const timed = fc.array(
  fc.tuple(value, time).map(([record, taken]): LwM2mRecord => ({ ...record, time: taken })),
  { maxLength: 30 },
);

describe.each([SENML_JSON, SENML_CBOR])('any records in format %i', (format) => {
  test('survive writing and reading again, their times exact', () => {
    fc.assert(
      fc.property(fc.oneof(untimed, timed), (records) => {
        const bytes = encodeContent(format, '/', records, lookup);
        expect(decodeContent(format, '/', bytes, lookup)).toEqual(records);
      }),
      { numRuns: 500 },
    );
  });
});

test('any records of one object survive TLV', () => {
  const records = fc.uniqueArray(value, { maxLength: 30, selector: ({ path }) => path });
  fc.assert(
    fc.property(records, (given) => {
      for (const object of [1, 3, 65, 3303, 42770]) {
        const own = given.filter(({ path }) => path.startsWith(`/${object}/`));
        const bytes = encodeContent(ContentFormat.TLV, `/${object}`, own, lookup);
        const read = decodeContent(ContentFormat.TLV, `/${object}`, bytes, lookup);
        const byPath = (a: LwM2mRecord, b: LwM2mRecord) => (a.path < b.path ? -1 : 1);
        expect([...read].sort(byPath)).toEqual([...own].sort(byPath));
      }
    }),
    { numRuns: 300 },
  );
});

describe('beside cbor-x', () => {
  const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });
  const encoder = new Encoder({ mapsAsObjects: false, useRecords: false });

  test('what is written means the same', () => {
    fc.assert(
      fc.property(fc.oneof(untimed, timed), (records) => {
        const bytes = encodeContent(SENML_CBOR, '/', records, lookup);
        const maps = decoder.decode(bytes) as Map<number | string, unknown>[];
        let name = '';
        const paths = maps.map((map) => {
          name = (map.get(-2) as string | undefined) ?? name;
          return name + ((map.get(0) as string | undefined) ?? '');
        });
        expect(paths).toEqual(records.map(({ path }) => path));
        const values = maps.map(
          (map) => map.get(2) ?? map.get(3) ?? map.get(4) ?? map.get(8) ?? map.get('vlo'),
        );
        const expected = records.map(({ value: own }) => {
          if (typeof own !== 'object') return own;
          return own instanceof Uint8Array ? own : `${own.objectId}:${own.instanceId}`;
        });
        // cbor-x gives Buffers, and bigint beyond 2^32.
        const plain = values.map((own) => {
          if (typeof own === 'bigint') return compactInteger(own);
          return own instanceof Uint8Array ? new Uint8Array(own) : own;
        });
        expect(plain).toEqual(expected);
      }),
    );
  });

  test('what it writes is read the same', () => {
    // An integral float travels as an integer, which has no negative zero.
    const sample = fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0);
    const samples = fc.array(fc.tuple(fc.integer(), sample), { minLength: 1 });
    fc.assert(
      fc.property(samples, (pairs) => {
        const maps = pairs.map(([t, v], index) => {
          const fields: [number, unknown][] = [
            [2, v],
            [6, t],
          ];
          return new Map<number, unknown>(index === 0 ? [...fields, [-2, '/42770/0/2']] : fields);
        });
        const records = decodeContent(SENML_CBOR, '/42770/0/2', encoder.encode(maps), lookup);
        expect(records.map((record) => [record.time, record.value])).toEqual(pairs);
      }),
    );
  });
});

describe('a pack of samples', () => {
  const start = 1_700_000_000.123456;
  const read = (bytes: Uint8Array) => decodeContent(SENML_CBOR, '/42770/0/2', bytes, lookup);
  const micro = (seconds: number | undefined) => Math.round((seconds ?? Number.NaN) * 1e6);

  test('is filled to its limit and not beyond, and then starts anew', () => {
    const builder = new SenmlPackBuilder('/42770/0/2', { singlePrecision: true });
    let added = 0;
    while (builder.add(start + added / 1000, Math.sin(added))) added++;
    expect(added).toBe(builder.count);
    const size = builder.size;
    const bytes = builder.finish();
    expect(bytes.length).toBe(size);
    expect(bytes.length).toBeLessThanOrEqual(1024);
    // The sample that was turned away has at most two heads, two labels and two floats.
    expect(bytes.length).toBeGreaterThan(1024 - 20);
    expect(added).toBeGreaterThan(70);
    const records = read(bytes);
    expect(records.map(({ value: own }) => own)).toEqual(
      Array.from({ length: added }, (_, index) => Math.fround(Math.sin(index))),
    );
    expect(records.map(({ time: taken }) => micro(taken))).toEqual(
      Array.from({ length: added }, (_, index) => micro(start + index / 1000)),
    );
    expect(builder.count).toBe(0);
    expect(builder.add(start, 1)).toBe(true);
    expect(read(builder.finish())).toEqual([{ path: '/42770/0/2', value: 1, time: start }]);
  });

  test('has the size that it says, with any number of samples', () => {
    const builder = new SenmlPackBuilder('/42770/0/2', { maxBytes: 20_000 });
    for (let count = 0; count < 300; count++) {
      builder.add(start + count * 0.0171, count * 1.1);
      const { size } = builder;
      if ([0, 1, 22, 23, 24, 254, 255, 256].includes(count)) {
        const copy = encodeSenmlCborPack(
          '/42770/0/2',
          Array.from({ length: count + 1 }, (_, index) => start + index * 0.0171),
          Array.from({ length: count + 1 }, (_, index) => index * 1.1),
        );
        expect(copy.length).toBe(size);
      }
    }
  });

  test('gives back each value exactly and each time to the microsecond', () => {
    const offsets = fc.array(fc.integer({ min: 0, max: 100_000_000 }), { minLength: 1, maxLength: 60 });
    const pair = fc.tuple(offsets, fc.double({ noNaN: true, noDefaultInfinity: true }));
    fc.assert(
      fc.property(pair, ([microseconds, first]) => {
        const times = microseconds.map((offset) => start + offset / 1e6);
        const values = times.map((_, index) => first / (index + 1));
        const records = read(encodeSenmlCborPack('/42770/0/2', times, values));
        expect(records.map(({ value: own }) => own)).toEqual(values);
        expect(records.map(({ time: taken }) => micro(taken))).toEqual(times.map(micro));
      }),
    );
  });

  // bt 17952419091e-1; t 2e-2, -5e-1 (exact in half precision), 1, 19997e-6: no float that is finer than nanoseconds.
  test('has its times in decimal, so that a reader with exact numbers gets no more digits than there are', () => {
    const from = 1_795_241_909.1;
    const times = [from, from + 0.02, from - 0.5, from + 1, from + 0.019997];
    expect(encodeSenmlCborPack('/42770/0/2', times, [1.5, 1.5, 1.5, 1.5, 1.5])).toEqual(
      hex(`85 a3 21 6a 2f34323737302f302f32 22 c4 82 20 1b 000000042e0c2d13 02 f9 3e00
           a2 06 c4 82 21 02 02 f9 3e00 a2 06 f9 b800 02 f9 3e00 a2 06 01 02 f9 3e00
           a2 06 c4 82 25 19 4e1d 02 f9 3e00`),
    );
  });

  test('of samples at the same time carries the time once', () => {
    const records = read(encodeSenmlCborPack('/42770/0/2', [5, 5], [1, 2]));
    expect(records.map(({ time: taken }) => taken)).toEqual([5, 5]);
  });

  test('without samples is an empty array', () =>
    expect(read(new SenmlPackBuilder('/42770/0/2').finish())).toEqual([]));

  test('keeps a value that no single holds', () => {
    const builder = new SenmlPackBuilder('/42770/0/2', { singlePrecision: true });
    builder.add(1, 1e300);
    expect(read(builder.finish())[0]?.value).toBe(1e300);
  });

  test('takes no sample that is no number, and no limit that holds none', () => {
    const builder = new SenmlPackBuilder('/42770/0/2');
    expect(() => builder.add(Number.NaN, 1)).toThrow(RequestError);
    expect(() => builder.add(1, Number.POSITIVE_INFINITY)).toThrow(RequestError);
    expect(() => new SenmlPackBuilder('/42770/0/2', { maxBytes: 40 })).toThrow(RequestError);
    expect(() => encodeSenmlCborPack('/42770/0/2', [1], [])).toThrow(RequestError);
    expect(() =>
      encodeSenmlCborPack('/42770/0/2', Array(100).fill(1), Array(100).fill(1.1), { maxBytes: 100 }),
    ).toThrow(RequestError);
  });
});
