import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { HandshakeError } from '../errors.ts';
import { AlertDescription } from '../messages/alert.ts';

/** The key of a SubjectPublicKeyInfo, DER. @throws HandshakeError where it is none, or none that can sign here. */
export function rawPublicKey(spki: Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    throw new HandshakeError('bad_certificate', AlertDescription.BAD_CERTIFICATE, 'not a public key');
  }
  return signingKey(key);
}

/** The key of a certificate, DER. @throws HandshakeError where it is none, or has none that can sign here. */
export function certificateKey(der: Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    key = new X509Certificate(der).publicKey;
  } catch {
    throw new HandshakeError('bad_certificate', AlertDescription.BAD_CERTIFICATE, 'not a certificate');
  }
  return signingKey(key);
}

/** Whether a key can sign handshakes: on secp256r1 (RFC 7925 §4.4), or of Ed25519. */
export function isSigningKey(key: KeyObject): boolean {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  return (
    asymmetricKeyType === 'ed25519' ||
    (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1')
  );
}

function signingKey(key: KeyObject): KeyObject {
  if (isSigningKey(key)) return key;
  throw new HandshakeError(
    'bad_certificate',
    AlertDescription.UNSUPPORTED_CERTIFICATE,
    'a key that is neither on secp256r1 nor of Ed25519',
  );
}
