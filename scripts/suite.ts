import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.ts';
import { runToEnd } from './run-to-end.ts';
import { type Counts, engineCrashes, none, readReport, sum } from './summary.ts';

/**
 * Runs vitest with its usual output, and counts by its JSON report. An exit code that no failed test explains (a
 * coverage threshold, an unhandled error, no tests at all) counts as one failure. In CI the files whose process was
 * ended by a crash of the engine are run once more; a second crash is a failure.
 */
export async function runVitest(name: string, args: readonly string[]): Promise<Counts> {
  const first = await runOnce(name, args);
  if (first.crashed.length === 0) return first.counts;
  for (const file of first.crashed) console.error(`The engine crashed in ${file}: it is run again.`);
  const again = args.filter((argument) => argument !== '--coverage');
  const { counts, crashed } = await runOnce(`${name}-again`, [...again, ...first.crashed]);
  return sum([first.counts, counts, { ...none, failed: crashed.length }]);
}

async function runOnce(
  name: string,
  args: readonly string[],
): Promise<{ readonly counts: Counts; readonly crashed: readonly string[] }> {
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
    return { counts: { ...none, failed: 1 }, crashed: [] };
  }
  for (const test of counts.skippedNames) console.error(`Skipped: ${test}`);
  const { passed, failed, skipped } = counts;
  const unexplained = failed === 0 && code !== 0 && crashed.length === 0;
  return { counts: { passed, failed: unexplained ? 1 : failed, skipped }, crashed };
}

/** In CI a skipped test is a failure: what is missing there, its set-up did not bring. */
export function exitCodeFor({ passed, failed, skipped }: Counts, isCi: boolean): number {
  if (failed > 0 || passed === 0) return 1;
  return isCi && skipped > 0 ? 1 : 0;
}

/** True where the environment says so, as hosted runners do. */
export const isCi: boolean = !['', '0', 'false'].includes(process.env.CI ?? '');
