import { DecodeError } from '../errors.ts';

// Text and base64 without Buffer, which browsers do not have.

const encoder = new TextEncoder();
// A byte order mark is part of the text: dropping it would change what the device said.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** @throws DecodeError not UTF-8 */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string {
  // Short ASCII, which most names and values are, costs less by hand than a call of TextDecoder.
  if (end - start <= 24) {
    let text = '';
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte > 0x7f) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    throw new DecodeError('a text is not UTF-8');
  }
}

/**
 * A copy as a plain Uint8Array: values outlive the datagram that they came in, and Buffer's own
 * `slice` would share its memory.
 */
export function copyBytes(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const URL_SAFE = `${STANDARD.slice(0, 62)}-_`;
const DIGITS = new Int8Array(128).fill(-1);
for (const alphabet of [STANDARD, URL_SAFE]) {
  for (let digit = 0; digit < 64; digit++) DIGITS[alphabet.charCodeAt(digit)] = digit;
}

/** RFC 4648 §4 with padding, or §5 (`url`) without, as RFC 8428 §5 asks. */
export function encodeBase64(bytes: Uint8Array, variant: 'standard' | 'url'): string {
  const alphabet = variant === 'url' ? URL_SAFE : STANDARD;
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = ((bytes[at] as number) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += alphabet.charAt(group >> 18) + alphabet.charAt((group >> 12) & 63);
    text += left > 1 ? alphabet.charAt((group >> 6) & 63) : variant === 'url' ? '' : '=';
    text += left > 2 ? alphabet.charAt(group & 63) : variant === 'url' ? '' : '=';
  }
  return text;
}

/**
 * Reads either alphabet, padded or not: devices mix them up.
 * @throws DecodeError other characters, an impossible length, or bits set that belong to no byte
 */
export function decodeBase64(text: string): Uint8Array {
  let length = text.length;
  if (length % 4 === 0) {
    if (text.endsWith('==')) length -= 2;
    else if (text.endsWith('=')) length -= 1;
  }
  if (length % 4 === 1) throw new DecodeError('base64 of an impossible length');
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let bits = 0;
  let group = 0;
  let written = 0;
  for (let at = 0; at < length; at++) {
    const digit = DIGITS[text.charCodeAt(at)] ?? -1;
    if (digit < 0) throw new DecodeError(`'${text.charAt(at)}' is no digit of base64`);
    group = ((group << 6) | digit) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[written++] = (group >> bits) & 0xff;
    }
  }
  if ((group & ((1 << bits) - 1)) !== 0) throw new DecodeError('base64 with bits left over');
  return bytes;
}
