import { DecodeError } from '../../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

/** Bytes of the header before each fragment of a handshake message. */
export const HANDSHAKE_HEADER_LENGTH = 12;

/** One fragment of a handshake message with its header (RFC 6347 §4.2.2). */
export interface HandshakeFragment {
  readonly type: number;
  /** Bytes of the whole message's body. */
  readonly length: number;
  readonly messageSeq: number;
  readonly fragmentOffset: number;
  readonly fragment: Uint8Array;
}

export function encodeHandshakeFragment(handshake: HandshakeFragment): Uint8Array {
  return new ByteWriter()
    .uint8(handshake.type)
    .uint24(handshake.length)
    .uint16(handshake.messageSeq)
    .uint24(handshake.fragmentOffset)
    .vector24(handshake.fragment)
    .finish();
}

/** A whole message in one fragment: so it goes into the transcript, however it travelled (RFC 6347 §4.2.6). */
export function encodeHandshakeMessage(type: number, messageSeq: number, body: Uint8Array): Uint8Array {
  return encodeHandshakeFragment({
    type,
    length: body.length,
    messageSeq,
    fragmentOffset: 0,
    fragment: body,
  });
}

/**
 * The fragments that one record holds: at least one, none of them going beyond its message's length.
 * @throws DecodeError
 */
export function decodeHandshakeFragments(data: Uint8Array): HandshakeFragment[] {
  const reader = new ByteReader(data, 'a handshake record');
  const fragments: HandshakeFragment[] = [];
  do {
    const type = reader.uint8();
    const length = reader.uint24();
    const messageSeq = reader.uint16();
    const fragmentOffset = reader.uint24();
    const fragment = reader.vector24();
    if (fragmentOffset + fragment.length > length) {
      throw new DecodeError('a fragment goes beyond the end of its handshake message');
    }
    fragments.push({ type, length, messageSeq, fragmentOffset, fragment });
  } while (reader.left > 0);
  return fragments;
}
