import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimate, isGap } from '../../../web/data/decimate.ts';

const series = (points: readonly (readonly [number, number])[]) => ({
  times: Float64Array.from(points, ([time]) => time),
  values: Float64Array.from(points, ([, value]) => value),
});

/** `count` readings, `period` apart. */
const regular = (count: number, period: number, from = 0) =>
  Array.from({ length: count }, (_, index) => [from + index * period, Math.sin(index)] as const);

const gapsIn = (values: readonly (number | null)[]) => values.filter((value) => value === null).length;

describe('decimate', () => {
  it('draws every reading where there are fewer than pixels', () => {
    const { times, values } = series([
      [0, 5],
      [10, 6],
      [20, 7],
    ]);
    const drawn = decimate(times, values, 0, 30, 1);
    expect(drawn.times).toEqual([0, 10, 20]);
    expect(drawn.values).toEqual([5, 6, 7]);
    expect(drawn).toMatchObject({ minimum: 5, maximum: 7, count: 3 });
  });

  it('keeps first, least, greatest and last of each column, in the order of time', () => {
    const { times, values } = series([
      [0, 3],
      [1, 9],
      [2, 4],
      [3, -2],
      [4, 5],
      [5, 1],
      [6, 1],
    ]);
    const drawn = decimate(times, values, 0, 20, 5);
    expect(drawn.times).toEqual([0, 1, 3, 4, 5, 6]);
    expect(drawn.values).toEqual([3, 9, -2, 5, 1, 1]);
  });

  it('keeps one reading beyond each edge, so that the line leaves the plot, and does not count it', () => {
    const { times, values } = series(regular(10, 10));
    const drawn = decimate(times, values, 25, 65, 1);
    expect(drawn.times).toEqual([20, 30, 40, 50, 60, 70]);
    expect(drawn.count).toBe(4);
  });

  it('is empty where nothing was taken', () => {
    const nothing = decimate(new Float64Array(0), new Float64Array(0), 0, 10, 1);
    expect(nothing.times).toEqual([]);
    expect(nothing.count).toBe(0);
    expect(nothing.minimum).toBe(Number.POSITIVE_INFINITY);
  });

  it('breaks the line over a silence of more than several periods', () => {
    const { times, values } = series([...regular(50, 10), ...regular(50, 10, 600)]);
    const drawn = decimate(times, values, 0, 2000, 1);
    expect(gapsIn(drawn.values)).toBe(1);
    expect(drawn.times[drawn.values.indexOf(null)]).toBeGreaterThan(490);
    expect(drawn.times[drawn.values.indexOf(null)]).toBeLessThan(600);
  });

  it('breaks the line where a column holds both sides of the silence', () => {
    const { times, values } = series([...regular(50, 1), ...regular(50, 1, 60)]);
    expect(gapsIn(decimate(times, values, 0, 1000, 500).values)).toBe(1);
  });

  it('breaks the line over a silence at the very start of what is shown', () => {
    const { times, values } = series([...regular(20, 10), ...regular(20, 10, 5000)]);
    expect(gapsIn(decimate(times, values, 4000, 6000, 1).values)).toBe(1);
  });

  it('does not break it over one lost reading, nor over jitter', () => {
    const points = regular(100, 10).filter((_, index) => index !== 40);
    const shaken = points.map(([time, value], index) => [time + (index % 3) * 3, value] as const);
    const { times, values } = series(shaken);
    expect(gapsIn(decimate(times, values, 0, 2000, 1).values)).toBe(0);
  });

  it('does not break it where the sampling period changes', () => {
    const { times, values } = series([...regular(50, 10), ...regular(50, 1000, 490 + 1000)]);
    expect(gapsIn(decimate(times, values, 0, 60_000, 1).values)).toBe(0);
  });

  it('counts columns from the epoch: what is drawn does not change while the window slides', () => {
    const { times, values } = series(regular(1000, 1));
    const one = decimate(times, values, 100, 600, 10);
    const other = decimate(times, values, 103, 603, 10);
    const common = (drawn: typeof one) => drawn.times.filter((time) => time >= 120 && time < 580);
    expect(common(one)).toEqual(common(other));
  });

  it('draws at most four readings for each column, and never misses an extreme', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: -99, max: 99 })), {
      minLength: 1,
      maxLength: 400,
    });
    fc.assert(
      fc.property(steps, (given) => {
        let time = 0;
        const points = given.map(([step, value]) => {
          time += step;
          return [time, value] as const;
        });
        const { times, values } = series(points);
        const drawn = decimate(times, values, 0, time + 1, 20);
        const columns = Math.ceil((time + 1) / 20) + 1;
        expect(drawn.times.length - gapsIn(drawn.values)).toBeLessThanOrEqual(4 * columns);
        const shown = drawn.values.filter((value) => value !== null);
        expect(Math.min(...shown)).toBe(Math.min(...values));
        expect(Math.max(...shown)).toBe(Math.max(...values));
        expect(drawn.times).toEqual([...drawn.times].sort((a, b) => a - b));
      }),
    );
  });
});

describe('isGap', () => {
  it('does not call the step between two lonely readings a gap: nobody knows what is usual', () => {
    expect(isGap(Float64Array.from([0, 5000]), 1)).toBe(false);
  });
});
