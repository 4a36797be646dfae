import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import type { CommandApdu } from '../apdu.ts';

/**
 * Instructions of the old carrier applet. They are no standard's: in class 00, F2 is like STATUS, F3 like FETCH
 * and F4 like TERMINAL RESPONSE of ETSI TS 102 223, on the basic channel, whatever is selected.
 */
export const LegacyIns = {
  STATUS: 0xf2,
  FETCH: 0xf3,
  RESPONSE: 0xf4,
} as const;

/** Bytes that a fetch asks for: the card cuts its answer there or fills it up, and never tells the right length. */
export const LegacyLength = {
  /** What may be anything: a poll. */
  POLL: 0x15,
  /** SEND DATA with an acknowledgement of 2 bytes. */
  ACK: 0x11,
  /** SEND DATA with a reading of 18 bytes. */
  READING: 0x21,
} as const;

/** In SEND DATA the packet begins here, whatever the lengths before it say. */
export const legacyPacketOffset = 15;

/** What the applet asks of the modem. */
export type LegacyAnswer =
  | { readonly kind: 'open-channel'; readonly destination: LegacyDestination | undefined }
  | { readonly kind: 'receive-data' }
  /** `packet` runs to the end of the answer, which may be filled up with zeros. */
  | { readonly kind: 'send-data'; readonly packet: Uint8Array };

export interface LegacyDestination {
  /** Dotted decimal. */
  readonly address: string;
  readonly port: number;
}

/** `00F30000 Le`. */
export function legacyFetch(le: number): CommandApdu {
  return { cla: 0x00, ins: LegacyIns.FETCH, p1: 0, p2: 0, le };
}

/** `00F2000011`: what the applet acknowledged last. */
export function legacyStatus(): CommandApdu {
  return { cla: 0x00, ins: LegacyIns.STATUS, p1: 0, p2: 0, le: LegacyLength.ACK };
}

/** `00F40000 Lc` and a packet of the flow protocol as it comes over UDP. @throws RequestError not 1 to 255 bytes */
export function legacyResponse(packet: Uint8Array): CommandApdu {
  if (packet.length < 1 || packet.length > 255) {
    throw new RequestError(`the applet takes packets of 1 to 255 bytes, not ${packet.length}`);
  }
  return { cla: 0x00, ins: LegacyIns.RESPONSE, p1: 0, p2: 0, data: packet };
}

const openChannelStart = 0xd01e;
const receiveDataStart = 0xd00e;
const sendDataStart = 0xd029;
/** Whole, OPEN CHANNEL has this many bytes; a poll of 21 cuts it before the address. */
const openChannelLength = 32;
/** Where the UICC/terminal transport level (tag 3C) begins in it, and after it the address (tag 3E). */
const transportOffset = 20;

/**
 * Reads an answer to a fetch by its first two bytes, the only ones that can be relied on.
 * @throws DecodeError it begins otherwise, or a SEND DATA ends before its packet
 */
export function decodeLegacyAnswer(bytes: Uint8Array): LegacyAnswer {
  const start = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  switch (start) {
    case openChannelStart:
      return { kind: 'open-channel', destination: decodeDestination(bytes) };
    case receiveDataStart:
      return { kind: 'receive-data' };
    case sendDataStart:
      if (bytes.length <= legacyPacketOffset) {
        throw new DecodeError(`SEND DATA of ${bytes.length} bytes ends before its packet`);
      }
      return { kind: 'send-data', packet: bytes.slice(legacyPacketOffset) };
    default:
      throw new DecodeError(`no answer of the old applet: ${describeStart(bytes)}`);
  }
}

/** Undefined where the answer was cut before it, or has something else there. */
function decodeDestination(bytes: Uint8Array): LegacyDestination | undefined {
  if (bytes.length < openChannelLength) return undefined;
  const [tag, length, , portHigh = 0, portLow = 0, addressTag, addressLength, type, ...rest] =
    bytes.subarray(transportOffset);
  const address = rest.slice(0, 4);
  const fits =
    masked(tag) === 0x3c &&
    length === 3 &&
    masked(addressTag) === 0x3e &&
    addressLength === 5 &&
    type === 0x21;
  return fits ? { address: address.join('.'), port: (portHigh << 8) | portLow } : undefined;
}

/** A COMPREHENSION-TLV tag without its comprehension bit, ETSI TS 101 220 §7.1.1. */
function masked(tag: number | undefined): number {
  return (tag ?? 0) & 0x7f;
}

function describeStart(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing';
  return Array.from(bytes.subarray(0, 2), (byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(
    '',
  );
}

/** The card's side: what the applet asks, whole. SEND DATA tells a length of its own, not its packet's. */
export function encodeLegacyAnswer(answer: LegacyAnswer): Uint8Array {
  switch (answer.kind) {
    case 'open-channel': {
      const { address = '0.0.0.0', port = 0 } = answer.destination ?? {};
      // Details (OPEN CHANNEL, immediate), devices, empty alpha, default bearer, 1400 bytes, UDP and port, address.
      return Uint8Array.of(
        ...[0xd0, 0x1e, 0x81, 0x03, 0x01, 0x40, 0x01, 0x82, 0x02, 0x81, 0x82, 0x85, 0x00, 0x35, 0x01, 0x03],
        ...[0x39, 0x02, 0x05, 0x78, 0x3c, 0x03, 0x01, port >> 8, port & 0xff],
        ...[0x3e, 0x05, 0x21, ...address.split('.').map(Number)],
      );
    }
    case 'receive-data':
      // Details (RECEIVE DATA), UICC to channel 1, empty alpha, 2 bytes wanted.
      return Uint8Array.of(
        ...[0xd0, 0x0e, 0x81, 0x03, 0x01, 0x42, 0x00, 0x82, 0x02, 0x81, 0x21, 0x85, 0x00, 0xb7, 0x01, 0x02],
      );
    case 'send-data':
      // Details (SEND DATA, immediate), UICC to channel 1, empty alpha, channel data of 28 bytes, which it has not.
      return Uint8Array.of(
        ...[0xd0, 0x29, 0x81, 0x03, 0x01, 0x43, 0x01, 0x82, 0x02, 0x81, 0x21, 0x85, 0x00, 0xb6, 0x1c],
        ...answer.packet,
      );
  }
}
