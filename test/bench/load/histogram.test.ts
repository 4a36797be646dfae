import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram } from '../../../bench/load/histogram.ts';

const durations = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 300 });

function filled(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

describe('a histogram of latencies', () => {
  test('tells each quantile to one part in 64, and never too small', () => {
    fc.assert(
      fc.property(durations, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.ceil(share * sorted.length) - 1] as number;
        const told = filled(values).quantile(share);
        expect(told).toBeGreaterThanOrEqual(exact);
        expect(told).toBeLessThanOrEqual(exact * (1 + 1 / 64) + 1);
      }),
    );
  });

  test('tells the longest and the mean exactly', () => {
    const { max, mean, count } = filled([1_000, 2_000, 123_457]).summary();
    expect(max).toBe(123.457);
    expect(mean).toBeCloseTo(42.152_333, 5);
    expect(count).toBe(3);
  });

  test('of several processes is that of all their values', () => {
    fc.assert(
      fc.property(durations, durations, (one, other) => {
        const merged = filled(one);
        merged.merge(filled(other).toData());
        expect(merged.summary()).toEqual(filled([...one, ...other]).summary());
      }),
    );
  });

  test('has no quantile of nothing', () => {
    expect(new Histogram().quantile(0.5)).toBeNaN();
  });

  test('counts what is longer than half an hour as half an hour', () => {
    expect(filled([1e12]).quantile(1)).toBe(2 ** 31 - 1);
  });
});
