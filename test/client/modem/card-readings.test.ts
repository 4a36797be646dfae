import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CardReadings, readingPacket } from '../../../client/modem/card-readings.ts';
import { Sensor } from '../../../client/modem/sensor.ts';
import { sensorModels } from '../../../client/modem/signals.ts';
import { CardAbsentError } from '../../../client/sim/card-transport.ts';
import { toHex } from '../../../client/sim/hex.ts';
import { decodePacket } from '../../../protocol/flow/packet.ts';
import { decodeReadingData } from '../../../protocol/flow/reading-data.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

let clock: FakeClock;
let sensors: Sensor[];
let given: Uint8Array[];
let answer: (count: number) => Promise<number>;
let lines: string[];
let faults: unknown[];
let readings: CardReadings;

beforeEach(() => {
  clock = new FakeClock();
  given = [];
  lines = [];
  faults = [];
  answer = async (count) => count;
  sensors = sensorModels.map(
    (model, id) =>
      new Sensor({
        model,
        path: `/42770/${id}/2`,
        rate: 10,
        random: () => 0.5,
        now: () => clock.wallTime() * 1_000,
      }),
  );
  readings = new CardReadings({
    sensors,
    card: {
      sendReadings: async (packets) => {
        given.push(...packets);
        return answer(packets.length);
      },
    },
    clock,
    rate: 2,
    log: (line) => lines.push(line),
    onFault: (error) => faults.push(error),
  });
  readings.start();
});

afterEach(() => {
  readings.close();
  expect(faults).toEqual([]);
});

/** Time that passes while the sensors sample. */
async function pass(milliseconds: number): Promise<void> {
  for (let past = 0; past < milliseconds; past += 100) {
    for (const sensor of sensors) sensor.produce(clock.wallTime() * 1_000);
    await clock.run(100);
  }
}

describe('readings that go up through the card', () => {
  it('are packets of system A: thousandths, taken in UTC', () => {
    const packet = readingPacket(3, Date.UTC(2023, 5, 14, 12, 34, 56) * 1_000 + 789_012, 0.451);
    expect(toHex(packet)).toBe('000000000357E756B22E30285004000001C3');
    expect(toHex(readingPacket(1, Date.UTC(2023, 5, 14) * 1_000, -0.016)).slice(-8)).toBe('FFFFFFF0');
  });

  it('stay within what 32 bits hold', () => {
    const packet = decodePacket(readingPacket(1, 0, 1e9), 'upstream');
    if (packet.kind !== 'iot-data') throw new Error('no reading');
    expect(decodeReadingData(packet.data)).toBe(2 ** 31 - 1);
  });

  it('are the newest of each sensor, so many a second', async () => {
    await pass(2_000);
    const ids = given.map((packet) => {
      const decoded = decodePacket(packet, 'upstream');
      return decoded.kind === 'iot-data' ? decoded.deviceId : undefined;
    });
    expect(ids.slice(0, 6)).toEqual([1, 2, 3, 1, 2, 3]);
    expect(readings.taken).toBeGreaterThanOrEqual(9);
    expect(readings.taken).toBe(given.length);
    expect(readings.missed).toBe(0);
  });

  it('are not given twice, nor of a sensor that is idle', async () => {
    for (const sensor of sensors) sensor.period = 0;
    await pass(2_000);
    expect(given).toEqual([]);
  });

  it('are counted where the card takes none', async () => {
    answer = async () => 0;
    await pass(1_000);
    expect(readings.taken).toBe(0);
    expect(readings.missed).toBeGreaterThan(0);
  });

  it('go on when the card is back; what was wrong is told once', async () => {
    answer = async () => Promise.reject(new CardAbsentError('there is no card in the slot'));
    await pass(3_000);
    expect(lines).toEqual(['no readings through the card: there is no card in the slot']);
    answer = async (count) => count;
    await pass(1_000);
    expect(readings.taken).toBeGreaterThan(0);
  });
});
