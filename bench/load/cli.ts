/** `npm run load`: simulated devices that load any LwM2M server, and what came of it. `--help` lists the flags. */
import { flagsOrExit } from '../flags.ts';
import { BenchProcess } from '../process.ts';
import { parseLoadFlags, usage } from './flags.ts';
import type { FleetOptions, FleetProgress } from './fleet.ts';
import { Histogram, type LatencySummary } from './histogram.ts';
import { type LoadReport, merged } from './load-report.ts';
import type { LoadCommand } from './main.ts';

/** The devices of each process, in a range of their own. */
function shares(fleet: FleetOptions, processes: number): FleetOptions[] {
  const end = (index: number): number => Math.floor((fleet.devices * index) / processes);
  return Array.from({ length: processes }, (_, index) => ({
    ...fleet,
    first: fleet.first + end(index),
    devices: end(index + 1) - end(index),
  }));
}

function table(what: string, report: LoadReport): string {
  const lines = [
    `${what}: ${report.done} exchanges in ${(report.elapsed / 1_000).toFixed(2)} s, ${Math.round((report.done / report.elapsed) * 1_000)}/s`,
  ];
  for (const [work, { done, retransmissions, sentThrice, failures, latency }] of Object.entries(
    report.works,
  )) {
    const histogram = new Histogram();
    histogram.merge(latency);
    const failed = Object.entries(failures).map(([why, count]) => `${why} ${count}`);
    lines.push(
      `  ${work.padEnd(11)} done ${String(done).padStart(9)}   ${milliseconds(histogram.summary())}   sent again ${retransmissions} (twice or more: ${sentThrice})   failed ${failed.length === 0 ? 'none' : failed.join(', ')}`,
    );
  }
  const errors = Object.entries(report.socketErrors).map(([code, count]) => `${code} ${count}`);
  if (errors.length > 0) lines.push(`  transport   ${errors.join(', ')}`);
  if (report.skipped > 0) lines.push(`  ${report.skipped} exchanges were due while no device was free`);
  if (report.fallenOut > 0) {
    lines.push(
      `  ${report.fallenOut} devices fell out: at the end they were not registered, or not observed`,
    );
  }
  lines.push(
    `  the devices themselves: ${(report.cpu / Math.max(1, report.done)).toFixed(1)} µs of CPU for each exchange, ${(report.cpu / report.elapsed / 1_000).toFixed(2)} cores; ${report.asked} requests of the server answered`,
  );
  return lines.join('\n');
}

function milliseconds({ count, p50, p95, p99, max }: LatencySummary): string {
  if (count === 0) return 'no latency';
  return `p50 ${p50.toFixed(2)}  p95 ${p95.toFixed(2)}  p99 ${p99.toFixed(2)}  max ${max.toFixed(2)} ms`;
}

const flags = flagsOrExit(usage, parseLoadFlags);
const { processes, rate, window } = flags;
const children = Array.from(
  { length: processes },
  () => new BenchProcess('./load/main.ts', [], [], { isApart: true }),
);
const all = async (command: LoadCommand): Promise<LoadReport> =>
  merged(await Promise.all(children.map((child) => child.ask<LoadReport>(command))));

/** s. Work comes in pieces, so that latencies of a long one are not kept by a process until its end. */
const PIECE = 60;
/** ms between two lines that tell how far it is. */
const TOLD_EVERY = 5_000;

let isStopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // Who is asked twice does not wait.
    if (isStopped) process.exit(130);
    isStopped = true;
    process.stderr.write('stops, and tells what it has measured\n');
    for (const child of children) child.tell({ kind: 'stop' } satisfies LoadCommand);
  });
}

const progress = new Map<BenchProcess, FleetProgress>();
for (const child of children) {
  child.onProgress = (told) => void (told !== null && progress.set(child, told as FleetProgress));
}

/** Tells on standard error how far all are while something is done: a silent server, and how many have registered. */
async function telling<T>(isRegistering: boolean, work: () => Promise<T>): Promise<T> {
  progress.clear();
  const timer = setInterval(() => {
    const told = [...progress.values()];
    const silence = told.find((one) => one.silence !== undefined)?.silence;
    const isSilent = told.length === processes && told.every((one) => one.silence !== undefined);
    const ready = told.reduce((sum, one) => sum + one.ready, 0);
    if (isSilent) process.stderr.write(`${silence}\n`);
    else if (isRegistering)
      process.stderr.write(`${ready} of ${flags.fleet.devices} devices are registered\n`);
  }, TOLD_EVERY);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

async function work(seconds: number): Promise<LoadReport> {
  const reports: LoadReport[] = [];
  for (let left = seconds; left > 1e-9 && (reports.length === 0 || !isStopped); left -= PIECE) {
    const length = Math.min(left, PIECE) * 1_000;
    reports.push(
      await telling(false, () =>
        all(
          rate === undefined
            ? {
                kind: 'run',
                milliseconds: length,
                ...(window === undefined ? {} : { window: Math.ceil(window / processes) }),
              }
            : { kind: 'pace', milliseconds: length, rate: rate / processes },
        ),
      ),
    );
  }
  return {
    ...merged(reports),
    elapsed: reports.reduce((sum, { elapsed }) => sum + elapsed, 0),
    fallenOut: reports.at(-1)?.fallenOut ?? 0,
  };
}

const report: Record<string, LoadReport> = {};
function add(what: string, one: LoadReport): void {
  report[what] = one;
  if (!flags.json) process.stdout.write(`${table(what, one)}\n`);
}

/** That nothing ended well, and why, in one line. */
function inVain({ works, socketErrors }: LoadReport): string {
  const failures = Object.values(works).flatMap((one) => Object.entries(one.failures));
  const why = [...failures, ...Object.entries(socketErrors)].map(([name, count]) => `${name} ${count}`);
  return `no exchange ended well: ${why.join(', ') || 'nothing was answered'}`;
}

async function load(): Promise<void> {
  const options = shares(flags.fleet, processes);
  await Promise.all(
    children.map((child, index) =>
      child.ask({ kind: 'open-sockets', options: options[index] as FleetOptions } satisfies LoadCommand),
    ),
  );
  const isEcho = flags.fleet.mix.echo !== undefined;
  if (!isEcho && !isStopped) {
    const command: LoadCommand = { kind: 'register', rate: flags.registerRate / processes };
    add('registration', await telling(true, () => all(command)));
  }
  if (flags.warmUp > 0 && !isStopped) await work(flags.warmUp);
  if (!isStopped) {
    const worked = await work(flags.seconds);
    add('work', worked);
    if (worked.done === 0 && !isStopped) throw new Error(inVain(worked));
  }
  if (flags.leave && !isEcho && !isStopped) add('leaving', await all({ kind: 'leave' }));
}

try {
  await load();
  if (isStopped) process.exitCode = 130;
} catch (error) {
  if (!(error instanceof Error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await Promise.all(children.map((child) => child.stop()));
}
if (flags.json) process.stdout.write(`${JSON.stringify(report, undefined, 1)}\n`);
