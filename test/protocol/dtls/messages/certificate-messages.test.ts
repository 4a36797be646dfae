import fc from 'fast-check';
import { describe } from 'vitest';
import {
  decodeCertificateChain,
  decodeCertificateRequest,
  decodeCertificateVerify,
  decodeRawPublicKey,
  encodeCertificateChain,
  encodeCertificateRequest,
  encodeCertificateVerify,
  encodeRawPublicKey,
} from '../../../../protocol/dtls/messages/certificate-messages.ts';
import { unhex } from '../../../support/coap/raw-peer.ts';
import { anyBytes, anyUint8, anyUint16, testCodec } from '../../../support/dtls/codec-suite.ts';

describe('Certificate with X.509', () => {
  testCodec({
    encode: encodeCertificateChain,
    decode: decodeCertificateChain,
    vectors: [
      ['no certificate', '000000', []],
      ['a chain of two', '000009 000002 3000 000001 31', [unhex('3000'), unhex('31')]],
    ],
    malformed: [
      ['an empty certificate', '000003 000000'],
      ['bytes behind the list', '000000 00'],
      ['a certificate beyond the list', '000004 000002 30'],
    ],
    any: fc.array(anyBytes(1, 300), { maxLength: 4 }),
  });
});

describe('Certificate with a raw public key', () => {
  testCodec({
    encode: encodeRawPublicKey,
    decode: decodeRawPublicKey,
    vectors: [
      ['no key', '000000', new Uint8Array(0)],
      ['a key', '000003 300100', unhex('300100')],
    ],
    malformed: [['bytes behind the key', '000001 3000']],
    any: anyBytes(0, 400),
  });
});

describe('CertificateRequest', () => {
  testCodec({
    encode: encodeCertificateRequest,
    decode: decodeCertificateRequest,
    vectors: [
      [
        'any authority',
        '01 40 0002 0403 0000',
        { certificateTypes: [64], signatureAlgorithms: [0x0403], authorities: [] },
      ],
      [
        'two authorities',
        '02 4001 0004 04030401 0007 0001 aa 0002 bbcc',
        {
          certificateTypes: [64, 1],
          signatureAlgorithms: [0x0403, 0x0401],
          authorities: [unhex('aa'), unhex('bbcc')],
        },
      ],
    ],
    malformed: [
      ['no certificate types', '00 0002 0403 0000'],
      ['half a signature algorithm', '01 40 0003 040304 0000'],
      ['an empty name', '01 40 0002 0403 0002 0000'],
    ],
    any: fc.record({
      certificateTypes: fc.array(anyUint8, { minLength: 1, maxLength: 4 }),
      signatureAlgorithms: fc.array(anyUint16, { minLength: 1, maxLength: 4 }),
      authorities: fc.array(anyBytes(1, 60), { maxLength: 3 }),
    }),
  });
});

describe('CertificateVerify', () => {
  testCodec({
    encode: encodeCertificateVerify,
    decode: decodeCertificateVerify,
    vectors: [['a signature', '0403 0003 300100', { algorithm: 0x0403, signature: unhex('300100') }]],
    malformed: [['bytes behind the signature', '0403 0001 3000']],
    any: fc.record({ algorithm: anyUint16, signature: anyBytes(0, 120) }),
  });
});
