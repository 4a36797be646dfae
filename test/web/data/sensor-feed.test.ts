import { describe, expect, it } from 'vitest';
import type { ApiReading } from '../../../web/data/api-types.ts';
import { type LoadReadings, SensorFeed } from '../../../web/data/sensor-feed.ts';

/** Of these tests none asks for steps. */
const noSeries = () => Promise.reject(new Error('no series was to be asked for'));

/** A server that has a reading each `period` ms from `first` on, and gives at most what is asked for. */
function history(first: number, last: number, period: number) {
  const asked: { from: number; to: number }[] = [];
  const load: LoadReadings = async ({ from, to, limit }) => {
    asked.push({ from, to });
    const readings: ApiReading[] = [];
    for (let time = first; time <= last; time += period) {
      if (time >= from && time < to) {
        readings.push({ path: '/42770/0/2', value: time, takenAt: time, receivedAt: time });
      }
    }
    return readings.slice(-limit);
  };
  return { load, asked };
}

describe('SensorFeed', () => {
  it('fetches a range in parts, newest first, until it is whole', async () => {
    const { load, asked } = history(0, 25_000, 1);
    const feed = new SensorFeed(load, noSeries, 25_001);
    await feed.fill(0);
    expect(feed.buffer.length).toBe(25_001);
    expect(asked).toHaveLength(3);
    expect(asked[0]).toEqual({ from: 0, to: 25_001 });
    expect(feed.hasAllSince(0)).toBe(true);
    expect(feed.hasAllSince(-1)).toBe(false);
  });

  it('fetches nothing twice, and only what a longer range adds', async () => {
    const { load, asked } = history(0, 1000, 10);
    const feed = new SensorFeed(load, noSeries, 1001);
    await feed.fill(500);
    await feed.fill(500);
    await feed.fill(700);
    expect(asked).toEqual([{ from: 500, to: 1001 }]);
    await feed.fill(200);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toEqual({ from: 200, to: 500 });
    expect(feed.buffer.length).toBe(81);
  });

  it('lets a wish made while it fetches extend what it fetches', async () => {
    const { load } = history(0, 1000, 10);
    const feed = new SensorFeed(load, noSeries, 1001);
    const first = feed.fill(900);
    expect(feed.filling).toBe(true);
    await Promise.all([first, feed.fill(0)]);
    expect(feed.filling).toBe(false);
    expect(feed.buffer.firstTime).toBe(0);
  });

  it('has live and fetched readings in one order, each once', async () => {
    const { load } = history(0, 1000, 10);
    const feed = new SensorFeed(load, noSeries, 1001);
    feed.add([
      [990, 990],
      [1000, 1000],
      [1010, 7],
    ]);
    await feed.fill(900);
    expect([...feed.buffer.times]).toEqual([900, 910, 920, 930, 940, 950, 960, 970, 980, 990, 1000, 1010]);
  });

  it('passes over values that are no finite numbers', () => {
    const feed = new SensorFeed(history(0, 0, 1).load, noSeries, 0);
    feed.add([
      [1, 'NaN'],
      [2, true],
      [3, Number.POSITIVE_INFINITY],
      [4, 5],
    ]);
    expect([...feed.buffer.values]).toEqual([5]);
  });

  it('says from when on it has everything once it must drop the oldest', async () => {
    const { load } = history(0, 25_000, 1);
    const feed = new SensorFeed(load, noSeries, 25_001, 5000);
    await feed.fill(0);
    expect(feed.buffer.length).toBe(5000);
    expect(feed.hasAllSince(20_001)).toBe(true);
    expect(feed.hasAllSince(20_000)).toBe(false);
    expect(feed.isWithinReach(0, 25_001, undefined)).toBe(false);
  });

  it('has within reach what is here, and what comes to few enough readings at its pace', async () => {
    const { load } = history(0, 1_000_000, 10);
    const feed = new SensorFeed(load, noSeries, 1_000_001);
    // Nothing is here yet: what the device says of its sampling counts, and a second where it said nothing.
    expect(feed.isWithinReach(1, 1_000_001, 10)).toBe(true);
    expect(feed.isWithinReach(-10, 1_000_001, 10)).toBe(false);
    expect(feed.isWithinReach(-2_000_000, 1_000_001, undefined)).toBe(true);
    // More than an hour: one page of them.
    expect(feed.isWithinReach(-8_999_999, 1_000_001, undefined)).toBe(true);
    expect(feed.isWithinReach(-9_000_000, 1_000_001, undefined)).toBe(false);
    await feed.fill(900_000);
    expect(feed.isWithinReach(-10, 1_000_001, undefined)).toBe(false);
    expect(feed.isWithinReach(600_000, 1_000_001, 1)).toBe(true);
  });

  it('fetches no more than so many pages, and then has the rest out of reach', async () => {
    const { load, asked } = history(0, 300_000, 1);
    const feed = new SensorFeed(load, noSeries, 300_001);
    await feed.fill(0);
    expect(asked).toHaveLength(20);
    expect(feed.hasAllSince(0)).toBe(false);
    expect(feed.isWithinReach(0, 300_001, 1e6)).toBe(false);
    expect(feed.isWithinReach(100_001, 300_001, 1)).toBe(true);
  });

  it('mends the seam between what was filed and what came live', async () => {
    const { load } = history(0, 1000, 10);
    let filedUntil = 900;
    const feed = new SensorFeed(
      async (query) => {
        const readings = await load(query);
        return readings.filter(({ takenAt }) => takenAt <= filedUntil);
      },
      noSeries,
      1001,
    );
    feed.add([[1000, 1000]]);
    await feed.fill(800);
    expect([...feed.buffer.times].slice(-3)).toEqual([890, 900, 1000]);
    filedUntil = 1000;
    expect(await feed.mend(800, 1001)).toBe(true);
    expect(feed.buffer.length).toBe(21);
    expect(await feed.mend(800, 1001)).toBe(false);
  });

  it('hands a failure on, and tries again at the next wish', async () => {
    let broken = true;
    const { load } = history(0, 1000, 10);
    const feed = new SensorFeed(
      async (query) => {
        if (broken) throw new Error('down');
        return load(query);
      },
      noSeries,
      1001,
    );
    await expect(feed.fill(0)).rejects.toThrow('down');
    broken = false;
    await feed.fill(0);
    expect(feed.buffer.length).toBe(101);
  });
});
