import { DecodeError, RequestError } from '../errors.ts';
import { decodeTemporenc, encodeTemporenc, TEMPORENC_LENGTH, type WallClockTime } from '../temporenc.ts';
import { CarrierSwitchTopic, FlowCode, IotStatus, IotTopic, SwitchStatus } from './names.ts';

// The packets of system A's UDP protocol: docs/guides/gateway.md. Big-endian; the first byte is `flow << 4 | topic`.
// There is no length, id, checksum or authentication: a packet ends where the datagram does.

/** A reading of an IoT device behind the modem: u32 device id, temporenc timestamp, u8 length, data. */
export interface IotDataPacket {
  readonly kind: 'iot-data';
  /** 0 to 2^32 - 1. */
  readonly deviceId: number;
  /** When it was taken, by a clock of which nobody says in which zone it stands. */
  readonly takenAt: WallClockTime;
  /** At most 255 bytes; what they mean is between the device and whoever reads it (`reading-data.ts` has the default). */
  readonly data: Uint8Array;
}

/** `status << 4`: how the IoT side of the modem is; it names no device. */
export interface IotStatusPacket {
  readonly kind: 'iot-status';
  readonly status: (typeof IotStatus)[keyof typeof IotStatus];
}

/** `carrier << 4`: the one packet that goes to the device. */
export interface CarrierSwitchPerformPacket {
  readonly kind: 'carrier-switch-perform';
  /** 0 to 15, see `FlowCarrier`. */
  readonly carrier: number;
}

/** `status << 4 | carrier`: how a switch ended, and the carrier that is connected now. It names no request. */
export interface CarrierSwitchAckPacket {
  readonly kind: 'carrier-switch-ack';
  readonly status: (typeof SwitchStatus)[keyof typeof SwitchStatus];
  /** 0 to 15, see `FlowCarrier`. */
  readonly carrier: number;
}

/** From the device to the service. */
export type UpstreamPacket = IotDataPacket | IotStatusPacket | CarrierSwitchAckPacket;
/** From the service to the device. */
export type DownstreamPacket = CarrierSwitchPerformPacket;
export type FlowPacket = UpstreamPacket | DownstreamPacket;

export type FlowDirection = 'upstream' | 'downstream';

/** The longest datagram that either side reads; no packet is longer than 269 bytes. */
export const MAX_DATAGRAM = 1024;
export const MAX_DATA_LENGTH = 255;
/** First byte, device id, timestamp, length. */
const DATA_HEAD = 1 + 4 + TEMPORENC_LENGTH + 1;

/** @throws RequestError a number that does not fit its field */
export function encodePacket(packet: FlowPacket): Uint8Array {
  switch (packet.kind) {
    case 'iot-data':
      return encodeIotData(packet);
    case 'iot-status':
      return short(FlowCode.IOT, IotTopic.STATUS, packet.status, 0);
    case 'carrier-switch-perform':
      return short(FlowCode.CARRIER_SWITCH, CarrierSwitchTopic.PERFORM, packet.carrier, 0);
    case 'carrier-switch-ack':
      return short(FlowCode.CARRIER_SWITCH, CarrierSwitchTopic.ACK, packet.status, packet.carrier);
  }
}

/**
 * One packet, which is all of `bytes`.
 * @param direction which way it went: each packet goes one way only
 * @throws DecodeError what is not such a packet, of this direction, or has bytes after its end
 */
export function decodePacket(bytes: Uint8Array, direction: 'upstream'): UpstreamPacket;
export function decodePacket(bytes: Uint8Array, direction: 'downstream'): DownstreamPacket;
export function decodePacket(bytes: Uint8Array, direction: FlowDirection): FlowPacket;
export function decodePacket(bytes: Uint8Array, direction: FlowDirection): FlowPacket {
  const length = packetLength(bytes, direction);
  if (length < bytes.length)
    throw new DecodeError(`${bytes.length - length} bytes after the end of a packet`);
  const second = bytes[1] as number;
  switch (bytes[0]) {
    case first(FlowCode.IOT, IotTopic.DATA):
      return decodeIotData(bytes);
    case first(FlowCode.IOT, IotTopic.STATUS):
      return { kind: 'iot-status', status: oneOf(IotStatus, highAlone(second), 'IoT status') };
    case first(FlowCode.CARRIER_SWITCH, CarrierSwitchTopic.PERFORM):
      return { kind: 'carrier-switch-perform', carrier: highAlone(second) };
    default: {
      // A carrier-switch ack: `packetLength` has refused everything else.
      const status = oneOf(SwitchStatus, second >> 4, 'status of a carrier switch');
      return { kind: 'carrier-switch-ack', status, carrier: second & 0x0f };
    }
  }
}

/**
 * How many bytes the packet takes at whose first byte `bytes` begins, for containers that are longer than what they
 * contain, as the old applet's answers are. What is in the packet is not looked at.
 * @throws DecodeError no packet of this direction begins so, or it is cut short
 */
export function packetLength(bytes: Uint8Array, direction: FlowDirection): number {
  const type = bytes[0];
  if (type === undefined) throw new DecodeError('an empty packet');
  let length: number;
  if (direction === 'downstream') {
    if (type !== first(FlowCode.CARRIER_SWITCH, CarrierSwitchTopic.PERFORM)) throw unknown(type, direction);
    length = 2;
  } else if (type === first(FlowCode.IOT, IotTopic.DATA)) {
    length = DATA_HEAD + (bytes[DATA_HEAD - 1] ?? 0);
  } else if (
    type === first(FlowCode.IOT, IotTopic.STATUS) ||
    type === first(FlowCode.CARRIER_SWITCH, CarrierSwitchTopic.ACK)
  ) {
    length = 2;
  } else {
    throw unknown(type, direction);
  }
  if (bytes.length < length) throw new DecodeError(`a packet of ${bytes.length} bytes instead of ${length}`);
  return length;
}

function encodeIotData({ deviceId, takenAt, data }: IotDataPacket): Uint8Array {
  if (!Number.isInteger(deviceId) || deviceId < 0 || deviceId > 0xffff_ffff) {
    throw new RequestError(`a device id is 0 to ${0xffff_ffff}, not ${deviceId}`);
  }
  if (data.length > MAX_DATA_LENGTH) {
    throw new RequestError(`a packet has at most ${MAX_DATA_LENGTH} bytes of data, not ${data.length}`);
  }
  const bytes = new Uint8Array(DATA_HEAD + data.length);
  bytes[0] = first(FlowCode.IOT, IotTopic.DATA);
  new DataView(bytes.buffer).setUint32(1, deviceId);
  bytes.set(encodeTemporenc(takenAt), 5);
  bytes[DATA_HEAD - 1] = data.length;
  bytes.set(data, DATA_HEAD);
  return bytes;
}

function decodeIotData(bytes: Uint8Array): IotDataPacket {
  return {
    kind: 'iot-data',
    deviceId: new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(1),
    takenAt: decodeTemporenc(bytes.subarray(5, 5 + TEMPORENC_LENGTH)),
    // A copy: it outlives the datagram.
    data: new Uint8Array(bytes.subarray(DATA_HEAD)),
  };
}

function short(flow: number, topic: number, high: number, low: number): Uint8Array {
  for (const nibble of [high, low]) {
    if (!Number.isInteger(nibble) || nibble < 0 || nibble > 15) {
      throw new RequestError(`a nibble is 0 to 15, not ${nibble}`);
    }
  }
  return Uint8Array.of(first(flow, topic), (high << 4) | low);
}

function first(flow: number, topic: number): number {
  return (flow << 4) | topic;
}

/** The high nibble of a byte whose low one means nothing, and is zero. */
function highAlone(byte: number): number {
  if ((byte & 0x0f) !== 0) throw new DecodeError('a nibble that means nothing is not zero');
  return byte >> 4;
}

function oneOf<T extends number>(codes: Readonly<Record<string, T>>, value: number, what: string): T {
  for (const code of Object.values(codes)) if (code === value) return code;
  throw new DecodeError(`${value} is no ${what}`);
}

function unknown(type: number, direction: FlowDirection): DecodeError {
  return new DecodeError(
    `no packet that goes ${direction} begins with 0x${type.toString(16).padStart(2, '0')}`,
  );
}
