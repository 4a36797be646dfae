import { describe, expect, test } from 'vitest';
import { decodeExecuteArguments } from '../../../client/lwm2m/execute-arguments.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import {
  decodeContent,
  decodeCreate,
  decodePaths,
  encodeContent,
  encodePaths,
} from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { ResourceValue } from '../../../protocol/lwm2m/value.ts';
import { contradictoryTlv, exampleLookup, examples, pathLists } from './specification-vectors.ts';
import { hex, utf8 } from './vector-parts.ts';

const named = examples.map((own) => [`${own.name} (${own.format})`, own] as const);

describe('an example of the LwM2M specification', () => {
  test.each(named)('is read: %s', (_name, { format, base, bytes, records }) => {
    expect(decodeContent(format, base, bytes, exampleLookup)).toEqual(records);
  });

  test.each(named)('is written: %s', (_name, { format, base, bytes, records, written }) => {
    const ours = encodeContent(format, base, records, exampleLookup);
    if (written === 'same') expect(ours).toEqual(bytes);
    const read = decodeContent(format, base, ours, exampleLookup);
    expect(new Set(read)).toEqual(new Set(records));
    expect(read).toHaveLength(records.length);
  });

  test.each(named)('cut anywhere is refused or read as it stands: %s', (_name, { format, base, bytes }) => {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.slice(0, length);
      try {
        // What is read must be what the bytes say: written and read again it is the same.
        const records = decodeContent(format, base, cut, exampleLookup);
        const again = encodeContent(format, base, records, exampleLookup);
        expect(decodeContent(format, base, again, exampleLookup)).toEqual(records);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });

  test.each(contradictoryTlv)('that contradicts itself is refused: %s', (_name, base, bytes) => {
    expect(() => decodeContent(ContentFormat.TLV, base, bytes, exampleLookup)).toThrow(DecodeError);
  });
});

describe('object links', () => {
  const hierarchy = `[{"bn":"/","n":"65/0/0/0","vlo":"66:0"},{"n":"65/0/0/1","vlo":"66:1"},
    {"n":"65/0/1","vs":"8613800755500"},{"n":"65/0/2","v":1},{"n":"66/0/0","vs":"myService1"},
    {"n":"66/0/1","vs":"Internet.15.234"},{"n":"66/0/2","vlo":"67:0"},{"n":"66/1/0","vs":"myService2"},
    {"n":"66/1/1","vs":"Internet.15.235"},{"n":"66/1/2","vlo":"FFFF:FFFF"},{"n":"67/0/0","vs":"85.76.76.84"},
    {"n":"67/0/1","vs":"85.76.255.255"}]`;
  const read = (text: string, base = '/65/0') =>
    decodeContent(ContentFormat.SENML_JSON, base, utf8(text), exampleLookup);

  test('lead to instances whose values are in the same answer (Table 7.5.6-4, Read /65/0)', () => {
    const records = read(hierarchy);
    expect(records.map(({ path }) => path)).toEqual([
      ...['/65/0/0/0', '/65/0/0/1', '/65/0/1', '/65/0/2', '/66/0/0', '/66/0/1', '/66/0/2'],
      ...['/66/1/0', '/66/1/1', '/66/1/2', '/67/0/0', '/67/0/1'],
    ]);
    expect(records[9]?.value).toEqual({ objectId: 65535, instanceId: 65535 });
  });

  test('lead nowhere else', () => {
    expect(() => read(hierarchy.replace('"66:1"', '"66:2"'))).toThrow(DecodeError);
    expect(() => read(hierarchy.replace('"67:0"', '"68:0"'))).toThrow(DecodeError);
  });
});

describe('a list of paths of the specification', () => {
  const formats = [ContentFormat.SENML_JSON, ContentFormat.SENML_ETCH_JSON];

  test.each(pathLists)('is read: %s', (_name, text, paths) => {
    for (const format of formats) expect(decodePaths(format, utf8(text))).toEqual(paths);
  });

  test.each(pathLists)('survives writing in each format: %s', (_name, _text, paths) => {
    for (const format of [...formats, ContentFormat.SENML_CBOR, ContentFormat.SENML_ETCH_CBOR]) {
      expect(decodePaths(format, encodePaths(format, paths))).toEqual(paths);
      expect(decodePaths(format, encodePaths(format, paths, '/lwm2m'), '/lwm2m')).toEqual(paths);
    }
  });

  test('is written as the specification has it', () => {
    const [, text = '', paths = []] = pathLists[0] ?? [];
    expect(encodePaths(ContentFormat.SENML_JSON, paths)).toEqual(utf8(text));
  });
});

describe('a Create that names no instance (§6.3.6)', () => {
  const create = (format: number, bytes: Uint8Array, base = '/2') =>
    decodeCreate(format, base, 7, bytes, exampleLookup);

  test('has 65535 for it in LwM2M CBOR (§7.5.4)', () => {
    // {[2, 65535]: {0: 3, 1: 0, [2, 102]: 0}}
    const bytes = hex('a1 82 02 19 ffff a3 00 03 01 00 82 02 18 66 00');
    expect(create(ContentFormat.LWM2M_CBOR, bytes)).toEqual([
      { path: '/2/7/0', value: 3 },
      { path: '/2/7/1', value: 0 },
      { path: '/2/7/2/102', value: 0 },
    ]);
    expect(() => decodeContent(ContentFormat.LWM2M_CBOR, '/2', bytes, exampleLookup)).toThrow(DecodeError);
    // As no other id it stands for anything.
    const resource = hex('a1 83 02 05 19 ffff 01');
    expect(() => create(ContentFormat.LWM2M_CBOR, resource)).toThrow(DecodeError);
    expect(() => create(ContentFormat.LWM2M_CBOR, hex('a1 83 19 ffff 05 00 01'), '/')).toThrow(DecodeError);
  });

  test('begins with resources in TLV (§7.5.5)', () => {
    expect(create(ContentFormat.TLV, hex('C1 00 03 C1 01 00'))).toEqual([
      { path: '/2/7/0', value: 3 },
      { path: '/2/7/1', value: 0 },
    ]);
  });

  test('and one that names it is read as it stands', () => {
    // {[2, 5]: {0: 3}}
    expect(create(ContentFormat.LWM2M_CBOR, hex('a1 82 02 05 a1 00 03'))).toEqual([
      { path: '/2/5/0', value: 3 },
    ]);
    expect(create(ContentFormat.TLV, hex('03 05 C1 00 03'))).toEqual([{ path: '/2/5/0', value: 3 }]);
    expect(create(ContentFormat.SENML_JSON, utf8('[{"n":"/2/5/0","v":3}]'))).toEqual([
      { path: '/2/5/0', value: 3 },
    ]);
  });
});

describe('plain text as Table C-2 has it (Appendix C)', () => {
  test.each<[path: string, text: string, value: ResourceValue, written?: string]>([
    ['/3/0/0', 'Open Mobile Alliance', 'Open Mobile Alliance'],
    ['/3/0/9', '95', 95],
    ['/4/0/2', '-49', -49],
    ['/3303/0/5700', '0.00000000006667', 6.667e-11],
    ['/1/0/6', '1', true],
    ['/1/0/6', '0', false],
    ['/5/0/0', 'AQIDBAU=', hex('01 02 03 04 05')],
    ['/3/0/13', '1367491215', 1367491215],
    ['/3/0/22', '10:03', { objectId: 10, instanceId: 3 }, '10:3'],
    ['/25/0/3', '</3/0>,</4/0>', '</3/0>,</4/0>'],
  ])('%s is %s', (path, text, value, written = text) => {
    const record = { path, value };
    expect(decodeContent(ContentFormat.TEXT, path, utf8(text), exampleLookup)).toEqual([record]);
    expect(encodeContent(ContentFormat.TEXT, path, [record], exampleLookup)).toEqual(utf8(written));
  });
});

test.each([
  ['5', [[5, undefined]]],
  ["2='10.3'", [[2, '10.3']]],
  [
    "7,0='https://www.omaspecworks.org'",
    [
      [7, undefined],
      [0, 'https://www.omaspecworks.org'],
    ],
  ],
  ['0,1,2,3,4', [0, 1, 2, 3, 4].map((digit) => [digit, undefined])],
] as const)('the arguments of §6.3.5 are read: %s', (text, expected) => {
  expect([...decodeExecuteArguments(utf8(text))]).toEqual(expected);
});
