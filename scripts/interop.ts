import { join } from 'node:path';
import { BuildError, buildReader } from './build-reader.ts';
import { provide } from './requirements.ts';
import { root } from './root.ts';
import { exitCodeFor, isCi, runVitest } from './suite.ts';
import { summaryText, writeCounts } from './summary.ts';

const help = `Our endpoints, server and client against peers that others wrote: libcoap, aiocoap, npm coap, Leshan.

Usage: npm run interop [-- path …]

As root on Debian, what it needs is installed first; otherwise the tests that need it skip by name.`;

const args = process.argv.slice(2);
if (args.includes('--help')) {
  console.log(help);
} else {
  provide('interop');
  // For the tests with a PC/SC reader: npm ci does not build it. Without it they skip, and say why.
  try {
    buildReader();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`Cards in PC/SC readers are not tested: ${error.message}`);
  }
  const counts = await runVitest('interop', ['--config', 'vitest.interop.config.ts', ...args]);
  if (args.length === 0) writeCounts(join(root, 'test-results', 'counts-interop.json'), counts);
  process.exitCode = exitCodeFor(counts, isCi);
  console.log(`\n${summaryText(counts)}`);
}
