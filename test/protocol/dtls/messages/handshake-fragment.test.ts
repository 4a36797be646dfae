import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeHandshakeFragments,
  encodeHandshakeFragment,
  encodeHandshakeMessage,
  type HandshakeFragment,
} from '../../../../protocol/dtls/messages/handshake-fragment.ts';
import { hex, unhex } from '../../../support/coap/raw-peer.ts';
import { anyBytes, anyUint8, anyUint16, testCodec } from '../../../support/dtls/codec-suite.ts';

const anyFragment = fc
  .record({
    type: anyUint8,
    messageSeq: anyUint16,
    fragmentOffset: fc.integer({ min: 0, max: 70_000 }),
    fragment: anyBytes(0, 60),
    behind: fc.integer({ min: 0, max: 70_000 }),
  })
  .map(({ behind, ...rest }) => ({ ...rest, length: rest.fragmentOffset + rest.fragment.length + behind }));

describe('fragments of handshake messages', () => {
  testCodec<HandshakeFragment[]>({
    encode: (fragments) => Uint8Array.from(Buffer.concat(fragments.map(encodeHandshakeFragment))),
    decode: decodeHandshakeFragments,
    vectors: [
      [
        'a whole message',
        '14 00000c 0005 000000 00000c 000102030405060708090a0b',
        [
          {
            type: 20,
            length: 12,
            messageSeq: 5,
            fragmentOffset: 0,
            fragment: unhex('000102030405060708090a0b'),
          },
        ],
      ],
      [
        'an empty message, and the middle of another in the same record',
        '0e 000000 0003 000000 000000 0b 012345 0004 000100 000002 aabb',
        [
          { type: 14, length: 0, messageSeq: 3, fragmentOffset: 0, fragment: new Uint8Array(0) },
          { type: 11, length: 0x12345, messageSeq: 4, fragmentOffset: 256, fragment: unhex('aabb') },
        ],
      ],
    ],
    malformed: [
      ['nothing', ''],
      ['a fragment beyond the end of its message', '14 00000c 0000 00000b 000002 0102'],
      ['half a header behind a fragment', '0e 000000 0003 000000 000000 0e'],
    ],
    any: fc.array(anyFragment, { minLength: 1, maxLength: 4 }),
  });

  test('a message goes into the transcript as one fragment', () => {
    expect(hex(encodeHandshakeMessage(16, 2, unhex('000161')))).toBe('10000003000200000000000' + '3000161');
  });
});
