import { describe, expect, it } from 'vitest';
import { offeredRates, rateText, samplingRate } from '../../../web/data/sampling.ts';

describe('samplingRate', () => {
  it.each([
    [20_000, '50 Hz'],
    [3_000_000, '0.3333 Hz'],
    [0, 'off'],
    [-5, 'off'],
    [Number.NaN, 'off'],
    [Number.POSITIVE_INFINITY, 'off'],
    [Number.MIN_VALUE, 'off'],
  ])('of a period of %d µs is told as %s', (period, text) => {
    expect(rateText(samplingRate(period)).replaceAll('\u202f', ' ')).toBe(text);
  });
});

describe('offeredRates', () => {
  it('has the rate that is now, in its place and once', () => {
    expect(offeredRates(50)).toEqual([0.1, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]);
    expect(offeredRates(7).slice(3, 5)).toEqual([5, 7]);
    expect(offeredRates(0)[0]).toBe(0);
  });
});
