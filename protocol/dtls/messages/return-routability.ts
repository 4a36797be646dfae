import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

/** RFC 9853 §4. */
export const PathMessageType = { PATH_CHALLENGE: 0, PATH_RESPONSE: 1, PATH_DROP: 2 } as const;

/** A message of the return routability check; types beyond those of the table are ignored by whoever receives them. */
export interface PathMessage {
  readonly type: number;
  /** 8 bytes: random in a challenge, and the same again in its answer. */
  readonly cookie: Uint8Array;
}

const COOKIE_LENGTH = 8;

export function encodePathMessage({ type, cookie }: PathMessage): Uint8Array {
  return new ByteWriter().uint8(type).bytes(cookie).finish();
}

/** @throws DecodeError */
export function decodePathMessage(data: Uint8Array): PathMessage {
  const reader = new ByteReader(data, 'a return routability check');
  const type = reader.uint8();
  const cookie = reader.bytes(COOKIE_LENGTH);
  reader.end();
  return { type, cookie };
}
