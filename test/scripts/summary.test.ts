import { describe, expect, test } from 'vitest';
import { exitCodeFor } from '../../scripts/suite.ts';
import { countsOf, none, sum, summaryLine } from '../../scripts/summary.ts';

function report(files: { status: string; tests: string[] }[]): Parameters<typeof countsOf>[0] {
  const tests = files.flatMap((file) => file.tests);
  return {
    numPassedTests: tests.filter((status) => status === 'passed').length,
    numFailedTests: tests.filter((status) => status === 'failed').length,
    numPendingTests: tests.filter((status) => status === 'skipped').length,
    numTodoTests: tests.filter((status) => status === 'todo').length,
    testResults: files.map((file, index) => ({
      name: `${index}.test.ts`,
      status: file.status,
      assertionResults: file.tests.map((status, number) => ({ status, fullName: `${status} ${number}` })),
    })),
  };
}

test('a report is counted by its tests', () => {
  const counts = countsOf(
    report([
      { status: 'passed', tests: ['passed', 'passed', 'skipped'] },
      { status: 'failed', tests: ['failed', 'todo'] },
    ]),
  );
  expect(counts).toEqual({ passed: 2, failed: 1, skipped: 2, skippedNames: ['skipped 2', 'todo 1'] });
});

test('a file that fails without a failed test is one failure', () => {
  expect(countsOf(report([{ status: 'failed', tests: [] }]))).toMatchObject({ passed: 0, failed: 1 });
});

test('counts add up to one line', () => {
  const total = sum([{ passed: 3, failed: 0, skipped: 0 }, { passed: 4, failed: 1, skipped: 0 }, none]);
  expect(summaryLine(total)).toBe('7 passed, 1 failed');
  expect(summaryLine({ ...total, skipped: 2 })).toBe('7 passed, 1 failed, 2 skipped');
});

describe('the exit code', () => {
  test.each([
    ['all passed', { passed: 1, failed: 0, skipped: 0 }, 0, 0],
    ['one failed', { passed: 9, failed: 1, skipped: 0 }, 1, 1],
    ['nothing ran', none, 1, 1],
    ['one was skipped', { passed: 9, failed: 0, skipped: 1 }, 0, 1],
  ])('where %s', (_, counts, atHome, inCi) => {
    expect(exitCodeFor(counts, false)).toBe(atHome);
    expect(exitCodeFor(counts, true)).toBe(inCi);
  });
});
