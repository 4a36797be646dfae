import { loadavg } from 'node:os';
import type { LatencySummary } from './load/histogram.ts';
import { defaults } from './load/load-report.ts';
import type { LoadCommand } from './load/main.ts';
import { alone, type Work } from './load/tally.ts';
import { lostDatagrams, type Peer, peakMemory, type Target, type TargetUse } from './peers/target.ts';
import { BenchProcess } from './process.ts';
import type { ReaderCommand } from './readers.ts';
import type { WorkDone } from './work-done.ts';

/** What the devices do; or `read`: what programs ask of them through the server, over HTTP. */
export type RowWork = Work | 'read';

/** One kind of work, the same for every server. */
export interface Row {
  /** `registration`, as tables name it. */
  readonly title: string;
  readonly work: RowWork;
  readonly devices: number;
  /** In a pack. */
  readonly readings: number;
  readonly confirmable?: boolean;
  /** Exchanges a second, below what every server can do. */
  readonly rate: number;
  /** Other rates at which it is looked at as well, with one run each: what it costs when more or fewer come at a time. */
  readonly otherRates?: readonly number[];
  readonly peers: readonly Peer[];
  /** ms at the least, for each of them: where a server's own warm-up is too short for this work. */
  readonly warmUp?: number;
}

/** What an exchange costs at one rate. */
export interface RatePoint {
  /** What was asked for, exchanges a second; and what came of it. */
  readonly rate: number;
  readonly done: number;
  /** µs of CPU per exchange, all threads of the server. */
  readonly cpu: number;
}

/** The middle one of some runs, and how far they were apart. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Cell {
  readonly title: string;
  readonly work: RowWork;
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
  /**
   * As fast as it answers; where nothing is answered, at a high rate: exchanges a second, and µs of CPU per exchange: of the server,
   * and of the load generator.
   */
  readonly saturated: { readonly rate: number; readonly cpu: number; readonly load: number };
  /** At the other rates of the row. */
  readonly otherRates?: readonly RatePoint[];
  /** ms at `rate`, of the middle run. */
  readonly latency: LatencySummary;
  readonly retransmissions: number;
  readonly failed: number;
  /** Datagrams that the kernel threw away because the server did not fetch them in time. */
  readonly lost: number;
  /** Exchanges that were due while no device was free. */
  readonly skipped: number;
  /** Devices that were without a registration, or not observed, at the end of a run: the most of all runs; absent where none was. */
  readonly fallenOut?: number;
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

/** What is asked of devices and of programs alike. */
type RunCommand = Extract<LoadCommand, { kind: 'run' | 'pace' }>;

/** The last part of the warm-up tells what the server can do at most. */
const SATURATED = 2_000;
/** Devices at a time that are as many as keep every server busy; more of them would only wait, and send again. */
const WINDOW = 500;
/** Without acknowledgements nothing holds devices back: times the row's rate that they send in place of flat out. */
const UNANSWERED = 3;

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return { median: at(Math.floor(sorted.length / 2)), least: at(0), most: at(sorted.length - 1) };
}

/** What the server used for what was done meanwhile. */
async function during(
  target: Target,
  work: () => Promise<WorkDone>,
): Promise<{ readonly report: WorkDone; readonly cpu: number; readonly redisCpu: number }> {
  const before = await target.use('cpu');
  const report = await work();
  const after = await target.use('cpu');
  if (report.done === 0) throw new Error(`nothing was done, ${report.failed} exchanges failed`);
  const each = (of: (use: TargetUse) => number): number => (of(after) - of(before)) / report.done;
  return { report, cpu: each(({ cpu }) => cpu), redisCpu: each((use) => use.redisCpu ?? Number.NaN) };
}

/** Makes the devices, and whoever else takes part in the work; resolves with who is told to do it. */
async function openWork(
  row: Row,
  peer: Peer,
  target: Target,
  parts: { readonly load: BenchProcess; readonly readers: BenchProcess | undefined },
): Promise<BenchProcess> {
  const { work, devices, readings, confirmable = true } = row;
  const { load, readers } = parts;
  await load.ask({
    ...{ kind: 'open', work: work === 'read' ? 'notify' : work },
    ...{ devices, readings, confirmable, port: target.port },
    ...(peer.psk === undefined ? {} : { psk: peer.psk }),
  } satisfies LoadCommand);
  if (readers === undefined) return load;
  const { readPath } = peer;
  if (readPath === undefined || target.http === undefined)
    throw new Error('it has no interface for programs');
  const urls = Array.from({ length: devices }, (_, index) => {
    const path = readPath(`${defaults.prefix}${index}`, defaults.resource);
    return `${target.http}${path}`;
  });
  await readers.ask({ kind: 'open', urls } satisfies ReaderCommand);
  return readers;
}

/** One server under one kind of work, from its start to its end. */
export async function measure(row: Row, peer: Peer, lengths: Lengths): Promise<Cell> {
  const machineLoad = loadavg()[0] ?? Number.NaN;
  const target = await peer.start();
  const load = new BenchProcess('./load/main.ts');
  const readers = row.work === 'read' ? new BenchProcess('./readers.ts') : undefined;
  try {
    const { work, devices, readings, confirmable = true, rate, otherRates = [] } = row;
    const empty = await target.use('memory');
    const lostBefore = lostDatagrams(target.port);
    const worker = await openWork(row, peer, target, { load, readers });
    const tell = (command: RunCommand): Promise<WorkDone> => worker.ask<WorkDone>(command);
    const filled = await target.use('memory');
    const flatOut = (milliseconds: number): Promise<WorkDone> =>
      confirmable
        ? tell({ kind: 'run', window: WINDOW, milliseconds })
        : tell({ kind: 'pace', rate: rate * UNANSWERED, milliseconds });
    await flatOut(Math.max(500, Math.max(row.warmUp ?? 0, peer.warmUp) - SATURATED));
    const saturated = await during(target, () => flatOut(SATURATED));
    const at = (one: number) =>
      during(target, () => tell({ kind: 'pace', milliseconds: lengths.run, rate: one }));
    const samples: Awaited<ReturnType<typeof during>>[] = [];
    for (let run = 0; run < lengths.runs; run++) samples.push(await at(rate));
    const others: RatePoint[] = [];
    for (const other of otherRates) {
      const { report, cpu } = await at(other);
      others.push({ rate: other, done: perSecond(report), cpu });
    }
    const { memory: heap } = await target.use('memory');
    const middle = [...samples].sort((a, b) => a.cpu - b.cpu)[Math.floor(samples.length / 2)];
    if (middle === undefined) throw new RangeError('there was no run');
    const redis = samples.map(({ redisCpu }) => redisCpu);
    const sum = (of: (report: WorkDone) => number): number =>
      samples.reduce((total, { report }) => total + of(report), 0);
    const fallenOut = Math.max(...[saturated, ...samples].map(({ report }) => report.fallenOut));
    return {
      ...{ title: row.title, work, readings, devices, rate, heap, machineLoad },
      peer: peer.name,
      ...(peer.version === undefined ? {} : { version: peer.version }),
      cpu: spreadOf(samples.map(({ cpu }) => cpu)),
      ...(redis.some(Number.isNaN) ? {} : { redisCpu: spreadOf(redis) }),
      done: (sum(({ done }) => done) / sum(({ elapsed }) => elapsed)) * 1_000,
      saturated: {
        rate: perSecond(saturated.report),
        cpu: saturated.cpu,
        load: saturated.report.cpu / saturated.report.done,
      },
      ...(others.length === 0 ? {} : { otherRates: others }),
      latency: middle.report.latency,
      retransmissions: sum(({ retransmissions }) => retransmissions),
      failed: sum(({ failed }) => failed),
      lost: lostDatagrams(target.port) - lostBefore,
      skipped: sum(({ skipped }) => skipped),
      ...(fallenOut === 0 ? {} : { fallenOut }),
      load: {
        cpu: sum(({ cpu }) => cpu) / sum(({ done }) => done),
        core: sum(({ cpu }) => cpu) / sum(({ elapsed }) => elapsed) / 1_000,
      },
      peakMemory: peakMemory(target.pid),
      ...(alone.has(work) ? {} : { device: (filled.memory - empty.memory) / devices }),
    };
  } finally {
    await Promise.all([target.stop(), load.stop(), readers?.stop()]);
  }
}

function perSecond({ done, elapsed }: WorkDone): number {
  return (done / elapsed) * 1_000;
}
