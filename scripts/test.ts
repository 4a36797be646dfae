import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildConsole } from './build-console.ts';
import { provide } from './requirements.ts';
import { root } from './root.ts';
import { runToEnd } from './run-to-end.ts';
import { exitCodeFor, isCi, runVitest } from './suite.ts';
import { type Counts, none, sum, summaryText, writeCounts } from './summary.ts';

const help = `Everything that can be tested on one machine: format and lint, types, import rules, then the tests.

Usage: npm test [-- path …]

With paths only the tests in these files or folders run, and nothing else is checked.
As root on Debian, Chromium and Redis are installed first; otherwise what needs them skips by name.`;

interface Check {
  readonly name: string;
  readonly args: readonly string[];
}

const tsc = 'node_modules/typescript/bin/tsc';
const checks: readonly Check[] = [
  {
    name: 'format and lint',
    args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'],
  },
  { name: 'types', args: [tsc, '--noEmit'] },
  { name: 'types of the console', args: [tsc, '--noEmit', '-p', 'web/tsconfig.json'] },
  { name: 'import rules', args: ['scripts/check-imports.ts'] },
];

async function check({ name, args }: Check): Promise<Counts> {
  const { code, output } = await runToEnd(process.execPath, args);
  console.error(`${code === 0 ? '✓' : '✗'} ${name}`);
  if (code !== 0) console.error(output.trimEnd().replace(/^/gm, '    '));
  return code === 0 ? { ...none, passed: 1 } : { ...none, failed: 1 };
}

async function testAll(): Promise<Counts> {
  provide('test');
  const results: Counts[] = [];
  for (const one of checks) results.push(await check(one));
  // The browser tests open the built console; without it they fail by name.
  try {
    await buildConsole();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    results.push({ ...none, failed: 1 });
  }
  // Coverage slows all that runs under it: only what it is asked of does.
  results.push(await runVitest('protocol', ['--project', 'protocol', '--coverage']));
  results.push(await runVitest('unit', ['--project', 'unit']));
  // One after the other: Chromium and a server want the machine for themselves.
  results.push(await runVitest('browser', ['--project', 'browser']));
  return sum(results);
}

async function testSome(paths: readonly string[]): Promise<Counts> {
  const config = paths.some((path) => path.includes('test/interop'))
    ? ['--config', 'vitest.interop.config.ts']
    : [];
  const unknown = paths.filter((path) => !path.startsWith('-') && !existsSync(join(root, path)));
  for (const path of unknown) console.error(`${path} is no file here; taken as part of a name`);
  if (paths.some((path) => path.includes('browser'))) await buildConsole();
  return runVitest('some', [...config, ...paths]);
}

const args = process.argv.slice(2);
if (args.includes('--help')) {
  console.log(help);
} else {
  const counts = args.length === 0 ? await testAll() : await testSome(args);
  if (args.length === 0) writeCounts(join(root, 'test-results', 'counts-test.json'), counts);
  process.exitCode = exitCodeFor(counts, isCi);
  console.log(`\n${summaryText(counts)}`);
}
