/**
 * `npm run bench:flames`: flame graphs of the daily work, each of a server of its own: where the CPU goes that the
 * tables of docs/performance.md count.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../scripts/root.ts';
import { runToEnd } from '../scripts/run-to-end.ts';
import { writePicture, writeSection } from './document.ts';
import { chosenBy, decimal, flagsOrExit, given, parseFlags, text } from './flags.ts';

const usage = `Flame graphs of the daily work (needs Linux perf for kernel and SQLite).

  --seconds N    that each is looked at   (8)
  --only TEXT    pictures with this in their file or their title, in any case
  --to FOLDER    where they go            (simyard-flames, in the folder for temporary files)
  --write        put all of them into docs/performance, and docs/performance.md`;

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

const { seconds, write, to, chosen } = flagsOrExit(usage, (args) => {
  const values = parseFlags(args, {
    seconds: decimal(8, { from: 0.5, to: 120 }),
    only: text(''),
    to: text(join(tmpdir(), 'simyard-flames')),
    write: given,
  });
  if (values === undefined) return undefined;
  if (values.write && values.only !== '') throw new RangeError('--write takes all pictures: not with --only');
  return { ...values, chosen: chosenBy(values.only, pictures, ({ file, title }) => `${file}: ${title}`) };
});

mkdirSync(to, { recursive: true });
const told: string[] = [];
for (const { file, title, flags } of chosen) {
  const { code, output } = await runToEnd(process.execPath, [
    ...[join(root, 'bench/profile.ts'), '--flame', join(to, `${file}.svg`), '--seconds', String(seconds)],
    ...['--devices', '1000', ...flags],
  ]);
  process.stdout.write(`${title}\n${output}`);
  if (code !== 0) {
    process.stderr.write(`${title}: the profile ended with code ${code}; docs/performance stays as it was\n`);
    process.exit(1);
  }
  told.push(`[![${title}](performance/${file}.svg)](performance/${file}.svg)`);
}
if (write) {
  for (const { file } of chosen) writePicture(`${file}.svg`, readFileSync(join(to, `${file}.svg`), 'utf8'));
  writeSection('flames', told.join('\n\n'));
} else process.stdout.write(`the pictures are in ${to}\n`);
