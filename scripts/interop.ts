import { join } from 'node:path';
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
  const counts = await runVitest('interop', ['--config', 'vitest.interop.config.ts', ...args]);
  if (args.length === 0) writeCounts(join(root, 'test-results', 'counts-interop.json'), counts);
  process.exitCode = exitCodeFor(counts, isCi);
  console.log(`\n${summaryText(counts)}`);
}
