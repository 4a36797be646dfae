/**
 * `npm run bench:burst`: all devices send their Register at the same instant, as after a power cut. How long until all
 * are registered, and who needed more than one retransmission. Each server in turn, with the same devices.
 */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { chosenBy, flagsOrExit, given, parseFlags, text, whole } from './flags.ts';
import { Histogram } from './load/histogram.ts';
import { defaults } from './load/load-report.ts';
import type { LoadCommand, LoadReport } from './load/main.ts';
import { tooManySockets } from './load/open-files.ts';
import { leshan, leshanOnRedis, simyardInMemory, simyardOnDisk, simyardOnRedis } from './peers/peers.ts';
import type { Peer } from './peers/target.ts';
import { BenchProcess } from './process.ts';
import { publish } from './publish.ts';
import { oneLine } from './run-rows.ts';

const usage = `All devices send their Register at the same instant.

  --devices N    (15000)
  --only TEXT    servers with this in their name
  --cold         Leshan as it is when it has just started; else it has seen as many registrations before
  --write        put the table into docs/performance.md`;

/** s until all are registered, as the project promises; of a peer there is none. */
const budgets = new Map<Peer, number>([
  [simyardInMemory, 6],
  [simyardOnDisk, 6],
  [simyardOnRedis, 8],
]);
const all = [leshan, simyardInMemory, simyardOnDisk, leshanOnRedis, simyardOnRedis];
const { devices, peers, cold, write } = flagsOrExit(usage, (args) => {
  const values = parseFlags(args, {
    devices: whole(15_000, { to: 60_000 }),
    only: text(''),
    cold: given,
    write: given,
  });
  if (values === undefined) return undefined;
  if (values.write && values.only !== '')
    throw new RangeError('--write takes the whole table: not with --only');
  const files = tooManySockets(values.devices, 1, { canShare: false });
  if (files !== undefined) throw new RangeError(`--devices: ${files}`);
  return { ...values, peers: chosenBy(values.only, all, ({ name }) => name) };
});

/** UDP datagrams that this machine has dropped because a receive buffer was full; undefined where it does not tell (proc(5)). */
function dropped(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const [names, counts] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  return Number(counts?.[names?.indexOf('RcvbufErrors') ?? -1]);
}

/** What the kernel lets a receive buffer have, KiB; undefined where it does not tell. */
function receiveBufferLimit(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  return Number(readFileSync('/proc/sys/net/core/rmem_max', 'utf8')) / 1_024;
}

/** A burst of devices with names of their own; what it was like for them. */
async function burst(port: number, prefix: string): Promise<LoadReport> {
  const load = new BenchProcess('./load/main.ts');
  try {
    const links = '</>;rt="oma.lwm2m";ct="112",</1/0>,</5/0>';
    const options = { ...defaults, port, devices, prefix, links };
    await load.ask({ kind: 'open-sockets', options } satisfies LoadCommand);
    return await load.ask<LoadReport>({ kind: 'register' } satisfies LoadCommand);
  } finally {
    await load.stop();
  }
}

async function measure(peer: Peer): Promise<string> {
  const target = await peer.start();
  try {
    // A JVM is slow when it is cold, which is another question.
    if (!cold && peer.name.startsWith('Leshan')) await burst(target.port, 'warm-up-');
    const before = await target.use('cpu');
    const droppedBefore = dropped();
    const report = await burst(target.port, 'burst-');
    const after = await target.use('cpu');
    const droppedAfter = dropped();
    const work = report.works.register;
    if (work === undefined) throw new Error('nobody registered');
    const latency = new Histogram();
    latency.merge(work.latency);
    const { p50, p99, max } = latency.summary();
    const budget = budgets.get(peer);
    const failures = Object.entries(work.failures).map(([why, count]) => `${count} × ${why}`);
    return `| ${[
      peer.name,
      `${(max / 1_000).toFixed(2)}${budget === undefined ? '' : ` (≤ ${budget})`}`,
      (p50 / 1_000).toFixed(2),
      (p99 / 1_000).toFixed(2),
      `${work.done} of ${devices}`,
      droppedBefore === undefined || droppedAfter === undefined ? '' : String(droppedAfter - droppedBefore),
      String(work.retransmissions),
      `${work.sentThrice}${budget === undefined ? '' : ' (0)'}`,
      ((after.cpu - before.cpu) / devices).toFixed(0),
      failures.length === 0 ? '' : failures.join(', '),
    ].join(' | ')} |`;
  } finally {
    await target.stop();
  }
}

const lines = [
  '| server | all are registered after, s (budget) | half | 99 % | registered | dropped by the kernel | sent again | needed a second retransmission (budget) | CPU µs each | refused |',
  '|---|--:|--:|--:|--:|--:|--:|--:|--:|---|',
];
const failures: string[] = [];
for (const peer of peers) {
  const reason = await peer.prepare();
  if (reason === undefined) {
    try {
      lines.push(await measure(peer));
    } catch (error) {
      failures.push(`${peer.name} could not: ${oneLine((error as Error).message)}`);
    }
  } else failures.push(`${peer.name} could not run: ${reason}`);
  process.stderr.write(`${lines.length - 2 + failures.length} of ${peers.length}: ${peer.name}\n`);
}
const limit = receiveBufferLimit();
lines.push(
  '',
  `${devices.toLocaleString('en')} devices, each at an address of its own, in one process beside the server${limit === undefined ? '' : `, whose receive buffer may have ${limit} KiB`}; ${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}; load average ${loadavg()[0]?.toFixed(1)} at the end.`,
);
publish('burst', lines.join('\n'), { write, failures });
