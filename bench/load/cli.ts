/** `npm run load`: simulated devices that load any LwM2M server, and what came of it. `--help` lists the flags. */
import { BenchProcess } from '../process.ts';
import { type LoadFlags, parseLoadFlags, usage } from './flags.ts';
import type { FleetOptions } from './fleet.ts';
import { Histogram, type LatencySummary } from './histogram.ts';
import { type LoadReport, merged } from './load-report.ts';
import type { LoadCommand } from './main.ts';

function flagsOrExit(): LoadFlags {
  try {
    const flags = parseLoadFlags(process.argv.slice(2));
    if (flags !== undefined) return flags;
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

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

const flags = flagsOrExit();
const { processes, rate, window } = flags;
const children = Array.from({ length: processes }, () => new BenchProcess('./load/main.ts'));
const all = async (command: LoadCommand): Promise<LoadReport> =>
  merged(await Promise.all(children.map((child) => child.ask<LoadReport>(command))));

/** A process answers nothing for as long as it works, so long work comes in pieces. */
const PIECE = 60;

async function work(seconds: number): Promise<LoadReport> {
  const reports: LoadReport[] = [];
  for (let left = seconds; left > 1e-9; left -= PIECE) {
    const length = Math.min(left, PIECE) * 1_000;
    reports.push(
      await all(
        rate === undefined
          ? {
              kind: 'run',
              milliseconds: length,
              ...(window === undefined ? {} : { window: Math.ceil(window / processes) }),
            }
          : { kind: 'pace', milliseconds: length, rate: rate / processes },
      ),
    );
  }
  return {
    ...merged(reports),
    elapsed: reports.reduce((sum, { elapsed }) => sum + elapsed, 0),
    fallenOut: reports.at(-1)?.fallenOut ?? 0,
  };
}

try {
  const options = shares(flags.fleet, processes);
  await Promise.all(
    children.map((child, index) =>
      child.ask({ kind: 'open-sockets', options: options[index] as FleetOptions } satisfies LoadCommand),
    ),
  );
  const report: Record<string, LoadReport> = {};
  const isEcho = flags.fleet.mix.echo !== undefined;
  if (!isEcho) {
    report['registration'] = await all({ kind: 'register', rate: flags.registerRate / processes });
    if (!flags.json) process.stdout.write(`${table('registration', report['registration'])}\n`);
  }
  if (flags.warmUp > 0) await work(flags.warmUp);
  report['work'] = await work(flags.seconds);
  if (!flags.json) process.stdout.write(`${table('work', report['work'])}\n`);
  if (flags.leave && !isEcho) {
    report['leaving'] = await all({ kind: 'leave' });
    if (!flags.json) process.stdout.write(`${table('leaving', report['leaving'])}\n`);
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(report, undefined, 1)}\n`);
} finally {
  await Promise.all(children.map((child) => child.stop()));
}
