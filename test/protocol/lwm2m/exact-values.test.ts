import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../protocol/errors.ts';
import {
  decodeContent,
  encodeContent,
  isTreeFormat,
  supportedContentFormats,
} from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { ResourceType, ResourceValue } from '../../../protocol/lwm2m/value.ts';

/** The values of each type that are the hardest to keep. */
const extremes: Readonly<Record<Exclude<ResourceType, 'none'>, readonly ResourceValue[]>> = {
  string: [
    '',
    ' ',
    '\0',
    '"\\/\b\n\r\t',
    'é€😀',
    '\u2028\ufeff',
    "0='1',1='7'",
    '</3/0>;ver="1.1"',
    'null',
    'x'.repeat(70_000),
  ],
  corelnk: ['', '</3/0>,</1/0>;ver=1.1', '</a>;title="b \\"c\\""'],
  integer: [
    ...[0, 1, -1, 127, -128, 128, -129, 32767, -32768, 32768, -32769, 2147483647, -2147483648, 2147483648],
    ...[-2147483649, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
    ...[2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  ],
  unsigned: [
    0,
    1,
    127,
    128,
    255,
    256,
    65535,
    65536,
    4294967295,
    4294967296,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
  ],
  float: [
    ...[0, -0, 1, -1, 0.1, 22.4, 1e21, 1e-7, 6.667e-11, 65504, 65505, 2 ** -24, Math.fround(0.1)],
    ...[2 ** 53, 2 ** 64, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, Number.EPSILON],
  ],
  boolean: [true, false],
  opaque: [
    new Uint8Array(),
    Uint8Array.of(0),
    Uint8Array.of(0xfb, 0xff, 0xfe),
    Uint8Array.of(0x08, 0x00, 0x79),
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
    new Uint8Array(70_000).fill(0xa1),
  ],
  time: [0, 1, -1, 1367491215, 2 ** 31, -(2 ** 31) - 1, 2 ** 40, Number.MAX_SAFE_INTEGER],
  objlnk: [
    { objectId: 0, instanceId: 0 },
    { objectId: 3, instanceId: 65535 },
    { objectId: 66, instanceId: 1 },
    { objectId: 65535, instanceId: 65535 },
  ],
};

const { OPAQUE } = ContentFormat;
const cases = Object.entries(extremes).flatMap(([type, values]) =>
  supportedContentFormats.map((format) => ({ type: type as ResourceType, format, values })),
);

describe.each(cases)('values of type $type in format $format', ({ type, format, values }) => {
  const lookup = { resourceType: () => ({ type, multiple: false }) };

  if (format === OPAQUE && type !== 'opaque') {
    test('are refused: it carries bytes alone', () => {
      for (const value of values) {
        expect(() => encodeContent(format, '/1/2/3', [{ path: '/1/2/3', value }], lookup)).toThrow(
          RequestError,
        );
      }
    });
    return;
  }

  test('come back exactly, for a resource and for a resource instance', () => {
    for (const path of ['/1/2/3', '/1/2/3/65534', '/65534/65534/65534']) {
      for (const value of values) {
        const bytes = encodeContent(format, path, [{ path, value }], lookup);
        expect(decodeContent(format, path, bytes, lookup)).toEqual([{ path, value }]);
      }
    }
  });

  if (!isTreeFormat(format)) return;
  test('come back exactly beside each other', () => {
    const records = values.map((value, id) => ({ path: `/1/2/3/${id}`, value }));
    const bytes = encodeContent(format, '/1/2/3', records, lookup);
    expect(decodeContent(format, '/1/2/3', bytes, lookup)).toEqual(records);
  });
});
