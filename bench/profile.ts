/**
 * Where the CPU of a server goes under one kind of work, by function and by room, each thread apart: from the profiles
 * that V8 makes.
 * node scripts/run.mjs bench/profile.ts [--work register|update|notify|take-over] [--store redis|disk|memory]
 *   [--devices N] [--readings N] [--seconds N] [--rate N] [--top N] [--keep FOLDER]
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startRedis } from '../test/support/redis.ts';
import { type CpuProfile, heaviest, inclusive, rooms } from './cpu-profile.ts';
import type { LoadCommand, LoadReport } from './load/main.ts';
import type { Work } from './load/tally.ts';
import { BenchProcess } from './process.ts';
import type { TargetReport } from './targets/report.ts';

const { values } = parseArgs({
  options: {
    work: { type: 'string', default: 'register' },
    store: { type: 'string', default: 'redis' },
    devices: { type: 'string', default: '500' },
    readings: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '8' },
    /** Exchanges a second; as many as go where it is not given. */
    rate: { type: 'string' },
    top: { type: 'string', default: '45' },
    keep: { type: 'string' },
  },
});
const warmUp = 3_000;
const top = Number(values.top);
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'simyard-profile-'));
mkdirSync(folder, { recursive: true });

const redis = values.store === 'redis' ? await startRedis({ durable: true }) : undefined;
const data = values.store === 'disk' ? mkdtempSync(join(tmpdir(), 'simyard-bench-')) : undefined;
const target = new BenchProcess(
  './targets/simyard.ts',
  [redis?.url ?? data ?? ':memory:'],
  // Of the thread of the database, its start included; the main thread is looked at once it is warm.
  values.store === 'redis' ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500'],
);
const load = new BenchProcess('./load/main.ts');
try {
  const { port } = await target.next<{ port: number }>();
  const open = { kind: 'open', work: values.work as Work, devices: Number(values.devices), port } as const;
  await load.ask<'open'>({ ...open, readings: Number(values.readings) } satisfies LoadCommand);
  await load.ask<LoadReport>({ kind: 'run', milliseconds: warmUp });
  const before = await target.ask<TargetReport>('profile');
  const milliseconds = Number(values.seconds) * 1_000;
  const { done, elapsed } = await load.ask<LoadReport>(
    values.rate === undefined
      ? { kind: 'run', milliseconds }
      : { kind: 'pace', milliseconds, rate: Number(values.rate) },
  );
  const after = await target.ask<TargetReport>('cpu');
  await target.ask({ profileTo: join(folder, 'main.cpuprofile') });
  const each = (after.cpu - before.cpu) / done;
  process.stdout.write(
    `${values.work} on ${values.store}: ${each.toFixed(1)} µs of CPU each while profiled, ${Math.round((done / elapsed) * 1_000)}/s\n`,
  );
  if (values.store !== 'redis') await target.end();
  for (const name of readdirSync(folder).filter((file) => !/\.0\.001\.cpuprofile$/.test(file))) {
    const profile = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile;
    process.stdout.write(
      `\n## ${name}\n\n${rooms(profile)}\n\nself\n${heaviest(profile, top)}\n\nwith what they call\n${inclusive(profile, top)}\n`,
    );
  }
} finally {
  await Promise.all([target.stop(), load.stop()]);
  await redis?.close();
  if (data !== undefined) rmSync(data, { recursive: true, force: true });
  if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
}
