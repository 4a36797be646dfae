import { Decoder, Encoder } from 'cbor-x';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { decodeContent, encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { checkVersion, type SenmlFields, type SenmlSink } from '../../../protocol/lwm2m/senml.ts';
import { readSenmlCbor } from '../../../protocol/lwm2m/senml-cbor.ts';
import { readSenmlJson } from '../../../protocol/lwm2m/senml-json.ts';
import { encodeSenmlCborPack, SenmlPackBuilder } from '../../../protocol/lwm2m/senml-pack.ts';
import { compactInteger } from '../../../protocol/lwm2m/typed-value.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { hex, lookup, utf8 } from './vectors.ts';

const { SENML_JSON, SENML_CBOR } = ContentFormat;

/** Keeps each record's fields that are there. */
class Collected implements SenmlSink {
  readonly records: Record<string, unknown>[] = [];

  take({ bn, bt, bv, n, t, value }: SenmlFields): void {
    const entries = Object.entries({ bn, bt, bv, n, t, value }).filter(([, field]) => field !== undefined);
    this.records.push(Object.fromEntries(entries));
  }
}

function json(text: string) {
  const sink = new Collected();
  readSenmlJson(utf8(text), sink);
  return sink.records;
}

function cbor(bytes: Uint8Array) {
  const sink = new Collected();
  readSenmlCbor(bytes, sink);
  return sink.records;
}

/** RFC 8428 §5.1.2 and, the same in CBOR, §6. */
const multiple = [
  { bn: 'urn:dev:ow:10e2073a0108006:', bt: 1276020076.001, n: 'voltage', value: 120.1 },
  { n: 'current', t: -5, value: 1.2 },
  { n: 'current', t: -4, value: 1.3 },
  { n: 'current', t: -3, value: 1.4 },
  { n: 'current', t: -2, value: 1.5 },
  { n: 'current', t: -1, value: 1.6 },
  { n: 'current', t: 0, value: 1.7 },
];
const multipleCbor = hex(`
  87 a7 21 78 1b 75 72 6e 3a 64 65 76 3a 6f 77 3a 31 30 65 32 30 37 33 61 30 31 30 38 30 30 36 3a
  22 fb 41 d3 03 a1 5b 00 10 62 23 61 41 20 05 00 67 76 6f 6c 74 61 67 65 01 61 56 02 fb 40 5e 06
  66 66 66 66 66 a3 00 67 63 75 72 72 65 6e 74 06 24 02 fb 3f f3 33 33 33 33 33 33 a3 00 67 63 75
  72 72 65 6e 74 06 23 02 fb 3f f4 cc cc cc cc cc cd a3 00 67 63 75 72 72 65 6e 74 06 22 02 fb 3f
  f6 66 66 66 66 66 66 a3 00 67 63 75 72 72 65 6e 74 06 21 02 f9 3e 00 a3 00 67 63 75 72 72 65 6e
  74 06 20 02 fb 3f f9 99 99 99 99 99 9a a3 00 67 63 75 72 72 65 6e 74 06 00 02 fb 3f fb 33 33 33
  33 33 33`);

describe('an example of RFC 8428', () => {
  test('§5.1.1, a single datapoint', () => {
    expect(json('[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]')).toEqual([
      { n: 'urn:dev:ow:10e2073a01080063', value: 23.1 },
    ]);
  });

  test('§5.1.2, multiple datapoints', () => {
    const text =
      '[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},' +
      '{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},{"n":"current","t":-3,"v":1.4},' +
      '{"n":"current","t":-2,"v":1.5},{"n":"current","t":-1,"v":1.6},{"n":"current","v":1.7}]';
    const { t: _, ...last } = multiple[6] as Record<string, unknown>;
    expect(json(text)).toEqual([...multiple.slice(0, 6), last]);
  });

  test('§5.1.3, multiple measurements', () => {
    const records = json(
      '[{"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},' +
        '{"u":"lon","v":24.30621},{"u":"lat","v":60.07965},{"t":60,"v":20.3},{"u":"lon","t":60,"v":24.30622},' +
        '{"u":"lat","t":60,"v":60.07965},{"t":120,"v":20.7},{"u":"%EL","t":150,"v":98},{"t":180,"v":21.2}]',
    );
    expect(records[0]).toEqual({ bn: 'urn:dev:ow:10e2073a01080063', bt: 1320067464, value: 20 });
    expect(records.slice(3).map(({ t, value }) => [t, value])).toEqual([
      [60, 20.3],
      [60, 24.30622],
      [60, 60.07965],
      [120, 20.7],
      [150, 98],
      [180, 21.2],
    ]);
  });

  test('§5.1.5, different data types', () => {
    const text =
      '[{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},{"n":"label","vs":"Machine Room"},' +
      '{"n":"open","vb":false},{"n":"nfv","vs":"bXkgc2VjcmV0"},{"n":"nfc-reader","vd":"aGkgCg"}]';
    expect(json(text).map(({ value }) => value)).toEqual([
      23.1,
      'Machine Room',
      false,
      'bXkgc2VjcmV0',
      utf8('hi \n'),
    ]);
  });

  test('§5.1.6, a collection with links to other records', () => {
    const text =
      '[{"bn":"urn:dev:ow:10e2073a01080063:","bt":1.320078429e+09,"n":"temperature","v":27.2,"u":"Cel","l":"[{}]"}]';
    expect(json(text)).toEqual([
      { bn: 'urn:dev:ow:10e2073a01080063:', bt: 1320078429, n: 'temperature', value: 27.2 },
    ]);
  });

  test('§6, the same datapoints in CBOR; cut anywhere it is refused', () => {
    expect(cbor(multipleCbor)).toEqual(multiple);
    for (let length = 1; length < multipleCbor.length; length++) {
      expect(() => cbor(multipleCbor.subarray(0, length))).toThrow(DecodeError);
    }
  });

  test('§6, the values as resources are written byte for byte, but for the time, which is in decimal', () => {
    const voltage = multiple[0] as { bt: number };
    const records = multiple.slice(1).map(({ t, value }) => ({
      ...{ path: '/42770/0/2', value, time: voltage.bt + (t as number) },
    }));
    const written = encodeContent(SENML_CBOR, '/42770/0/2', records, lookup);
    expect(decodeContent(SENML_CBOR, '/42770/0/2', written, lookup)).toEqual(records);
    expect(written).toEqual(
      hex(`86 a3 21 6a 2f34323737302f302f32 22 c4 82 22 1b 0000012918b91a59 02 fb 3ff3333333333333
           a2 06 01 02 fb 3ff4cccccccccccd a2 06 02 02 fb 3ff6666666666666 a2 06 03 02 f9 3e00
           a2 06 04 02 fb 3ff999999999999a a2 06 05 02 fb 3ffb333333333333`),
    );
  });
});

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
