import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** How many tests passed, failed, and were not run. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What a reader of the last lines should know: which tests failed, and what was run twice. */
  readonly notes?: readonly string[];
}

export const none: Counts = { passed: 0, failed: 0, skipped: 0 };

export function sum(all: readonly Counts[]): Counts {
  return all.reduce(
    (total, counts) => ({
      passed: total.passed + counts.passed,
      failed: total.failed + counts.failed,
      skipped: total.skipped + counts.skipped,
      ...notesOf([...(total.notes ?? []), ...(counts.notes ?? [])]),
    }),
    none,
  );
}

export function notesOf(notes: readonly string[]): Pick<Counts, 'notes'> {
  return notes.length === 0 ? {} : { notes };
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/**
 * Counts of vitest's JSON report. A file that failed without a failed test (it does not load, or a hook threw) counts
 * as one failure, for its tests are in no count. `skippedNames` tells what was not run, `failedFiles` where anything failed.
 */
export function countsOf(
  report: VitestReport,
): Counts & { readonly skippedNames: readonly string[]; readonly failedFiles: readonly string[] } {
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const skippedNames = report.testResults.flatMap((file) =>
    file.assertionResults
      .filter((test) => test.status !== 'passed' && test.status !== 'failed')
      .map((test) => test.fullName),
  );
  const failures = report.testResults.flatMap((file) => {
    const tests = file.assertionResults.filter(({ status }) => status === 'failed');
    if (tests.length > 0) return tests.map(({ fullName }) => `failed: ${fullName} (${file.name})`);
    return file.status === 'failed' ? [`failed: ${file.name} did not run`] : [];
  });
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles,
    skipped: report.numPendingTests + report.numTodoTests,
    skippedNames,
    failedFiles: report.testResults.filter(({ status }) => status === 'failed').map(({ name }) => name),
    ...notesOf(failures),
  };
}

/** The counts of a report, without those of some files. */
export function readReport(path: string, without: readonly string[] = []): ReturnType<typeof countsOf> {
  const report = JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
  return without.length === 0 ? countsOf(report) : countsOf(withoutFiles(report, without));
}

function withoutFiles(report: VitestReport, files: readonly string[]): VitestReport {
  const testResults = report.testResults.filter(({ name }) => !files.includes(name));
  const count = (...statuses: readonly string[]): number =>
    testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => statuses.includes(status)).length;
  return {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('pending', 'skipped', 'disabled'),
    numTodoTests: count('todo'),
    testResults,
  };
}

/**
 * Test files whose process the JavaScript engine itself ended, as vitest tells it; none where the run met another error
 * beside that. V8 checks its registry of compiled code, and loses track of it now and then where threads come and go
 * (`Check failed: jit_page.has_value()`, nodejs/node#64500): a store here is two threads, and a test file opens hundreds.
 */
export function engineCrashes(output: string): readonly string[] {
  const text = stripVTControlCharacters(output);
  const crashes = [
    ...text.matchAll(
      /Worker exited unexpectedly with signal (?:SIGTRAP|SIGSEGV|SIGILL|SIGABRT|SIGBUS) .*while running test file (.+)$/gm,
    ),
  ].map(([, file]) => (file as string).trim());
  const errors = [...text.matchAll(/^Vitest caught (\d+) unhandled errors?/gm)];
  const told = errors.reduce((total, [, count]) => total + Number(count), 0);
  return told === crashes.length && !/^ERROR: Coverage/m.test(text) ? crashes : [];
}

/** The notes, and then the line that counts. */
export function summaryText(counts: Counts): string {
  return [...(counts.notes ?? []), summaryLine(counts)].join('\n');
}

/** `12 passed, 0 failed`, and `, 3 skipped` where there are any. */
export function summaryLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

export function writeCounts(path: string, counts: Counts): void {
  mkdirSync(dirname(path), { recursive: true });
  const { passed, failed, skipped, notes = [] } = counts;
  writeFileSync(path, `${JSON.stringify({ passed, failed, skipped, ...notesOf(notes) })}\n`);
}
