/**
 * What the telemetry log on Redis costs, on a Redis of its own that is durable as the server wants it: CPU of this
 * process and of Redis per append, latency, bytes per entry; what a reader and a follower cost; one event.
 * `node bench/redis-log.ts [--fleeting]`
 */
import { parseRedisAddress } from '../redis/address.ts';
import { RedisConnection } from '../redis/connection.ts';
import { RedisEventLog } from '../redis/event-log.ts';
import { RedisFeeds } from '../redis/feeds.ts';
import { RedisTelemetryLog } from '../redis/telemetry-log.ts';
import type { NewLogEntry } from '../server/ports/telemetry-log.ts';
import { type RedisServer, startRedis } from '../test/support/redis.ts';

const body = new Uint8Array(700).fill(7);
let made = 0;

/** Made beforehand: what the strings cost is not the log's. */
function entries(count: number): readonly NewLogEntry[] {
  return Array.from({ length: count }, () => {
    made += 1;
    return {
      endpoint: Buffer.from(`urn:imei:35694210${String(made % 1000).padStart(6, '0')}`).toString('latin1'),
      key: Buffer.from(`${made.toString(36).padStart(12, '0')}-123456789012345`).toString('latin1'),
      receivedAt: 1.7e15 + made,
      body,
    };
  });
}

function percentile(sorted: readonly number[], share: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2);
}

/** Figures of one section of INFO. */
async function info(server: RedisServer, section: string, name: string): Promise<number> {
  return Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(await server.cli('info', section))?.[1] ?? 0);
}

async function redisCpu(server: RedisServer): Promise<number> {
  const [user, system] = [
    await info(server, 'cpu', 'used_cpu_user'),
    await info(server, 'cpu', 'used_cpu_sys'),
  ];
  return (user + system) * 1e6;
}

interface Cost {
  readonly node: number;
  readonly redis: number;
  readonly wall: number;
  readonly commands: number;
}

/** CPU of both, wall time, and commands that Redis carried out (those within scripts included), µs. */
async function costOf(server: RedisServer, work: () => Promise<void>): Promise<Cost> {
  const [redis, commands] = [await redisCpu(server), await info(server, 'stats', 'total_commands_processed')];
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await work();
  const wall = (performance.now() - begun) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    node: user + system,
    redis: (await redisCpu(server)) - redis,
    wall,
    commands: (await info(server, 'stats', 'total_commands_processed')) - commands,
  };
}

/** Devices that each have one entry under way, and append the next when it is acknowledged. */
async function appends(
  log: RedisTelemetryLog,
  all: readonly NewLogEntry[],
  devices: number,
): Promise<readonly number[]> {
  const latencies: number[] = [];
  await new Promise<void>((resolve, reject) => {
    let next = 0;
    let left = all.length;
    const append = (): void => {
      const entry = all[next++];
      if (entry === undefined) return;
      const begun = performance.now();
      log.append(entry, (error) => {
        if (error !== undefined) reject(error);
        latencies.push(performance.now() - begun);
        left -= 1;
        if (left === 0) resolve();
        else setImmediate(append);
      });
    };
    for (let device = 0; device < devices; device++) append();
  });
  return latencies.sort((a, b) => a - b);
}

function report(name: string, count: number, { node, redis, wall, commands }: Cost, more = ''): void {
  const each = (cost: number): string => (cost / count).toFixed(2).padStart(7);
  console.log(
    `${name.padEnd(34)} node ${each(node)} µs, Redis ${each(redis)} µs, ` +
      `${String(Math.round(count / (wall / 1e6))).padStart(6)}/s, ${(commands / count).toFixed(2)} commands each${more}`,
  );
}

const durable = !process.argv.includes('--fleeting');
const server = await startRedis({ durable });
const redis = await RedisConnection.open({ address: parseRedisAddress(server.url), prefix: 'sy' });
const log = new RedisTelemetryLog(redis);
try {
  console.log(
    `Redis ${durable ? 'with appendfsync always' : 'that keeps nothing on disk'}, packs of ${body.length} bytes\n`,
  );
  await appends(log, entries(20_000), 100);
  for (const [devices, count] of [
    [1, 2_000],
    [10, 20_000],
    [100, 60_000],
    [1_000, 100_000],
    [5_000, 100_000],
  ] as const) {
    const all = entries(count);
    let latencies: readonly number[] = [];
    const cost = await costOf(server, async () => {
      latencies = await appends(log, all, devices);
    });
    const times = `, p50 ${percentile(latencies, 0.5)} ms, p99 ${percentile(latencies, 0.99)} ms`;
    report(`append, ${devices} devices`, count, cost, times);
  }

  const { newest } = await log.extent();
  const memory = await info(server, 'memory', 'used_memory');
  console.log(
    `\n${newest} entries take ${Math.round(memory / newest)} bytes each in Redis, with the digests of their keys`,
  );

  let read = 0;
  const reading = await costOf(server, async () => {
    for (let after = 0; ; ) {
      const some = await log.read(after, 500);
      if (some.length === 0) return;
      read += some.length;
      after = some.at(-1)?.position ?? after;
    }
  });
  report('read, 500 at a time', read, reading);

  let heard = 0;
  const following = await costOf(server, async () => {
    await new Promise<void>((resolve) => {
      const follower = new RedisFeeds(redis).log(0, (some) => {
        heard += some.length;
        if (heard === newest) void follower.close().then(resolve);
      });
    });
  });
  report('follow', heard, following);

  const trimmed = await costOf(server, async () => {
    await log.trim({ now: 0, maxAge: 1e15, maxBytes: 0 });
  });
  report('trim', newest, trimmed);

  const events = new RedisEventLog(redis);
  const batches = Array.from({ length: 200 }, (_, batch) =>
    Array.from({ length: 100 }, (__, index) => ({
      type: index % 2 === 0 ? 'updated' : 'registered',
      endpoint: `urn:imei:35694210${String((batch * 100 + index) % 1000).padStart(6, '0')}`,
      at: 1.7e12 + index,
      data: { address: '192.0.2.1:5683', lifetime: 300, node: 'node-1' },
    })),
  );
  const before = await info(server, 'memory', 'used_memory');
  const appending = await costOf(server, async () => {
    for (const batch of batches) await events.append(batch);
  });
  report('event, 100 at a time', 20_000, appending);
  const grown = (await info(server, 'memory', 'used_memory')) - before;
  console.log(`an event takes ${Math.round(grown / 20_000)} bytes in Redis`);
} finally {
  await log.close();
  await redis.close();
  await server.close();
}
