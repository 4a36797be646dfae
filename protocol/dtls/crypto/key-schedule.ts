import type { CipherSuite, RecordCipher } from './cipher-suites.ts';
import { prf } from './prf.ts';

const MASTER_SECRET_LENGTH = 48;
const VERIFY_DATA_LENGTH = 12;
const AES_128_KEY_LENGTH = 16;
const HMAC_SHA256_KEY_LENGTH = 32;
/** The implicit part of the nonce: RFC 5288 §3, RFC 6655 §3. */
const AEAD_SALT_LENGTH = 4;
/** The part of the nonce that stands in front of the record: the same sections. */
export const EXPLICIT_NONCE_LENGTH = 8;

/**
 * The premaster secret of the PSK suites, RFC 4279 §2: the other secret, which is ECDHE's shared one (RFC 5489 §2)
 * or as many zeros as the key has bytes, and the key, each with its length.
 */
export function pskPremasterSecret(psk: Uint8Array, other?: Uint8Array): Uint8Array {
  const otherLength = other?.length ?? psk.length;
  const premaster = new Uint8Array(4 + otherLength + psk.length);
  const view = new DataView(premaster.buffer);
  view.setUint16(0, otherLength);
  if (other !== undefined) premaster.set(other, 2);
  view.setUint16(2 + otherLength, psk.length);
  premaster.set(psk, 4 + otherLength);
  return premaster;
}

/** RFC 5246 §8.1. Without the extended master secret nothing binds it to the handshake: RFC 7627 §1. */
export function masterSecret(
  premaster: Uint8Array,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
): Uint8Array {
  return prf(premaster, 'master secret', joined(clientRandom, serverRandom), MASTER_SECRET_LENGTH);
}

/** RFC 7627 §4; `sessionHash` is SHA-256 of all handshake messages up to and including ClientKeyExchange. */
export function extendedMasterSecret(premaster: Uint8Array, sessionHash: Uint8Array): Uint8Array {
  return prf(premaster, 'extended master secret', sessionHash, MASTER_SECRET_LENGTH);
}

/** How one direction's key string is put together: `key ‖ iv ‖ macKey`. */
interface KeyLayout {
  readonly key: number;
  readonly iv: number;
  readonly mac: number;
}

/** CBC's IVs travel in the records (RFC 5246 §6.2.3.2): none is derived. */
export function keyLayout(cipher: RecordCipher): KeyLayout {
  return cipher === 'cbc_sha256'
    ? { key: AES_128_KEY_LENGTH, iv: 0, mac: HMAC_SHA256_KEY_LENGTH }
    : { key: AES_128_KEY_LENGTH, iv: AEAD_SALT_LENGTH, mac: 0 };
}

/** Bytes of what authenticates a record: RFC 5116 §5.1 and §5.3, RFC 6655 §4. */
export function tagLengthOf(cipher: Exclude<RecordCipher, 'cbc_sha256'>): number {
  return cipher === 'ccm_8' ? 8 : 16;
}

/** The keys with which each side writes, as flat strings `key ‖ iv ‖ macKey`. */
export interface DirectionKeys {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/** RFC 5246 §6.3. */
export function deriveKeys(
  suite: CipherSuite,
  master: Uint8Array,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
): DirectionKeys {
  const { key, iv, mac } = keyLayout(suite.cipher);
  const block = prf(master, 'key expansion', joined(serverRandom, clientRandom), 2 * (key + iv + mac));
  const keysOf = (side: 0 | 1) => {
    const part = (start: number, length: number) =>
      block.subarray(start + side * length, start + (side + 1) * length);
    return joined(part(2 * mac, key), part(2 * (mac + key), iv), part(0, mac));
  };
  const keys = { client: keysOf(0), server: keysOf(1) };
  block.fill(0);
  return keys;
}

/** verify_data of a Finished, RFC 5246 §7.4.9; `handshakeHash` is SHA-256 of all messages before it. */
export function finishedData(
  master: Uint8Array,
  sender: 'client' | 'server',
  handshakeHash: Uint8Array,
): Uint8Array {
  return prf(master, `${sender} finished`, handshakeHash, VERIFY_DATA_LENGTH);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
