import { describe, expect, test } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import {
  decodeContent,
  decodePaths,
  encodeContent,
  encodePaths,
  isTreeFormat,
  supportedContentFormats,
} from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { MAX_RECORDS } from '../../../protocol/lwm2m/limits.ts';
import type { ResourceValue } from '../../../protocol/lwm2m/value.ts';
import { hex, lookup, utf8 } from './vectors.ts';

const { TEXT, OPAQUE, CBOR, TLV, SENML_JSON, SENML_CBOR } = ContentFormat;

describe('TLV is refused', () => {
  test.each([
    ['for the root', '/', 'C1 09 64'],
    ['with another instance than was asked for', '/3/0', '03 01 C1 09 64'],
    ['with another resource than was asked for', '/3/0/9', 'C1 0A 64'],
    ['with another resource instance than was asked for', '/3/0/6/1', '41 00 05'],
    ['with an object instance below a resource', '/3/0/9', '03 09 C1 09 64'],
    ['with a resource instance straight in an instance', '/3/0', '41 00 01'],
    ['with a resource in a multiple resource', '/3/0', '83 06 C1 00 01'],
    ['with an object instance in an object instance', '/3', '05 00 03 00 C1 09 64'],
    ['with a value that leaves its parent', '/3/0', '83 06 44 00 00 00 00 01'],
    ['with the reserved id 65535', '/3/0', 'E1 FF FF 01'],
    ['with an integer of three bytes', '/3/0/9', 'C3 09 00 00 01'],
    ['with an integer of no bytes', '/3/0/9', 'C0 09'],
    ['with a boolean of 2', '/1/0/6', 'C1 06 02'],
    ['with a boolean of two bytes', '/1/0/6', 'C2 06 00 01'],
    ['with a float of two bytes', '/42770/0/2', 'C2 02 3e 00'],
    ['with a float that is no number', '/42770/0/2', 'C4 02 7f c0 00 00'],
    ['with an object link of two bytes', '/3/0/22', 'C2 16 00 05'],
    ['with text that is not UTF-8', '/3/0/0', 'C1 00 FF'],
    ['with text that is not UTF-8, and long', '/3/0/0', `C8 00 20 ${'FF'.repeat(32)}`],
    ['with a time beyond 2^53', '/3/0/13', 'C8 0D 08 7FFFFFFFFFFFFFFF'],
  ])('%s', (_name, base, bytes) => {
    expect(() => decodeContent(TLV, base, hex(bytes), lookup)).toThrow(DecodeError);
  });

  test('with more values than any device has', () => {
    const bytes = hex('410001'.repeat(MAX_RECORDS + 1));
    expect(() => decodeContent(TLV, '/3/0/6', bytes, lookup)).toThrow(DecodeError);
    expect(decodeContent(TLV, '/3/0/6', bytes.subarray(3), lookup)).toHaveLength(MAX_RECORDS);
  });
});

describe('SenML JSON is refused', () => {
  test.each([
    ['that is not JSON', '[{'],
    ['that is no array', '{"bn":"/3/0/9","v":1}'],
    ['with a record that is no object', '[[]]'],
    ['with a record that is null', '[null]'],
    ['with two values in a record', '[{"bn":"/3/0/9","v":1,"vs":"x"}]'],
    ['with a named record without a value', '[{"bn":"/3/0/","n":"9"}]'],
    ['with a timed record without a value', '[{"bn":"/3/0/9","t":1}]'],
    ['with a sum in place of a value', '[{"bn":"/3/0/9","s":1}]'],
    ['with a name that is no path', '[{"n":"urn:dev:1","v":1}]'],
    ['with a name without its slash', '[{"n":"3/0/9","v":1}]'],
    ['with a path of an instance', '[{"n":"/3/0","v":1}]'],
    ['with a path that is not canonical', '[{"n":"/3/0/09","v":1}]'],
    ['with a path outside of what was asked for', '[{"n":"/4/0/9","v":1}]'],
    ['with a label that must be understood', '[{"bn":"/3/0/9","v":1,"foo_":1}]'],
    ['of a later version', '[{"bver":11,"bn":"/3/0/9","v":1}]'],
    ['of version 0', '[{"bver":0,"bn":"/3/0/9","v":1}]'],
    ['with a text where a number belongs', '[{"bn":"/3/0/9","v":"1"}]'],
    ['with a number where a text belongs', '[{"bn":"/3/0/0","vs":1}]'],
    ['with a number where a boolean belongs', '[{"bn":"/1/0/6","vb":1}]'],
    ['with a number where a name belongs', '[{"bn":1,"v":1}]'],
    ['with a text where a time belongs', '[{"bn":"/3/0/9","t":"x","v":1}]'],
    ['with a text where a base time belongs', '[{"bn":"/3/0/9","bt":"x","v":1}]'],
    ['with an infinite value', '[{"bn":"/42770/0/2","v":1e999}]'],
    ['with a value of another type than the resource', '[{"bn":"/3/0/0","v":1}]'],
    ['with a fraction for an integer', '[{"bn":"/3/0/9","v":1.5}]'],
    ['with a negative unsigned', '[{"bn":"/42770/0/5","v":-1}]'],
    ['with an integer of more than 64 bits', '[{"bn":"/3/0/9","v":9223372036854775808}]'],
    ['with an object link that is none', '[{"bn":"/3/0/22","vlo":"5"}]'],
    ['with a text that is no object link', '[{"bn":"/3/0/22","vs":"x"}]'],
    ['with an object link out of range', '[{"bn":"/3/0/22","vlo":"65536:0"}]'],
    ['with bytes that are not base64', '[{"bn":"/42770/0/3","vd":"a$=="}]'],
    ['with base64 of an impossible length', '[{"bn":"/42770/0/3","vd":"AAAAA"}]'],
    ['with base64 that has bits left over', '[{"bn":"/42770/0/3","vd":"AB"}]'],
    ['with half a character', '[{"bn":"/3/0/0","vs":"\\ud800"}]'],
    ['with a base value for a record that overflows', '[{"bn":"/42770/0/2","bv":1.7e308,"v":1.7e308}]'],
    ['with times that overflow', '[{"bn":"/42770/0/2","bt":1.7e308,"t":1.7e308,"v":1}]'],
    ['with a name of a thousand characters', `[{"bn":"/3/0/${'9'.repeat(1000)}","v":1}]`],
    ['nested deeper than a stack', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
    [
      'nested deeper than a stack, with a long number',
      `[${'['.repeat(200_000)}1234567890123456789${']'.repeat(200_000)}]`,
    ],
  ])('%s', (_name, text) => {
    expect(() => decodeContent(SENML_JSON, '/3', utf8(text), lookup)).toThrow(DecodeError);
    expect(() => decodeContent(SENML_JSON, '/42770', utf8(text), lookup)).toThrow(DecodeError);
    expect(() => decodeContent(SENML_JSON, '/1', utf8(text), lookup)).toThrow(DecodeError);
  });

  test('with more records than any device has', () => {
    const text = (count: number) => utf8(`[{"bn":"/3/0/9","v":1}${',{"v":1}'.repeat(count - 1)}]`);
    expect(decodeContent(SENML_JSON, '/', text(MAX_RECORDS), lookup)).toHaveLength(MAX_RECORDS);
    expect(() => decodeContent(SENML_JSON, '/', text(MAX_RECORDS + 1), lookup)).toThrow(DecodeError);
  });

  test('whatever long digits an unknown resource has, no value leaves 64 bits', () => {
    const text = '[{"bn":"/9999/0/0","v":99999999999999999999},{"v":123456789012345678901234567890}]';
    const values = decodeContent(SENML_JSON, '/', utf8(text), lookup).map(({ value }) => value);
    expect(values).toEqual([1e20, 1.2345678901234568e29]);
  });
});

describe('SenML CBOR is refused', () => {
  const name = '21 66 2f332f302f39';
  test.each([
    ['that is no array', 'a1 02 01'],
    ['with more after its end', `81 a2 ${name} 02 01 00`],
    ['with a record that is no map', '81 80'],
    ['with the same label twice', `81 a3 ${name} 02 01 02 01`],
    ['with the same label once as text', `81 a3 ${name} 02 01 61 76 01`],
    ['with a label that is neither integer nor text', `81 a2 ${name} 41 00 01`],
    ['with a label that must be understood', `81 a3 ${name} 02 01 62 785f 00`],
    ['with a value of a kind that no label has', `81 a2 ${name} 02 f6`],
    ['with bytes as a number', `81 a2 ${name} 02 41 00`],
    ['with a number as a text', `81 a2 ${name} 03 01`],
    ['with a number as bytes', `81 a2 ${name} 08 01`],
    ['with a number as a boolean', `81 a2 ${name} 04 01`],
    ['with a value that is no number', `81 a2 ${name} 02 f9 7e00`],
    ['with an infinite time', `81 a3 ${name} 06 f9 7c00 02 01`],
    ['with a minus infinite time', `81 a3 ${name} 06 f9 fc00 02 01`],
    ['with a decimal fraction of three', `81 a2 ${name} 02 c4 83 00 01 01`],
    ['with a decimal fraction of fractions', `81 a2 ${name} 02 c4 82 00 f9 3e00`],
    ['with a decimal fraction that is too large', `81 a2 ${name} 02 c4 82 19 ffff 01`],
    ['with a bignum', `81 a2 ${name} 02 c2 41 01`],
    ['with an object link that is none', `81 a2 ${name} 63 766c6f 61 35`],
    ['with reserved additional information', `81 a2 ${name} 02 1c`],
    ['with an indefinite integer', `81 a2 ${name} 02 1f`],
    ['with a break where a value belongs', `81 a2 ${name} 18 63 ff`],
    ['with a number in an indefinite text', `81 a2 ${name} 03 7f 01 ff`],
    ['with an indefinite piece of a text', `81 a2 ${name} 03 7f 7f ff ff`],
    ['with a text in indefinite bytes', `81 a2 ${name} 08 5f 61 61 ff`],
    ['with a text in indefinite bytes that are passed over', `81 a3 ${name} 18 63 5f 61 61 ff 02 01`],
    ['with a text that is not UTF-8', `81 a2 ${name} 03 61 ff`],
    ['that says it has 2^64 - 1 records', '9b ffffffffffffffff'],
    ['that says it has 2^32 - 1 fields', '81 ba ffffffff'],
    ['with a text that says it has 2^63 bytes', `81 a2 ${name} 03 7b 8000000000000000`],
    ['with bytes that end too early', `81 a2 ${name} 08 43 0000`],
    ['nested too deep in what is passed over', `81 a3 ${name} 18 63 ${'81'.repeat(40)} 00 02 01`],
    ['with tags nested too deep', `81 a3 ${name} 18 63 ${'c1'.repeat(40)} 00 02 01`],
  ])('%s', (_name, bytes) => {
    expect(() => decodeContent(SENML_CBOR, '/3/0/9', hex(bytes), lookup)).toThrow(DecodeError);
    expect(() => decodeContent(SENML_CBOR, '/', hex(bytes), lookup)).toThrow(DecodeError);
  });

  test('with more records than any device has', () => {
    const head = (count: number) => `9a ${count.toString(16).padStart(8, '0')} a2 ${name} 02 01`;
    const pack = (count: number) => hex(head(count) + 'a1 02 01'.repeat(count - 1));
    expect(decodeContent(SENML_CBOR, '/', pack(MAX_RECORDS), lookup)).toHaveLength(MAX_RECORDS);
    expect(() => decodeContent(SENML_CBOR, '/', pack(MAX_RECORDS + 1), lookup)).toThrow(DecodeError);
    const empty = hex(`9a 00ffffff ${'a0'.repeat(0xffff)}`);
    expect(() => decodeContent(SENML_CBOR, '/', empty, lookup)).toThrow(DecodeError);
  });
});

describe('a single value is refused', () => {
  test.each([
    [TEXT, '/3/0/9', utf8('1.5')],
    [TEXT, '/3/0/9', utf8('')],
    [TEXT, '/3/0/9', utf8('0x10')],
    [TEXT, '/3/0/9', utf8('9223372036854775808')],
    [TEXT, '/42770/0/5', utf8('-1')],
    [TEXT, '/42770/0/2', utf8('NaN')],
    [TEXT, '/42770/0/2', utf8('1e9999')],
    [TEXT, '/42770/0/2', utf8('.')],
    [TEXT, '/1/0/6', utf8('true')],
    [TEXT, '/3/0/22', utf8('3/0')],
    [TEXT, '/42770/0/3', utf8('###')],
    [TEXT, '/3/0/0', hex('C3')],
    [TEXT, '/3/0', utf8('1')],
    [OPAQUE, '/3/0/9', hex('01')],
    [OPAQUE, '/3', hex('01')],
    [CBOR, '/3/0/9', hex('')],
    [CBOR, '/3/0/9', hex('01 01')],
    [CBOR, '/3/0/9', hex('61 31')],
    [CBOR, '/3/0/22', hex('61 31')],
    [CBOR, '/9999/0/0', hex('f9 7e00')],
    [CBOR, '/9999/0/0', hex('f6')],
    [CBOR, '/9999/0/0', hex('80')],
    [40, '/3/0/9', utf8('</3/0/9>')],
    [65535, '/3/0/9', hex('')],
  ])('format %i at %s', (format, path, bytes) => {
    expect(() => decodeContent(format, path, bytes, lookup)).toThrow(DecodeError);
  });
});

describe('what cannot be written is the fault of the caller', () => {
  const link = { objectId: 3, instanceId: 65536 };
  test.each<[number, string, ResourceValue]>([
    [TEXT, '/3/0/9', 1.5],
    [TEXT, '/3/0/9', 2n ** 63n],
    [TEXT, '/3/0/9', 'x'],
    [TEXT, '/42770/0/5', -1],
    [TEXT, '/42770/0/2', Number.NaN],
    [TEXT, '/3/0/0', 'half \ud800'],
    [TEXT, '/1/0/6', 1],
    [TEXT, '/3/0/13', 1.5],
    [TEXT, '/3/0/22', link],
    [TEXT, '/3/0/4', 1],
    [OPAQUE, '/3/0/0', 'x'],
    [OPAQUE, '/9999/0/0', 'x'],
    [CBOR, '/3/0/9', 'x'],
    [TLV, '/3/0/9', 1.5],
    [TLV, '/3/0/0', hex('00')],
    [TLV, '/9999/0/0', Number.POSITIVE_INFINITY],
    [SENML_JSON, '/3/0/9', 1.5],
    [SENML_CBOR, '/3/0/22', link],
    [40, '/3/0/9', 1],
  ])('format %i at %s: %s', (format, path, value) => {
    expect(() => encodeContent(format, path, [{ path, value }], lookup)).toThrow(RequestError);
  });

  const records = [{ path: '/3/0/9', value: 1 }];
  test.each([
    ['a list in a format of one value', TEXT, '/3/0', [...records, ...records]],
    ['nothing in a format of one value', TEXT, '/3/0/9', []],
    ['a value at another path than its own', TEXT, '/3/0', records],
    ['an instance as one value', TEXT, '/3/0', [{ path: '/3/0', value: 1 }]],
    ['the root in TLV', TLV, '/', records],
    ['a path outside of the base in TLV', TLV, '/4', records],
    ['a path outside of the base in SenML', SENML_CBOR, '/4', records],
    ['a record without a path in SenML', SENML_JSON, '/', [{ path: '', value: 1 }]],
    ['an instance as a record of TLV', TLV, '/3', [{ path: '/3/0', value: 1 }]],
    ['an instance as a record of SenML', SENML_JSON, '/3', [{ path: '/3/0', value: 1 }]],
    ['a resource twice in TLV', TLV, '/3/0', [...records, ...records]],
    [
      'a resource instance twice in TLV',
      TLV,
      '/3/0',
      [...Array(2)].map(() => ({ path: '/3/0/6/0', value: 1 })),
    ],
    ['a time that is no number', SENML_JSON, '/3/0/9', [{ path: '/3/0/9', value: 1, time: Number.NaN }]],
    ['too many records', SENML_CBOR, '/3/0/9', Array(MAX_RECORDS + 1).fill(records[0])],
    ['a base that is no path', TLV, '/3/x', records],
    ['16 MB in TLV', TLV, '/42770/0/3', [{ path: '/42770/0/3', value: new Uint8Array(2 ** 24) }]],
  ])('%s', (_name, format, base, given) => {
    expect(() => encodeContent(format, base, given, lookup)).toThrow(RequestError);
  });
});

describe('a long TLV', () => {
  test.each([7, 8, 255, 256, 65535, 65536])('of %i bytes has the length that its grammar gives', (length) => {
    const value = new Uint8Array(length).fill(0xab);
    const bytes = encodeContent(TLV, '/42770/0/3', [{ path: '/42770/0/3', value }], lookup);
    const header = length < 8 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : 5;
    expect(bytes.length).toBe(length + header);
    expect(decodeContent(TLV, '/42770/0/3', bytes, lookup)).toEqual([{ path: '/42770/0/3', value }]);
  });
});

describe('paths of a composite operation', () => {
  test.each([SENML_JSON, SENML_CBOR])('survive writing and reading again in format %i', (format) => {
    const paths = ['/3/0', '/1/0/1', '/5', '/3/0/6/1', '/'];
    expect(decodePaths(format, encodePaths(format, paths))).toEqual(paths);
  });

  test('are resolved against a base name', () => {
    const text = '[{"bn":"/3/0/","n":"9"},{"n":"6/1"},{"bn":"/5"}]';
    expect(decodePaths(SENML_JSON, utf8(text))).toEqual(['/3/0/9', '/3/0/6/1', '/5']);
  });

  test('are refused where they are none, or in a format without names', () => {
    expect(() => decodePaths(SENML_JSON, utf8('[{"n":"x"}]'))).toThrow(DecodeError);
    expect(() => decodePaths(TLV, hex(''))).toThrow(DecodeError);
    expect(() => decodePaths(SENML_CBOR, encodePaths(SENML_CBOR, Array(MAX_RECORDS + 1).fill('/3')))).toThrow(
      DecodeError,
    );
    expect(() => encodePaths(TLV, ['/3'])).toThrow(RequestError);
    expect(() => encodePaths(SENML_JSON, ['/x'])).toThrow(RequestError);
  });
});

test('the formats that are supported are named, and which of them hold many values', () => {
  expect([...supportedContentFormats].sort((a, b) => a - b)).toEqual([
    0, 42, 60, 110, 112, 11542, 11543, 11544,
  ]);
  expect(supportedContentFormats.filter(isTreeFormat).sort((a, b) => a - b)).toEqual([
    110, 112, 11542, 11543, 11544,
  ]);
  expect(isTreeFormat(65535)).toBe(false);
});

describe.each([SENML_JSON, SENML_CBOR])('a client with a root path of its own, format %i', (format) => {
  const records = [
    { path: '/3/0/9', value: 100 },
    { path: '/1/0/1', value: 60 },
  ];

  test('has it in its names, and nowhere else', () => {
    for (const given of [records, records.slice(0, 1), []]) {
      const bytes = encodeContent(format, '/', given, lookup, '/lwm2m');
      expect(decodeContent(format, '/', bytes, lookup, '/lwm2m')).toEqual(given);
      if (given.length > 0) expect(() => decodeContent(format, '/', bytes, lookup)).toThrow(DecodeError);
    }
    const own = encodeContent(format, '/', records, lookup);
    expect(() => decodeContent(format, '/', own, lookup, '/lwm2m')).toThrow(DecodeError);
    expect(() => decodeContent(format, '/', own, lookup, '/3/0/9')).toThrow(DecodeError);
  });

  test('has it in the paths of composite operations', () => {
    const bytes = encodePaths(format, ['/3/0', '/1'], '/lwm2m');
    expect(decodePaths(format, bytes, '/lwm2m')).toEqual(['/3/0', '/1']);
    expect(() => decodePaths(format, bytes)).toThrow(DecodeError);
  });
});
