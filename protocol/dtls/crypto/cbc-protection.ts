import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { equalBytes } from './constant-time.ts';
import { keyLayout } from './key-schedule.ts';
import { type RecordProtection, setLength } from './protection.ts';

const BLOCK = 16;
const MAC = 32;

/**
 * AES-128-CBC with HMAC-SHA256, encrypt-then-MAC (RFC 7366 §3; with a connection id RFC 9146 §5.2):
 * `IV ‖ encrypted(plaintext ‖ padding) ‖ MAC`. The MAC is checked before anything is decrypted, so there is no
 * padding to probe; the older order is not spoken.
 */
export class CbcProtection implements RecordProtection {
  readonly overhead = BLOCK + BLOCK + MAC;
  readonly #key: KeyObject;
  readonly #macKey: KeyObject;

  constructor(keys: Uint8Array) {
    const { key, mac } = keyLayout('cbc_sha256');
    this.#key = createSecretKey(keys.subarray(0, key));
    this.#macKey = createSecretKey(keys.subarray(key, key + mac));
  }

  seal(_sequence: Uint8Array, additional: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const iv = randomBytes(BLOCK);
    // RFC 5246 §6.2.3.2: each byte of the padding, its length included, has the value of that length.
    const padding = BLOCK - 1 - (plaintext.length % BLOCK);
    const padded = new Uint8Array(plaintext.length + padding + 1).fill(padding, plaintext.length);
    padded.set(plaintext);
    const cipher = createCipheriv('aes-128-cbc', this.#key, iv).setAutoPadding(false);
    const fragment = new Uint8Array(BLOCK + padded.length + MAC);
    fragment.set(iv);
    fragment.set(cipher.update(padded), BLOCK);
    const end = BLOCK + padded.length;
    fragment.set(this.#mac(additional, fragment.subarray(0, end)), end);
    return fragment;
  }

  open(_sequence: Uint8Array, additional: Uint8Array, fragment: Uint8Array): Uint8Array | undefined {
    const end = fragment.length - MAC;
    if (end < 2 * BLOCK || end % BLOCK !== 0) return undefined;
    const covered = fragment.subarray(0, end);
    if (!equalBytes(this.#mac(additional, covered), fragment.subarray(end))) return undefined;
    const decipher = createDecipheriv('aes-128-cbc', this.#key, fragment.subarray(0, BLOCK));
    const padded = decipher.setAutoPadding(false).update(fragment.subarray(BLOCK, end));
    const padding = padded[padded.length - 1] as number;
    const length = padded.length - padding - 1;
    // Only whoever has the keys gets here: nothing is to be hidden from them.
    if (length < 0 || padded.subarray(length).some((byte) => byte !== padding)) return undefined;
    return padded.subarray(0, length);
  }

  #mac(additional: Uint8Array, covered: Uint8Array): Uint8Array {
    setLength(additional, covered.length);
    return createHmac('sha256', this.#macKey).update(additional).update(covered).digest();
  }
}
