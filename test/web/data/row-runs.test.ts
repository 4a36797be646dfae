import { describe, expect, it } from 'vitest';
import { rowRuns } from '../../../web/data/row-runs.ts';

describe('the rows that are drawn', () => {
  it.each([
    ['those in sight', 100, [10, 20], 15, [[10, 10, 20]], 80],
    ['from the first', 5, [0, 24], 0, [[0, 0, 5]], 0],
    [
      'one above them that has the focus',
      100,
      [10, 20],
      2,
      [
        [2, 2, 3],
        [7, 10, 20],
      ],
      80,
    ],
    [
      'one below them that has the focus',
      100,
      [10, 20],
      50,
      [
        [10, 10, 20],
        [30, 50, 51],
      ],
      49,
    ],
    [
      'right beside them',
      100,
      [10, 20],
      20,
      [
        [10, 10, 20],
        [0, 20, 21],
      ],
      79,
    ],
    ['none where there is none', 0, [0, 24], 0, [[0, 0, 0]], 0],
    [
      'the last where the list has become shorter',
      3,
      [10, 20],
      0,
      [
        [0, 0, 1],
        [1, 2, 3],
      ],
      0,
    ],
  ] as const)('are %s', (_, count, [first, end], needed, runs, after) => {
    const drawn = rowRuns(count, { first, end }, needed);
    expect(drawn.runs.map((run) => [run.gap, run.first, run.end])).toEqual(runs);
    expect(drawn.after).toBe(after);
  });

  it('leave out none and repeat none: gaps and rows are all', () => {
    for (let needed = 0; needed < 30; needed++) {
      const { runs, after } = rowRuns(30, { first: 12, end: 18 }, needed);
      const all = runs.reduce((sum, run) => sum + run.gap + run.end - run.first, 0) + after;
      expect(all).toBe(30);
    }
  });
});
