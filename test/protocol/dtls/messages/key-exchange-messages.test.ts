import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeEcdheClientKeyExchange,
  decodeEcdhePskClientKeyExchange,
  decodeEcdhePskServerKeyExchange,
  decodePskClientKeyExchange,
  decodePskServerKeyExchange,
  decodeSignedServerKeyExchange,
  encodeEcdheClientKeyExchange,
  encodeEcdhePskClientKeyExchange,
  encodeEcdhePskServerKeyExchange,
  encodeEcdhParameters,
  encodePskClientKeyExchange,
  encodePskServerKeyExchange,
  encodeSignedServerKeyExchange,
} from '../../../../protocol/dtls/messages/key-exchange-messages.ts';
import { hex, unhex } from '../../../support/coap/raw-peer.ts';
import { anyBytes, anyUint16, testCodec } from '../../../support/dtls/codec-suite.ts';

const anyParameters = fc.record({ group: anyUint16, publicKey: anyBytes(1, 255) });
const anySigned = fc.record({ algorithm: anyUint16, signature: anyBytes(0, 100) });

describe('ServerKeyExchange of PSK', () => {
  testCodec({
    encode: encodePskServerKeyExchange,
    decode: decodePskServerKeyExchange,
    vectors: [
      ['an empty hint', '0000', new Uint8Array(0)],
      ['a hint', '0002 6869', unhex('6869')],
    ],
    malformed: [['bytes behind the hint', '0000 00']],
    any: anyBytes(0, 300),
  });
});

describe('ClientKeyExchange of PSK', () => {
  testCodec({
    encode: encodePskClientKeyExchange,
    decode: decodePskClientKeyExchange,
    vectors: [['an identity', '0004 64657631', unhex('64657631')]],
    malformed: [['bytes behind the identity', '0001 6161']],
    any: anyBytes(0, 300),
  });
});

describe('ServerKeyExchange of ECDHE_PSK', () => {
  testCodec({
    encode: encodeEcdhePskServerKeyExchange,
    decode: decodeEcdhePskServerKeyExchange,
    vectors: [
      [
        'a hint and a key',
        '0001 68 03 001d 02 abcd',
        { hint: unhex('68'), parameters: { group: 29, publicKey: unhex('abcd') } },
      ],
    ],
    malformed: [
      ['a curve by its prime', '0000 01 0017 01 04'],
      ['an empty key', '0000 03 0017 00'],
    ],
    any: fc.record({ hint: anyBytes(0, 40), parameters: anyParameters }),
  });
});

describe('ClientKeyExchange of ECDHE_PSK', () => {
  testCodec({
    encode: encodeEcdhePskClientKeyExchange,
    decode: decodeEcdhePskClientKeyExchange,
    vectors: [['identity and key', '0001 61 02 04ff', { identity: unhex('61'), publicKey: unhex('04ff') }]],
    malformed: [['an empty key', '0001 61 00']],
    any: fc.record({ identity: anyBytes(0, 60), publicKey: anyBytes(1, 255) }),
  });
});

describe('ServerKeyExchange of ECDHE_ECDSA', () => {
  testCodec({
    encode: encodeSignedServerKeyExchange,
    decode: decodeSignedServerKeyExchange,
    vectors: [
      [
        'parameters and signature',
        '03 0017 02 04ab 0403 0002 3000',
        {
          parameters: { group: 23, publicKey: unhex('04ab') },
          signed: { algorithm: 0x0403, signature: unhex('3000') },
        },
      ],
    ],
    malformed: [
      ['an explicit curve', '02 0017 02 04ab 0403 0002 3000'],
      ['bytes behind the signature', '03 0017 01 04 0403 0000 00'],
    ],
    any: fc.record({ parameters: anyParameters, signed: anySigned }),
  });

  test('what is signed is what stands in the message', () => {
    expect(hex(encodeEcdhParameters({ group: 23, publicKey: unhex('04ab') }))).toBe('0300170204ab');
  });
});

describe('ClientKeyExchange of ECDHE_ECDSA', () => {
  testCodec({
    encode: encodeEcdheClientKeyExchange,
    decode: decodeEcdheClientKeyExchange,
    vectors: [['a key', '03 040506', unhex('040506')]],
    malformed: [
      ['an empty key', '00'],
      ['bytes behind the key', '01 0405'],
    ],
    any: anyBytes(1, 255),
  });
});
