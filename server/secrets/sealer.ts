import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/** Bytes of a key: AES-256. */
export const SECRET_KEY_LENGTH = 32;

/** What is sealed begins with it: another layout gets another number. */
const VERSION = 1;
const KEY_ID_LENGTH = 4;
const SALT_LENGTH = 16;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const HEADER_LENGTH = 1 + KEY_ID_LENGTH + SALT_LENGTH + NONCE_LENGTH;

/** It was not sealed by a key that is known, for this place, or it was changed since. Its message tells no content. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/** There is no key to seal with. The message says how to make one. */
export class NoSecretKeyError extends Error {
  override readonly name = 'NoSecretKeyError';

  constructor(what: string) {
    super(
      `${what} need SIMYARD_SECRET_KEY, by which what is secret is sealed in the store that nodes share: make one by ` +
        '`openssl rand -hex 32`, and give all nodes the same',
    );
  }
}

/** Keeps secrets from whoever reads the store, or changes it. */
export interface Sealer {
  /**
   * @param place what it is sealed for, such as the name of its row: it opens for nothing else
   * @throws NoSecretKeyError
   */
  seal(secret: Uint8Array, place: string): Uint8Array;
  /** @throws SealError, NoSecretKeyError */
  open(sealed: Uint8Array, place: string): Uint8Array;
  /** Whether it was sealed by the first key: what was not is sealed anew when it is written next. */
  isCurrent(sealed: Uint8Array): boolean;
}

interface SealingKey {
  readonly id: Uint8Array;
  readonly key: KeyObject;
}

/**
 * Seals by AES-256-GCM: version (1), key id (4), salt (16), nonce (12), ciphertext, tag (16). The first key seals, all
 * of them open, so that a key can be changed: the new one goes before the old one, which stays until nothing is sealed
 * by it any more.
 *
 * Each secret has a key of its own, HMAC-SHA-256 of the salt, for a random nonce under one key is good for 2^32 secrets
 * only (NIST SP 800-38D §8.3), which a fleet that shakes hands uses up.
 * @throws RangeError no key, or one of another length
 */
export function createSealer(keys: readonly Uint8Array[]): Sealer {
  const sealing = keys.map(sealingKey);
  const [first] = sealing;
  if (first === undefined) throw new RangeError('a sealer needs a key');
  return {
    seal: (secret, place) => {
      const header = Buffer.concat([
        Uint8Array.of(VERSION),
        first.id,
        randomBytes(SALT_LENGTH + NONCE_LENGTH),
      ]);
      const cipher = createCipheriv('aes-256-gcm', ...keyAndNonce(first, header));
      cipher.setAAD(additional(header, place));
      return Buffer.concat([header, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
    },
    open: (sealed, place) => {
      const header = sealed.subarray(0, HEADER_LENGTH);
      const tagAt = sealed.length - TAG_LENGTH;
      if (tagAt < HEADER_LENGTH || header[0] !== VERSION) throw new SealError(`${place} was not sealed`);
      const key = sealing.find(({ id }) => isKeyOf(id, header));
      if (key === undefined) {
        throw new SealError(
          `${place} was sealed by a key that SIMYARD_SECRET_KEY does not have (its id is ${idText(header)})`,
        );
      }
      const decipher = createDecipheriv('aes-256-gcm', ...keyAndNonce(key, header), {
        authTagLength: TAG_LENGTH,
      });
      decipher.setAAD(additional(header, place));
      decipher.setAuthTag(sealed.subarray(tagAt));
      const secret = decipher.update(sealed.subarray(HEADER_LENGTH, tagAt));
      try {
        decipher.final();
      } catch (error) {
        secret.fill(0);
        throw new SealError(`${place} was changed, or belongs elsewhere`, { cause: error });
      }
      return secret;
    },
    isCurrent: (sealed) => sealed[0] === VERSION && isKeyOf(first.id, sealed),
  };
}

/** Where a key is needed and there is none: every use of it says so. */
export function noSealer(what: string): Sealer {
  const refuse = (): never => {
    throw new NoSecretKeyError(what);
  };
  return { seal: refuse, open: refuse, isCurrent: refuse };
}

function sealingKey(key: Uint8Array): SealingKey {
  if (key.length !== SECRET_KEY_LENGTH) throw new RangeError(`a key of ${key.length} bytes`);
  const digest = createHash('sha256').update('simyard secret key id').update(key).digest();
  return { id: digest.subarray(0, KEY_ID_LENGTH), key: createSecretKey(key) };
}

function keyAndNonce({ key }: SealingKey, header: Uint8Array): [key: Uint8Array, nonce: Uint8Array] {
  const saltAt = 1 + KEY_ID_LENGTH;
  const nonceAt = saltAt + SALT_LENGTH;
  const derived = createHmac('sha256', key).update(header.subarray(saltAt, nonceAt)).digest();
  return [derived, header.subarray(nonceAt, HEADER_LENGTH)];
}

function additional(header: Uint8Array, place: string): Uint8Array {
  return Buffer.concat([header.subarray(0, 1 + KEY_ID_LENGTH), Buffer.from(place)]);
}

function isKeyOf(id: Uint8Array, sealed: Uint8Array): boolean {
  return id.every((byte, at) => sealed[1 + at] === byte);
}

function idText(header: Uint8Array): string {
  return Buffer.from(header.subarray(1, 1 + KEY_ID_LENGTH)).toString('hex');
}
