import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { RequestError } from '../../protocol/errors.ts';

/** SHA-256 of a certificate in DER, hex. */
export function fingerprintOf(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('hex');
}

/**
 * A public key as PEM, or its SubjectPublicKeyInfo as hex or base64.
 * @returns DER
 * @throws RequestError it is no key on P-256, the curve that LwM2M devices have (OMA Transport §5.2.8.2)
 */
export function parsePublicKey(text: string): Uint8Array {
  let key: KeyObject;
  try {
    key = text.includes('-----BEGIN')
      ? createPublicKey(text)
      : createPublicKey({ key: bytesOf(text), format: 'der', type: 'spki' });
  } catch {
    throw new RequestError('the public key cannot be read: PEM, or SubjectPublicKeyInfo in hex or base64');
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new RequestError('the public key is not one on the curve P-256');
  }
  return key.export({ format: 'der', type: 'spki' });
}

/** A certificate as PEM, or DER in hex or base64. @throws RequestError */
export function parseCertificate(text: string): X509Certificate {
  try {
    return new X509Certificate(text.includes('-----BEGIN') ? text : bytesOf(text));
  } catch {
    throw new RequestError('the certificate cannot be read: PEM, or DER in hex or base64');
  }
}

function bytesOf(text: string): Buffer {
  const packed = text.replaceAll(/\s/g, '');
  return Buffer.from(packed, /^(?:[\da-f]{2})+$/i.test(packed) ? 'hex' : 'base64');
}
