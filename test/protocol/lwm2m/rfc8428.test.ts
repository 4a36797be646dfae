import { describe, expect, test } from 'vitest';
import { DecodeError } from '../../../protocol/errors.ts';
import { decodeContent, encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { SenmlFields, SenmlSink } from '../../../protocol/lwm2m/senml.ts';
import { readSenmlCbor } from '../../../protocol/lwm2m/senml-cbor.ts';
import { readSenmlJson } from '../../../protocol/lwm2m/senml-json.ts';
import type { ResourceValue } from '../../../protocol/lwm2m/value.ts';
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

/** An example of §5.1, word for word but for line breaks, and its records resolved (§4.6): name, time, value. */
interface Example {
  readonly name: string;
  readonly text: string;
  /** The RFC's names are no paths: what stands for each, so that the records can be resolved to values of resources. */
  readonly paths: Readonly<Record<string, string>>;
  readonly resolved: readonly (readonly [path: string, time: number | undefined, value: ResourceValue])[];
}

const ow = 'urn:dev:ow:10e2073a01080063';
const value = '/42770/0/2';
const second = '/3303/1/5700';
const mobile: readonly (readonly [number, number])[] = [
  [0, 20],
  [0, 24.30621],
  [0, 60.07965],
  [60, 20.3],
  [60, 24.30622],
  [60, 60.07965],
  [120, 20.7],
  [120, 24.30623],
  [120, 60.07966],
  [150, 98],
  [180, 21.2],
  [180, 24.30628],
  [180, 60.07967],
];
const humidity = [21.2, 21.3, 21.4, 21.4, 21.5, 21.5, 21.5, 21.6, 21.7];

const examples: readonly Example[] = [
  {
    name: '§5.1.1, a single data point',
    text: '[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]',
    paths: { [ow]: value },
    resolved: [[value, undefined, 23.1]],
  },
  {
    name: '§5.1.2, multiple data points',
    text: '[{"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":120.1},{"n":"current","u":"A","v":1.2}]',
    paths: { [`${ow}:`]: '/42770/0/', voltage: '2', current: '9' },
    resolved: [
      [value, undefined, 120.1],
      ['/42770/0/9', undefined, 1.2],
    ],
  },
  {
    name: '§5.1.2, current at each second',
    text:
      '[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},' +
      '{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},{"n":"current","t":-3,"v":1.4},' +
      '{"n":"current","t":-2,"v":1.5},{"n":"current","t":-1,"v":1.6},{"n":"current","v":1.7}]',
    paths: { 'urn:dev:ow:10e2073a0108006:': '/42770/0/', voltage: '2', current: '9' },
    resolved: [
      [value, 1276020076.001, 120.1],
      ...[-5, -4, -3, -2, -1, 0].map(
        (t, at) => ['/42770/0/9', 1276020076.001 + t, [1.2, 1.3, 1.4, 1.5, 1.6, 1.7][at] as number] as const,
      ),
    ],
  },
  {
    name: '§5.1.2, a stream, ended',
    text:
      '[{"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":21.2},{"t":10,"v":21.3},' +
      '{"t":20,"v":21.4},{"t":30,"v":21.4},{"t":40,"v":21.5},{"t":50,"v":21.5},{"t":60,"v":21.5},{"t":70,"v":21.6},{"t":80,"v":21.7}]',
    paths: { [ow]: value },
    resolved: humidity.map((own, at) => [value, 1320067464 + 10 * at, own] as const),
  },
  {
    name: '§5.1.3, multiple measurements',
    text:
      '[{"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},{"u":"lon","v":24.30621},' +
      '{"u":"lat","v":60.07965},{"t":60,"v":20.3},{"u":"lon","t":60,"v":24.30622},{"u":"lat","t":60,"v":60.07965},' +
      '{"t":120,"v":20.7},{"u":"lon","t":120,"v":24.30623},{"u":"lat","t":120,"v":60.07966},{"u":"%EL","t":150,"v":98},' +
      '{"t":180,"v":21.2},{"u":"lon","t":180,"v":24.30628},{"u":"lat","t":180,"v":60.07967}]',
    paths: { [ow]: value },
    resolved: mobile.map(([t, own]) => [value, 1320067464 + t, own] as const),
  },
  {
    name: '§5.1.4, the same, resolved',
    text: `[${[
      '"u":"%RH","t":1.320067464e+09,"v":20',
      '"u":"lon","t":1.320067464e+09,"v":24.30621',
      '"u":"lat","t":1.320067464e+09,"v":60.07965',
      '"u":"%RH","t":1.320067524e+09,"v":20.3',
      '"u":"lon","t":1.320067524e+09,"v":24.30622',
      '"u":"lat","t":1.320067524e+09,"v":60.07965',
      '"u":"%RH","t":1.320067584e+09,"v":20.7',
      '"u":"lon","t":1.320067584e+09,"v":24.30623',
      '"u":"lat","t":1.320067584e+09,"v":60.07966',
      '"u":"%EL","t":1.320067614e+09,"v":98',
      '"u":"%RH","t":1.320067644e+09,"v":21.2',
      '"u":"lon","t":1.320067644e+09,"v":24.30628',
      '"u":"lat","t":1.320067644e+09,"v":60.07967',
    ]
      .map((rest) => `{"n":"urn:dev:ow:10e2073a01080063",${rest}}`)
      .join(',')}]`,
    paths: { [ow]: value },
    resolved: mobile.map(([t, own]) => [value, 1320067464 + t, own] as const),
  },
  {
    name: '§5.1.5, multiple data types',
    text:
      '[{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},{"n":"label","vs":"Machine Room"},' +
      '{"n":"open","vb":false},{"n":"nfv-reader","vd":"aGkgCg"}]',
    paths: { [`${ow}:`]: '/', temp: '42770/0/2', label: '3/0/0', open: '1/0/6', 'nfv-reader': '42770/0/3' },
    resolved: [
      [value, undefined, 23.1],
      ['/3/0/0', undefined, 'Machine Room'],
      ['/1/0/6', undefined, false],
      ['/42770/0/3', undefined, utf8('hi \n')],
    ],
  },
  {
    name: '§5.1.6, a collection, whose second base name keeps the first base time',
    text:
      '[{"bn":"2001:db8::2/","bt":1.320078429e+09,"n":"temperature","u":"Cel","v":25.2},{"n":"humidity","u":"%RH","v":30},' +
      '{"bn":"2001:db8::1/","n":"temperature","u":"Cel","v":12.3},{"n":"humidity","u":"%RH","v":67}]',
    paths: {
      '2001:db8::2/': '/42770/2/',
      '2001:db8::1/': '/42770/1/',
      temperature: '2',
      humidity: '9',
    },
    resolved: [
      ['/42770/2/2', 1320078429, 25.2],
      ['/42770/2/9', 1320078429, 30],
      ['/42770/1/2', 1320078429, 12.3],
      ['/42770/1/9', 1320078429, 67],
    ],
  },
  {
    name: '§5.1.7, an actuator, whose first record is a base name alone',
    text:
      '[{"bn":"urn:dev:ow:10e2073a01080063:"},{"n":"temp","u":"Cel","v":23.1},{"n":"heat","u":"/","v":1},' +
      '{"n":"fan","u":"/","v":0}]',
    paths: { [`${ow}:`]: '/42770/0/', temp: '2', heat: '5', fan: '9' },
    resolved: [
      [value, undefined, 23.1],
      ['/42770/0/5', undefined, 1],
      ['/42770/0/9', undefined, 0],
    ],
  },
  {
    name: '§5.1.7, two lights at the same time',
    text: '[{"bt":1.320078429e+09,"bu":"/","n":"2001:db8::3","v":1},{"n":"2001:db8::4","v":1}]',
    paths: { '2001:db8::3': value, '2001:db8::4': second },
    resolved: [
      [value, 1320078429, 1],
      [second, 1320078429, 1],
    ],
  },
  {
    name: '§5.1.7, two lights dimmed, then off',
    text:
      '[{"bt":1.320078429e+09,"bu":"/","n":"2001:db8::3","v":0.5},{"n":"2001:db8::4","v":0.5},' +
      '{"n":"2001:db8::3","t":0.1,"v":0},{"n":"2001:db8::4","t":0.1,"v":0}]',
    paths: { '2001:db8::3': value, '2001:db8::4': second },
    resolved: [
      [value, 1320078429, 0.5],
      [second, 1320078429, 0.5],
      [value, 1320078429.1, 0],
      [second, 1320078429.1, 0],
    ],
  },
];

/** The example with paths in place of its names. */
function withPaths({ text, paths }: Example): Uint8Array {
  const records = (JSON.parse(text) as Record<string, unknown>[]).map((record) =>
    Object.fromEntries(
      Object.entries(record).map(([label, own]) => [
        label,
        label === 'n' || label === 'bn' ? paths[own as string] : own,
      ]),
    ),
  );
  return utf8(JSON.stringify(records));
}

const records = ({ resolved }: Example) =>
  resolved.map(([path, time, own]) => ({ path, value: own, ...(time === undefined ? {} : { time }) }));

describe('an example of RFC 8428', () => {
  test.each(examples)('is read field by field: $name', ({ text }) => {
    const fields = (JSON.parse(text) as Record<string, unknown>[]).map(({ bn, bt, n, t, v, vs, vb, vd }) => {
      const own = v ?? vs ?? vb ?? (vd === undefined ? undefined : utf8('hi \n'));
      const all = { bn, bt, n, t, value: own };
      return Object.fromEntries(Object.entries(all).filter(([, field]) => field !== undefined));
    });
    expect(json(text)).toEqual(fields);
  });

  test.each(examples)('is resolved: $name', (example) => {
    expect(decodeContent(SENML_JSON, '/', withPaths(example), lookup)).toEqual(records(example));
  });

  test.each(examples)('is written, in JSON and in CBOR, and read the same: $name', (example) => {
    for (const format of [SENML_JSON, SENML_CBOR]) {
      const bytes = encodeContent(format, '/', records(example), lookup);
      expect(decodeContent(format, '/', bytes, lookup)).toEqual(records(example));
    }
  });

  test.each(examples)('cut anywhere is refused: $name', ({ text }) => {
    for (let length = 1; length < text.length; length++) {
      expect(() => json(text.slice(0, length))).toThrow(DecodeError);
    }
  });
});

/** §6: the second example of §5.1.2. */
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

describe('the example of RFC 8428 in CBOR', () => {
  test('§6, is read; cut anywhere it is refused', () => {
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

describe('what RFC 8428 says of a record', () => {
  const read = (text: string) => decodeContent(SENML_JSON, '/', utf8(text), lookup);

  test('§4.1, a base field holds until the next one of its kind', () => {
    const text =
      '[{"n":"0/2","bn":"/42770/","bt":1700000000,"v":1},{"n":"0/2","t":1,"v":2},{"bt":1800000000,"n":"0/2","v":3},' +
      '{"bn":"/42770/1/","n":"2","v":4},{"bn":"","n":"/42770/3/2","v":5}]';
    expect(read(text)).toEqual([
      { path: '/42770/0/2', time: 1700000000, value: 1 },
      { path: '/42770/0/2', time: 1700000001, value: 2 },
      { path: '/42770/0/2', time: 1800000000, value: 3 },
      { path: '/42770/1/2', time: 1800000000, value: 4 },
      { path: '/42770/3/2', time: 1800000000, value: 5 },
    ]);
  });

  test('§4.2, a value is required where there is no sum, and a sum is no value of a resource', () => {
    for (const fields of ['', ',"t":1', ',"u":"Cel"', ',"s":1', ',"bs":1,"s":1']) {
      expect(() => read(`[{"n":"/42770/0/2"${fields}}]`)).toThrow(DecodeError);
    }
    expect(read('[{"n":"/42770/0/2","bs":5,"s":1,"v":2}]')).toEqual([{ path: '/42770/0/2', value: 2 }]);
  });

  test('§4.2, one value is all that a record has', () => {
    expect(() => read('[{"n":"/42770/0/2","v":1,"vs":"x"}]')).toThrow(DecodeError);
  });

  test('§4.4, a field that is not known is passed over, unless its label ends with _', () => {
    expect(read('[{"n":"/42770/0/2","v":1,"x":{},"_y":1}]')).toHaveLength(1);
    expect(() => read('[{"n":"/42770/0/2","v":1,"x_":1}]')).toThrow(DecodeError);
    const known = hex('81 a3 00 6a 2f34323737302f302f32 02 01 61 78 80');
    expect(decodeContent(SENML_CBOR, '/', known, lookup)).toHaveLength(1);
    const needed = hex('81 a3 00 6a 2f34323737302f302f32 02 01 62 785f 80');
    expect(() => decodeContent(SENML_CBOR, '/', needed, lookup)).toThrow(DecodeError);
  });

  test('§4.4, a pack of a later version is refused, in whichever record it says so', () => {
    expect(() => read('[{"n":"/42770/0/2","v":1},{"bver":11,"n":"/42770/0/2","v":1}]')).toThrow(DecodeError);
    expect(() => read('[{"bver":10.5,"n":"/42770/0/2","v":1}]')).toThrow(DecodeError);
  });

  test('§4.5.4, a value that is missing beside a base value is zero, and a base value changes numbers alone', () => {
    expect(
      read(
        '[{"bn":"/42770/0/","bv":5},{"n":"2"},{"n":"2","v":-1},{"n":"6","vs":"x"},{"bv":0.5,"n":"2","t":1}]',
      ),
    ).toEqual([
      { path: '/42770/0/2', value: 5 },
      { path: '/42770/0/2', value: 4 },
      { path: '/42770/0/6', value: 'x' },
      { path: '/42770/0/2', value: 0.5, time: 1 },
    ]);
  });

  test('§5, fields come in any order', () => {
    expect(read('[{"v":100,"t":5,"n":"9","bt":1700000000,"bn":"/3/0/"}]')).toEqual([
      { path: '/3/0/9', value: 100, time: 1700000005 },
    ]);
  });
});
