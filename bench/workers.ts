/**
 * What a second worker on the same port brings: registrations and confirmable notifications a second with Redis,
 * CPU of the workers and of Redis for each, and what Redis is asked. `node bench/workers.ts --help` lists the flags.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type RedisServer, startRedis } from '../test/support/redis.ts';
import type { LoadCommand, LoadReport } from './load/main.ts';
import type { Work } from './load/tally.ts';
import { BenchProcess } from './process.ts';
import type { TargetReport } from './targets/report.ts';

const usage = `One worker and two on the same port, with a Redis that has each write on disk before it answers.

  --seconds N   length of a run             (4)
  --runs N      runs of each row; medians   (3)
  --loads N     processes of simulated devices, 250 devices each   (2)`;

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    runs: { type: 'string', default: '3' },
    loads: { type: 'string', default: '2' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (flags.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
const milliseconds = Number(flags.seconds) * 1000;
const runs = Number(flags.runs);
const loads = Number(flags.loads);
const WARM_UP = 2_500;
const DEVICES = 250;

/** Since its start. */
interface RedisFigures {
  /** µs, user and system. */
  readonly cpu: number;
  readonly commands: number;
  readonly bytes: number;
}

async function figuresOf(redis: RedisServer): Promise<RedisFigures> {
  const [cpu, stats] = [await redis.cli('info', 'cpu'), await redis.cli('info', 'stats')];
  const read = (text: string, name: string): number =>
    Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(text)?.[1]);
  return {
    cpu: (read(cpu, 'used_cpu_user') + read(cpu, 'used_cpu_sys')) * 1e6,
    commands: read(stats, 'total_commands_processed'),
    bytes: read(stats, 'total_net_input_bytes') + read(stats, 'total_net_output_bytes'),
  };
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

interface Sample {
  readonly rate: number;
  /** µs of CPU for each operation. */
  readonly workers: number;
  readonly redis: number;
  readonly commands: number;
  readonly bytes: number;
  /** Share of the operations that the busiest worker had, by its CPU. */
  readonly busiest: number;
  readonly retransmissions: number;
}

async function measure(count: number, work: Work, readings: number): Promise<Sample> {
  const redis = await startRedis({ durable: true });
  const port = await freePort();
  const processes: BenchProcess[] = [];
  try {
    const workers: BenchProcess[] = [];
    for (let i = 1; i <= count; i++) {
      const worker = new BenchProcess('./targets/simyard-worker.ts', [redis.url, String(port), `node-${i}`]);
      workers.push(worker);
      processes.push(worker);
      await worker.next();
    }
    const devices = Array.from({ length: loads }, () => new BenchProcess('./load/main.ts'));
    processes.push(...devices);
    for (const [index, load] of devices.entries()) {
      await load.ask<'open'>({
        kind: 'open',
        work,
        devices: DEVICES,
        readings,
        port,
        prefix: `bench-${index}-`,
      } satisfies LoadCommand);
    }
    const run = (length: number) =>
      Promise.all(devices.map((load) => load.ask<LoadReport>({ kind: 'run', milliseconds: length })));
    const cpusOf = async () =>
      (await Promise.all(workers.map((worker) => worker.ask<TargetReport>('cpu')))).map(({ cpu }) => cpu);
    await run(WARM_UP);
    const samples: Sample[] = [];
    for (let i = 0; i < runs; i++) {
      const before = [await cpusOf(), await figuresOf(redis)] as const;
      const reports = await run(milliseconds);
      const after = [await cpusOf(), await figuresOf(redis)] as const;
      const done = sum(reports.map((report) => report.done));
      const used = after[0].map((cpu, worker) => cpu - (before[0][worker] ?? 0));
      samples.push({
        rate: sum(reports.map((report) => (report.done / report.elapsed) * 1000)),
        workers: sum(used) / done,
        redis: (after[1].cpu - before[1].cpu) / done,
        commands: (after[1].commands - before[1].commands) / done,
        bytes: (after[1].bytes - before[1].bytes) / done,
        busiest: Math.max(...used) / sum(used),
        retransmissions: sum(reports.map((report) => report.retransmissions)),
      });
    }
    return samples.sort((a, b) => a.workers - b.workers)[Math.floor(runs / 2)] as Sample;
  } finally {
    await Promise.all(processes.map((one) => one.stop()));
    await redis.close();
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const lines = [
  '| work | workers | rate /s | CPU of the workers, µs each | of Redis, µs | commands of Redis | bytes to and from it | share of the busiest worker |',
  '|---|--:|--:|--:|--:|--:|--:|--:|',
];
let retransmissions = 0;
for (const [title, work, readings] of [
  ['registration', 'register', 0],
  ['update', 'update', 0],
  ['notification, 10 readings', 'notify', 10],
] as const) {
  for (const count of [1, 2]) {
    process.stderr.write(`${title}: ${count} …\n`);
    const sample = await measure(count, work, readings);
    retransmissions += sample.retransmissions;
    lines.push(
      `| ${title} | ${count} | ${Math.round(sample.rate)} | ${sample.workers.toFixed(1)} | ${sample.redis.toFixed(1)} | ${sample.commands.toFixed(2)} | ${Math.round(sample.bytes)} | ${Math.round(sample.busiest * 100)} % |`,
    );
  }
}
process.stdout.write(
  `${lines.join('\n')}\n\n${availableParallelism()} × ${cpus()[0]?.model.trim()}, Node ${process.version}; ` +
    `${loads} × ${DEVICES} devices on the same machine; ${runs} runs of ${flags.seconds} s, medians; ${retransmissions} retransmissions.\n`,
);
