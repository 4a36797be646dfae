import { DecodeError } from '../../../protocol/errors.ts';

/** What a terminal can do, as a card is told: byte, from 1, and bit, from 1, in TERMINAL PROFILE (ETSI TS 102 223 §5.2). */
export const Facility = {
  PROFILE_DOWNLOAD: [1, 1],
  TIMER_EXPIRATION: [1, 6],
  MORE_TIME: [3, 4],
  POLL_INTERVAL: [3, 6],
  POLLING_OFF: [3, 7],
  REFRESH: [3, 8],
  LOCATION_AND_IMEI: [4, 7],
  NETWORK_MEASUREMENT_RESULTS: [4, 8],
  SET_UP_EVENT_LIST: [5, 1],
  EVENT_LOCATION_STATUS: [5, 5],
  EVENT_DATA_AVAILABLE: [6, 3],
  EVENT_CHANNEL_STATUS: [6, 4],
  TIMER_START_STOP: [8, 1],
  TIMER_GET: [8, 2],
  DATE_AND_TIME: [8, 3],
  LANGUAGE: [9, 4],
  ACCESS_TECHNOLOGY: [9, 8],
  OPEN_CHANNEL: [12, 1],
  CLOSE_CHANNEL: [12, 2],
  RECEIVE_DATA: [12, 3],
  SEND_DATA: [12, 4],
  GET_CHANNEL_STATUS: [12, 5],
  PACKET_BEARER: [13, 2],
  TCP_CLIENT: [17, 1],
  UDP_CLIENT: [17, 2],
  IMEISV: [18, 7],
  BATTERY_STATE: [22, 2],
} as const;
export type Facility = keyof typeof Facility;

export interface TerminalProfile {
  readonly facilities: ReadonlySet<Facility>;
  /** Channels of the bearer-independent protocol, 0 to 7. */
  readonly channels: number;
}

const length = 22;
/** The number of channels is in bits 6 to 8 of this byte. */
const channelsByte = 13;

export function encodeTerminalProfile({ facilities, channels }: TerminalProfile): Uint8Array {
  const bytes = new Uint8Array(length);
  const set = (byte: number, bits: number): void => {
    bytes[byte - 1] = (bytes[byte - 1] ?? 0) | bits;
  };
  for (const name of facilities) {
    const [byte, bit] = Facility[name];
    set(byte, 1 << (bit - 1));
  }
  set(channelsByte, (channels & 0x07) << 5);
  return bytes;
}

/** A shorter profile lacks what the bytes behind it would have told. @throws DecodeError an empty one */
export function decodeTerminalProfile(bytes: Uint8Array): TerminalProfile {
  if (bytes.length === 0) throw new DecodeError('an empty terminal profile');
  const has = (name: Facility): boolean => {
    const [byte, bit] = Facility[name];
    return (((bytes[byte - 1] ?? 0) >> (bit - 1)) & 1) === 1;
  };
  const facilities = new Set((Object.keys(Facility) as Facility[]).filter(has));
  return { facilities, channels: (bytes[channelsByte - 1] ?? 0) >> 5 };
}
