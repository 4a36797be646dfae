import { describe, expect, it } from 'vitest';
import { CardSession } from '../../../client/sim/card-session.ts';
import {
  decodeAdministrativeData,
  decodeIccid,
  decodeImsi,
  decodeLastLocation,
  decodeSpn,
  encodeAdministrativeData,
  encodeIccid,
  encodeImsi,
  encodeLastLocation,
  encodeSpn,
  FileId,
  readFile,
} from '../../../client/sim/files.ts';
import { fromHex, toHex } from '../../../client/sim/hex.ts';
import { VirtualCard } from '../../../client/sim/virtual-card/virtual-card.ts';
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

describe('EF_AD', () => {
  it.each([
    ['00000003', { operationMode: 0, mncLength: 3 }],
    ['00000002', { operationMode: 0, mncLength: 2 }],
    ['800000', { operationMode: 0x80, mncLength: undefined }],
  ] as const)('%s tells how many digits the network code has', (hex, value) => {
    expect(decodeAdministrativeData(fromHex(hex))).toEqual(value);
    expect(toHex(encodeAdministrativeData(value))).toBe(hex);
  });

  it('takes a length that is none for not told', () => {
    expect(decodeAdministrativeData(fromHex('0000000F')).mncLength).toBeUndefined();
  });

  it('is refused when it is cut off', () => {
    for (const hex of ['', '00', '0000']) {
      expect(() => decodeAdministrativeData(fromHex(hex))).toThrow(DecodeError);
    }
  });
});

describe('EF_LOCI', () => {
  it.each([
    [
      'FFFFFFFFFFFFFFFFFEFF01',
      { tmsi: undefined, network: undefined, areaCode: 0xfffe, status: 'not-updated' },
    ],
    [
      '1234567813001400A1FF00',
      { tmsi: 0x12345678, network: { mcc: '310', mnc: '410' }, areaCode: 0x00a1, status: 'updated' },
    ],
    [
      '1234567862F2200001FF02',
      { tmsi: 0x12345678, network: { mcc: '262', mnc: '02' }, areaCode: 1, status: 'network-not-allowed' },
    ],
  ] as const)('%s tells where the card was last', (hex, value) => {
    expect(decodeLastLocation(fromHex(hex))).toEqual(value);
    expect(toHex(encodeLastLocation(value))).toBe(hex);
  });

  it.each(['', '1234567813001400A1FF', '12345678A3001400A1FF00', '1234567813001400A1FF07'])(
    'is refused when it is none: %s',
    (hex) => {
      expect(() => decodeLastLocation(fromHex(hex))).toThrow(DecodeError);
    },
  );
});

describe('a file of the USIM', () => {
  it('is read after the USIM was selected by its AID, whatever was selected before', async () => {
    const session = new CardSession(new VirtualCard({ serial: 42 }));
    await session.connect();
    const ad = decodeAdministrativeData(await readFile(session, 'EF_AD', FileId.ADF_USIM, FileId.EF_AD));
    expect(ad).toEqual({ operationMode: 0, mncLength: 3 });
    await readFile(session, 'EF_ICCID', FileId.EF_ICCID);
    const location = await readFile(session, 'EF_LOCI', FileId.ADF_USIM, FileId.EF_LOCI);
    expect(decodeLastLocation(location).network).toBeUndefined();
  });
});
