import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unrecognisedCritical } from '../../../protocol/coap/critical-options.ts';
import { OptionNumber } from '../../../protocol/coap/message.ts';
import * as options from '../../../protocol/coap/options.ts';
import { formatToken, parseToken } from '../../../protocol/coap/token.ts';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { hex, unhex } from '../../support/coap/raw-peer.ts';

describe('options', () => {
  test('take paths apart and put them together', () => {
    for (const path of ['/rd', '/rd/5a3f', '/3/0/9', '/größe/°', '/a//b', '/a/']) {
      const built = options.pathOptions(path);
      expect(`/${options.uriPath(built).join('/')}`).toBe(path);
    }
    expect(options.pathOptions('')).toEqual([]);
    expect(options.pathOptions('/')).toEqual([]);
    expect(options.pathOptions('rd')).toEqual(options.pathOptions('/rd'));
    expect(options.locationPath(options.locationPathOptions('/rd/7'))).toEqual(['rd', '7']);
  });

  test('refuse segments and arguments of more than 255 bytes', () => {
    expect(() => options.pathOptions(`/${'a'.repeat(256)}`)).toThrow(RequestError);
    expect(() => options.queryOptions(['a'.repeat(256)])).toThrow(RequestError);
    expect(options.pathOptions(`/${'a'.repeat(255)}`)).toHaveLength(1);
  });

  test('read queries', () => {
    expect(options.uriQuery(options.queryOptions(['ep=modem-1', 'lt=300', 'Q']))).toEqual([
      'ep=modem-1',
      'lt=300',
      'Q',
    ]);
  });

  test('refuse text that is not UTF-8', () => {
    expect(() => options.uriPath([{ number: OptionNumber.URI_PATH, value: unhex('61ff') }])).toThrow(
      DecodeError,
    );
  });

  const integers: readonly (readonly [number, string])[] = [
    [0, ''],
    [1, '01'],
    [255, 'ff'],
    [256, '0100'],
    [65_535, 'ffff'],
    [65_536, '010000'],
    [0xffffffff, 'ffffffff'],
    [2 ** 40, '010000000000'],
  ];
  for (const [value, bytes] of integers) {
    test(`write ${value} in its shortest form and read it`, () => {
      expect(hex(options.encodeUint(value))).toBe(bytes);
      expect(options.decodeUint(unhex(bytes), 8)).toBe(value);
      expect(options.decodeUint(unhex(`00${bytes}`), 8)).toBe(value);
    });
  }

  test('refuse integers that are none, and too long ones', () => {
    expect(() => options.encodeUint(-1)).toThrow(RequestError);
    expect(() => options.encodeUint(1.5)).toThrow(RequestError);
    expect(() => options.decodeUint(unhex('0000000000'))).toThrow(DecodeError);
  });

  test('read what is there, and tell what is not', () => {
    const all = [
      options.contentFormatOption(112),
      options.acceptOption(0),
      options.uintOption(OptionNumber.OBSERVE, 5),
      options.uintOption(OptionNumber.MAX_AGE, 90),
    ];
    expect(options.contentFormat(all)).toBe(112);
    expect(options.accept(all)).toBe(0);
    expect(options.observe(all)).toBe(5);
    expect(options.maxAge(all)).toBe(90);
    expect(options.contentFormat([])).toBeUndefined();
    expect(options.hasOption(all, OptionNumber.ACCEPT)).toBe(true);
    expect(options.withoutOption(all, OptionNumber.ACCEPT, OptionNumber.OBSERVE)).toHaveLength(2);
    expect(options.withoutOption(all, OptionNumber.ETAG)).toBe(all);
    // RFC 7252 §5.4.3: an elective option of a length that its format forbids is as if it were not there.
    expect(
      options.contentFormat([{ number: OptionNumber.CONTENT_FORMAT, value: unhex('000001') }]),
    ).toBeUndefined();
  });

  test('write blocks as RFC 7959 §3 reads them', () => {
    expect(options.encodeBlock({ number: 2, more: false, size: 32 })).toEqual(Uint8Array.of(33));
    expect(options.encodeBlock({ number: 3, more: true, size: 128 })).toEqual(Uint8Array.of(59));
    expect(options.encodeBlock({ number: 0, more: false, size: 16 })).toEqual(new Uint8Array(0));
    expect(() => options.encodeBlock({ number: 0, more: false, size: 2048 })).toThrow(RequestError);
    expect(() => options.encodeBlock({ number: 0, more: false, size: 100 })).toThrow(RequestError);
    expect(() => options.encodeBlock({ number: 1 << 20, more: false, size: 16 })).toThrow(RequestError);
    expect(() => options.decodeBlock(Uint8Array.of(7))).toThrow(DecodeError);
    expect(() => options.decodeBlock(new Uint8Array(4))).toThrow(DecodeError);
    expect(options.blockOf([], OptionNumber.BLOCK1)).toBeUndefined();
  });

  test('decode every block that they encode', () => {
    const any = fc.record({
      number: fc.integer({ min: 0, max: (1 << 20) - 1 }),
      more: fc.boolean(),
      size: fc.constantFrom(16, 32, 64, 128, 256, 512, 1024),
    });
    fc.assert(
      fc.property(any, (block) => {
        expect(options.decodeBlock(options.encodeBlock(block))).toEqual(block);
      }),
    );
  });

  test('know which critical options must be treated as unrecognised', () => {
    const at = (number: number, value = '') => ({ number, value: unhex(value) });
    expect(
      unrecognisedCritical([at(11, '61'), at(11, '62'), at(15, '63'), at(60, '01'), at(2000)]),
    ).toBeUndefined();
    expect(unrecognisedCritical([at(9)])).toBe(9);
    expect(unrecognisedCritical([at(65_001)])).toBe(65_001);
    expect(unrecognisedCritical([at(17, '000000')])).toBe(17);
    expect(unrecognisedCritical([at(3)])).toBe(3);
    expect(unrecognisedCritical([at(17, '00'), at(17, '00')])).toBe(17);
    expect(unrecognisedCritical([at(11, 'c3a4')])).toBeUndefined();
    expect(unrecognisedCritical([at(11, 'ff')])).toBe(11);
    expect(unrecognisedCritical([at(23, '00000000')])).toBe(23);
    expect(unrecognisedCritical([at(5, '00')])).toBe(5);
  });

  test('write tokens as hex and read them', () => {
    expect(formatToken(unhex('00ff0a'))).toBe('00ff0a');
    expect(parseToken('00ff0a')).toEqual(unhex('00ff0a'));
    for (const wrong of ['', 'a', 'AB', 'xy', '00'.repeat(9)])
      expect(() => parseToken(wrong)).toThrow(RequestError);
  });
});
