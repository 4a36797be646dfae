/**
 * Where the CPU of a server goes under one kind of work: by function and by room, each thread apart, from the profiles that
 * V8 makes; or as a flame graph, with the kernel and SQLite in it where Linux perf is there.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { startRedis } from '../test/support/redis.ts';
import { type CpuProfile, heaviest, inclusive, rooms, stacksOf } from './cpu-profile.ts';
import { decimal, flagsOrExit, oneOf, parseFlags, text, whole } from './flags.ts';
import { flameGraph, type Stack, shares } from './flame-graph.ts';
import type { LoadCommand, LoadReport } from './load/main.ts';
import { works } from './load/tally.ts';
import { PerfRecording, perfFlags, whyNoPerf } from './perf.ts';
import { BenchProcess } from './process.ts';
import { redisOrExit } from './redis-or-exit.ts';
import type { TargetReport } from './targets/report.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

const usage = `Where the CPU of a server goes under one kind of work.

Usage: node scripts/run.mjs bench/profile.ts [options]

  --work WORK      ${works.join(', ')}   (register)
  --store STORE    redis, disk, memory                                          (redis)
  --devices N      (500)
  --readings N     in a notification                                            (10)
  --seconds N      (8)
  --rate N         exchanges a second; as many as go where it is not given
  --top N          functions that are listed                                    (45)
  --flame FILE     a flame graph as SVG, and nothing else: by Linux perf, with kernel and SQLite, or, where perf is
                   not there, by V8's profile of the main thread
  --keep FOLDER    leaves the profiles of V8 there`;

const values = flagsOrExit(usage, (args) =>
  parseFlags(args, {
    work: oneOf(works, 'register'),
    store: oneOf(['redis', 'disk', 'memory'], 'redis'),
    devices: whole(500, { to: 15_000 }),
    readings: whole(10, { to: 3_000 }),
    seconds: decimal(8, { from: 0.5, to: 120 }),
    rate: decimal(undefined, { from: 1, to: 1_000_000 }),
    top: whole(45, { to: 1_000 }),
    flame: text(undefined),
    keep: text(undefined),
  }),
);
const { work, store, flame, rate, top } = values;
if (store === 'redis') redisOrExit();
const warmUp = 3_000;
const withoutPerf = flame === undefined ? undefined : whyNoPerf();
const isByPerf = flame !== undefined && withoutPerf === undefined;
if (withoutPerf !== undefined) {
  process.stderr.write(`${withoutPerf}: the flame graph is V8's, without the kernel and SQLite\n`);
}
const folder = values.keep ?? temporaryFolder('simyard-profile-');
mkdirSync(folder, { recursive: true });

const redis = store === 'redis' ? await startRedis({ durable: true }) : undefined;
const data = store === 'disk' ? temporaryFolder() : undefined;
// Of the thread of the database, its start included; the main thread is looked at once it is warm.
const ofAllThreads = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500'];
const target = new BenchProcess(
  work === 'echo' ? './targets/echo.ts' : './targets/simyard.ts',
  [redis?.url ?? data ?? ':memory:'],
  isByPerf ? perfFlags : store === 'redis' || flame !== undefined ? [] : ofAllThreads,
);
const load = new BenchProcess('./load/main.ts');

/** The work that is looked at; `begin` and `end` are around it. */
async function worked(begin: () => Promise<unknown>, end: () => Promise<unknown>): Promise<string> {
  const before = await target.ask<TargetReport>('cpu');
  await begin();
  const milliseconds = values.seconds * 1_000;
  const { done, elapsed } = await load.ask<LoadReport>(
    rate === undefined ? { kind: 'run', milliseconds } : { kind: 'pace', milliseconds, rate },
  );
  const after = await target.ask<TargetReport>('cpu');
  await end();
  if (done === 0) throw new Error('no exchange ended well');
  const each = (after.cpu - before.cpu) / done;
  return `${each.toFixed(1)} µs of CPU each while profiled, ${Math.round((done / elapsed) * 1_000)}/s`;
}

const mainProfile = join(folder, 'main.cpuprofile');
const readProfile = (file: string): CpuProfile => JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
const byV8 = () =>
  worked(
    () => target.ask<TargetReport>('profile'),
    () => target.ask({ profileTo: mainProfile }),
  );

async function byPerf(): Promise<{ readonly told: string; readonly stacks: readonly Stack[] }> {
  let recording: PerfRecording | undefined;
  const told = await worked(
    async () => {
      recording = new PerfRecording(target.pid);
    },
    () => target.stop(),
  );
  return { told, stacks: (await recording?.end()) ?? [] };
}

function writeFlameGraph(file: string, told: string, stacks: readonly Stack[]): void {
  const how = rate === undefined ? 'flat out' : `${rate}/s`;
  const where = { memory: 'in memory', disk: 'on disk', redis: 'Redis' }[store];
  const packs = work === 'notify' ? `, ${values.readings} reading${values.readings === 1 ? '' : 's'}` : '';
  const whole = withoutPerf === undefined ? 'all threads' : 'the main thread';
  const title = `${work}${packs}, ${where}, ${how}: CPU of the server, ${whole}`;
  writeFileSync(file, flameGraph(title, stacks));
  const parts = [...shares(stacks)].map(
    ([room, share]) => `${(share * 100).toFixed(1).padStart(6)} %  ${room}`,
  );
  process.stdout.write(`${basename(file)}: ${told}\n${parts.join('\n')}\n`);
}

try {
  const { port } = await target.next<{ port: number }>();
  const open = { kind: 'open', work, devices: values.devices, port } as const;
  await load.ask<'open'>({ ...open, readings: values.readings } satisfies LoadCommand);
  await load.ask<LoadReport>({ kind: 'run', milliseconds: warmUp });
  if (flame !== undefined && isByPerf) {
    const { told, stacks } = await byPerf();
    writeFlameGraph(flame, told, stacks);
  } else if (flame !== undefined) {
    const told = await byV8();
    writeFlameGraph(flame, told, stacksOf(readProfile(mainProfile), 'main thread'));
  } else {
    process.stdout.write(`${work} on ${store}: ${await byV8()}\n`);
    if (store !== 'redis') await target.end();
    for (const name of readdirSync(folder).filter((file) => !/\.0\.001\.cpuprofile$/.test(file))) {
      const profile = readProfile(join(folder, name));
      process.stdout.write(
        `\n## ${name}\n\n${rooms(profile)}\n\nself\n${heaviest(profile, top)}\n\nwith what they call\n${inclusive(profile, top)}\n`,
      );
    }
  }
} finally {
  await Promise.all([target.stop(), load.stop()]);
  await redis?.close();
  if (data !== undefined) removeFolder(data);
  if (values.keep === undefined) removeFolder(folder);
}
