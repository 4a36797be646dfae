import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeriesBuffer } from '../../../web/data/series-buffer.ts';

type Point = readonly [time: number, value: number];

function filled(points: readonly Point[], limit = 100): SeriesBuffer {
  const buffer = new SeriesBuffer(limit);
  buffer.add(points);
  return buffer;
}

function contents(buffer: SeriesBuffer): Point[] {
  return [...buffer.times].map((time, index) => [time, buffer.values[index] as number]);
}

describe('SeriesBuffer', () => {
  it('keeps readings in the order of their times', () => {
    expect(
      contents(
        filled([
          [1, 10],
          [2, 20],
          [3.0005, 30],
        ]),
      ),
    ).toEqual([
      [1, 10],
      [2, 20],
      [3.0005, 30],
    ]);
  });

  it('puts late readings between those that are there', () => {
    const buffer = filled([
      [10, 1],
      [20, 2],
      [30, 3],
    ]);
    buffer.add([
      [25, 9],
      [5, 8],
      [40, 7],
      [15, 6],
    ]);
    expect(contents(buffer)).toEqual([
      [5, 8],
      [10, 1],
      [15, 6],
      [20, 2],
      [25, 9],
      [30, 3],
      [40, 7],
    ]);
  });

  it('has a reading once that came twice, with the value that came last', () => {
    const buffer = filled([
      [10, 1],
      [20, 2],
      [30, 3],
    ]);
    buffer.add([
      [30, 4],
      [10, 5],
      [10, 6],
      [20, 7],
    ]);
    expect(contents(buffer)).toEqual([
      [10, 6],
      [20, 7],
      [30, 4],
    ]);
  });

  it('drops the oldest beyond its limit', () => {
    const buffer = filled(
      Array.from({ length: 250 }, (_, index) => [index, index] as const),
      100,
    );
    expect(buffer.length).toBe(100);
    expect(buffer.full).toBe(true);
    expect(buffer.firstTime).toBe(150);
    expect(buffer.lastTime).toBe(249);
  });

  it('keeps its limit of the newest over many times its capacity', () => {
    const buffer = new SeriesBuffer(5000);
    for (let batch = 0; batch < 200; batch++) {
      buffer.add(Array.from({ length: 250 }, (_, index) => [batch * 250 + index, -index] as const));
    }
    expect(buffer.length).toBe(5000);
    expect(buffer.firstTime).toBe(45_000);
    expect([...buffer.times].every((time, index) => time === 45_000 + index)).toBe(true);
  });

  it('finds the first reading at or after a time', () => {
    const buffer = filled([
      [10, 1],
      [20, 2],
      [30, 3],
    ]);
    expect([5, 10, 11, 30, 31].map((time) => buffer.indexOf(time))).toEqual([0, 0, 1, 2, 3]);
  });

  it('is empty again when it was cleared', () => {
    const buffer = filled([[1, 1]]);
    buffer.clear();
    expect(buffer.length).toBe(0);
    expect(buffer.firstTime).toBeUndefined();
    expect(buffer.lastValue).toBeUndefined();
  });

  it('refuses a limit that is none', () => {
    expect(() => new SeriesBuffer(0)).toThrow(RangeError);
  });

  it('holds what a sorted map would hold, whatever comes in whatever order', () => {
    const points = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer()), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(points, { maxLength: 12 }), (batches) => {
        const buffer = new SeriesBuffer(1000);
        const model = new Map<number, number>();
        for (const batch of batches) {
          buffer.add(batch);
          // Of equal times in one batch the later one counts, as sorting is stable.
          for (const [time, value] of batch) model.set(time, value);
        }
        expect(contents(buffer)).toEqual([...model].sort(([a], [b]) => a - b));
      }),
    );
  });
});
