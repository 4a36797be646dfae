import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DerTag,
  derElement,
  derElements,
  derObjectIdentifier,
} from '../../../../protocol/dtls/certificates/der.ts';
import { decodeCertificateDetails } from '../../../../protocol/dtls/certificates/extensions.ts';
import { DecodeError } from '../../../../protocol/errors.ts';
import { unhex } from '../../../support/coap/raw-peer.ts';
import { anyBytes } from '../../../support/dtls/codec-suite.ts';
import { makeCertificate, makeKeyPair } from '../../../support/dtls/make-certificate.ts';

describe('DER', () => {
  test('is elements one after the other, with short and long lengths', () => {
    const long = `0482 0100 ${'aa'.repeat(256)}`;
    expect(derElements(unhex(`020105 0400 ${long}`))).toEqual([
      { tag: DerTag.INTEGER, content: unhex('05') },
      { tag: DerTag.OCTET_STRING, content: new Uint8Array(0) },
      { tag: DerTag.OCTET_STRING, content: new Uint8Array(256).fill(0xaa) },
    ]);
  });

  test.each([
    ['a length that is missing', '02'],
    ['content that is cut short', '0202 05'],
    ['an indefinite length', '3080 0000'],
    ['a length of five bytes', '0485 0000000001 00'],
    ['a length that is cut short', '0482 01'],
    ['a tag of several bytes', '1f8101 00'],
  ])('with %s is refused', (_name, bytes) => {
    expect(() => derElements(unhex(bytes))).toThrow(DecodeError);
  });

  test('is one element where one is wanted', () => {
    expect(derElement(unhex('0401aa'), DerTag.OCTET_STRING)).toEqual(unhex('aa'));
    for (const bytes of ['', '0201aa', '0401aa0401bb']) {
      expect(() => derElement(unhex(bytes), DerTag.OCTET_STRING)).toThrow(DecodeError);
    }
  });

  test.each([
    ['2a864886f70d01010b', '1.2.840.113549.1.1.11'],
    ['551d0f', '2.5.29.15'],
    ['8837', '2.999'],
    ['00', '0.0'],
  ])('%s is the object identifier %s', (bytes, id) => {
    expect(derObjectIdentifier(unhex(bytes))).toBe(id);
  });

  test.each(['', '80', 'ffffffffffffffffffff7f'])('%s is no object identifier', (bytes) => {
    expect(() => derObjectIdentifier(unhex(bytes))).toThrow(DecodeError);
  });
});

describe('the details of a certificate', () => {
  const good = makeCertificate({
    subject: 'device-1',
    key: makeKeyPair(),
    authority: true,
    pathLength: 3,
    keyUsage: 0x86,
    extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'],
    dnsNames: ['a.example'],
    uris: ['urn:dev:1'],
    extensions: [
      ['1.2.3.4', true, unhex('0500')],
      ['1.2.3.5', false, unhex('0500')],
    ],
  });

  test('are what node:crypto does not tell', () => {
    expect(decodeCertificateDetails(good)).toEqual({
      commonNames: ['device-1'],
      dnsNames: ['a.example'],
      uris: ['urn:dev:1'],
      authority: true,
      pathLength: 3,
      keyUsage: 0x86,
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'],
      unknownCritical: ['1.2.3.4'],
    });
  });

  test('of an extension that comes twice are none', () => {
    const twice = makeCertificate({
      subject: 'x',
      key: makeKeyPair(),
      keyUsage: 0x80,
      extensions: [['2.5.29.15', true, unhex('03020106')]],
    });
    expect(() => decodeCertificateDetails(twice)).toThrow(DecodeError);
  });

  test('of any other bytes are some, or a DecodeError', () => {
    const decode = (data: Uint8Array) => {
      try {
        decodeCertificateDetails(data);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    };
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (at, byte, cut) => {
        const data = Uint8Array.from(good);
        data[at % data.length] = byte;
        decode(data);
        decode(data.subarray(0, cut % data.length));
      }),
      { numRuns: 2_000 },
    );
    fc.assert(fc.property(anyBytes(0, 80), decode));
  });
});
