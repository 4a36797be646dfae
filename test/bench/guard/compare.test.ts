import { describe, expect, test } from 'vitest';
import { compare, isWorse } from '../../../bench/guard/compare.ts';
import { slope } from '../../../bench/slope.ts';

describe('the guard of CPU costs', () => {
  test('tells what has become more than a quarter dearer, and nothing else', () => {
    const kept = { register: 8, update: 4, notify: 4, gone: 2 };
    const changes = compare(kept, { register: 10.1, update: 5, notify: 2, send: 100 });
    expect(changes.filter(isWorse).map(({ name }) => name)).toEqual(['register']);
  });

  test('tells a path of which nothing is kept as new', () => {
    expect(compare({}, { send: 3 })).toEqual([{ name: 'send', was: undefined, is: 3 }]);
  });
});

describe('the slope of memory over time', () => {
  test('is that of the line that fits best', () => {
    expect(
      slope([
        [0, 1],
        [1, 3],
        [2, 5],
      ]),
    ).toBeCloseTo(2);
    expect(
      slope([
        [0, 1],
        [1, 2],
        [2, 1],
        [3, 2],
      ]),
    ).toBeCloseTo(0.2);
  });

  test('of one point is none', () => {
    expect(slope([[1, 1]])).toBeNaN();
  });

  test('and never good where it is no number', () => {
    expect(isWorse({ name: 'a', was: 1, is: Number.NaN })).toBe(true);
  });
});
