import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './root.ts';
import { runToEnd } from './run-to-end.ts';
import { type Counts, engineCrashes, none, notesOf, readReport, sum } from './summary.ts';

/** Of more files than that a failure is no accident. */
const FEW = 3;

/**
 * Runs vitest with its usual output, and counts by its JSON report. An exit code that no failed test explains (a
 * coverage threshold, an unhandled error, no tests at all) counts as one failure.
 *
 * Files whose process was ended by a crash of the engine are run once more. So are, in CI, a few files in which a test
 * failed: a machine that others use as well makes a test late now and then. What passes then is told by name at the
 * end, and what fails then is a failure.
 */
export async function runVitest(name: string, args: readonly string[]): Promise<Counts> {
  const first = await runOnce(name, args);
  const failed = isCi && first.failedFiles.length <= FEW ? first.failedFiles : [];
  const files = [...first.crashed, ...failed];
  if (files.length === 0) return first.counts;
  for (const file of first.crashed) console.error(`The engine crashed in ${file}: it is run again.`);
  for (const file of failed) console.error(`A test failed in ${file}: it is run again.`);
  const again = args.filter((argument) => argument !== '--coverage');
  const second = await runOnce(`${name}-again`, [...again, ...files]);
  const stillFailed = new Set([...second.failedFiles, ...second.crashed]);
  const notes = files
    .filter((file) => !stillFailed.has(file))
    .map((file) => `passed when it was run again: ${relative(root, file)}`);
  return sum([
    first.without(files),
    second.counts,
    { ...none, failed: second.crashed.length, ...notesOf(notes) },
  ]);
}

interface Run {
  readonly counts: Counts;
  readonly crashed: readonly string[];
  readonly failedFiles: readonly string[];
  /** The counts without those of some files. */
  readonly without: (files: readonly string[]) => Counts;
}

async function runOnce(name: string, args: readonly string[]): Promise<Run> {
  const report = join(root, 'test-results', `${name}.json`);
  rmSync(report, { force: true });
  const { code, output } = await runToEnd(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ].concat(args),
    isCi ? { tee: true } : { show: true },
  );
  const crashed = engineCrashes(output);
  let counts: ReturnType<typeof readReport>;
  try {
    counts = readReport(report, crashed);
  } catch (error) {
    console.error(
      `vitest left no report of ${name}: ${error instanceof Error ? error.message : String(error)}`,
    );
    const broken = { ...none, failed: 1 };
    return { counts: broken, crashed: [], failedFiles: [], without: () => broken };
  }
  for (const test of counts.skippedNames) console.error(`Skipped: ${test}`);
  // What is left unexplained is no failed test's, and no other run excuses it.
  const unexplained = counts.failed === 0 && code !== 0 && crashed.length === 0 ? 1 : 0;
  const plain = ({ passed, failed, skipped, notes = [] }: Counts): Counts => ({
    passed,
    failed: failed + unexplained,
    skipped,
    ...notesOf(notes.map((note) => note.replaceAll(`${root}/`, ''))),
  });
  return {
    counts: plain(counts),
    crashed,
    failedFiles: counts.failedFiles,
    without: (files) => plain(readReport(report, files)),
  };
}

/** In CI a skipped test is a failure: what is missing there, its set-up did not bring. */
export function exitCodeFor({ passed, failed, skipped }: Counts, isCi: boolean): number {
  if (failed > 0 || passed === 0) return 1;
  return isCi && skipped > 0 ? 1 : 0;
}

/** True where the environment says so, as hosted runners do. */
export const isCi: boolean = !['', '0', 'false'].includes(process.env.CI ?? '');
