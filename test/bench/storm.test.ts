import { describe, expect, test } from 'vitest';
import { EventQueue } from '../../bench/storm/event-queue.ts';
import { type Storm, simulateStorm } from '../../bench/storm/simulation.ts';
import { seededRandom } from '../../client/modem/signals.ts';

const server = { register: 50, update: 40, duplicate: 8, buffer: 5_000, latency: 0.002 };

function storm(change: Partial<Storm>) {
  const base = { devices: 2_000, updateInterval: 60, outage: 0, server, random: seededRandom(7) };
  return simulateStorm({ ...base, ...change });
}

describe('the simulation of a storm', () => {
  test('has every device back, once', () => {
    const { back, dropped, duplicates } = storm({ outage: 120 });
    expect(back).toHaveLength(2_000);
    expect([...back]).toEqual([...back].sort((a, b) => a - b));
    expect(dropped + duplicates).toBe(0);
  });

  test('serves no more than the server can: so many Registers at once take so long', () => {
    const { back, registers, datagrams } = storm({ powerCut: { within: 0 } });
    expect(registers).toBe(2_000);
    expect(datagrams).toBe(2_000);
    // The last is answered when all before it are: 2000 × 50 µs, and the way back.
    expect(back.at(-1)).toBeCloseTo(0.1 + 0.002, 6);
    expect(back[0]).toBeCloseTo(0.00005 + 0.002, 6);
  });

  test('loses what the buffer does not hold, and that comes again when the devices send again', () => {
    const { back, dropped, datagrams } = storm({
      powerCut: { within: 0 },
      server: { ...server, buffer: 500 },
    });
    expect(dropped).toBeGreaterThanOrEqual(1_400);
    expect(datagrams).toBe(2_000 + dropped);
    // ACK_TIMEOUT is 2 to 3 s (RFC 7252 §4.2).
    expect(back.at(-1)).toBeGreaterThan(2);
  });

  test('does not count an answer that comes when the device has given the attempt up', () => {
    // Ten seconds of work for each: the second would have to wait for 20, and gives up after 15.
    const slow = { ...server, register: 10_000_000 };
    const { back, registers } = storm({ devices: 2, powerCut: { within: 0 }, server: slow });
    expect(registers).toBeGreaterThan(2);
    expect(back).toHaveLength(2);
  });

  test('has devices whose server has forgotten them register, and not the others', () => {
    expect(storm({}).registers).toBe(0);
    expect(storm({ forgetful: true }).registers).toBe(2_000);
  });

  test('is the same for the same seed', () => {
    expect(storm({ outage: 90 })).toEqual(storm({ outage: 90 }));
  });
});

test('the queue gives events by their time, whatever the order in which they came', () => {
  const queue = new EventQueue(1);
  const random = seededRandom(3);
  const times = Array.from({ length: 500 }, () => random());
  for (const [device, time] of times.entries()) queue.add(time, device, device % 2, device + 7);
  const given = times.map(() => ({ ...queue.next() }));
  expect(given.map(({ time }) => time)).toEqual([...times].sort((a, b) => a - b));
  for (const { time, device, kind, attempt } of given) {
    expect([times[device], device % 2, device + 7]).toEqual([time, kind, attempt]);
  }
  expect(queue.size).toBe(0);
});
