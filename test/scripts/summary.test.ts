import { describe, expect, test } from 'vitest';
import { exitCodeFor } from '../../scripts/suite.ts';
import { countsOf, engineCrashes, none, sum, summaryLine, summaryText } from '../../scripts/summary.ts';

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
  expect(counts).toEqual({
    passed: 2,
    failed: 1,
    skipped: 2,
    skippedNames: ['skipped 2', 'todo 1'],
    failedFiles: ['1.test.ts'],
    notes: ['failed: failed 0 (1.test.ts)'],
  });
});

test('a file that fails without a failed test is one failure', () => {
  expect(countsOf(report([{ status: 'failed', tests: [] }]))).toMatchObject({ passed: 0, failed: 1 });
});

test('counts add up to one line', () => {
  const total = sum([{ passed: 3, failed: 0, skipped: 0 }, { passed: 4, failed: 1, skipped: 0 }, none]);
  expect(summaryLine(total)).toBe('7 passed, 1 failed');
  expect(summaryLine({ ...total, skipped: 2 })).toBe('7 passed, 1 failed, 2 skipped');
});

test('what a reader of the last lines should know stands before the line that counts', () => {
  const failed = { ...none, failed: 1, notes: ['failed: a (x.test.ts)'] };
  const total = sum([
    failed,
    { ...none, passed: 2 },
    { ...none, notes: ['passed when it was run again: y'] },
  ]);
  expect(summaryText(total)).toBe(
    'failed: a (x.test.ts)\npassed when it was run again: y\n2 passed, 1 failed',
  );
});

describe('a crash of the engine', () => {
  const crash = (file: string, signal = 'SIGTRAP') =>
    `\u001b[31mCaused by: Error\u001b[39m: Worker exited unexpectedly with signal ${signal} during started state while running test file ${file}\n`;
  const caught = (count: number) =>
    `\nVitest caught ${count} unhandled error${count === 1 ? '' : 's'} during the test run.\n`;

  test('names the files that it ended', () => {
    expect(
      engineCrashes(`${caught(2)}${crash('/x/a.test.ts')}${crash('/x/b c.test.ts', 'SIGSEGV')}`),
    ).toEqual(['/x/a.test.ts', '/x/b c.test.ts']);
    expect(engineCrashes('all went well')).toEqual([]);
  });

  test('excuses nothing else: another error, an end from outside, a coverage that is too low', () => {
    expect(engineCrashes(`${caught(2)}${crash('/x/a.test.ts')}`)).toEqual([]);
    expect(engineCrashes(`${caught(1)}${crash('/x/a.test.ts', 'SIGKILL')}`)).toEqual([]);
    const coverage = 'ERROR: Coverage for lines (90%) does not meet "protocol/**/*.ts" threshold (95%)';
    expect(engineCrashes(`${caught(1)}${crash('/x/a.test.ts')}${coverage}`)).toEqual([]);
  });
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
