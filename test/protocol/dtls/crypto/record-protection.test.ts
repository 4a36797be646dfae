import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CipherSuite, cipherSuites } from '../../../../protocol/dtls/crypto/cipher-suites.ts';
import { keyLayout } from '../../../../protocol/dtls/crypto/key-schedule.ts';
import { createRecordProtection } from '../../../../protocol/dtls/crypto/record-protection.ts';
import { hex, unhex } from '../../../support/coap/raw-peer.ts';
import { anyBytes } from '../../../support/dtls/codec-suite.ts';

const sequence = unhex('0001000000000005');
/** RFC 6347 §4.1.2.1: `epoch ‖ sequence ‖ type ‖ version ‖ length`. */
const pseudoHeader = () => unhex('0001000000000005 17 fefd 0000');
const keysOf = (suite: CipherSuite) => {
  const { key, iv, mac } = keyLayout(suite.cipher);
  return Uint8Array.from({ length: key + iv + mac }, (_, i) => i);
};
/** One suite for each way to protect records. */
const suites = [...new Map(cipherSuites.map((suite) => [suite.cipher, suite])).values()];

describe.each(suites)('records of $cipher', (suite) => {
  const protection = createRecordProtection(suite, keysOf(suite));

  test('are opened by whoever has the keys', () => {
    fc.assert(
      fc.property(anyBytes(0, 300), anyBytes(8), (plaintext, number) => {
        const fragment = protection.seal(number, pseudoHeader(), plaintext);
        expect(fragment.length - plaintext.length).toBeLessThanOrEqual(protection.overhead);
        const opened = protection.open(number, pseudoHeader(), fragment);
        expect(opened && hex(opened)).toBe(hex(plaintext));
      }),
    );
  });

  test('of any length have an overhead within what is told', () => {
    const lengths = Array.from({ length: 40 }, (_, length) => length);
    const overheads = lengths.map(
      (length) => protection.seal(sequence, pseudoHeader(), new Uint8Array(length)).length - length,
    );
    expect(Math.max(...overheads)).toBe(protection.overhead);
  });

  test('are refused with any one bit changed, and with each byte missing at the end', () => {
    const fragment = protection.seal(sequence, pseudoHeader(), unhex('00112233445566'));
    for (let bit = 0; bit < fragment.length * 8; bit++) {
      const forged = Uint8Array.from(fragment);
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(protection.open(sequence, pseudoHeader(), forged)).toBeUndefined();
    }
    for (let length = 0; length < fragment.length; length++) {
      expect(protection.open(sequence, pseudoHeader(), fragment.subarray(0, length))).toBeUndefined();
    }
  });

  test('are refused under any other pseudo-header', () => {
    const fragment = protection.seal(sequence, pseudoHeader(), unhex('aa'));
    // All but the two bytes of the length, which are written by the protection.
    for (let at = 0; at < 11; at++) {
      const other = pseudoHeader();
      other[at] = (other[at] as number) ^ 1;
      expect(protection.open(sequence, other, fragment)).toBeUndefined();
    }
  });

  test('are refused by whoever has other keys', () => {
    const keys = keysOf(suite);
    const fragment = protection.seal(sequence, pseudoHeader(), unhex('aa'));
    // The last byte of the key, and of what follows it.
    for (const at of new Set([15, keys.length - 1])) {
      const others = Uint8Array.from(keys);
      others[at] = (others[at] as number) ^ 1;
      const other = createRecordProtection(suite, others);
      // CBC: the first 16 bytes decrypt, the others authenticate.
      const opened = other.open(sequence, pseudoHeader(), fragment);
      expect(opened === undefined || (suite.cipher === 'cbc_sha256' && hex(opened) !== 'aa')).toBe(true);
    }
  });

  test('hold no reference to the caller’s memory', () => {
    const plaintext = unhex('010203');
    const number = Uint8Array.from(sequence);
    const fragment = protection.seal(number, pseudoHeader(), plaintext);
    const before = hex(fragment);
    plaintext.fill(9);
    number.fill(9);
    protection.seal(unhex('0001000000000006'), pseudoHeader(), unhex('ffffff'));
    expect(hex(fragment)).toBe(before);
  });
});

describe.each(suites.filter(({ cipher }) => cipher !== 'cbc_sha256'))('the nonce of $cipher', (suite) => {
  const protection = createRecordProtection(suite, keysOf(suite));

  test('is the sequence number, in front of the record (RFC 6655 §3, RFC 5288 §3)', () => {
    const fragment = protection.seal(sequence, pseudoHeader(), unhex('aa'));
    expect(hex(fragment.subarray(0, 8))).toBe(hex(sequence));
    // Of another number another record, though all else is the same.
    const other = protection.seal(unhex('0001000000000006'), pseudoHeader(), unhex('aa'));
    expect(hex(other.subarray(8))).not.toBe(hex(fragment.subarray(8)));
  });

  test('is read from the record: a peer may choose its own', () => {
    const fragment = protection.seal(unhex('cafe000000000001'), pseudoHeader(), unhex('aabb'));
    const opened = protection.open(sequence, pseudoHeader(), fragment);
    expect(opened && hex(opened)).toBe('aabb');
  });
});

test('CBC begins each record with another IV', () => {
  const suite = suites.find(({ cipher }) => cipher === 'cbc_sha256') as CipherSuite;
  const protection = createRecordProtection(suite, keysOf(suite));
  const ivs = Array.from({ length: 50 }, () =>
    hex(protection.seal(sequence, pseudoHeader(), unhex('aa')).subarray(0, 16)),
  );
  expect(new Set(ivs).size).toBe(50);
});
