import { type KeyObject, sign, verify } from 'node:crypto';
import { RequestError } from '../../errors.ts';

/** Signature schemes as the two bytes of a SignatureAndHashAlgorithm: RFC 5246 §7.4.1.4.1, RFC 8422 §5.10. */
export const SignatureScheme = {
  ECDSA_SHA256: 0x0403,
  ECDSA_SHA384: 0x0503,
  ECDSA_SHA512: 0x0603,
  ED25519: 0x0807,
} as const;
export type SignatureScheme = (typeof SignatureScheme)[keyof typeof SignatureScheme];

/** What is offered, and taken, in this order; the first is the one that RFC 7925 §4.4 asks of every device. */
export const signatureSchemes: readonly SignatureScheme[] = [
  SignatureScheme.ECDSA_SHA256,
  SignatureScheme.ECDSA_SHA384,
  SignatureScheme.ECDSA_SHA512,
  SignatureScheme.ED25519,
];

interface Scheme {
  readonly keyType: 'ec' | 'ed25519';
  /** null: the scheme hashes by itself. */
  readonly digest: 'sha256' | 'sha384' | 'sha512' | null;
}

const schemes = new Map<number, Scheme>([
  [SignatureScheme.ECDSA_SHA256, { keyType: 'ec', digest: 'sha256' }],
  [SignatureScheme.ECDSA_SHA384, { keyType: 'ec', digest: 'sha384' }],
  [SignatureScheme.ECDSA_SHA512, { keyType: 'ec', digest: 'sha512' }],
  [SignatureScheme.ED25519, { keyType: 'ed25519', digest: null }],
]);

/** The first of our schemes that the key can make and the peer has offered. */
export function chooseSignatureScheme(
  key: KeyObject,
  offered: readonly number[],
): SignatureScheme | undefined {
  return signatureSchemes.find(
    (scheme) => offered.includes(scheme) && schemes.get(scheme)?.keyType === key.asymmetricKeyType,
  );
}

/** Signs with a private key, DER in the case of ECDSA. @throws RequestError where the key is of another kind. */
export function signData(scheme: SignatureScheme, key: KeyObject, data: Uint8Array): Uint8Array {
  const found = schemes.get(scheme);
  if (found === undefined || found.keyType !== key.asymmetricKeyType) {
    throw new RequestError(
      `a key of type ${key.asymmetricKeyType} makes no signature ${scheme.toString(16)}`,
    );
  }
  return sign(found.digest, data, key);
}

/** Whether the signature is the key's; false also for schemes that are not spoken, and for keys of another kind. */
export function verifyData(scheme: number, key: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  const found = schemes.get(scheme);
  if (found === undefined || found.keyType !== key.asymmetricKeyType) return false;
  return verify(found.digest, data, key, signature);
}
