import { describe, expect, it } from 'vitest';
import {
  decodeIccid,
  decodeImsi,
  decodeSpn,
  encodeIccid,
  encodeImsi,
  encodeSpn,
} from '../../../client/sim/files.ts';
import { fromHex, toHex } from '../../../client/sim/hex.ts';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';

describe('EF_ICCID', () => {
  it.each([
    ['8901410321111111111', '981014301211111111F1'],
    ['8901260222222222222', '981062202222222222F2'],
    ['89490200001234567890', '98942000002143658709'],
  ])('holds %s as swapped BCD', (iccid, hex) => {
    expect(toHex(encodeIccid(iccid))).toBe(hex);
    expect(decodeIccid(fromHex(hex))).toBe(iccid);
  });

  it.each(['9810', '98101430121111111AF1', '9810143012F1111111F1'])(
    'is refused when it is none: %s',
    (hex) => {
      expect(() => decodeIccid(fromHex(hex))).toThrow(DecodeError);
    },
  );
});

describe('EF_IMSI', () => {
  it.each([
    ['310410123456789', '083901141032547698'],
    ['31041012345678', '0831011410325476F8'],
  ])('holds %s with its parity', (imsi, hex) => {
    expect(toHex(encodeImsi(imsi)).padEnd(18, 'F')).toBe(hex);
    expect(decodeImsi(fromHex(hex))).toBe(imsi);
  });

  it.each(['', '00', '0939011410325476', '083901', '0829011410325476'])(
    'is refused when it is none: %s',
    (hex) => {
      expect(() => decodeImsi(fromHex(hex))).toThrow(DecodeError);
    },
  );

  it('is not made of letters', () => {
    expect(() => encodeImsi('31041012345678x')).toThrow(RequestError);
  });
});

describe('EF_SPN', () => {
  it('holds a name in 17 bytes', () => {
    const bytes = encodeSpn('T-Mobile');
    expect(bytes).toHaveLength(17);
    expect(decodeSpn(bytes)).toBe('T-Mobile');
  });
});
