import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

const HASH_LENGTH = 32;

/**
 * The pseudo-random function of TLS 1.2 with SHA-256, RFC 5246 §5: `length` bytes in memory of their own, so that
 * they can be wiped.
 */
export function prf(secret: Uint8Array, label: string, seed: Uint8Array, length: number): Uint8Array {
  const labelled = Buffer.alloc(label.length + seed.length);
  labelled.write(label, 'latin1');
  labelled.set(seed, label.length);
  const key = createSecretKey(secret);
  const result = new Uint8Array(length);
  let a: Uint8Array = hmac(key, labelled);
  for (let at = 0; at < length; at += HASH_LENGTH) {
    const block = hmac(key, a, labelled);
    result.set(block.subarray(0, Math.min(HASH_LENGTH, length - at)), at);
    block.fill(0);
    a = hmac(key, a);
  }
  return result;
}

function hmac(key: KeyObject, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}
