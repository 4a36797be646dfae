import fc from 'fast-check';
import { describe } from 'vitest';
import {
  decodePathMessage,
  encodePathMessage,
  PathMessageType,
} from '../../../../protocol/dtls/messages/return-routability.ts';
import { unhex } from '../../../support/coap/raw-peer.ts';
import { anyBytes, anyUint8, testCodec } from '../../../support/dtls/codec-suite.ts';

describe('messages of the return routability check', () => {
  testCodec({
    encode: encodePathMessage,
    decode: decodePathMessage,
    vectors: [
      [
        'a challenge',
        '00 0102030405060708',
        { type: PathMessageType.PATH_CHALLENGE, cookie: unhex('0102030405060708') },
      ],
      [
        'an answer',
        '01 0102030405060708',
        { type: PathMessageType.PATH_RESPONSE, cookie: unhex('0102030405060708') },
      ],
    ],
    malformed: [['a cookie of nine bytes', '00 010203040506070809']],
    any: fc.record({ type: anyUint8, cookie: anyBytes(8) }),
  });
});
