/**
 * What a change costs or saves: this tree and another one do the same work in turns, with a raw UDP echo between, so
 * that what else the machine does falls on all of them alike. Quote the ratios. `--help` lists the flags.
 */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startRedis } from '../test/support/redis.ts';
import { decimal, flagsOrExit, oneOf, parseFlags, text, whole } from './flags.ts';
import type { LoadCommand, LoadReport } from './load/main.ts';
import { type Work, works } from './load/tally.ts';
import { BenchProcess } from './process.ts';
import { median } from './quantiles.ts';
import { redisOrExit } from './redis-or-exit.ts';
import type { TargetReport } from './targets/report.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

const usage = `What a change costs or saves: this tree beside another one, by turns, as a ratio of CPU.

Usage: node scripts/run.mjs bench/compare.ts --before FOLDER [options]

  --before FOLDER   the other tree, with its packages installed                 (.)
  --work WORK       ${works.filter((work) => work !== 'echo').join(', ')}   (register)
  --store STORE     redis, disk, memory                                         (redis)
  --devices N       (500)
  --readings N      in a notification or a Send                                 (10)
  --rounds N        of each, by turns                                           (7)
  --seconds N       of a round                                                  (2)
  --flags TEXT      flags of node for this tree alone`;

const values = flagsOrExit(usage, (args) => {
  const found = parseFlags(args, {
    before: text('.'),
    work: oneOf(works, 'register'),
    store: oneOf(['redis', 'disk', 'memory'], 'redis'),
    devices: whole(500, { to: 15_000 }),
    readings: whole(10, { to: 3_000 }),
    rounds: whole(7, { to: 1_000 }),
    seconds: decimal(2, { from: 0.1, to: 120 }),
    flags: text(''),
  });
  if (found !== undefined && !existsSync(join(found.before, 'bench/targets/simyard.ts'))) {
    throw new RangeError(
      `--before takes the folder of another tree, and ${found.before} has no bench/targets`,
    );
  }
  return found;
});
if (values.store === 'redis') redisOrExit();
const { work } = values;
const warmUp = 4_000;
const milliseconds = values.seconds * 1_000;

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
    devices: values.devices,
    readings: values.readings,
  } as const;
  await load.ask<'open'>({ ...open, port } satisfies LoadCommand);
  await load.ask<LoadReport>({ kind: 'run', milliseconds: warmUp });
  return { name, target, load, cpu: [], rates: [], close };
}

async function round({ target, load, cpu, rates }: Contestant): Promise<void> {
  const before = await target.ask<TargetReport>('cpu');
  const { done, elapsed } = await load.ask<LoadReport>({ kind: 'run', milliseconds });
  const after = await target.ask<TargetReport>('cpu');
  if (done === 0) throw new Error('no exchange ended well');
  cpu.push((after.cpu - before.cpu) / done);
  rates.push((done / elapsed) * 1_000);
}

const contestants: Contestant[] = [];
try {
  contestants.push(await begin('echo', '.', 'echo', []));
  contestants.push(await begin('before', values.before, work, []));
  contestants.push(await begin('after', '.', work, values.flags === '' ? [] : values.flags.split(' ')));
  for (let index = 0; index < values.rounds; index++) {
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
