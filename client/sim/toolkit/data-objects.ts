import { isIPv4 } from 'node:net';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { type ComprehensionTlv, encodeComprehensionTlv } from '../comprehension-tlv.ts';
import { type OuterTag, Tag } from './tags.ts';

/** ETSI TS 102 223 §8.6: number is the card's, and is echoed. */
export interface CommandDetails {
  readonly number: number;
  readonly type: number;
  readonly qualifier: number;
}

/** ETSI TS 102 223 §8.7. */
export interface DeviceIdentities {
  readonly source: number;
  readonly destination: number;
}

/** ETSI TS 102 223 §8.12: a general result, and what the clause of that result adds to it. */
export interface Result {
  readonly general: number;
  readonly additional?: number;
}

/** ETSI TS 102 223 §8.56. */
export interface ChannelStatus {
  /** 1 to 7; 0: no channel. */
  readonly channel: number;
  /** The link is established, or the packet data service activated. */
  readonly linked: boolean;
  /** 0x05: the link was dropped. */
  readonly information: number;
}

/** ETSI TS 102 223 §8.52: type, and parameters that are the type's. */
export interface BearerDescription {
  readonly type: number;
  readonly parameters: Uint8Array;
}

/** ETSI TS 102 223 §8.59. */
export interface TransportLevel {
  readonly protocol: number;
  /** At the remote end. */
  readonly port: number;
}

/** ETSI TS 102 223 §8.15: coded by its first byte, the data coding scheme. */
export interface TextString {
  readonly coding: number;
  readonly text: Uint8Array;
}

/** ETSI TS 102 223 §8.19 and 3GPP TS 31.111 §8.19: the cell that serves the terminal. */
export interface LocationInformation {
  /** Three digits. */
  readonly mcc: string;
  /** Two or three digits. */
  readonly mnc: string;
  /** Location area or tracking area code, 16 bits. */
  readonly areaCode: number;
  /** 28 bits on E-UTRAN, in four bytes; 16 bits elsewhere, in two. */
  readonly cell: { readonly id: number; readonly bits: 16 | 28 };
}

/** ETSI TS 102 223 §8.39. */
export interface DateTime {
  /** Year 2000 to 2099, month from 1. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Minutes east of UTC, in quarters of an hour; undefined: unknown. */
  readonly zone: number | undefined;
}

export const addressTypes = { IPV4: 0x21, IPV6: 0x57 } as const;

/** One byte, checked. @throws DecodeError */
export function onlyByte(tlv: ComprehensionTlv): number {
  const [byte] = tlv.value;
  if (byte === undefined || tlv.value.length !== 1) {
    throw new DecodeError(`object ${tlv.tag.toString(16)} has ${tlv.value.length} bytes, not 1`);
  }
  return byte;
}

function bytesOf<T extends readonly number[]>(
  tlv: ComprehensionTlv,
  ...names: { [K in keyof T]: string }
): T {
  if (tlv.value.length !== names.length) {
    throw new DecodeError(`${names.join(', ')} are ${names.length} bytes, not ${tlv.value.length}`);
  }
  return [...tlv.value] as unknown as T;
}

/** @throws DecodeError */
export function decodeCommandDetails(tlv: ComprehensionTlv): CommandDetails {
  const [number, type, qualifier] = bytesOf<[number, number, number]>(tlv, 'number', 'type', 'qualifier');
  return { number, type, qualifier };
}

export function encodeCommandDetails({ number, type, qualifier }: CommandDetails): Uint8Array {
  return encodeComprehensionTlv(Tag.COMMAND_DETAILS, true, Uint8Array.of(number, type, qualifier));
}

/** @throws DecodeError */
export function decodeDeviceIdentities(tlv: ComprehensionTlv): DeviceIdentities {
  const [source, destination] = bytesOf<[number, number]>(tlv, 'source', 'destination');
  return { source, destination };
}

export function encodeDeviceIdentities(source: number, destination: number): Uint8Array {
  return encodeComprehensionTlv(Tag.DEVICE_IDENTITIES, true, Uint8Array.of(source, destination));
}

/** @throws DecodeError */
export function decodeResult(tlv: ComprehensionTlv): Result {
  const [general, additional] = tlv.value;
  if (general === undefined) throw new DecodeError('a result without its byte');
  return additional === undefined ? { general } : { general, additional };
}

export function encodeResult({ general, additional }: Result): Uint8Array {
  const value = additional === undefined ? [general] : [general, additional];
  return encodeComprehensionTlv(Tag.RESULT, true, Uint8Array.from(value));
}

/** @throws DecodeError */
export function decodeChannelStatus(tlv: ComprehensionTlv): ChannelStatus {
  const [first, information] = bytesOf<[number, number]>(tlv, 'channel status', 'further information');
  return { channel: first & 0x07, linked: (first & 0x80) !== 0, information };
}

export function encodeChannelStatus(status: ChannelStatus, required: boolean): Uint8Array {
  const first = status.channel | (status.linked ? 0x80 : 0);
  return encodeComprehensionTlv(Tag.CHANNEL_STATUS, required, Uint8Array.of(first, status.information));
}

/** @throws DecodeError */
export function decodeBearerDescription(tlv: ComprehensionTlv): BearerDescription {
  const type = tlv.value[0];
  if (type === undefined) throw new DecodeError('a bearer description without type');
  return { type, parameters: tlv.value.slice(1) };
}

export function encodeBearerDescription({ type, parameters }: BearerDescription): Uint8Array {
  return encodeComprehensionTlv(Tag.BEARER_DESCRIPTION, false, Uint8Array.of(type), parameters);
}

/** @throws DecodeError */
export function decodeShort(tlv: ComprehensionTlv): number {
  const [high, low] = bytesOf<[number, number]>(tlv, 'high byte', 'low byte');
  return (high << 8) | low;
}

export function encodeBufferSize(size: number): Uint8Array {
  return encodeComprehensionTlv(Tag.BUFFER_SIZE, false, Uint8Array.of(size >> 8, size & 0xff));
}

/** @throws DecodeError */
export function decodeTransportLevel(tlv: ComprehensionTlv): TransportLevel {
  const [protocol, high, low] = bytesOf<[number, number, number]>(tlv, 'protocol', 'port', 'port');
  return { protocol, port: (high << 8) | low };
}

export function encodeTransportLevel({ protocol, port }: TransportLevel): Uint8Array {
  const value = Uint8Array.of(protocol, port >> 8, port & 0xff);
  return encodeComprehensionTlv(Tag.TRANSPORT_LEVEL, false, value);
}

/** An address as text; undefined: the dynamic one, which the object leaves empty (ETSI TS 102 223 §8.58). @throws DecodeError */
export function decodeOtherAddress(tlv: ComprehensionTlv): string | undefined {
  const [type, ...bytes] = tlv.value;
  if (type === undefined) return undefined;
  if (type === addressTypes.IPV4 && bytes.length === 4) return bytes.join('.');
  if (type === addressTypes.IPV6 && bytes.length === 16) {
    return Array.from({ length: 8 }, (_, i) =>
      (((bytes[i * 2] ?? 0) << 8) | (bytes[i * 2 + 1] ?? 0)).toString(16),
    ).join(':');
  }
  throw new DecodeError(`no address: type ${type.toString(16)} with ${bytes.length} bytes`);
}

/** @throws RequestError no IPv4 address, nor an IPv6 address in its long form of eight groups */
export function encodeOtherAddress(address: string | undefined): Uint8Array {
  return encodeComprehensionTlv(Tag.OTHER_ADDRESS, false, otherAddress(address));
}

function otherAddress(address: string | undefined): Uint8Array {
  if (address === undefined) return new Uint8Array(0);
  if (isIPv4(address)) return Uint8Array.of(addressTypes.IPV4, ...address.split('.').map(Number));
  const groups = address.split(':');
  if (groups.length !== 8 || !groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) {
    throw new RequestError(`neither an IPv4 address nor an IPv6 address of eight groups: ${address}`);
  }
  const bytes = groups.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
  return Uint8Array.of(addressTypes.IPV6, ...bytes);
}

/** @throws DecodeError */
export function decodeTextString(tlv: ComprehensionTlv): TextString {
  const coding = tlv.value[0];
  if (coding === undefined) throw new DecodeError('a text string without its coding');
  return { coding, text: tlv.value.slice(1) };
}

export function encodeTextString({ coding, text }: TextString): Uint8Array {
  return encodeComprehensionTlv(Tag.TEXT_STRING, false, Uint8Array.of(coding), text);
}

/** An access point name: labels with their lengths (3GPP TS 23.003 §9.1). @throws DecodeError */
export function decodeNetworkAccessName(tlv: ComprehensionTlv): string {
  const labels: string[] = [];
  for (let offset = 0; offset < tlv.value.length; ) {
    const length = tlv.value[offset] ?? 0;
    const label = tlv.value.slice(offset + 1, offset + 1 + length);
    if (length === 0 || label.length < length)
      throw new DecodeError('an access point name with a wrong label');
    labels.push(String.fromCharCode(...label));
    offset += 1 + length;
  }
  return labels.join('.');
}

/** @throws RequestError a label of more than 63 characters, or of none, or not ASCII */
export function encodeNetworkAccessName(name: string): Uint8Array {
  const bytes = name.split('.').flatMap((label) => {
    if (!/^[!-~]{1,63}$/.test(label)) throw new RequestError(`no access point name: ${name}`);
    return [label.length, ...Buffer.from(label, 'latin1')];
  });
  return encodeComprehensionTlv(Tag.NETWORK_ACCESS_NAME, false, Uint8Array.from(bytes));
}

/**
 * Paths of files (ETSI TS 102 223 §8.18), each as file ids from the MF (3F00) or the application (7FFF).
 * @throws DecodeError
 */
export function decodeFileList(tlv: ComprehensionTlv): readonly (readonly number[])[] {
  const [count, ...bytes] = tlv.value;
  if (count === undefined || bytes.length % 2 !== 0) throw new DecodeError('a file list of odd length');
  const paths: number[][] = [];
  let ended = true;
  for (let i = 0; i < bytes.length; i += 2) {
    const id = ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
    if (ended || id === 0x3f00) paths.push([]);
    paths[paths.length - 1]?.push(id);
    ended = isElementaryFile(id);
  }
  if (paths.length !== count) throw new DecodeError(`${count} files announced, ${paths.length} listed`);
  return paths;
}

/** Ids of elementary files begin with 2F, 4F or 6F (ETSI TS 102 221 §8.5). */
function isElementaryFile(id: number): boolean {
  return [0x2f, 0x4f, 0x6f].includes(id >> 8);
}

export function encodeFileList(paths: readonly (readonly number[])[]): Uint8Array {
  const bytes = paths.flat().flatMap((id) => [id >> 8, id & 0xff]);
  return encodeComprehensionTlv(Tag.FILE_LIST, true, Uint8Array.of(paths.length, ...bytes));
}

/** D0 { … }, D6 { … } around COMPREHENSION-TLV objects. */
export function wrap(
  outer: (typeof OuterTag)[keyof typeof OuterTag],
  objects: readonly Uint8Array[],
): Uint8Array {
  const length = objects.reduce((sum, part) => sum + part.length, 0);
  const head = length < 0x80 ? [outer, length] : [outer, 0x81, length];
  if (length > 0xff) throw new RequestError(`${length} bytes do not fit one toolkit object`);
  return new Uint8Array(Buffer.concat([Uint8Array.from(head), ...objects]));
}
