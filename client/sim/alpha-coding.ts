import { DecodeError } from '../../protocol/errors.ts';

/** The default alphabet, 3GPP TS 23.038 §6.2.1, in the order of its codes. */
const alphabet = [
  ...'@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ',
  ...' !"#¤%&\'()*+,-./0123456789:;<=>?',
  ...'¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§',
  ...'¿abcdefghijklmnopqrstuvwxyzäöñüà',
];
/** Code of the escape to the extension table. */
const escapeCode = 0x1b;
/** §6.2.1.1. */
const extension: Readonly<Record<number, string>> = {
  10: '\f',
  20: '^',
  40: '{',
  41: '}',
  47: '\\',
  60: '[',
  61: '~',
  62: ']',
  64: '|',
  101: '€',
};
const extensionCodes = new Map(Object.entries(extension).map(([code, char]) => [char, Number(code)]));

/** First bytes that say that UCS2 follows, in one of its three forms: ETSI TS 102 221 annex A. */
const Ucs2 = { PLAIN: 0x80, HALF_PAGE: 0x81, OFFSET: 0x82 } as const;

/** A text of a file, coded as ETSI TS 102 221 annex A has it; FF at its end fills the file. @throws DecodeError */
export function decodeAlpha(bytes: Uint8Array): string {
  switch (bytes[0]) {
    case Ucs2.PLAIN:
      return decodePlainUcs2(bytes.subarray(1));
    case Ucs2.HALF_PAGE:
      return decodeCompact(bytes, 3, (bytes[2] ?? 0) << 7);
    case Ucs2.OFFSET:
      return decodeCompact(bytes, 4, ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0));
    default:
      return decodeDefault(unfilled(bytes));
  }
}

function unfilled(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0xff);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function decodeDefault(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes[i] ?? 0;
    // What the extension table does not have is a space for who does not know it.
    const char = code === escapeCode ? (extension[bytes[++i] ?? 0] ?? ' ') : alphabet[code];
    if (char === undefined)
      throw new DecodeError(`no character of the default alphabet: ${code.toString(16)}`);
    text += char;
  }
  return text;
}

function decodePlainUcs2(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    const unit = ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
    if (unit === 0xffff) break;
    text += String.fromCharCode(unit);
  }
  return text;
}

/** Characters below 80 are of the default alphabet, the others are so far above `base`. */
function decodeCompact(bytes: Uint8Array, head: number, base: number): string {
  const count = bytes[1];
  if (count === undefined || bytes.length < head + count) throw new DecodeError('a text that is cut off');
  return [...bytes.subarray(head, head + count)]
    .map((byte) =>
      byte < 0x80 ? decodeDefault(Uint8Array.of(byte)) : String.fromCharCode(base + (byte & 0x7f)),
    )
    .join('');
}

/** In the default alphabet where that has all of it, else in UCS2; as much as fits so many bytes, FF behind it. */
export function encodeAlpha(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(0xff);
  const codes = [...text].map(codesOf);
  if (codes.every((code) => code !== undefined)) {
    let at = 0;
    for (const code of codes) {
      if (code === undefined || at + code.length > length) break;
      bytes.set(code, at);
      at += code.length;
    }
    return bytes;
  }
  bytes[0] = Ucs2.PLAIN;
  for (let i = 0; i < text.length && i * 2 + 2 < length; i++) {
    const unit = text.charCodeAt(i);
    bytes.set([unit >> 8, unit & 0xff], 1 + i * 2);
  }
  return bytes;
}

function codesOf(char: string): readonly number[] | undefined {
  const extended = extensionCodes.get(char);
  if (extended !== undefined) return [escapeCode, extended];
  const code = alphabet.indexOf(char);
  return code < 0 || code === escapeCode ? undefined : [code];
}
