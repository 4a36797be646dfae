/**
 * `npm run bench:streams`: event streams at a high rate. Devices report at a fixed rate; subscribers to one
 * device each, and some to everything, listen; a few of those stop reading for a while. Tells how long
 * events take to each class of subscriber, how long devices wait for their acknowledgement meanwhile, and
 * whether anything was missing, or came twice.
 */
import { cpus, release } from 'node:os';
import { decimal, flagsOrExit, given, parseFlags, whole } from './flags.ts';
import type { LoadCommand, PacedReport } from './load/main.ts';
import type { ClassReport, SubscribersCommand, SubscribersReport } from './load/subscribers.ts';
import { BenchProcess } from './process.ts';
import { publish } from './publish.ts';
import type { Quantiles } from './quantiles.ts';
import type { TargetReport } from './targets/report.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

const usage = `Event streams while devices report at a fixed rate.

  --rate N         exchanges a second, in all                                      (5000)
  --devices N      with a subscriber each                                          (1000)
  --everything N   subscribers to everything                                       (50)
  --stalling N     of those, who read nothing for a while                          (5)
  --seconds N      with subscribers, and as long without                           (15)
  --write          put the tables into docs/performance.md`;

const { rate, devices, everything, stalling, seconds, write } = flagsOrExit(usage, (args) => {
  const values = parseFlags(args, {
    rate: decimal(5_000, { from: 1, to: 1_000_000 }),
    devices: whole(1_000, { to: 15_000 }),
    everything: whole(50, { to: 10_000 }),
    stalling: whole(5, { from: 0, to: 10_000 }),
    seconds: decimal(15, { from: 1, to: 120 }),
    write: given,
  });
  if (values !== undefined && values.stalling > values.everything) {
    throw new RangeError('--stalling: there are not so many subscribers to everything');
  }
  return values;
});
/** One in ten updates its registration, the others notify. */
const updating = Math.floor(devices / 10);
const WARM_UP = 3_000;
const STALL = 8_000;

interface Figures {
  readonly title: string;
  readonly load: PacedReport;
  readonly cpu: number;
  readonly memory: number;
  readonly listeners?: SubscribersReport;
}

async function measure(): Promise<Figures[]> {
  const folder = temporaryFolder();
  const target = new BenchProcess('./targets/simyard.ts', [folder]);
  const load = new BenchProcess('./load/main.ts');
  const subscribers = new BenchProcess('./load/subscribers.ts');
  const tell = (command: SubscribersCommand) => subscribers.ask<SubscribersReport>(command);
  const pace = async (milliseconds: number) =>
    load.ask<PacedReport>({ kind: 'pace', milliseconds, rate } satisfies LoadCommand);
  try {
    const { port, http } = await target.next<{ port: number; http: string }>();
    await load.ask({
      kind: 'open',
      work: 'notify',
      devices,
      readings: 1,
      updating,
      numbered: true,
      port,
    } satisfies LoadCommand);
    await pace(WARM_UP);
    const figures: Figures[] = [];
    const run = async (title: string, listening: boolean): Promise<void> => {
      if (listening) await tell({ kind: 'begin' });
      const before = await target.ask<TargetReport>('cpu');
      if (listening) await tell({ kind: 'stall', milliseconds: STALL });
      const done = await pace(seconds * 1000);
      const after = await target.ask<TargetReport>('cpu');
      const listeners = listening ? await tell({ kind: 'report', expected: done.done }) : undefined;
      const { memory } = await target.ask<TargetReport>('memory');
      const cpu = (after.cpu - before.cpu) / (done.elapsed * 1000);
      figures.push({ title, load: done, cpu, memory, ...(listeners === undefined ? {} : { listeners }) });
    };
    await run('nobody listens', false);
    await tell({ kind: 'open', base: http, devices, everything, stalling });
    await pace(WARM_UP);
    await run(`${devices} listen to one device each, ${everything} to everything`, true);
    return figures;
  } finally {
    await Promise.all([target.stop(), load.stop(), subscribers.stop()]);
    removeFolder(folder);
  }
}

function milliseconds({ p50, p99, max }: Quantiles): string {
  return [p50, p99, max].map((value) => value.toFixed(1)).join(' / ');
}

function row(title: string, { subscribers, events, latency, faults, gaps, paces }: ClassReport): string {
  const told = paces.filter((list) => list.length > 0).length;
  const level = paces.every((list) => list.length === 0 || list.at(-1) === 'level');
  const pace = told === 0 ? 'none' : `${told}, ${level ? 'all level again' : 'NOT all level again'}`;
  return `| ${title} | ${subscribers} | ${events} | ${milliseconds(latency)} | ${faults + gaps} | ${pace} |`;
}

function report(figures: readonly Figures[]): string {
  const lines = [
    '| | events /s | ACK ms (p50 / p99 / max) | server CPU, cores | heap and buffers, MiB |',
    '|---|--:|--:|--:|--:|',
  ];
  for (const { title, load, cpu, memory } of figures) {
    const done = Math.round((load.done / load.elapsed) * 1000);
    lines.push(
      `| ${title} | ${done} | ${milliseconds(load.latency)} | ${cpu.toFixed(2)} | ${(memory / 2 ** 20).toFixed(0)} |`,
    );
  }
  const listeners = figures.at(-1)?.listeners;
  if (listeners !== undefined) {
    lines.push(
      '',
      '| subscribers | how many | events | delivery ms (p50 / p99 / max) | missing or twice | told that they are behind |',
      '|---|--:|--:|--:|--:|---|',
      row('to one device', listeners.device),
      row('to everything', listeners.everything),
      row(`to everything, of which they read nothing for ${STALL / 1000} s`, listeners.stalled),
      '',
      `The subscribers' process took ${(listeners.cpu / 1e6 / seconds).toFixed(2)} cores itself.`,
    );
  }
  const [retransmissions, skipped] = [
    figures.reduce((sum, { load }) => sum + load.retransmissions, 0),
    figures.reduce((sum, { load }) => sum + load.skipped, 0),
  ];
  lines.push(
    '',
    `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}; ${seconds} s each, on disk; ${updating} of the ${devices} devices update, the others notify; ${retransmissions} retransmissions, ${skipped} exchanges not begun because the last was under way.`,
  );
  return lines.join('\n');
}

const figures = await measure();
const listeners = figures.at(-1)?.listeners;
const classes = listeners === undefined ? [] : [listeners.device, listeners.everything, listeners.stalled];
const missed = classes.reduce((sum, { faults, gaps }) => sum + faults + gaps, 0);
const failures = [
  ...(figures.some(({ load }) => load.done === 0) ? ['no exchange ended well'] : []),
  ...(missed > 0 ? [`${missed} events were missing, or came twice`] : []),
];
publish('streams', report(figures), { write, failures });
