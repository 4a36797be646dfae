import { ContentType, DtlsVersion } from '../messages/constants.ts';
import type { DirectionKeys, ReplayState } from '../types.ts';
import type { KeyCache, KeyOwner, Protections } from './key-cache.ts';
import { type DtlsRecord, MAX_PLAINTEXT, RECORD_HEADER, writeHeader, writeUint16 } from './record.ts';
import { ReplayWindow } from './replay-window.ts';

/** A record once it was authenticated. */
export interface OpenedRecord {
  readonly type: number;
  readonly content: Uint8Array;
}

/** Why a record was not taken. All are dropped in silence (RFC 6347 §4.1.2.7). */
export const Rejected = { FORGED: 1, REPLAYED: 2, UNFIT: 3 } as const;
export type Rejected = (typeof Rejected)[keyof typeof Rejected];

export interface EpochParameters {
  readonly suite: number;
  readonly keys: DirectionKeys;
  /** Which of the keys are for writing. */
  readonly role: 'client' | 'server';
  /** The connection id that this side gave out; empty or undefined: records come without. */
  readonly ownConnectionId: Uint8Array | undefined;
  /** The one that the peer gave; empty or undefined: records go without. */
  readonly peerConnectionId: Uint8Array | undefined;
}

// Written anew for each record: nothing that is given them keeps them.
const header = Buffer.alloc(RECORD_HEADER);
const headerSequence = header.subarray(3, 11);
const pseudoHeader = Buffer.alloc(13);
/** By the length of the connection id. */
const pseudoHeadersWithId: (Uint8Array | undefined)[] = [];

/** The one epoch in which everything of a session is said: there is no renegotiation. */
export const EPOCH = 1;

/**
 * Epoch 1 of one session, both ways. Its sequence numbers only rise, and each is used once: with these keys no nonce repeats.
 */
export class SecuredEpoch implements KeyOwner {
  readonly suite: number;
  readonly keys: DirectionKeys;
  readonly role: 'client' | 'server';
  readonly ownConnectionId: Uint8Array | undefined;
  readonly peerConnectionId: Uint8Array | undefined;
  /** The next number to write with. */
  nextSequence = 0;
  window = new ReplayWindow();
  readonly #cache: KeyCache;
  protections: Protections | undefined;
  recentlyUsed = false;
  #wiped = false;

  constructor(parameters: EpochParameters, cache: KeyCache) {
    this.suite = parameters.suite;
    this.keys = parameters.keys;
    this.role = parameters.role;
    this.ownConnectionId = nonEmpty(parameters.ownConnectionId);
    this.peerConnectionId = nonEmpty(parameters.peerConnectionId);
    this.#cache = cache;
  }

  resume(nextSequence: number, window: ReplayState | undefined): void {
    this.nextSequence = nextSequence;
    if (window !== undefined) this.window = ReplayWindow.from(window);
  }

  /** The next record, with a number of its own. */
  seal(type: number, content: Uint8Array): Uint8Array {
    if (this.#wiped) throw new Error('a session that is over is written to');
    const sequence = this.nextSequence++;
    const id = this.peerConnectionId;
    const outerType = id === undefined ? type : ContentType.TLS12_CID;
    writeHeader(header, outerType, DtlsVersion.DTLS_1_2, EPOCH, sequence, 0);
    const fragment = this.#cache
      .writingOf(this)
      .seal(
        headerSequence,
        additionalData(outerType, headerSequence, id),
        id === undefined ? content : innerPlaintext(type, content),
      );
    const idLength = id?.length ?? 0;
    const record = Buffer.allocUnsafe(RECORD_HEADER + idLength + fragment.length);
    record.set(header);
    if (id !== undefined) record.set(id, 11);
    writeUint16(record, 11 + idLength, fragment.length);
    record.set(fragment, RECORD_HEADER + idLength);
    return record;
  }

  /** Bytes that a record is longer than what is in it, at most. */
  get overhead(): number {
    const id = this.peerConnectionId;
    const { overhead } = this.#cache.writingOf(this);
    return RECORD_HEADER + overhead + (id === undefined ? 0 : id.length + 1);
  }

  /**
   * Authenticates a record and decrypts it; what the replay window has let in is to be accepted with `accept` by the caller.
   */
  open(record: DtlsRecord): OpenedRecord | Rejected {
    const own = this.ownConnectionId;
    // RFC 9146 §3: once a connection id is agreed on, records without it are not taken.
    if (
      record.epoch !== EPOCH ||
      record.version !== DtlsVersion.DTLS_1_2 ||
      (record.type === ContentType.TLS12_CID) !== (own !== undefined)
    )
      return Rejected.UNFIT;
    if (!this.window.admits(record.sequence)) return Rejected.REPLAYED;
    if (this.#wiped) return Rejected.UNFIT;
    const { sequenceBytes, type } = record;
    const additional = additionalData(type, sequenceBytes, record.connectionId);
    const plaintext = this.#cache.readingOf(this).open(sequenceBytes, additional, record.fragment);
    if (plaintext === undefined) return Rejected.FORGED;
    if (type !== ContentType.TLS12_CID) {
      return plaintext.length > MAX_PLAINTEXT ? Rejected.UNFIT : { type, content: plaintext };
    }
    // RFC 9146 §4: content, type, zeros.
    let last = plaintext.length - 1;
    while (last >= 0 && plaintext[last] === 0) last--;
    if (last < 0 || last > MAX_PLAINTEXT) return Rejected.UNFIT;
    return { type: plaintext[last] as number, content: plaintext.subarray(0, last) };
  }

  /** Overwrites the keys; nothing can be sealed or opened afterwards. */
  wipe(): void {
    this.#wiped = true;
    this.#cache.forget(this);
    this.keys.client.fill(0);
    this.keys.server.fill(0);
  }
}

function nonEmpty(id: Uint8Array | undefined): Uint8Array | undefined {
  return id === undefined || id.length === 0 ? undefined : id;
}

function innerPlaintext(type: number, content: Uint8Array): Uint8Array {
  const inner = Buffer.allocUnsafe(content.length + 1);
  inner.set(content);
  inner[content.length] = type;
  return inner;
}

/**
 * What is authenticated beside the plaintext (RFC 5246 §6.2.3.3 with the sequence of RFC 6347 §4.1.2.1; RFC 9146 §5.3). The
 * length at its end is filled in by the protection, which knows it.
 */
function additionalData(
  type: number,
  sequenceBytes: Uint8Array,
  connectionId: Uint8Array | undefined,
): Uint8Array {
  if (connectionId === undefined) {
    pseudoHeader.set(sequenceBytes);
    pseudoHeader[8] = type;
    writeUint16(pseudoHeader, 9, DtlsVersion.DTLS_1_2);
    return pseudoHeader;
  }
  const { length } = connectionId;
  pseudoHeadersWithId[length] ??= pseudoHeaderWithId(length);
  const data = pseudoHeadersWithId[length];
  for (let at = 0; at < 8; at++) data[13 + at] = sequenceBytes[at] as number;
  for (let at = 0; at < length; at++) data[21 + at] = connectionId[at] as number;
  return data;
}

/** RFC 9146 §5, with what is the same in all records; a connection id has at most 255 bytes. */
function pseudoHeaderWithId(idLength: number): Uint8Array {
  const data = new Uint8Array(23 + idLength).fill(0xff, 0, 8);
  data[8] = ContentType.TLS12_CID;
  data[9] = idLength;
  data[10] = ContentType.TLS12_CID;
  writeUint16(data, 11, DtlsVersion.DTLS_1_2);
  return data;
}
