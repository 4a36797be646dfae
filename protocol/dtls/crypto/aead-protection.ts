import {
  type CipherCCMTypes,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
} from 'node:crypto';
import type { RecordCipher } from './cipher-suites.ts';
import { EXPLICIT_NONCE_LENGTH, keyLayout, tagLengthOf } from './key-schedule.ts';
import { type RecordProtection, setLength } from './protection.ts';

const ALGORITHM: CipherCCMTypes = 'aes-128-ccm';

/**
 * AES-128-CCM (RFC 6655, 16 or 8 bytes of tag) and AES-128-GCM (RFC 5288): `explicit nonce ‖ ciphertext ‖ tag`. The
 * explicit nonce that is sent is epoch and sequence number; the one that is received may be any (RFC 6655 §3).
 */
export class AeadProtection implements RecordProtection {
  readonly overhead: number;
  readonly #key: KeyObject;
  /** `salt ‖ explicit nonce`; written anew for each record. */
  readonly #nonce: Uint8Array;
  readonly #saltLength: number;
  readonly #tagLength: number;
  readonly #algorithm: CipherCCMTypes | CipherGCMTypes;

  constructor(cipher: Exclude<RecordCipher, 'cbc_sha256'>, keys: Uint8Array) {
    const { key, iv } = keyLayout(cipher);
    this.#key = createSecretKey(keys.subarray(0, key));
    this.#saltLength = iv;
    this.#nonce = new Uint8Array(iv + EXPLICIT_NONCE_LENGTH);
    this.#nonce.set(keys.subarray(key, key + iv));
    this.#tagLength = tagLengthOf(cipher);
    this.#algorithm = cipher === 'gcm' ? 'aes-128-gcm' : ALGORITHM;
    this.overhead = EXPLICIT_NONCE_LENGTH + this.#tagLength;
  }

  seal(sequence: Uint8Array, additional: Uint8Array, plaintext: Uint8Array): Uint8Array {
    this.#nonce.set(sequence, this.#saltLength);
    setLength(additional, plaintext.length);
    // The types know of CCM alone that it needs options; GCM takes the same.
    const cipher = createCipheriv(this.#algorithm as CipherCCMTypes, this.#key, this.#nonce, {
      authTagLength: this.#tagLength,
    });
    cipher.setAAD(additional, { plaintextLength: plaintext.length });
    const fragment = new Uint8Array(plaintext.length + this.overhead);
    fragment.set(sequence);
    fragment.set(cipher.update(plaintext), EXPLICIT_NONCE_LENGTH);
    cipher.final();
    fragment.set(cipher.getAuthTag(), EXPLICIT_NONCE_LENGTH + plaintext.length);
    return fragment;
  }

  open(_sequence: Uint8Array, additional: Uint8Array, fragment: Uint8Array): Uint8Array | undefined {
    const length = fragment.length - this.overhead;
    if (length < 0) return undefined;
    this.#nonce.set(fragment.subarray(0, EXPLICIT_NONCE_LENGTH), this.#saltLength);
    setLength(additional, length);
    const decipher = createDecipheriv(this.#algorithm as CipherCCMTypes, this.#key, this.#nonce, {
      authTagLength: this.#tagLength,
    });
    const end = EXPLICIT_NONCE_LENGTH + length;
    decipher.setAuthTag(fragment.subarray(end));
    decipher.setAAD(additional, { plaintextLength: length });
    try {
      const plaintext = decipher.update(fragment.subarray(EXPLICIT_NONCE_LENGTH, end));
      decipher.final();
      return plaintext;
    } catch {
      // update (CCM) or final (GCM) throws where the tag does not match, and for nothing else.
      return undefined;
    }
  }
}
