import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IotDataPacket } from '../../../protocol/flow/packet.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { type GatewayDevice, parseGatewayDevices } from '../../../server/gateway/device-file.ts';
import { FlowSensors } from '../../../server/gateway/flow-sensors.ts';
import { packReadings } from '../../../server/telemetry/readings.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const deviceOf = (more: object = {}): GatewayDevice => {
  const { devices } = parseGatewayDevices(
    JSON.stringify({ devices: [{ endpoint: 'a', sources: ['192.0.2.1'], ...more }] }),
  );
  const [device] = devices;
  if (device === undefined) throw new Error('no device');
  return device;
};

const sensorsOf = (device: GatewayDevice, reports: LwM2mRecord[][] = []): FlowSensors =>
  new FlowSensors(device, 42770, new FakeClock(), (records) => reports.push([...records]));

const takenAt = { year: 2023, month: 6, day: 14, hour: 12, minute: 34, second: 56, microsecond: 789_012 };
const packet = (deviceId: number, data: readonly number[]): IotDataPacket => ({
  kind: 'iot-data',
  deviceId,
  takenAt,
  data: Uint8Array.from(data),
});
const time = Date.UTC(2023, 5, 14, 12, 34, 56) / 1000 + 0.789_012;

describe('the sensors of a device', () => {
  test('say once what they are, and then what they read', () => {
    const reports: LwM2mRecord[][] = [];
    const sensors = sensorsOf(deviceOf(), reports);
    sensors.reading(packet(3, [0, 0, 1, 0xc3]), new Uint8Array());
    sensors.reading(packet(3, [0xff, 0xff, 0xff, 0xf0]), new Uint8Array());
    expect(reports).toEqual([
      [
        { path: '/42770/3/0', value: 3 },
        { path: '/42770/3/1', value: 'temp' },
      ],
      [{ path: '/42770/3/2', value: 451, time }],
      [{ path: '/42770/3/2', value: -16, time }],
    ]);
    expect(sensors.links()).toEqual([{ target: '/42770/3', attributes: {} }]);
  });

  test('read as the configuration says', () => {
    const reports: LwM2mRecord[][] = [];
    const configured = {
      '70000': { instance: 4, kind: 'pressure', units: 'hPa', data: 'uint16', scale: 0.5 },
    };
    sensorsOf(deviceOf({ sensors: configured }), reports).reading(
      packet(70_000, [7, 0xd0]),
      new Uint8Array(),
    );
    expect(reports.flat()).toEqual([
      { path: '/42770/4/0', value: 70_000 },
      { path: '/42770/4/1', value: 'pressure' },
      { path: '/42770/4/6', value: 'hPa' },
      { path: '/42770/4/2', value: 1000, time },
    ]);
  });

  test('keep as bytes what is not of the format', () => {
    const reports: LwM2mRecord[][] = [];
    sensorsOf(deviceOf(), reports).reading(packet(1, [1, 2, 3]), new Uint8Array());
    expect(reports[1]).toEqual([{ path: '/42770/1/3', value: Uint8Array.of(1, 2, 3), time }]);
  });

  test('have the status of the device, when it changes', () => {
    const reports: LwM2mRecord[][] = [];
    const sensors = sensorsOf(deviceOf(), reports);
    sensors.learn([
      { target: '/42770/1', attributes: {} },
      { target: '/42769/0', attributes: {} },
      { target: '/42770/2', attributes: {} },
    ]);
    sensors.status(2, new Uint8Array());
    sensors.status(2, new Uint8Array());
    expect(reports).toEqual([
      [
        { path: '/42770/1/8', value: 2 },
        { path: '/42770/2/8', value: 2 },
      ],
    ]);
  });

  test('are bounded, and whatever they are sent is a reading that the log can have', () => {
    const part = (min: number, max: number) => fc.option(fc.integer({ min, max }), { nil: undefined });
    const anyPacket: fc.Arbitrary<IotDataPacket> = fc.record({
      kind: fc.constant('iot-data' as const),
      deviceId: fc.integer({ min: 0, max: 0xffff_ffff }),
      takenAt: fc.record({
        year: part(0, 4094),
        month: part(1, 12),
        day: part(1, 31),
        hour: part(0, 23),
        minute: part(0, 59),
        second: part(0, 60),
        microsecond: fc.integer({ min: 0, max: 999_999 }),
      }),
      data: fc.uint8Array({ maxLength: 255 }),
    });
    const small = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyPacket, small, fc.boolean()), { minLength: 100, maxLength: 200 }),
        (packets) => {
          const reports: LwM2mRecord[][] = [];
          const sensors = sensorsOf(deviceOf({ timeZone: 'America/New_York' }), reports);
          for (const [one, id, isSmall] of packets) {
            sensors.reading(isSmall ? { ...one, deviceId: id } : one, new Uint8Array());
          }
          expect(sensors.count).toBeLessThanOrEqual(64);
          const receivedAt = 1_790_000_000_000_000;
          for (const records of reports) {
            const source = { endpoint: 'a', receivedAt, fresh: true, records, sensorObject: 42770 };
            for (const { takenAt: times } of packReadings(source).pack.series) {
              expect(times.every((at) => Number.isSafeInteger(at) && at > 0)).toBe(true);
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
