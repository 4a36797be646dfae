import { describe, expect, test } from 'vitest';
import type { RedisConnection } from '../../redis/connection.ts';
import { statisticsStore } from '../../redis/statistics-store.ts';
import { type OpenStores, useStores } from '../contract/engine.ts';
import { describeStatisticsStore } from '../contract/statistics-store.ts';
import { describeOnRedis } from './engines.ts';

const make = (redis: RedisConnection) => ({
  statistics: statisticsStore(redis),
});

describeOnRedis(describeStatisticsStore, make);
describeOnRedis((name: string, open: OpenStores) => {
  describe(`Figures, ${name}`, () => {
    const stores = useStores(open);

    test('are exact, whatever they and their names are', async () => {
      const { statistics } = stores();
      const figures = { 'a b\nü"': 0.1, big: 9_007_199_254_740_991, tiny: 5e-324, below: -17.25, none: 0 };
      await statistics.add({ at: 0, gauges: figures, counters: figures });
      await statistics.add({ at: 1, gauges: {}, counters: { 'a b\nü"': 0.2, tiny: 1 } });
      expect(await statistics.read({ step: 'minute', from: 0, to: 1 })).toEqual([
        { at: 0, minutes: 1, gauges: figures, counters: { ...figures, 'a b\nü"': 0.1 + 0.2, tiny: 1 } },
      ]);
    });

    test('of two days of minutes are read in order, and go in steps', async () => {
      const { statistics } = stores();
      const minutes = Array.from({ length: 2_880 }, (_, index) => index * 60_000);
      await Promise.all(minutes.map((at) => statistics.add({ at, gauges: { at }, counters: {} })));
      const found = await statistics.read({ step: 'minute', from: 60_000, to: 2_879 * 60_000 });
      expect(found.map(({ at }) => at)).toEqual(minutes.slice(1, -1));
      expect(found.every(({ at, gauges }) => gauges['at'] === at)).toBe(true);
      await statistics.trim({ minutesBefore: 2_800 * 60_000, hoursBefore: 0 });
      expect(await statistics.read({ step: 'minute', from: 0, to: 1e12 })).toHaveLength(80);
      expect(await statistics.read({ step: 'hour', from: 0, to: 1e12 })).toHaveLength(48);
    });
  });
}, make);
