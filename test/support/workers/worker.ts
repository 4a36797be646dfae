import { tellParent } from '../../../server/workers/parent.ts';

// A worker that serves nobody: it tells what it was started with, and what it is told.
const [mode, ...flags] = process.argv.slice(2);
const name = flags[flags.indexOf('--node') + 1];
const again = flags.includes('--take-over');
const say = (what: string): void => void process.stdout.write(`${name} ${what}\n`);

say(`${again ? 'began again' : 'began'} as ${process.pid}`);
if (mode === 'wrong-setting') {
  process.stderr.write('simyard: one clear line\n');
  process.exit(3);
}
if (mode === 'killed-at-first') process.kill(process.pid, 'SIGKILL');
if (mode === 'second-fails-twice' && name === 'node-2') {
  // Counts by a file that the test gives.
  const { appendFileSync, readFileSync } = await import('node:fs');
  const file = process.env['TALLY'] ?? '';
  appendFileSync(file, '.');
  if (readFileSync(file, 'utf8').length <= 2) process.exit(4);
}
const stay = setInterval(() => undefined, 1_000_000);
const end = (why: string): void => {
  say(`ends: ${why}`);
  clearInterval(stay);
  if (mode === 'ends-badly') process.exitCode = 5;
};
process.on('SIGTERM', () => end('SIGTERM'));
tellParent(() => end('the supervisor is gone'));
say('serves');
