import { DecodeError, RequestError } from '../errors.ts';
import { type CoapOption, OptionNumber } from './message.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const NO_BYTES = new Uint8Array(0);

/** Segments and arguments that all devices send, such as `rd` and `lt=300`, are made strings once. */
const LONGEST_KNOWN = 12;
/** A power of 2. */
const KNOWN_TEXTS = 256;
const knownTexts: ({ readonly bytes: Uint8Array; readonly text: string } | undefined)[] = new Array(
  KNOWN_TEXTS,
).fill(undefined);

/**
 * A `string` option's value (RFC 7252 §3.2).
 * @throws DecodeError where the bytes are not UTF-8.
 */
export function decodeText(value: Uint8Array): string {
  const { length } = value;
  if (length > LONGEST_KNOWN || length === 0) return readText(value);
  let hash = length;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (value[i] as number), 0x01000193);
  const place = (hash ^ (hash >>> 16)) & (KNOWN_TEXTS - 1);
  const known = knownTexts[place];
  if (known !== undefined && isSame(known.bytes, value)) return known.text;
  const text = readText(value);
  knownTexts[place] = { bytes: value.slice(), text };
  return text;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

function readText(value: Uint8Array): string {
  let text = '';
  for (let i = 0; i < value.length; i++) {
    const byte = value[i] as number;
    if (byte > 0x7f) {
      try {
        return strict.decode(value);
      } catch {
        throw new DecodeError('a string option is not UTF-8');
      }
    }
    text += String.fromCharCode(byte);
  }
  return text;
}

/** The shortest form of a `uint` option (RFC 7252 §3.2): 0 has no bytes. Up to 2^53 - 1. */
export function encodeUint(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) throw new RequestError(`${value} is no unsigned integer`);
  if (value === 0) return NO_BYTES;
  if (value < 256) return Uint8Array.of(value);
  if (value < 65_536) return Uint8Array.of(value >> 8, value);
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.from(bytes);
}

/**
 * A `uint` option's value, most significant byte first, leading zeros allowed (RFC 7252 §3.2).
 * @throws DecodeError where it is longer than `maxLength` bytes.
 */
export function decodeUint(value: Uint8Array, maxLength = 4): number {
  if (value.length > maxLength)
    throw new DecodeError(`an integer of ${value.length} bytes: at most ${maxLength}`);
  let result = 0;
  for (let i = 0; i < value.length; i++) result = result * 256 + (value[i] as number);
  return result;
}

/** The first option with that number. */
export function findOption(options: readonly CoapOption[], number: number): CoapOption | undefined {
  for (let i = 0; i < options.length; i++) {
    const option = options[i] as CoapOption;
    if (option.number === number) return option;
  }
  return undefined;
}

/** True where an option with that number is there. */
export function hasOption(options: readonly CoapOption[], number: number): boolean {
  return findOption(options, number) !== undefined;
}

/** The options without those of that number. */
export function withoutOption(options: readonly CoapOption[], ...numbers: number[]): readonly CoapOption[] {
  return options.some((option) => numbers.includes(option.number))
    ? options.filter((option) => !numbers.includes(option.number))
    : options;
}

/** The first `uint` option with that number; undefined where it is absent or too long (RFC 7252 §5.4.3). */
export function uintOf(options: readonly CoapOption[], number: number, maxLength = 4): number | undefined {
  const option = findOption(options, number);
  return option === undefined || option.value.length > maxLength
    ? undefined
    : decodeUint(option.value, maxLength);
}

/** The values of all string options with that number, in order. @throws DecodeError where one is not UTF-8. */
export function optionStrings(options: readonly CoapOption[], number: number): string[] {
  const texts: string[] = [];
  for (const option of options) if (option.number === number) texts.push(decodeText(option.value));
  return texts;
}

/** The segments of the path asked for; `/rd/5a3f` is `['rd', '5a3f']` (RFC 7252 §5.10.1). */
export function uriPath(options: readonly CoapOption[]): string[] {
  return optionStrings(options, OptionNumber.URI_PATH);
}

/** The query's arguments, such as `ep=modem-1` (RFC 7252 §5.10.1). */
export function uriQuery(options: readonly CoapOption[]): string[] {
  return optionStrings(options, OptionNumber.URI_QUERY);
}

/** The segments of the path that a 2.01 names (RFC 7252 §5.10.7). */
export function locationPath(options: readonly CoapOption[]): string[] {
  return optionStrings(options, OptionNumber.LOCATION_PATH);
}

/** The Content-Format, if there is one (RFC 7252 §5.10.3). */
export function contentFormat(options: readonly CoapOption[]): number | undefined {
  return uintOf(options, OptionNumber.CONTENT_FORMAT, 2);
}

/** The Content-Format that the client wants (RFC 7252 §5.10.4). */
export function accept(options: readonly CoapOption[]): number | undefined {
  return uintOf(options, OptionNumber.ACCEPT, 2);
}

/** Observe: 0 and 1 in requests, a sequence number in responses (RFC 7641 §2). */
export function observe(options: readonly CoapOption[]): number | undefined {
  return uintOf(options, OptionNumber.OBSERVE, 3);
}

/** Seconds that a response stays fresh (RFC 7252 §5.10.5); with 5.03, when to try again. Undefined: not told. */
export function maxAge(options: readonly CoapOption[]): number | undefined {
  return uintOf(options, OptionNumber.MAX_AGE, 4);
}

/** A `uint` option. */
export function uintOption(number: number, value: number): CoapOption {
  return { number, value: encodeUint(value) };
}

/** A `string` option. */
export function stringOption(number: number, text: string): CoapOption {
  return { number, value: encoder.encode(text) };
}

export function contentFormatOption(format: number): CoapOption {
  return uintOption(OptionNumber.CONTENT_FORMAT, format);
}

export function acceptOption(format: number): CoapOption {
  return uintOption(OptionNumber.ACCEPT, format);
}

function segmentsOf(number: number, path: string): CoapOption[] {
  const relative = path.startsWith('/') ? path.slice(1) : path;
  if (relative === '') return [];
  return relative.split('/').map((segment) => {
    const option = stringOption(number, segment);
    if (option.value.length > 255) throw new RequestError('a path segment has at most 255 bytes');
    return option;
  });
}

/** `/rd/5a3f` as Uri-Path options. Segments are taken as they stand: nothing is percent-decoded. */
export function pathOptions(path: string): CoapOption[] {
  return segmentsOf(OptionNumber.URI_PATH, path);
}

/** `/rd/5a3f` as Location-Path options. */
export function locationPathOptions(path: string): CoapOption[] {
  return segmentsOf(OptionNumber.LOCATION_PATH, path);
}

/** `['ep=modem-1', 'lt=300']` as Uri-Query options. */
export function queryOptions(queries: readonly string[]): CoapOption[] {
  return queries.map((query) => {
    const option = stringOption(OptionNumber.URI_QUERY, query);
    if (option.value.length > 255) throw new RequestError('a query argument has at most 255 bytes');
    return option;
  });
}

/** The value of Block1 and Block2 (RFC 7959 §2.2). */
export interface Block {
  readonly number: number;
  readonly more: boolean;
  /** In bytes: 16 to 1024. */
  readonly size: number;
}

/**
 * Reads a Block1 or Block2 value (RFC 7959 §2.2).
 * @throws DecodeError where it is longer than 3 bytes, or its SZX is the reserved 7.
 */
export function decodeBlock(value: Uint8Array): Block {
  const raw = decodeUint(value, 3);
  const exponent = raw & 7;
  if (exponent === 7) throw new DecodeError('block size exponent 7 is reserved');
  return { number: raw >>> 4, more: (raw & 8) !== 0, size: 16 << exponent };
}

/** A Block1 or Block2 value (RFC 7959 §2.2). */
export function encodeBlock(block: Block): Uint8Array {
  const exponent = Math.log2(block.size) - 4;
  if (!Number.isInteger(exponent) || exponent < 0 || exponent > 6) {
    throw new RequestError(`no block has ${block.size} bytes`);
  }
  if (!(block.number >= 0 && block.number < 1 << 20))
    throw new RequestError(`no block has number ${block.number}`);
  return encodeUint((block.number << 4) | (block.more ? 8 : 0) | exponent);
}

/** The Block1 (27) or Block2 (23) option, if there is one. @throws DecodeError as decodeBlock. */
export function blockOf(options: readonly CoapOption[], number: number): Block | undefined {
  const option = findOption(options, number);
  return option === undefined ? undefined : decodeBlock(option.value);
}

export function blockOption(number: number, block: Block): CoapOption {
  return { number, value: encodeBlock(block) };
}
