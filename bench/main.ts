/**
 * `npm run bench`: what a registration, an update and a confirmable notification cost the server, beside
 * a raw UDP echo and npm `coap` doing the same work in the same run; and what a registered device
 * weighs. `--write` puts the table into docs/performance.md, `--seconds` and `--runs` change the length.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { LoadCommand, LoadReport } from './load/main.ts';
import type { Work } from './load/tally.ts';
import { BenchProcess } from './process.ts';
import type { TargetReport } from './targets/report.ts';

const usage = `What registrations, updates and notifications cost the server, beside a raw UDP echo and npm coap.

Usage: npm run bench -- [options]

  --seconds N   length of a run             (4)
  --runs N      runs of each row; medians   (3)
  --only TEXT   only rows with this in their name, such as notification or disk
  --write       put the table into docs/performance.md`;

function readFlags() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '4' },
      runs: { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (!(Number(values.seconds) > 0 && Number.isInteger(Number(values.runs)) && Number(values.runs) > 0)) {
    throw new RangeError('--seconds and --runs take a number above 0');
  }
  return values;
}

function flagsOrExit(): ReturnType<typeof readFlags> {
  try {
    const values = readFlags();
    if (!values.help) return values;
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

const flags = flagsOrExit();
const milliseconds = Number(flags.seconds) * 1000;
const runs = Number(flags.runs);
const WARM_UP = 2_500;

type Target = 'echo' | 'node-coap' | 'simyard, in memory' | 'simyard, on disk';

interface Row {
  readonly title: string;
  readonly target: Target;
  readonly work: Work;
  readonly devices: number;
  readonly readings: number;
  /** CPU per operation that the house plan allows, µs. */
  readonly budget?: number;
}

const rows: readonly Row[] = [
  { title: 'datagram in and out', target: 'echo', work: 'echo', devices: 500, readings: 0 },
  { title: 'registration', target: 'node-coap', work: 'register', devices: 500, readings: 0 },
  {
    title: 'registration',
    target: 'simyard, in memory',
    work: 'register',
    devices: 500,
    readings: 0,
    budget: 30,
  },
  { title: 'registration', target: 'simyard, on disk', work: 'register', devices: 500, readings: 0 },
  { title: 'update', target: 'node-coap', work: 'update', devices: 500, readings: 0 },
  { title: 'update', target: 'simyard, in memory', work: 'update', devices: 500, readings: 0 },
  { title: 'update', target: 'simyard, on disk', work: 'update', devices: 500, readings: 0 },
  { title: 'notification, 1 reading', target: 'node-coap', work: 'notify', devices: 500, readings: 1 },
  {
    title: 'notification, 1 reading',
    target: 'simyard, on disk',
    work: 'notify',
    devices: 500,
    readings: 1,
    budget: 16,
  },
  {
    title: 'notification, 10 readings',
    target: 'simyard, on disk',
    work: 'notify',
    devices: 500,
    readings: 10,
    budget: 16,
  },
  {
    title: 'notification, 50 readings',
    target: 'simyard, on disk',
    work: 'notify',
    devices: 500,
    readings: 50,
  },
];

interface Result {
  readonly row: Row;
  /** µs of CPU per operation, all threads of the target. */
  readonly cpu: number;
  readonly rate: number;
  readonly retransmissions: number;
  readonly spread: readonly [number, number];
}

function scriptOf(target: Target, folder: string): BenchProcess {
  if (target === 'echo') return new BenchProcess('./targets/echo.ts');
  if (target === 'node-coap') return new BenchProcess('./targets/node-coap.ts');
  return new BenchProcess('./targets/simyard.ts', [target === 'simyard, on disk' ? folder : ':memory:']);
}

async function measure(row: Row): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'simyard-bench-'));
  const target = scriptOf(row.target, folder);
  const load = new BenchProcess('./load/main.ts');
  try {
    const { port } = await target.next<{ port: number }>();
    await load.ask<'open'>({ kind: 'open', ...row, port } satisfies LoadCommand & {
      title: string;
      target: string;
    });
    await load.ask<LoadReport>({ kind: 'run', milliseconds: WARM_UP });
    const samples: { cpu: number; rate: number }[] = [];
    let retransmissions = 0;
    for (let run = 0; run < runs; run++) {
      const before = await target.ask<TargetReport>('cpu');
      const report = await load.ask<LoadReport>({ kind: 'run', milliseconds });
      const after = await target.ask<TargetReport>('cpu');
      samples.push({
        cpu: (after.cpu - before.cpu) / report.done,
        rate: (report.done / report.elapsed) * 1000,
      });
      retransmissions += report.retransmissions;
    }
    const cpu = samples.map((sample) => sample.cpu).sort((a, b) => a - b);
    return {
      row,
      cpu: median(cpu),
      rate: median(samples.map((sample) => sample.rate)),
      retransmissions,
      spread: [cpu[0] ?? Number.NaN, cpu.at(-1) ?? Number.NaN],
    };
  } finally {
    await Promise.all([target.stop(), load.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bytes of server memory for one more registered, idle device. */
async function weigh(): Promise<{ readonly devices: number; readonly bytes: number }> {
  const target = new BenchProcess('./targets/simyard.ts', [':memory:']);
  const load = new BenchProcess('./load/main.ts');
  try {
    const { port } = await target.next<{ port: number }>();
    const before = await target.ask<TargetReport>('memory');
    const devices = 2_000;
    await load.ask<'open'>({
      kind: 'open',
      work: 'update',
      devices,
      readings: 0,
      port,
    } satisfies LoadCommand);
    const after = await target.ask<TargetReport>('memory');
    return { devices, bytes: (after.memory - before.memory) / devices };
  } finally {
    await Promise.all([target.stop(), load.stop()]);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function table(results: readonly Result[]): string {
  const floor = results.find(({ row }) => row.target === 'echo')?.cpu;
  const lines = [
    '| work | server | CPU µs each (least–most) | of the floor | rate /s | budget µs |',
    '|---|---|--:|--:|--:|--:|',
  ];
  for (const { row, cpu, rate, spread } of results) {
    const range = `${cpu.toFixed(1)} (${spread.map((value) => value.toFixed(1)).join('–')})`;
    const ratio = floor === undefined ? '' : (cpu / floor).toFixed(1);
    const budget = row.budget === undefined ? '' : `≤ ${row.budget}`;
    lines.push(`| ${row.title} | ${row.target} | ${range} | ${ratio} | ${Math.round(rate)} | ${budget} |`);
  }
  return lines.join('\n');
}

const results: Result[] = [];
for (const row of rows) {
  const only =
    flags.only === '' || `${row.title} ${row.target}`.includes(flags.only) || row.target === 'echo';
  if (!only) continue;
  process.stderr.write(`${row.title}: ${row.target} …\n`);
  results.push(await measure(row));
}
const weight = await weigh();
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}`;
const { devDependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  devDependencies: Record<string, string>;
};
const retransmissions = results.reduce((sum, result) => sum + result.retransmissions, 0);
const report = [
  table(results),
  '',
  `Idle registered device (${weight.devices} of them): ${Math.round(weight.bytes)} bytes of heap and buffers; the house plan allows 2048.`,
  '',
  `${machine}; npm coap ${devDependencies['coap']}; ${runs} runs of ${flags.seconds} s after ${WARM_UP / 1000} s of warm-up, medians; ${retransmissions} retransmissions in all.`,
].join('\n');
process.stdout.write(`${report}\n`);
if (flags.write) {
  const file = new URL('../docs/performance.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  const marked = /(<!-- measured -->)[\s\S]*?(<!-- \/measured -->)/;
  if (!marked.test(text)) throw new Error('docs/performance.md has no place for the table');
  writeFileSync(file, text.replace(marked, `$1\n${report}\n$2`));
}
