import { expect, test } from 'vitest';
import { faultsOf } from '../../bench/publish.ts';

test.each(['| NaN |', 'p50 Infinity ms', '| undefined |'])('%s is no figure, and is told', (text) => {
  expect(faultsOf(text)).toHaveLength(1);
});

test('a table with all its figures has no fault', () => {
  expect(faultsOf('| Simyard | 1.25 | 0 failed |')).toEqual([]);
});
