import { Direction } from '../../protocol/coap/tapped-port.ts';
import { parsePeer } from '../../protocol/coap/udp-port.ts';
import { RequestError } from '../../protocol/errors.ts';
import type { CapturedMessage } from './captured-message.ts';

// A capture file for Wireshark and its kind (draft-ietf-opsawg-pcapng): the datagrams as they passed, with the IP and
// UDP headers that they would have had.

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** IPv4 or IPv6, by the first four bits. */
const LINKTYPE_RAW = 101;
const UDP = 17;
const HOP_LIMIT = 64;
/** UDP without a known port: CoAP's (RFC 7252 §6.1). */
const COAP_PORT = 5683;

interface Endpoint {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

/**
 * @param local where the server is reached
 * @param epoch ms since the epoch at the messages' zero
 */
export function encodePcapng(
  messages: readonly CapturedMessage[],
  local: string,
  epoch: number,
  application: string,
): Buffer {
  const server = endpointOf(local);
  return Buffer.concat([
    sectionHeader(application),
    interfaceDescription(),
    ...messages.map((message) => packet(message, server, epoch)),
  ]);
}

function sectionHeader(application: string): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  body.writeUInt16LE(1, 4);
  body.writeUInt16LE(0, 6);
  // The section's length is not told.
  body.writeBigInt64LE(-1n, 8);
  return block(SECTION_HEADER, [body, options([[4, Buffer.from(application)]])]);
}

function interfaceDescription(): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINKTYPE_RAW, 0);
  // No limit of the captured length is told; times are in µs, as where nothing is said.
  return block(INTERFACE_DESCRIPTION, [body, options([[2, Buffer.from('coap')]])]);
}

function packet(message: CapturedMessage, server: Endpoint, epoch: number): Buffer {
  const device = endpointOf(message.transportAddress);
  const isIn = message.direction === Direction.IN;
  const [from, to] = isIn ? [device, server] : [server, device];
  const headers = datagramHeaders(from, to, message);
  const micros = BigInt(Math.round((message.time + epoch) * 1000));
  const body = Buffer.alloc(20);
  body.writeUInt32LE(0, 0);
  body.writeUInt32LE(Number(micros >> 32n), 4);
  body.writeUInt32LE(Number(micros & 0xffffffffn), 8);
  body.writeUInt32LE(headers.length + message.data.length, 12);
  body.writeUInt32LE(headers.length + message.size, 16);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(isIn ? 1 : 2, 0);
  return block(ENHANCED_PACKET, [
    body,
    padded(Buffer.concat([headers, message.data])),
    options([[2, flags]]),
  ]);
}

function datagramHeaders(from: Endpoint, to: Endpoint, { data, size }: CapturedMessage): Buffer {
  const isIpv4 = from.address.length === 4 && to.address.length === 4;
  const [source, destination] = isIpv4
    ? [from.address, to.address]
    : [mapped(from.address), mapped(to.address)];
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(from.port, 0);
  udp.writeUInt16BE(to.port, 2);
  udp.writeUInt16BE(Math.min(8 + size, 0xffff), 4);
  // Of what was cut there is none to be had; 0 says so (RFC 768).
  if (data.length === size) udp.writeUInt16BE(udpChecksum(source, destination, udp, data), 6);
  return Buffer.concat([isIpv4 ? ipv4(source, destination, size) : ipv6(source, destination, size), udp]);
}

function ipv4(source: Uint8Array, destination: Uint8Array, size: number): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(Math.min(28 + size, 0xffff), 2);
  header.writeUInt8(HOP_LIMIT, 8);
  header.writeUInt8(UDP, 9);
  header.set(source, 12);
  header.set(destination, 16);
  header.writeUInt16BE(checksum([header]), 10);
  return header;
}

function ipv6(source: Uint8Array, destination: Uint8Array, size: number): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(Math.min(8 + size, 0xffff), 4);
  header.writeUInt8(UDP, 6);
  header.writeUInt8(HOP_LIMIT, 7);
  header.set(source, 8);
  header.set(destination, 24);
  return header;
}

/** RFC 768, and RFC 8200 §8.1: the same sum over the pseudo-header of either version. */
function udpChecksum(source: Uint8Array, destination: Uint8Array, udp: Uint8Array, data: Uint8Array): number {
  const rest = Buffer.alloc(4);
  rest.writeUInt16BE(UDP, 0);
  rest.writeUInt16BE(udp.length + data.length, 2);
  return checksum([source, destination, rest, udp, data]) || 0xffff;
}

/** RFC 1071. All parts but the last have an even number of bytes. */
function checksum(parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) {
      sum += ((part[at] as number) << 8) | (part[at + 1] ?? 0);
    }
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** What is no numeric address is shown as the unspecified one. */
function endpointOf(peer: string): Endpoint {
  try {
    const { host, port } = parsePeer(peer);
    return {
      address: host.includes(':') ? ipv6Bytes(host) : Uint8Array.from(host.split('.').map(Number)),
      port,
    };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { address: new Uint8Array(4), port: COAP_PORT };
  }
}

function ipv6Bytes(host: string): Uint8Array {
  const [bare = ''] = host.split('%');
  // The last four bytes may stand as IPv4 does (RFC 4291 §2.2).
  const text = bare.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a, b, c, d] = parts.slice(0, 4).map(Number) as [number, number, number, number];
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = text.split('::');
  const groups = (part: string | undefined): number[] =>
    part === undefined || part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const first = groups(head);
  const last = groups(tail);
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function mapped(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  // The unspecified address of one family is that of the other.
  if (address.every((byte) => byte === 0)) return new Uint8Array(16);
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...address);
}

function block(type: number, parts: readonly Buffer[]): Buffer {
  const length = 12 + parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(length, 0);
  return Buffer.concat([head, ...parts, tail]);
}

function options(list: readonly (readonly [code: number, value: Buffer])[]): Buffer {
  const parts = list.flatMap(([code, value]) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(code, 0);
    head.writeUInt16LE(value.length, 2);
    return [head, padded(value)];
  });
  return Buffer.concat([...parts, Buffer.alloc(4)]);
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
}
