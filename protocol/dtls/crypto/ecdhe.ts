import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { DecodeError, RequestError } from '../../errors.ts';

/** Groups of ECDHE, RFC 8422 §5.1.1, as their numbers. */
export const NamedGroup = { SECP256R1: 23, X25519: 29 } as const;
export type NamedGroup = (typeof NamedGroup)[keyof typeof NamedGroup];

/** What is offered, and taken, in this order: secp256r1 is the one that RFC 7925 §4.4 asks of every device. */
export const namedGroups: readonly NamedGroup[] = [NamedGroup.SECP256R1, NamedGroup.X25519];

/** One side's ephemeral key pair. */
export interface KeyShare {
  readonly group: NamedGroup;
  /** As it goes over the wire: an uncompressed point, or 32 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * The shared secret with the peer's public key, 32 bytes.
   * @throws DecodeError where it is no point of the curve, or one of a small order.
   */
  secret(peerPublicKey: Uint8Array): Uint8Array;
}

export function isNamedGroup(group: number): group is NamedGroup {
  return group === NamedGroup.SECP256R1 || group === NamedGroup.X25519;
}

/** A fresh key pair. */
export function createKeyShare(group: NamedGroup): KeyShare {
  if (group === NamedGroup.SECP256R1) return secp256r1();
  if (group === NamedGroup.X25519) return x25519();
  throw new RequestError(`group ${group as number} is not spoken`);
}

const UNCOMPRESSED = 4;
const P256_POINT_LENGTH = 65;

function secp256r1(): KeyShare {
  const ecdh = createECDH('prime256v1');
  return {
    group: NamedGroup.SECP256R1,
    publicKey: ecdh.generateKeys(),
    secret(peer) {
      if (peer.length !== P256_POINT_LENGTH || peer[0] !== UNCOMPRESSED) {
        throw new DecodeError('not an uncompressed point of secp256r1');
      }
      try {
        return ecdh.computeSecret(peer);
      } catch {
        throw new DecodeError('not a point of secp256r1');
      }
    },
  };
}

const X25519_LENGTH = 32;
/** What stands before the 32 bytes in a SubjectPublicKeyInfo, RFC 8410 §4. */
const X25519_SPKI = Buffer.from('302a300506032b656e032100', 'hex');

function x25519(): KeyShare {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    group: NamedGroup.X25519,
    publicKey: spki.subarray(X25519_SPKI.length),
    secret(peer) {
      if (peer.length !== X25519_LENGTH) throw new DecodeError('not a public key of x25519');
      const key = Buffer.concat([X25519_SPKI, peer]);
      try {
        const peerKey = createPublicKey({ key, format: 'der', type: 'spki' });
        return diffieHellman({ privateKey, publicKey: peerKey });
      } catch {
        // RFC 7748 §6.1: a result of zeros alone, which OpenSSL refuses.
        throw new DecodeError('a public key of x25519 of small order');
      }
    },
  };
}
