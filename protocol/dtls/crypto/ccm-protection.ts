import { type Cipheriv, createCipheriv, createSecretKey } from 'node:crypto';
import { AeadProtection } from './aead-protection.ts';
import { equalBytes } from './constant-time.ts';
import { EXPLICIT_NONCE_LENGTH, keyLayout, tagLengthOf } from './key-schedule.ts';
import { type RecordProtection, setLength } from './protection.ts';

const BLOCK = 16;
/** Bytes of the nonce: salt and explicit nonce. */
const NONCE = 12;
/** Bytes of the length that stands before the additional data (RFC 3610 §2.2). */
const ADDITIONAL_LENGTH = 2;
/**
 * Blocks that go through OpenSSL with one call. What comes out is memory of its own, and the allocator has that of up to
 * 120 bytes at hand (these, and a block that node:crypto asks for besides): more costs as much as a second call.
 */
const AT_ONCE = 6;
/** Blocks that are authenticated of a record that is taken here: with a third call it would be no cheaper than the common way. */
const MAX_BLOCKS = 2 * AT_ONCE;
/**
 * Short records that go the common way before ciphers are kept: to make them costs what they save with five records,
 * and they are three kilobytes, too much for a device that speaks twice a day.
 */
const COMMON_FIRST = 8;

// Written anew for each record, and read before anybody else can write.
/** B_0, the additional data and the plaintext (RFC 3610 §2.2), each filled up with zeros to whole blocks. */
const authenticated = new Uint8Array(MAX_BLOCKS * BLOCK);
/** A_0, A_1 and so on (RFC 3610 §2.3): the flags and the counters stay as they are. */
const counters = new Uint8Array(AT_ONCE * BLOCK);
/** L' = 2: a length and a counter have three bytes. */
const COUNTER_FLAGS = 2;
for (let block = 0; block < AT_ONCE; block++) {
  counters[block * BLOCK] = COUNTER_FLAGS;
  counters[block * BLOCK + BLOCK - 1] = block;
}
/** By how many blocks they have. */
const viewsOf = (blocks: Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: AT_ONCE + 1 }, (_, count) => blocks.subarray(0, count * BLOCK));
const counterViews = viewsOf(counters);
const firstViews = viewsOf(authenticated.subarray(0, AT_ONCE * BLOCK));
const secondViews = viewsOf(authenticated.subarray(AT_ONCE * BLOCK));

/** AES under one key, in objects that last. */
interface KeptCiphers {
  /** ECB, for the counter mode. */
  readonly blocks: Cipheriv;
  /**
   * CBC, for the MAC. It never begins anew, as an object for each record would: it adds its last output to the first
   * block of the next record, where it is taken out again by adding it before.
   */
  readonly chain: Cipheriv;
  readonly lastOutput: Uint8Array;
}

/**
 * AES-128-CCM (RFC 6655, RFC 3610). A cipher object of CCM is good for one message, and to make it and to get the
 * tag out of it costs more than the record: so short ones, as most of CoAP are, are put together of two objects that
 * last as long as the keys are in use, AES in ECB for the counter mode and in CBC for the MAC. All AES is OpenSSL's;
 * what is done here takes the same steps whatever the key and the plaintext. Long records, and those of who has
 * hardly spoken yet, go the common way.
 */
export class CcmProtection implements RecordProtection {
  readonly overhead: number;
  readonly #cipher: 'ccm' | 'ccm_8';
  readonly #keys: Uint8Array;
  readonly #salt: Uint8Array;
  /** Of the record that is being opened. */
  readonly #tag: Uint8Array;
  /** Flags of B_0: additional data, M' of the tag's length, L' (RFC 3610 §2.2). */
  readonly #flags: number;
  #short = 0;
  #kept: KeptCiphers | undefined;
  #common: AeadProtection | undefined;

  /** @param keys are read again when they are needed: they stay as they are while this is in use */
  constructor(cipher: 'ccm' | 'ccm_8', keys: Uint8Array) {
    const { key, iv } = keyLayout(cipher);
    const tagLength = tagLengthOf(cipher);
    this.overhead = EXPLICIT_NONCE_LENGTH + tagLength;
    this.#cipher = cipher;
    this.#keys = keys;
    this.#salt = Uint8Array.from(keys.subarray(key, key + iv));
    this.#tag = new Uint8Array(tagLength);
    this.#flags = 0x40 + 8 * ((tagLength - 2) / 2) + COUNTER_FLAGS;
  }

  seal(sequence: Uint8Array, additional: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const { length } = plaintext;
    const kept = this.#keptFor(additional.length, length);
    if (kept === undefined) return this.#commonWay().seal(sequence, additional, plaintext);
    setLength(additional, length);
    const start = this.#begin(sequence, additional, length);
    const stream = this.#stream(kept, sequence, length);
    const fragment = new Uint8Array(length + this.overhead);
    for (let i = 0; i < EXPLICIT_NONCE_LENGTH; i++) fragment[i] = sequence[i] as number;
    for (let i = 0; i < length; i++) {
      const byte = plaintext[i] as number;
      authenticated[start + i] = byte;
      fragment[EXPLICIT_NONCE_LENGTH + i] = byte ^ (stream[BLOCK + i] as number);
    }
    const mac = macOf(kept, start + length);
    const end = EXPLICIT_NONCE_LENGTH + length;
    const { length: tagLength } = this.#tag;
    for (let i = 0; i < tagLength; i++) fragment[end + i] = (mac[i] as number) ^ (stream[i] as number);
    return fragment;
  }

  open(sequence: Uint8Array, additional: Uint8Array, fragment: Uint8Array): Uint8Array | undefined {
    const length = fragment.length - this.overhead;
    if (length < 0) return undefined;
    const kept = this.#keptFor(additional.length, length);
    if (kept === undefined) return this.#commonWay().open(sequence, additional, fragment);
    setLength(additional, length);
    const start = this.#begin(fragment, additional, length);
    const stream = this.#stream(kept, fragment, length);
    const plaintext = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      const byte = (fragment[EXPLICIT_NONCE_LENGTH + i] as number) ^ (stream[BLOCK + i] as number);
      authenticated[start + i] = byte;
      plaintext[i] = byte;
    }
    const mac = macOf(kept, start + length);
    const tag = this.#tag;
    for (let i = 0; i < tag.length; i++) tag[i] = (mac[i] as number) ^ (stream[i] as number);
    return equalBytes(tag, fragment.subarray(EXPLICIT_NONCE_LENGTH + length)) ? plaintext : undefined;
  }

  /** Undefined where the record goes the common way. */
  #keptFor(additionalLength: number, length: number): KeptCiphers | undefined {
    if (!isShort(additionalLength, length)) return undefined;
    if (this.#kept === undefined && ++this.#short > COMMON_FIRST) {
      const { key } = keyLayout(this.#cipher);
      this.#kept = keepCiphers(this.#keys.subarray(0, key));
      // It comes back with the next long record, if there is one.
      this.#common = undefined;
    }
    return this.#kept;
  }

  #commonWay(): AeadProtection {
    this.#common ??= new AeadProtection(this.#cipher, this.#keys);
    return this.#common;
  }

  /**
   * Writes what is authenticated before the plaintext. `explicit` begins with the explicit nonce.
   * @returns where the plaintext goes
   */
  #begin(explicit: Uint8Array, additional: Uint8Array, length: number): number {
    authenticated[0] = this.#flags;
    this.#writeNonce(authenticated, 1, explicit);
    authenticated[1 + NONCE] = 0;
    authenticated[2 + NONCE] = length >> 8;
    authenticated[3 + NONCE] = length;
    authenticated[BLOCK] = additional.length >> 8;
    authenticated[BLOCK + 1] = additional.length;
    const start = BLOCK + ADDITIONAL_LENGTH;
    for (let i = 0; i < additional.length; i++) authenticated[start + i] = additional[i] as number;
    return fillUp(start + additional.length);
  }

  /** A block for the tag, and as many as the plaintext has. */
  #stream({ blocks }: KeptCiphers, explicit: Uint8Array, length: number): Uint8Array {
    const count = 1 + blocksOf(length);
    for (let at = 0; at < count * BLOCK; at += BLOCK) this.#writeNonce(counters, at + 1, explicit);
    return blocks.update(counterViews[count] as Uint8Array);
  }

  #writeNonce(into: Uint8Array, at: number, explicit: Uint8Array): void {
    const salt = this.#salt;
    for (let i = 0; i < salt.length; i++) into[at + i] = salt[i] as number;
    const start = at + salt.length;
    for (let i = 0; i < EXPLICIT_NONCE_LENGTH; i++) into[start + i] = explicit[i] as number;
  }
}

function keepCiphers(key: Uint8Array): KeptCiphers {
  const secret = createSecretKey(key);
  const lastOutput = new Uint8Array(BLOCK);
  return {
    blocks: createCipheriv('aes-128-ecb', secret, null).setAutoPadding(false),
    chain: createCipheriv('aes-128-cbc', secret, lastOutput).setAutoPadding(false),
    lastOutput,
  };
}

/** The MAC of what `authenticated` holds up to `end`; valid until the next record. */
function macOf({ chain, lastOutput }: KeptCiphers, end: number): Uint8Array {
  const blocks = fillUp(end) / BLOCK;
  for (let i = 0; i < BLOCK; i++) {
    authenticated[i] = (authenticated[i] as number) ^ (lastOutput[i] as number);
  }
  let output = chain.update(firstViews[Math.min(blocks, AT_ONCE)] as Uint8Array);
  if (blocks > AT_ONCE) output = chain.update(secondViews[blocks - AT_ONCE] as Uint8Array);
  const last = output.length - BLOCK;
  for (let i = 0; i < BLOCK; i++) lastOutput[i] = output[last + i] as number;
  return lastOutput;
}

function isShort(additionalLength: number, length: number): boolean {
  const count = blocksOf(length);
  return count < AT_ONCE && 1 + blocksOf(ADDITIONAL_LENGTH + additionalLength) + count <= MAX_BLOCKS;
}

function blocksOf(length: number): number {
  return (length + BLOCK - 1) >> 4;
}

/** Zeros up to the end of the block. */
function fillUp(from: number): number {
  let at = from;
  while (at % BLOCK !== 0) authenticated[at++] = 0;
  return at;
}
