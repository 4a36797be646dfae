import { describe, expect, test } from 'vitest';
import { type OpenStores, useStores } from './engine.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** The beginning of an hour. */
const hour = 490_000 * HOUR;

export function describeStatisticsStore(name: string, open: OpenStores): void {
  describe(`StatisticsStore, ${name}`, () => {
    const stores = useStores(open);

    test('what was never counted is not there', async () => {
      const { statistics } = stores();
      expect(await statistics.read({ step: 'minute', from: 0, to: hour * 2 })).toEqual([]);
      expect(await statistics.read({ step: 'hour', from: 0, to: hour * 2 })).toEqual([]);
    });

    test('samples are kept by minute and by hour: the newest of gauges, the sum of counters', async () => {
      const { statistics } = stores();
      await statistics.add({ at: hour + 100, gauges: { registered: 5 }, counters: { readings: 10 } });
      await statistics.add({
        at: hour + 59 * MINUTE + 59_999,
        gauges: { registered: 7 },
        counters: { readings: 1, events: 2 },
      });
      await statistics.add({ at: hour + HOUR, gauges: { registered: 6 }, counters: { readings: 4 } });
      expect(await statistics.read({ step: 'minute', from: hour, to: hour + 2 * HOUR })).toEqual([
        { at: hour, minutes: 1, gauges: { registered: 5 }, counters: { readings: 10 } },
        {
          at: hour + 59 * MINUTE,
          minutes: 1,
          gauges: { registered: 7 },
          counters: { readings: 1, events: 2 },
        },
        { at: hour + HOUR, minutes: 1, gauges: { registered: 6 }, counters: { readings: 4 } },
      ]);
      expect(await statistics.read({ step: 'hour', from: hour, to: hour + 2 * HOUR })).toEqual([
        { at: hour, minutes: 2, gauges: { registered: 7 }, counters: { readings: 11, events: 2 } },
        { at: hour + HOUR, minutes: 1, gauges: { registered: 6 }, counters: { readings: 4 } },
      ]);
    });

    test('two samples of one minute are one: that of a node that was started again, or of two nodes', async () => {
      const { statistics } = stores();
      await statistics.add({ at: hour, gauges: { awake: 1, known: 9 }, counters: { readings: 10 } });
      await statistics.add({ at: hour + 30_000, gauges: { awake: 2 }, counters: { readings: 5 } });
      const row = { at: hour, minutes: 1, gauges: { awake: 2, known: 9 }, counters: { readings: 15 } };
      expect(await statistics.read({ step: 'minute', from: hour, to: hour + 1 })).toEqual([row]);
      expect(await statistics.read({ step: 'hour', from: hour, to: hour + 1 })).toEqual([row]);
    });

    test('a range begins with its first and ends before its last', async () => {
      const { statistics } = stores();
      for (let minute = 0; minute < 4; minute++) {
        await statistics.add({ at: hour + minute * MINUTE, gauges: {}, counters: {} });
      }
      const found = await statistics.read({ step: 'minute', from: hour + MINUTE, to: hour + 3 * MINUTE });
      expect(found.map(({ at }) => (at - hour) / MINUTE)).toEqual([1, 2]);
    });

    test('minutes and hours are trimmed each by a time of its own', async () => {
      const { statistics } = stores();
      for (const at of [hour, hour + MINUTE, hour + HOUR]) {
        await statistics.add({ at, gauges: {}, counters: {} });
      }
      await statistics.trim({ minutesBefore: hour + HOUR, hoursBefore: hour });
      const ats = async (step: 'minute' | 'hour') =>
        (await statistics.read({ step, from: 0, to: hour * 2 })).map(({ at }) => at);
      expect(await ats('minute')).toEqual([hour + HOUR]);
      expect(await ats('hour')).toEqual([hour, hour + HOUR]);
      await statistics.trim({ minutesBefore: 0, hoursBefore: hour + HOUR });
      expect(await ats('hour')).toEqual([hour + HOUR]);
    });
  });
}
