import { beforeEach, describe, expect, test } from 'vitest';
import type { WallClockTime } from '../../../protocol/temporenc.ts';
import { parseGatewayDevices } from '../../../server/gateway/device-file.ts';
import { FlowSensors } from '../../../server/gateway/flow-sensors.ts';
import { packReadings } from '../../../server/telemetry/readings.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const OBJECT = 42_770;
let clock: FakeClock;
let packs: ReturnType<typeof packReadings>['pack'][];
let sensors: FlowSensors;

beforeEach(() => {
  clock = new FakeClock();
  packs = [];
  const [device] = parseGatewayDevices(
    JSON.stringify({ devices: [{ endpoint: 'field-1', sources: ['192.0.2.1'] }] }),
  ).devices;
  if (device === undefined) throw new Error('no device');
  sensors = new FlowSensors(device, OBJECT, clock, (records) => {
    const receivedAt = clock.wallTime() * 1_000;
    packs.push(
      packReadings({ endpoint: 'field-1', receivedAt, fresh: true, records, sensorObject: OBJECT }).pack,
    );
  });
});

/** The series of a reading that claims to be of that moment. */
function reading(claimed: Date) {
  const takenAt: WallClockTime = {
    year: claimed.getUTCFullYear(),
    month: claimed.getUTCMonth() + 1,
    day: claimed.getUTCDate(),
    hour: claimed.getUTCHours(),
    minute: claimed.getUTCMinutes(),
    second: claimed.getUTCSeconds(),
    microsecond: 0,
  };
  const data = Uint8Array.of(0, 0, 0, 7);
  expect(sensors.reading({ kind: 'iot-data', deviceId: 3, takenAt, data }, data)).toBe(true);
  return packs.at(-1)?.series[0];
}

describe('a reading’s time', () => {
  test('is the device’s', () => {
    const claimed = Math.floor(clock.wallTime() / 1_000) * 1_000 - 60_000;
    expect(reading(new Date(claimed))).toMatchObject({ takenAt: [claimed * 1_000] });
  });

  test.each(['1970-01-01T00:03:00Z', '1970-01-01T00:00:00Z', '1977-05-05T00:00:00Z', '1978-12-01T00:00:00Z'])(
    'of a clock that was never set, %s, is no time relative to receipt: it is kept, and the reading stands there',
    (text) => {
      expect(reading(new Date(text))).toMatchObject({
        takenAt: [clock.wallTime() * 1_000],
        claimedAt: [Date.parse(text) * 1_000],
      });
    },
  );
});
