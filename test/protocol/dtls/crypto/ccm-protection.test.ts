import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AeadProtection } from '../../../../protocol/dtls/crypto/aead-protection.ts';
import { CcmProtection } from '../../../../protocol/dtls/crypto/ccm-protection.ts';
import { hex, unhex } from '../../../support/coap/raw-peer.ts';
import { anyBytes } from '../../../support/dtls/codec-suite.ts';

/** What is authenticated beside the plaintext: without a connection id, and with ids of up to 32 bytes. */
const ADDITIONAL = [13, 23, 24, 31, 55];

/** The same, once it keeps its ciphers. */
function spoken(protection: CcmProtection): CcmProtection {
  for (let i = 0; i < 20; i++) protection.seal(new Uint8Array(8), new Uint8Array(13), new Uint8Array(0));
  return protection;
}

// `AeadProtection` has all of CCM from OpenSSL.
describe.each(['ccm', 'ccm_8'] as const)('%s put together of single blocks', (cipher) => {
  const keys = unhex('000102030405060708090a0b0c0d0e0f a0a1a2a3');
  const protection = spoken(new CcmProtection(cipher, keys));
  const openssl = new AeadProtection(cipher, keys);

  test('is byte for byte that of OpenSSL, for every length up to where OpenSSL has it all', () => {
    for (const additionalLength of ADDITIONAL) {
      for (let length = 0; length < 150; length++) {
        const sequence = unhex(`0001 0000 0000 00${length.toString(16).padStart(2, '0')}`);
        const additional = () => new Uint8Array(additionalLength).fill(length ^ 0xa5);
        const plaintext = Uint8Array.from({ length }, (_, index) => index * 7 + length);
        const fragment = protection.seal(sequence, additional(), plaintext);
        expect(hex(fragment)).toBe(hex(openssl.seal(sequence, additional(), plaintext)));
        const opened = protection.open(sequence, additional(), fragment);
        expect(opened && hex(opened)).toBe(hex(plaintext));
      }
    }
  });

  test('takes and refuses what OpenSSL does, whatever came before', () => {
    const other = spoken(new CcmProtection(cipher, unhex('ff0102030405060708090a0b0c0d0e0f a0a1a2a3')));
    const anyRecord = fc.record({
      number: anyBytes(8),
      additional: fc.constantFrom(...ADDITIONAL).chain((length) => anyBytes(length)),
      plaintext: anyBytes(0, 140),
      flipped: fc.option(fc.nat(), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 8 }), (records) => {
        for (const { number, additional, plaintext, flipped } of records) {
          const fragment = openssl.seal(number, Uint8Array.from(additional), plaintext);
          if (flipped !== undefined) {
            const at = flipped % fragment.length;
            fragment[at] = (fragment[at] as number) ^ 1;
          }
          const opened = protection.open(number, Uint8Array.from(additional), fragment);
          expect(opened && hex(opened)).toBe(flipped === undefined ? hex(plaintext) : undefined);
          // The scratch memory is shared by all keys.
          expect(other.open(number, Uint8Array.from(additional), fragment)).toBeUndefined();
          expect(hex(protection.seal(number, Uint8Array.from(additional), plaintext))).toBe(
            hex(openssl.seal(number, Uint8Array.from(additional), plaintext)),
          );
        }
      }),
    );
  });

  test('is the same from the first record on, and in whatever order long and short ones come', () => {
    const fresh = new CcmProtection(cipher, keys);
    for (let number = 0; number < 40; number++) {
      const sequence = Uint8Array.of(0, 1, 0, 0, 0, 0, 0, number);
      const plaintext = new Uint8Array(number % 3 === 0 ? 200 : 20).fill(number);
      const fragment = openssl.seal(sequence, new Uint8Array(13), plaintext);
      expect(hex(fresh.seal(sequence, new Uint8Array(13), plaintext))).toBe(hex(fragment));
      const opened = fresh.open(sequence, new Uint8Array(13), fragment);
      expect(opened && hex(opened)).toBe(hex(plaintext));
    }
  });

  test('gives plaintext that the next record does not change', () => {
    const additional = () => new Uint8Array(13);
    const [one, two] = [unhex('0102030405'), unhex('ffffffffff')];
    const sealed = [one, two].map((plaintext, at) =>
      protection.seal(unhex(`000100000000000${at}`), additional(), plaintext),
    );
    const [first, second] = sealed.map((fragment) =>
      protection.open(unhex('0001000000000000'), additional(), fragment),
    );
    expect([first, second]).toEqual([one, two].map((bytes) => Uint8Array.from(bytes)));
  });
});
