/**
 * `npm run bench:flames`: flame graphs of the daily work, each of a server of its own, into docs/performance.md: where the
 * CPU goes that the tables there count.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/root.ts';
import { runToEnd } from '../scripts/run-to-end.ts';
import { writeSection } from './document.ts';

const usage = `Flame graphs of the daily work, into docs/performance and docs/performance.md (needs Linux perf for kernel and SQLite).

  --seconds N    that each is looked at   (8)
  --only TEXT    pictures with this in their name; docs/performance.md is left alone then`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

interface Picture {
  readonly file: string;
  /** Of what, as a reader is told. */
  readonly title: string;
  /** Flags of bench/profile.ts. */
  readonly flags: readonly string[];
}

const memory = ['--store', 'memory'];
const notifying = ['--work', 'notify', '--readings', '1'];
const atRate = ['--rate', '4000'];

const pictures: readonly Picture[] = [
  {
    file: 'flame-register',
    title: 'Registration in memory, flat out',
    flags: ['--work', 'register', ...memory],
  },
  { file: 'flame-update', title: 'Update in memory, flat out', flags: ['--work', 'update', ...memory] },
  {
    ...{ file: 'flame-update-rate', title: 'Update in memory, 4 000 a second' },
    flags: ['--work', 'update', ...memory, ...atRate],
  },
  {
    ...{ file: 'flame-notify', title: 'Confirmable notification of one reading in memory, flat out' },
    flags: [...notifying, ...memory],
  },
  {
    ...{ file: 'flame-notify-disk', title: 'Confirmable notification of one reading on disk, flat out' },
    flags: [...notifying, '--store', 'disk'],
  },
  {
    ...{ file: 'flame-echo', title: 'The floor: a raw UDP echo, flat out' },
    flags: ['--work', 'echo', ...memory],
  },
];

const told: string[] = [];
for (const { file, title, flags } of pictures.filter((picture) => picture.file.includes(values.only))) {
  const svg = join(root, 'docs/performance', `${file}.svg`);
  const { code, output } = await runToEnd(process.execPath, [
    ...[join(root, 'bench/profile.ts'), '--flame', svg, '--seconds', values.seconds, '--devices', '1000'],
    ...flags,
  ]);
  process.stdout.write(`${title}\n${output}`);
  if (code !== 0) throw new Error(`${title}: the profile ended with code ${code}`);
  told.push(`[![${title}](performance/${file}.svg)](performance/${file}.svg)`);
}
if (values.only === '') writeSection('flames', told.join('\n\n'));
