import { loadavg } from 'node:os';
import type { LatencySummary } from './load/histogram.ts';
import type { LoadCommand, LoadReport } from './load/main.ts';
import type { Work } from './load/tally.ts';
import { type Peer, peakMemory, type Target, type TargetUse } from './peers/target.ts';
import { BenchProcess } from './process.ts';

/** One kind of work, the same for every server. */
export interface Row {
  /** `registration`, as tables name it. */
  readonly title: string;
  readonly work: Work;
  readonly devices: number;
  /** In a pack. */
  readonly readings: number;
  readonly confirmable?: boolean;
  /** Exchanges a second, below what every server can do. */
  readonly rate: number;
  readonly peers: readonly Peer[];
}

/** The middle one of some runs, and how far they were apart. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Cell {
  readonly title: string;
  readonly work: Work;
  readonly readings: number;
  readonly devices: number;
  readonly peer: string;
  readonly version?: string;
  /** µs of CPU per exchange at `rate`, all threads of the server. */
  readonly cpu: Spread;
  readonly redisCpu?: Spread;
  /** What was asked for, exchanges a second; and what came of it. */
  readonly rate: number;
  readonly done: number;
  /** As fast as it answers: exchanges a second, and µs of CPU per exchange: of the server, and of the load generator. */
  readonly saturated: { readonly rate: number; readonly cpu: number; readonly load: number };
  /** ms at `rate`, of the middle run. */
  readonly latency: LatencySummary;
  readonly retransmissions: number;
  readonly failed: number;
  /** Exchanges that were due while no device was free. */
  readonly skipped: number;
  /** What the load generator itself took: µs of CPU per exchange, and its share of one core, at `rate`. */
  readonly load: { readonly cpu: number; readonly core: number };
  /** Bytes: the most that the process had in RAM; heap after garbage collection, with the devices registered. */
  readonly peakMemory: number;
  readonly heap: number;
  /** Bytes of heap for one more registered device; only where the devices do not work until they are weighed. */
  readonly device?: number;
  /** The machine's load average when it began. */
  readonly machineLoad: number;
}

export interface Lengths {
  readonly runs: number;
  /** ms of one run */
  readonly run: number;
}

/** Works that need no registration beforehand. */
const alone: readonly Work[] = ['echo', 'register', 'take-over'];
/** The last part of the warm-up tells what the server can do at most. */
const SATURATED = 2_000;
/** Devices at a time that are as many as keep every server busy; more of them would only wait, and send again. */
const WINDOW = 500;

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return { median: at(Math.floor(sorted.length / 2)), least: at(0), most: at(sorted.length - 1) };
}

/** What the server used for what was done meanwhile. */
async function during(
  target: Target,
  work: () => Promise<LoadReport>,
): Promise<{ readonly report: LoadReport; readonly cpu: number; readonly redisCpu: number }> {
  const before = await target.use('cpu');
  const report = await work();
  const after = await target.use('cpu');
  if (report.done === 0) throw new Error(`nothing was done: ${JSON.stringify(report.works)}`);
  const each = (of: (use: TargetUse) => number): number => (of(after) - of(before)) / report.done;
  return { report, cpu: each(({ cpu }) => cpu), redisCpu: each((use) => use.redisCpu ?? Number.NaN) };
}

/** One server under one kind of work, from its start to its end. */
export async function measure(row: Row, peer: Peer, lengths: Lengths): Promise<Cell> {
  const machineLoad = loadavg()[0] ?? Number.NaN;
  const target = await peer.start();
  const load = new BenchProcess('./load/main.ts');
  const tell = (command: LoadCommand): Promise<LoadReport> => load.ask<LoadReport>(command);
  try {
    const { work, devices, readings, confirmable = true, rate } = row;
    const empty = await target.use('memory');
    await load.ask({
      ...{ kind: 'open', work, devices, readings, confirmable, port: target.port },
      ...(peer.psk === undefined ? {} : { psk: peer.psk }),
    } satisfies LoadCommand);
    const filled = await target.use('memory');
    await tell({ kind: 'run', window: WINDOW, milliseconds: Math.max(500, peer.warmUp - SATURATED) });
    const saturated = await during(target, () =>
      tell({ kind: 'run', window: WINDOW, milliseconds: SATURATED }),
    );
    const samples: Awaited<ReturnType<typeof during>>[] = [];
    for (let run = 0; run < lengths.runs; run++) {
      samples.push(await during(target, () => tell({ kind: 'pace', milliseconds: lengths.run, rate })));
    }
    const { memory: heap } = await target.use('memory');
    const middle = [...samples].sort((a, b) => a.cpu - b.cpu)[Math.floor(samples.length / 2)];
    if (middle === undefined) throw new RangeError('there was no run');
    const redis = samples.map(({ redisCpu }) => redisCpu);
    const sum = (of: (report: LoadReport) => number): number =>
      samples.reduce((total, { report }) => total + of(report), 0);
    return {
      ...{ title: row.title, work, readings, devices, rate, heap, machineLoad },
      peer: peer.name,
      ...(peer.version === undefined ? {} : { version: peer.version }),
      cpu: spreadOf(samples.map(({ cpu }) => cpu)),
      ...(redis.some(Number.isNaN) ? {} : { redisCpu: spreadOf(redis) }),
      done: (sum(({ done }) => done) / sum(({ elapsed }) => elapsed)) * 1_000,
      saturated: {
        rate: (saturated.report.done / saturated.report.elapsed) * 1_000,
        cpu: saturated.cpu,
        load: saturated.report.cpu / saturated.report.done,
      },
      latency: middle.report.latency,
      retransmissions: sum(({ retransmissions }) => retransmissions),
      failed: sum(({ failed }) => failed),
      skipped: sum(({ skipped }) => skipped),
      load: {
        cpu: sum(({ cpu }) => cpu) / sum(({ done }) => done),
        core: sum(({ cpu }) => cpu) / sum(({ elapsed }) => elapsed) / 1_000,
      },
      peakMemory: peakMemory(target.pid),
      ...(alone.includes(work) ? {} : { device: (filled.memory - empty.memory) / devices }),
    };
  } finally {
    await Promise.all([target.stop(), load.stop()]);
  }
}
