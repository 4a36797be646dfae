import { RequestError } from '../../protocol/errors.ts';
import type { Identity } from '../ports/credential-store.ts';

/** Bytes of a PSK identity and of a key that every LwM2M client has to be able to hold (RFC 4279 §5.3). */
export const longestIdentity = 128;
export const longestKey = 64;

/** Controls, invisible and direction-changing characters: two identities that look the same must be the same. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The identity of a ClientKeyExchange, which RFC 4279 §5.1 has in UTF-8; undefined where it is none of ours. */
export function pskIdentityOf(bytes: Uint8Array): Identity | undefined {
  if (bytes.length === 0 || bytes.length > longestIdentity) return undefined;
  try {
    return { kind: 'psk', name: utf8.decode(bytes) };
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** @throws RequestError it cannot be a PSK identity */
export function checkIdentityName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0) throw new RequestError('the identity is missing');
  if (bytes > longestIdentity) throw new RequestError(`the identity is longer than ${longestIdentity} bytes`);
  if (UNPRINTABLE.test(name)) throw new RequestError('the identity has a character that cannot be shown');
}

/** A key in hex. @throws RequestError, which does not show it */
export function parseKey(hex: string): Uint8Array {
  if (hex === '') throw new RequestError('the key is missing');
  if (!/^(?:[\da-f]{2})+$/i.test(hex)) throw new RequestError('the key is not hex digits in pairs');
  if (hex.length > 2 * longestKey) throw new RequestError(`the key is longer than ${longestKey} bytes`);
  return Buffer.from(hex, 'hex');
}

/** One text for each identity of an account. */
export function identityKey(account: string, { kind, name }: Identity): string {
  return `${account} ${kind} ${name}`;
}

export function sameIdentity(a: Identity, b: Identity): boolean {
  return a.kind === b.kind && a.name === b.name;
}
