/**
 * What registrations, updates and notifications cost a node and its Redis, and what it costs a REST request to go
 * through a node that does not own the device.
 * node scripts/run.mjs bench/redis.ts [--seconds N] [--runs N] [--devices N] [--reads N] [--only registration|update|notification|routing]
 */
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { Registration } from '../client/lwm2m/registration.ts';
import { newAccount } from '../client/lwm2m/server-account.ts';
import { systemClock } from '../protocol/clock.ts';
import { createCoapEndpoint } from '../protocol/coap/endpoint.ts';
import type { CoapEndpoint } from '../protocol/coap/exchange.ts';
import { Code } from '../protocol/coap/message.ts';
import { createUdpPort } from '../protocol/coap/udp-port.ts';
import { type RedisServer, startRedis } from '../test/support/redis.ts';
import type { LoadCommand, LoadReport } from './load/main.ts';
import type { Work } from './load/tally.ts';
import { BenchProcess } from './process.ts';
import { quantiles } from './quantiles.ts';
import type { TargetReport } from './targets/report.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    runs: { type: 'string', default: '3' },
    devices: { type: 'string', default: '500' },
    reads: { type: 'string', default: '2500' },
    only: { type: 'string', default: '' },
  },
});
const milliseconds = Number(values.seconds) * 1_000;
const runs = Number(values.runs);
const warmUp = 2_500;
const devices = Number(values.devices);
const reads = Number(values.reads);
const warmUpReads = 200;

interface Row {
  readonly title: string;
  readonly work: Work;
  readonly readings: number;
  /** CPU of the node that the house plan allows, µs. */
  readonly budget?: number;
}

const rows: readonly Row[] = [
  { title: 'registration', work: 'register', readings: 0, budget: 50 },
  { title: 'registration, at an address that another device had', work: 'take-over', readings: 0 },
  { title: 'update', work: 'update', readings: 0, budget: 50 },
  { title: 'notification, 1 reading', work: 'notify', readings: 1 },
  { title: 'notification, 10 readings', work: 'notify', readings: 10 },
  { title: 'notification, 50 readings', work: 'notify', readings: 50 },
];

/** Since its start. */
interface RedisFigures {
  /** µs */
  readonly cpu: number;
  readonly received: number;
  readonly sent: number;
  readonly stored: number;
  readonly calls: ReadonlyMap<string, number>;
}

async function figuresOf(redis: RedisServer): Promise<RedisFigures> {
  const info = await redis.cli('info', 'all');
  const number = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  const calls = [...info.matchAll(/^cmdstat_(\S+):calls=(\d+)/gm)].map(
    ([, name = '', count]) => [name, Number(count)] as const,
  );
  return {
    cpu: (number('used_cpu_user') + number('used_cpu_sys')) * 1e6,
    received: number('total_net_input_bytes'),
    sent: number('total_net_output_bytes'),
    stored: number('used_memory'),
    calls: new Map(calls),
  };
}

const median = (all: readonly number[]): number =>
  [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;

/** What is called from outside: what scripts call is theirs. */
const scripts = /^(evalsha|eval|fcall)/;

async function measure(row: Row): Promise<string> {
  const redis = await startRedis({ durable: true });
  const target = new BenchProcess('./targets/simyard.ts', [redis.url]);
  const load = new BenchProcess('./load/main.ts');
  try {
    const { port } = await target.next<{ port: number }>();
    await load.ask<'open'>({
      kind: 'open',
      work: row.work,
      devices,
      readings: row.readings,
      port,
    } satisfies LoadCommand);
    await load.ask<LoadReport>({ kind: 'run', milliseconds: warmUp });
    const samples: { readonly node: number; readonly redis: number; readonly rate: number }[] = [];
    const first = await figuresOf(redis);
    let done = 0;
    for (let run = 0; run < runs; run++) {
      const [before, redisBefore] = [await target.ask<TargetReport>('cpu'), await figuresOf(redis)];
      const report = await load.ask<LoadReport>({ kind: 'run', milliseconds });
      const [after, redisAfter] = [await target.ask<TargetReport>('cpu'), await figuresOf(redis)];
      done += report.done;
      samples.push({
        node: (after.cpu - before.cpu) / report.done,
        redis: (redisAfter.cpu - redisBefore.cpu) / report.done,
        rate: (report.done / report.elapsed) * 1_000,
      });
    }
    const last = await figuresOf(redis);
    const scripted = [...last.calls]
      .filter(([name]) => scripts.test(name))
      .reduce((sum, [name, count]) => sum + count - (first.calls.get(name) ?? 0), 0);
    const inside = [...last.calls]
      .filter(([name]) => !scripts.test(name))
      .reduce((sum, [name, count]) => sum + count - (first.calls.get(name) ?? 0), 0);
    const each = (value: number, digits = 1): string => (value / done).toFixed(digits);
    return [
      row.title,
      `${median(samples.map(({ node }) => node)).toFixed(1)}${row.budget === undefined ? '' : ` (≤ ${row.budget})`}`,
      median(samples.map((sample) => sample.redis)).toFixed(1),
      String(Math.round(median(samples.map(({ rate }) => rate)))),
      each(scripted, 2),
      each(inside),
      each(last.received - first.received, 0),
      each(last.sent - first.sent, 0),
      each(last.stored - first.stored, 0),
    ].join(' | ');
  } finally {
    await Promise.all([target.stop(), load.stop()]);
    await redis.close();
  }
}

/** A device that answers every Read, registered at `port`. */
async function startDevice(name: string, port: number): Promise<CoapEndpoint> {
  const endpoint = createCoapEndpoint({
    port: await createUdpPort({ host: '127.0.0.1', port: 0 }),
    handler: (request) =>
      request.respond({ code: Code.CONTENT, options: [], payload: new TextEncoder().encode('1') }),
  });
  const registration = new Registration({
    endpoint,
    clock: systemClock,
    name,
    resolveServer: async () => `127.0.0.1:${port}`,
    version: '1.1',
    account: newAccount({ lifetime: 3_600 }),
    links: () => [{ target: '/1/0', attributes: {} }],
    random: Math.random,
    onRegister: () => {},
  });
  registration.start();
  await registration.registered();
  return endpoint;
}

/** Reads over REST, one after the other, by turns through the owner and through the other node. */
async function route(): Promise<string> {
  const redis = await startRedis({ durable: true });
  const nodes = ['owner', 'other'].map((name) => new BenchProcess('./targets/simyard.ts', [redis.url, name]));
  let device: CoapEndpoint | undefined;
  try {
    const [owner, other] = (await Promise.all(
      nodes.map((node) => node.next<{ port: number; http: string }>()),
    )) as [{ port: number; http: string }, { port: number; http: string }];
    device = await startDevice('bench-read', owner.port);
    const read = async (http: string): Promise<number> => {
      const began = performance.now();
      const response = await fetch(`${http}/api/devices/bench-read/objects/3/0/0`);
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`a read ended with ${response.status}`);
      return performance.now() - began;
    };
    const times = { owner: [] as number[], other: [] as number[] };
    for (let turn = 0; turn < reads + warmUpReads; turn++) {
      const [byOwner, byOther] = [await read(owner.http), await read(other.http)];
      if (turn < warmUpReads) continue;
      times.owner.push(byOwner);
      times.other.push(byOther);
    }
    const [at, through] = [quantiles(times.owner), quantiles(times.other)];
    return [
      '| REST read of a resource | p50 ms | p99 ms |',
      '|---|--:|--:|',
      `| at the node that owns the device | ${at.p50.toFixed(2)} | ${at.p99.toFixed(2)} |`,
      `| through another node | ${through.p50.toFixed(2)} | ${through.p99.toFixed(2)} |`,
      `| routing adds (≤ 1) | ${(through.p50 - at.p50).toFixed(2)} | ${(through.p99 - at.p99).toFixed(2)} |`,
    ].join('\n');
  } finally {
    await device?.close();
    await Promise.all(nodes.map((node) => node.stop()));
    await redis.close();
  }
}

const lines = [
  '| work | node CPU µs each | Redis CPU µs | rate /s | scripts | commands in them | bytes to Redis | from Redis | bytes kept |',
  '|---|--:|--:|--:|--:|--:|--:|--:|--:|',
];
for (const row of rows.filter(({ title }) => title.includes(values.only))) {
  process.stderr.write(`${row.title} …\n`);
  const line = `| ${await measure(row)} |`;
  process.stderr.write(`${line}\n`);
  lines.push(line);
}
if ('routing'.includes(values.only)) {
  process.stderr.write('routing …\n');
  lines.push('', await route());
}
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}`;
process.stdout.write(
  `${lines.join('\n')}\n\n${machine}; Redis with appendfsync always on the same machine; ${runs} runs of ${values.seconds} s after ${warmUp / 1_000} s of warm-up, medians.\n`,
);
