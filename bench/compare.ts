/**
 * What a change costs or saves: this tree and another one do the same work in turns, with a raw UDP echo between, so
 * that what else the machine does falls on all of them alike. Quote the ratios.
 * node scripts/run.mjs bench/compare.ts --before FOLDER [--work register|update|notify|take-over]
 *   [--store redis|disk|memory] [--devices N] [--readings N] [--rounds N] [--seconds N] [--flags 'node flags of this one']
 */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startRedis } from '../test/support/redis.ts';
import type { LoadCommand, LoadReport } from './load/main.ts';
import type { Work } from './load/tally.ts';
import { BenchProcess } from './process.ts';
import { median } from './quantiles.ts';
import type { TargetReport } from './targets/report.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

const { values } = parseArgs({
  options: {
    before: { type: 'string', default: '.' },
    work: { type: 'string', default: 'register' },
    store: { type: 'string', default: 'redis' },
    devices: { type: 'string', default: '500' },
    readings: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    flags: { type: 'string', default: '' },
  },
});
const warmUp = 4_000;
const milliseconds = Number(values.seconds) * 1_000;

interface Contestant {
  readonly name: string;
  readonly target: BenchProcess;
  readonly load: BenchProcess;
  /** µs of CPU per operation, by round. */
  readonly cpu: number[];
  readonly rates: number[];
  readonly close: () => Promise<unknown>;
}

async function begin(name: string, tree: string, work: Work, flags: readonly string[]): Promise<Contestant> {
  const redis = values.store === 'redis' && work !== 'echo' ? await startRedis({ durable: true }) : undefined;
  const folder = values.store === 'disk' ? temporaryFolder() : undefined;
  const script = work === 'echo' ? 'echo.ts' : 'simyard.ts';
  const file = pathToFileURL(join(resolve(tree), 'bench/targets', script)).href;
  const target = new BenchProcess(file, [redis?.url ?? folder ?? ':memory:'], flags);
  const load = new BenchProcess('./load/main.ts');
  const close = async (): Promise<void> => {
    await Promise.all([target.stop(), load.stop()]);
    await redis?.close();
    if (folder !== undefined) removeFolder(folder);
  };
  const { port } = await target.next<{ port: number }>();
  const open = {
    kind: 'open',
    work,
    devices: Number(values.devices),
    readings: Number(values.readings),
  } as const;
  await load.ask<'open'>({ ...open, port } satisfies LoadCommand);
  await load.ask<LoadReport>({ kind: 'run', milliseconds: warmUp });
  return { name, target, load, cpu: [], rates: [], close };
}

async function round({ target, load, cpu, rates }: Contestant): Promise<void> {
  const before = await target.ask<TargetReport>('cpu');
  const { done, elapsed } = await load.ask<LoadReport>({ kind: 'run', milliseconds });
  const after = await target.ask<TargetReport>('cpu');
  cpu.push((after.cpu - before.cpu) / done);
  rates.push((done / elapsed) * 1_000);
}

const work = values.work as Work;
const contestants: Contestant[] = [];
try {
  contestants.push(await begin('echo', '.', 'echo', []));
  contestants.push(await begin('before', values.before, work, []));
  contestants.push(await begin('after', '.', work, values.flags === '' ? [] : values.flags.split(' ')));
  for (let index = 0; index < Number(values.rounds); index++) {
    for (const contestant of contestants) await round(contestant);
  }
  const [echo, before, after] = contestants as [Contestant, Contestant, Contestant];
  for (const { name, cpu, rates } of contestants) {
    const ofFloor = median(cpu.map((value, index) => value / (echo.cpu[index] as number)));
    process.stdout.write(
      `${name.padEnd(7)} ${median(cpu).toFixed(1)} µs (${Math.min(...cpu).toFixed(1)}–${Math.max(...cpu).toFixed(1)}), ${ofFloor.toFixed(1)} of the floor, ${Math.round(median(rates))}/s\n`,
    );
  }
  const ratio = median(after.cpu.map((value, index) => value / (before.cpu[index] as number)));
  process.stdout.write(`${work} on ${values.store}: after / before ${ratio.toFixed(3)}, median of pairs\n`);
} finally {
  await Promise.all(contestants.map(({ close }) => close()));
}
