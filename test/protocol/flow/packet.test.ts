import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { FlowCarrier, IotStatus, SwitchStatus } from '../../../protocol/flow/names.ts';
import {
  decodePacket,
  encodePacket,
  type FlowDirection,
  type FlowPacket,
  packetLength,
} from '../../../protocol/flow/packet.ts';
import { decodeReadingData, encodeReadingData } from '../../../protocol/flow/reading-data.ts';

const takenAt = {
  year: 2023,
  month: 6,
  day: 14,
  hour: 12,
  minute: 34,
  second: 56,
  microsecond: 789_012,
};

interface Vector {
  readonly name: string;
  readonly direction: FlowDirection;
  readonly packet: FlowPacket;
  readonly hex: string;
}

const status = (name: keyof typeof IotStatus, hex: string): Vector => ({
  name: `IoT status ${name}`,
  direction: 'upstream',
  packet: { kind: 'iot-status', status: IotStatus[name] },
  hex,
});
const perform = (name: keyof typeof FlowCarrier, hex: string): Vector => ({
  name: `perform ${name}`,
  direction: 'downstream',
  packet: { kind: 'carrier-switch-perform', carrier: FlowCarrier[name] },
  hex,
});
const ack = (outcome: keyof typeof SwitchStatus, name: keyof typeof FlowCarrier, hex: string): Vector => ({
  name: `${outcome} of ${name}`,
  direction: 'upstream',
  packet: { kind: 'carrier-switch-ack', status: SwitchStatus[outcome], carrier: FlowCarrier[name] },
  hex,
});

const vectors: readonly Vector[] = [
  {
    name: 'a temperature of 451',
    direction: 'upstream',
    packet: { kind: 'iot-data', deviceId: 3, takenAt, data: encodeReadingData(451) },
    hex: '000000000357e756b22e30285004000001c3',
  },
  {
    name: 'an imu at -16',
    direction: 'upstream',
    packet: { kind: 'iot-data', deviceId: 1, takenAt, data: encodeReadingData(-16) },
    hex: '000000000157e756b22e30285004fffffff0',
  },
  {
    name: 'a reading without data, of the last device id',
    direction: 'upstream',
    packet: { kind: 'iot-data', deviceId: 0xffff_ffff, takenAt, data: new Uint8Array() },
    hex: '00ffffffff57e756b22e30285000',
  },
  {
    name: 'a reading with as much data as there can be',
    direction: 'upstream',
    packet: { kind: 'iot-data', deviceId: 77, takenAt, data: new Uint8Array(255).fill(0xa5) },
    hex: `000000004d57e756b22e302850ff${'a5'.repeat(255)}`,
  },
  status('NOMINAL', '0100'),
  status('IDLE', '0110'),
  status('OFF_NOMINAL', '0120'),
  perform('ATT', '1000'),
  perform('T_MOBILE', '1010'),
  perform('VERIZON', '1020'),
  perform('DISCONNECT', '10f0'),
  ack('ACK', 'ATT', '1100'),
  ack('ACK', 'T_MOBILE', '1101'),
  ack('ACK', 'VERIZON', '1102'),
  ack('ACK', 'DISCONNECT', '110f'),
  ack('NACK', 'ATT', '1110'),
  ack('NACK', 'T_MOBILE', '1111'),
  ack('NACK', 'VERIZON', '1112'),
  ack('NACK', 'DISCONNECT', '111f'),
];

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const otherWay = (direction: FlowDirection) => (direction === 'upstream' ? 'downstream' : 'upstream');

describe('the packets of system A', () => {
  test.each(vectors)('writes $name', ({ packet, hex }) => {
    expect(hexOf(encodePacket(packet))).toBe(hex);
  });

  test.each(vectors)('reads $name', ({ direction, packet, hex }) => {
    expect(decodePacket(bytesOf(hex), direction)).toEqual(packet);
  });

  test.each(vectors)('refuses each truncation of $name', ({ direction, hex }) => {
    const bytes = bytesOf(hex);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodePacket(bytes.subarray(0, length), direction)).toThrow(DecodeError);
    }
  });

  test.each(vectors)('refuses $name with bytes behind it', ({ direction, hex }) => {
    expect(() => decodePacket(bytesOf(`${hex}00`), direction)).toThrow(DecodeError);
  });

  test.each(vectors)('refuses $name that goes the other way', ({ direction, hex }) => {
    expect(() => decodePacket(bytesOf(hex), otherWay(direction))).toThrow(DecodeError);
  });

  test.each(vectors)('finds the end of $name in a longer container', ({ direction, hex }) => {
    const bytes = bytesOf(hex);
    expect(packetLength(bytes, direction)).toBe(bytes.length);
    expect(packetLength(bytesOf(`${hex}9000ffff`), direction)).toBe(bytes.length);
  });

  test.each([
    ['IoT status 3', '0130', 'upstream'],
    ['switch status 2', '1120', 'upstream'],
    ['an IoT topic that there is not', '0200', 'upstream'],
    ['a carrier-switch topic that there is not', '1200', 'upstream'],
    ['a flow that there is not', '2000', 'upstream'],
    ['a status whose low nibble is set', '0101', 'upstream'],
    ['a request whose low nibble is set', '1021', 'downstream'],
    ['a timestamp of another type', '000000000347e756b22e30285004000001c3', 'upstream'],
  ] as const)('refuses %s', (_name, hex, direction) => {
    expect(() => decodePacket(bytesOf(hex), direction)).toThrow(DecodeError);
  });

  test('keeps carriers that have no name', () => {
    const packet: FlowPacket = { kind: 'carrier-switch-ack', status: SwitchStatus.ACK, carrier: 7 };
    expect(decodePacket(bytesOf('1107'), 'upstream')).toEqual(packet);
    expect(hexOf(encodePacket(packet))).toBe('1107');
  });

  test('what it reads does not change with the buffer that it was read from', () => {
    const datagram = bytesOf('000000000357e756b22e30285004000001c3');
    const packet = decodePacket(datagram, 'upstream');
    datagram.fill(0xff);
    expect(packet).toEqual(vectors[0]?.packet);
  });

  test.each([
    ['a carrier of more than a nibble', { kind: 'carrier-switch-perform', carrier: 16 }],
    ['a carrier below zero', { kind: 'carrier-switch-ack', status: SwitchStatus.ACK, carrier: -1 }],
    [
      'a device id of more than 32 bits',
      { kind: 'iot-data', deviceId: 2 ** 32, takenAt, data: new Uint8Array() },
    ],
    [
      'more data than a byte can count',
      { kind: 'iot-data', deviceId: 1, takenAt, data: new Uint8Array(256) },
    ],
  ] as const)('does not write %s', (_name, packet) => {
    expect(() => encodePacket(packet)).toThrow(RequestError);
  });

  test('whatever bytes come are a packet that is written as the same bytes, or refused', () => {
    let read = 0;
    const changed = fc
      .tuple(fc.constantFrom(...vectors), fc.nat(16), fc.integer({ min: 0, max: 255 }))
      .map(([{ hex }, at, byte]) => bytesOf(hex).map((old, index) => (index === at ? byte : old)));
    const anything = fc.oneof(changed, fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ maxLength: 1024 }));
    fc.assert(
      fc.property(anything, fc.constantFrom<FlowDirection>('upstream', 'downstream'), (bytes, direction) => {
        let packet: FlowPacket;
        try {
          packet = decodePacket(bytes, direction);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        read++;
        expect(encodePacket(packet)).toEqual(bytes);
      }),
      { numRuns: 5000 },
    );
    expect(read).toBeGreaterThan(100);
  });
});

describe('the data of a reading', () => {
  test.each([
    [451, '000001c3'],
    [-16, 'fffffff0'],
    [0, '00000000'],
    [2 ** 31 - 1, '7fffffff'],
    [-(2 ** 31), '80000000'],
  ])('%d is %s', (value, hex) => {
    expect(hexOf(encodeReadingData(value))).toBe(hex);
    expect(decodeReadingData(bytesOf(hex))).toBe(value);
  });

  test.each(['', '00', '000001', '0000000000'])('%j is no integer of 32 bits', (hex) => {
    expect(() => decodeReadingData(bytesOf(hex))).toThrow(DecodeError);
  });

  test.each([0.5, 2 ** 31, Number.NaN])('%d is not written', (value) => {
    expect(() => encodeReadingData(value)).toThrow(RequestError);
  });
});
