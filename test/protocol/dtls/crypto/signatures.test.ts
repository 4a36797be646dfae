import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  chooseSignatureScheme,
  SignatureScheme,
  signatureSchemes,
  signData,
  verifyData,
} from '../../../../protocol/dtls/crypto/signatures.ts';
import { RequestError } from '../../../../protocol/errors.ts';
import { unhex } from '../../../support/coap/raw-peer.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ed = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const data = unhex('0102030405');

const pairs: readonly (readonly [
  string,
  SignatureScheme,
  { privateKey: KeyObject; publicKey: KeyObject },
])[] = [
  ['ECDSA with SHA-256', SignatureScheme.ECDSA_SHA256, ec],
  ['ECDSA with SHA-384', SignatureScheme.ECDSA_SHA384, ec],
  ['ECDSA with SHA-512', SignatureScheme.ECDSA_SHA512, ec],
  ['Ed25519', SignatureScheme.ED25519, ed],
];

describe.each(pairs)('signatures of %s', (_name, scheme, { privateKey, publicKey }) => {
  const signature = signData(scheme, privateKey, data);

  test('are verified with the public key', () => {
    expect(verifyData(scheme, publicKey, data, signature)).toBe(true);
  });

  test('are not those of other data, other bytes, or other schemes', () => {
    expect(verifyData(scheme, publicKey, unhex('0102030406'), signature)).toBe(false);
    for (let at = 0; at < signature.length; at++) {
      const forged = Uint8Array.from(signature);
      forged[at] = (forged[at] as number) ^ 1;
      expect(verifyData(scheme, publicKey, data, forged)).toBe(false);
      expect(verifyData(scheme, publicKey, data, signature.subarray(0, at))).toBe(false);
    }
    for (const another of [...signatureSchemes, 0, 0x0401, 0xffff]) {
      if (another !== scheme) expect(verifyData(another, publicKey, data, signature)).toBe(false);
    }
  });

  test('are not those of another key', () => {
    expect(verifyData(scheme, other.publicKey, data, signature)).toBe(false);
    expect(verifyData(scheme, rsa.publicKey, data, signature)).toBe(false);
  });
});

test('a scheme is chosen that the key can make and the peer takes', () => {
  const { ECDSA_SHA256, ECDSA_SHA384, ED25519 } = SignatureScheme;
  expect(chooseSignatureScheme(ec.privateKey, [ED25519, ECDSA_SHA384, ECDSA_SHA256])).toBe(ECDSA_SHA256);
  expect(chooseSignatureScheme(ec.privateKey, [ECDSA_SHA384])).toBe(ECDSA_SHA384);
  expect(chooseSignatureScheme(ed.privateKey, [ECDSA_SHA256, ED25519])).toBe(ED25519);
  expect(chooseSignatureScheme(ed.privateKey, [ECDSA_SHA256])).toBeUndefined();
  expect(chooseSignatureScheme(rsa.privateKey, signatureSchemes)).toBeUndefined();
});

test('a key makes no signatures of another kind', () => {
  expect(() => signData(SignatureScheme.ED25519, ec.privateKey, data)).toThrow(RequestError);
});
