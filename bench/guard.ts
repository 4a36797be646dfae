/**
 * `npm run bench:guard`: what the main paths cost in CPU, as multiples of a raw UDP echo in the same minute, beside what is
 * kept in bench/results/guard.json. A report: it tells what has become more than a quarter dearer, and never fails for it.
 */
import { loadavg } from 'node:os';
import { flagsOrExit, given, parseFlags, whole } from './flags.ts';
import { compare, type GuardFigures, isWorse } from './guard/compare.ts';
import { readFigures, writeFigures } from './guard/figures.ts';
import type { LoadCommand, LoadReport } from './load/main.ts';
import type { Work } from './load/tally.ts';
import { echo, simyardInMemory, simyardOnDisk } from './peers/peers.ts';
import type { Peer, Target } from './peers/target.ts';
import { BenchProcess } from './process.ts';

const usage = `CPU of the main paths as multiples of a raw UDP echo, beside the figures that are kept.

  --rounds N     of each path, each beside the echo   (5)
  --update       keep what was measured as the new figures`;

const { rounds, update } = flagsOrExit(usage, (args) =>
  parseFlags(args, { rounds: whole(5, { to: 1_000 }), update: given }),
);
const kept = new URL('./results/guard.json', import.meta.url);
/** ms */
const [WARM_UP, ROUND] = [3_000, 1_000];
const DEVICES = 300;

const paths: readonly {
  readonly name: string;
  readonly peer: Peer;
  readonly work: Work;
  readonly readings: number;
}[] = [
  { name: 'registration, in memory', peer: simyardInMemory, work: 'register', readings: 0 },
  { name: 'update, in memory', peer: simyardInMemory, work: 'update', readings: 0 },
  { name: 'notification of 1, on disk', peer: simyardOnDisk, work: 'notify', readings: 1 },
  { name: 'notification of 50, on disk', peer: simyardOnDisk, work: 'notify', readings: 50 },
  { name: 'Send of 10, on disk', peer: simyardOnDisk, work: 'send', readings: 10 },
];

interface Loaded {
  readonly target: Target;
  readonly load: BenchProcess;
}

async function open(peer: Peer, work: Work, readings: number): Promise<Loaded> {
  const target = await peer.start();
  const load = new BenchProcess('./load/main.ts');
  await load.ask({ kind: 'open', work, devices: DEVICES, readings, port: target.port } satisfies LoadCommand);
  await load.ask({ kind: 'run', milliseconds: WARM_UP } satisfies LoadCommand);
  return { target, load };
}

/** µs of CPU for each exchange, as fast as they go. */
async function round({ target, load }: Loaded): Promise<number> {
  const before = await target.use('cpu');
  const report = await load.ask<LoadReport>({ kind: 'run', milliseconds: ROUND } satisfies LoadCommand);
  const after = await target.use('cpu');
  if (report.done === 0) throw new Error(`nothing was done: ${JSON.stringify(report.works)}`);
  return (after.cpu - before.cpu) / report.done;
}

async function close({ target, load }: Loaded): Promise<void> {
  await Promise.all([target.stop(), load.stop()]);
}

/** What the path costs, as multiples of the floor. */
async function ratio(floor: Loaded, { peer, work, readings }: (typeof paths)[number]): Promise<number> {
  const path = await open(peer, work, readings);
  try {
    const [costs, floors]: [number[], number[]] = [[], []];
    for (let turn = 0; turn < rounds; turn++) {
      floors.push(await round(floor));
      costs.push(await round(path));
    }
    // The least of each: what else the machine does only ever adds.
    return Math.min(...costs) / Math.min(...floors);
  } finally {
    await close(path);
  }
}

/** The figures that are kept; a damaged file is made anew where that is wanted, and else ends this. */
function keptOrExit(): GuardFigures {
  try {
    return readFigures(kept);
  } catch (error) {
    if (update) return {};
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
}

const load = (): string => `load average ${loadavg()[0]?.toFixed(1)}`;
const before = keptOrExit();
const measured: Record<string, number> = {};
const floor = await open(echo, 'echo', 0);
try {
  for (const path of paths) {
    const { name } = path;
    let is = await ratio(floor, path);
    if (isWorse({ name, was: before[name], is })) {
      process.stderr.write(
        `${name}: ${is.toFixed(2)} × the floor looks worse (${load()}), and is measured again\n`,
      );
      // The lower one counts: a machine that is busy with something else makes a path dearer, and never cheaper.
      is = Math.min(is, await ratio(floor, path));
    }
    measured[name] = is;
    process.stderr.write(`${name}: ${is.toFixed(2)} × the floor\n`);
  }
} finally {
  await close(floor);
}

const changes = compare(before, measured);
const shown = changes.map((change) => {
  const { name, was, is } = change;
  const [old, changed] =
    was === undefined
      ? ['', 'new']
      : [was.toFixed(2), `${is >= was ? '+' : ''}${((is / was - 1) * 100).toFixed(0)} %`];
  return `| ${name} | ${old} | ${is.toFixed(2)} | ${changed}${isWorse(change) ? ', **worse**' : ''} |`;
});
process.stdout.write(
  `CPU as multiples of a raw UDP echo in the same minute (${load()}):\n\n| path | kept | now | |\n|---|--:|--:|---|\n${shown.join('\n')}\n`,
);
const worse = changes.filter(isWorse);
process.stdout.write(
  worse.length === 0
    ? '\nNo path has become more than 25 % dearer.\n'
    : `\nWorse by more than 25 % in two measurements, at a ${load()}: ${worse.map(({ name }) => name).join('; ')}. Look before it is kept (bench/profile.ts), or keep it: npm run bench:guard -- --update\n`,
);
if (update) writeFigures(kept, measured);
