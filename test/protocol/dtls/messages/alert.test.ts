import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AlertDescription,
  AlertLevel,
  alertName,
  decodeAlert,
  encodeAlert,
} from '../../../../protocol/dtls/messages/alert.ts';
import { anyUint8, testCodec } from '../../../support/dtls/codec-suite.ts';

describe('alerts', () => {
  testCodec({
    encode: encodeAlert,
    decode: decodeAlert,
    vectors: [
      ['close_notify', '0100', { level: AlertLevel.WARNING, description: AlertDescription.CLOSE_NOTIFY }],
      [
        'handshake_failure',
        '0228',
        { level: AlertLevel.FATAL, description: AlertDescription.HANDSHAKE_FAILURE },
      ],
      ['one that no list has', '07fe', { level: 7, description: 254 }],
    ],
    malformed: [['three bytes', '010000']],
    any: fc.record({ level: anyUint8, description: anyUint8 }),
  });

  test('have names for people', () => {
    expect(alertName(115)).toBe('unknown_psk_identity');
    expect(alertName(254)).toBe('alert 254');
  });
});
