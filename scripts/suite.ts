import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.ts';
import { runToEnd } from './run-to-end.ts';
import { type Counts, none, readReport } from './summary.ts';

/**
 * Runs vitest with its usual output, and counts by its JSON report. An exit code that no failed test explains (a
 * coverage threshold, an unhandled error, no tests at all) counts as one failure.
 */
export async function runVitest(name: string, args: readonly string[]): Promise<Counts> {
  const report = join(root, 'test-results', `${name}.json`);
  rmSync(report, { force: true });
  const { code } = await runToEnd(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ].concat(args),
    { show: true },
  );
  let counts: ReturnType<typeof readReport>;
  try {
    counts = readReport(report);
  } catch (error) {
    console.error(
      `vitest left no report of ${name}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return { ...none, failed: 1 };
  }
  for (const test of counts.skippedNames) console.error(`Skipped: ${test}`);
  const { passed, failed, skipped } = counts;
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed, skipped };
}

/** In CI a skipped test is a failure: what is missing there, its set-up did not bring. */
export function exitCodeFor({ passed, failed, skipped }: Counts, isCi: boolean): number {
  if (failed > 0 || passed === 0) return 1;
  return isCi && skipped > 0 ? 1 : 0;
}

/** True where the environment says so, as hosted runners do. */
export const isCi: boolean = !['', '0', 'false'].includes(process.env.CI ?? '');
