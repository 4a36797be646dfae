import { describe, expect, test } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { changeFormats, decodeChanges, encodeChanges } from '../../../protocol/lwm2m/changes.ts';
import { decodeContent, decodePaths, encodePaths, pathListFormats } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mChange } from '../../../protocol/lwm2m/value.ts';
import { exampleLookup as lookup } from './specification-vectors.ts';
import { hex, utf8 } from './vector-parts.ts';

const { SENML_JSON, SENML_CBOR, SENML_ETCH_JSON, SENML_ETCH_CBOR, LWM2M_CBOR, TLV } = ContentFormat;

const values: readonly LwM2mChange[] = [
  { path: '/1/0/1', value: 60 },
  { path: '/3/0/14', value: '+02:00' },
  { path: '/34/0/1/0', value: 'Red' },
  { path: '/3311/0/5850', value: false },
];
const removals: readonly LwM2mChange[] = [
  { path: '/34/0/1/1', value: null },
  { path: '/1/0/1', value: 60 },
  { path: '/34/0/1/2', value: 'Blue' },
  { path: '/34/0/1/3', value: null },
  { path: '/34/0/1/4', value: null },
];

describe('the changes of a Write-Composite (§6.3.9)', () => {
  test.each(changeFormats)('come back in format %i', (format) => {
    expect(decodeChanges(format, encodeChanges(format, values, lookup), lookup)).toEqual(values);
    expect(decodeChanges(format, encodeChanges(format, [], lookup), lookup)).toEqual([]);
  });

  test.each([SENML_ETCH_JSON, SENML_ETCH_CBOR])(
    'remove resource instances in format %i, in their order',
    (format) => {
      expect(decodeChanges(format, encodeChanges(format, removals, lookup), lookup)).toEqual(removals);
      const bytes = encodeChanges(format, removals, lookup, '/lwm2m');
      expect(decodeChanges(format, bytes, lookup, '/lwm2m')).toEqual(removals);
      expect(() => decodeChanges(format, bytes, lookup)).toThrow(DecodeError);
    },
  );

  test.each([SENML_JSON, SENML_CBOR, LWM2M_CBOR])('remove nothing in format %i', (format) => {
    expect(() => encodeChanges(format, removals, lookup)).toThrow(RequestError);
  });

  test('are no others than values and resource instances that are to go', () => {
    for (const path of ['/34/0/1', '/34/0', '/34']) {
      expect(() => encodeChanges(SENML_ETCH_JSON, [{ path, value: null }], lookup)).toThrow(RequestError);
    }
    expect(() => encodeChanges(TLV, values, lookup)).toThrow(RequestError);
    expect(() => decodeChanges(TLV, hex('C1 09 64'), lookup)).toThrow(DecodeError);
  });

  // RFC 8790 §3.2, its names below the root as LwM2M has them.
  test('are written and removed as in RFC 8790 §3.2', () => {
    const write = '[{"bn":"/3311/0/","n":"5850","vb":false},{"n":"5851","v":10}]';
    expect(decodeChanges(SENML_ETCH_JSON, utf8(write), lookup)).toEqual([
      { path: '/3311/0/5850', value: false },
      { path: '/3311/0/5851', value: 10 },
    ]);
    const remove = '[{"bn":"/34/0/1/","n":"0","v":null},{"n":"1","v":null}]';
    const gone = [
      { path: '/34/0/1/0', value: null },
      { path: '/34/0/1/1', value: null },
    ];
    expect(decodeChanges(SENML_ETCH_JSON, utf8(remove), lookup)).toEqual(gone);
    const cbor = hex('82 a3 21 68 2f33342f302f312f 00 61 30 02 f6 a2 00 61 31 02 f6');
    expect(decodeChanges(SENML_ETCH_CBOR, cbor, lookup)).toEqual(gone);
  });

  test.each([
    ['a value beside a null', '[{"n":"/34/0/1/0","v":null,"vs":"x"}]'],
    ['a null beside a value', '[{"n":"/34/0/1/0","vs":"x","v":null}]'],
    ['a null text', '[{"n":"/34/0/1/0","vs":null}]'],
    ['a record without a value', '[{"n":"/34/0/1/0"}]'],
    ['a label that must be understood', '[{"n":"/34/0/1/0","v":null,"x_":1}]'],
    ['a removal of an instance', '[{"n":"/34/0","v":null}]'],
  ])('with %s are refused', (_name, text) => {
    expect(() => decodeChanges(SENML_ETCH_JSON, utf8(text), lookup)).toThrow(DecodeError);
  });

  test('cut anywhere are refused', () => {
    for (const format of [SENML_ETCH_JSON, SENML_ETCH_CBOR]) {
      const bytes = encodeChanges(format, removals, lookup);
      for (let length = 1; length < bytes.length; length++) {
        expect(() => decodeChanges(format, bytes.slice(0, length), lookup)).toThrow(DecodeError);
      }
    }
  });
});

describe('null', () => {
  test('is no value in SenML (RFC 8428), and none in a Write-Composite in LwM2M CBOR', () => {
    const json = utf8('[{"n":"/34/0/1/0","v":null}]');
    expect(() => decodeContent(SENML_JSON, '/', json, lookup)).toThrow(DecodeError);
    expect(() => decodeChanges(SENML_JSON, json, lookup)).toThrow(DecodeError);
    const cbor = hex('81 a2 00 69 2f33342f302f312f30 02 f6');
    expect(() => decodeContent(SENML_CBOR, '/', cbor, lookup)).toThrow(DecodeError);
    expect(() => decodeChanges(SENML_CBOR, cbor, lookup)).toThrow(DecodeError);
    expect(() => decodeChanges(LWM2M_CBOR, hex('a1 84 18 22 00 01 00 f6'), lookup)).toThrow(DecodeError);
  });

  test('in what a device answers in LwM2M CBOR stands for what is not there', () => {
    const bytes = hex('a2 83 03 00 09 18 64 83 03 00 0a f6');
    expect(decodeContent(LWM2M_CBOR, '/', bytes, lookup)).toEqual([{ path: '/3/0/9', value: 100 }]);
  });
});

describe('the paths of a composite Read or Observe (§6.3.8)', () => {
  const paths = ['/', '/3', '/1/0', '/3/0/9', '/3/0/6/1'];

  test.each(pathListFormats)('come back in format %i', (format) => {
    expect(decodePaths(format, encodePaths(format, paths))).toEqual(paths);
  });

  test('are not carried by LwM2M CBOR, which has but the answer', () => {
    expect(() => encodePaths(LWM2M_CBOR, paths)).toThrow(RequestError);
    expect(() => decodePaths(LWM2M_CBOR, hex('a1 03 f6'))).toThrow(DecodeError);
  });

  // RFC 8790 §3.1.
  test.each([
    ['no record', '[]'],
    ['a record without a name', '[{"n":"/3"},{"u":"Cel"}]'],
    ['a value', '[{"n":"/3/0/9","v":1}]'],
    ['a text', '[{"n":"/3/0/9","vs":"x"}]'],
    ['a sum', '[{"n":"/3/0/9","s":1}]'],
    ['a base value', '[{"n":"/3/0/9","bv":1}]'],
    ['a time', '[{"n":"/3/0/9","t":1700000000}]'],
    ['a base time', '[{"n":"/3/0/9","bt":1700000000}]'],
    ['a label that must be understood', '[{"n":"/3/0/9","x_":1}]'],
  ])('in a Fetch Pack with %s are refused', (_name, text) => {
    expect(() => decodePaths(SENML_ETCH_JSON, utf8(text))).toThrow(DecodeError);
  });

  test('are chosen as in RFC 8790 §3.1', () => {
    const text = '[{"bn":"/3311/0/", "n":"5850"},{"n":"5851"}]';
    expect(decodePaths(SENML_ETCH_JSON, utf8(text))).toEqual(['/3311/0/5850', '/3311/0/5851']);
  });

  test('in a Fetch Pack may have units and what is not known beside them', () => {
    expect(decodePaths(SENML_ETCH_JSON, utf8('[{"bn":"/3/0/","n":"9","u":"%","x":1},{"n":"7"}]'))).toEqual([
      '/3/0/9',
      '/3/0/7',
    ]);
  });

  test('in a SenML pack of LwM2M 1.1 are taken with values beside them', () => {
    expect(decodePaths(SENML_JSON, utf8('[{"n":"/3/0/9","v":1}]'))).toEqual(['/3/0/9']);
  });
});
