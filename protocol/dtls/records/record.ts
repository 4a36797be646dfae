import { ContentType, DtlsVersion } from '../messages/constants.ts';

/** Bytes before the fragment of a record without connection id. */
export const RECORD_HEADER = 13;
/** RFC 6347 §4.1: bytes of a record's plaintext. */
export const MAX_PLAINTEXT = 16_384;
/** RFC 5246 §6.2.3: bytes that a record's protection may add. */
export const MAX_EXPANSION = 2_048;
/** The highest sequence number of an epoch. */
export const MAX_SEQUENCE = 2 ** 48 - 1;

/** A record as it came: views of the datagram. */
export interface DtlsRecord {
  readonly type: number;
  readonly version: number;
  readonly epoch: number;
  readonly sequence: number;
  /** Epoch and sequence number as they are on the wire, 8 bytes. */
  readonly sequenceBytes: Uint8Array;
  /** Present in records of type tls12_cid. */
  readonly connectionId: Uint8Array | undefined;
  readonly fragment: Uint8Array;
  /** Where the next record begins in the datagram. */
  readonly end: number;
}

/**
 * The record that begins at `offset` of a datagram. Connection ids have `connectionIdLength` bytes: their length is not in
 * the record (RFC 9146 §4). Undefined where there is none that could be one: the rest of the datagram is then dropped, and nobody is
 * told (RFC 6347 §4.1.2.7).
 */
export function readRecord(
  datagram: Uint8Array,
  offset: number,
  connectionIdLength: number,
): DtlsRecord | undefined {
  const type = datagram[offset];
  const idLength = type === ContentType.TLS12_CID ? connectionIdLength : 0;
  const start = offset + RECORD_HEADER + idLength;
  if (type === undefined || start > datagram.length) return undefined;
  const length = readUint16(datagram, start - 2);
  const end = start + length;
  if (end > datagram.length || length > MAX_PLAINTEXT + MAX_EXPANSION) return undefined;
  return {
    type,
    version: readUint16(datagram, offset + 1),
    epoch: readUint16(datagram, offset + 3),
    sequence: readUint16(datagram, offset + 5) * 2 ** 32 + readUint32(datagram, offset + 7),
    sequenceBytes: datagram.subarray(offset + 3, offset + 11),
    connectionId: idLength > 0 ? datagram.subarray(offset + 11, offset + 11 + idLength) : undefined,
    fragment: datagram.subarray(start, end),
    end,
  };
}

/** The record in memory of its own: what came is a view of a datagram, all of which would be kept by it. */
export function copyRecord(record: DtlsRecord): DtlsRecord {
  const { sequenceBytes, connectionId, fragment } = record;
  return {
    ...record,
    sequenceBytes: new Uint8Array(sequenceBytes),
    connectionId: connectionId && new Uint8Array(connectionId),
    fragment: new Uint8Array(fragment),
  };
}

/** Bytes of a record as it came. */
export function lengthOf({ connectionId, fragment }: DtlsRecord): number {
  return RECORD_HEADER + (connectionId?.length ?? 0) + fragment.length;
}

/** A record of epoch 0, which nothing protects. */
export function plainRecord(
  type: number,
  sequence: number,
  content: Uint8Array,
  version: number = DtlsVersion.DTLS_1_2,
): Uint8Array {
  const record = Buffer.allocUnsafe(RECORD_HEADER + content.length);
  writeHeader(record, type, version, 0, sequence, content.length);
  record.set(content, RECORD_HEADER);
  return record;
}

/** Writes the 13 bytes of a record's header without connection id. */
export function writeHeader(
  into: Uint8Array,
  type: number,
  version: number,
  epoch: number,
  sequence: number,
  length: number,
): void {
  into[0] = type;
  writeUint16(into, 1, version);
  writeUint16(into, 3, epoch);
  writeUint48(into, 5, sequence);
  writeUint16(into, 11, length);
}

function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return readUint16(bytes, at) * 65_536 + readUint16(bytes, at + 2);
}

export function writeUint16(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 8;
  into[at + 1] = value;
}

function writeUint48(into: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  writeUint16(into, at, high);
  writeUint16(into, at + 2, (value >>> 16) & 0xffff);
  writeUint16(into, at + 4, value & 0xffff);
}
