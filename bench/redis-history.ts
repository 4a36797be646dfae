/**
 * What history costs on Redis: memory for each reading, as it comes and rolled up, CPU of Redis and of the node, and how
 * long the answers to charts take. Starts a Redis of its own, durable as the project defines it.
 * `node bench/redis-history.ts [--series 500] [--days 30]`
 */
import { parseArgs } from 'node:util';
import { parseRedisAddress } from '../redis/address.ts';
import { RedisConnection } from '../redis/connection.ts';
import { history, type RedisHistory } from '../redis/history.ts';
import type { HistoryChunk } from '../server/ports/history.ts';
import { startRedis } from '../test/support/redis.ts';

const { values } = parseArgs({
  options: { series: { type: 'string', default: '500' }, days: { type: 'string', default: '30' } },
});
const [series, days] = [Number(values.series), Number(values.days)];
const second = 1_000_000;
const hour = 3_600 * second;
const day = 24 * hour;
const end = Math.floor((Date.now() * 1000) / day) * day;
const path = '/42770/0/2';

/** Readings of one pack, seconds between two packs, and hours of it. */
const shapes = [
  ['10 readings a pack, a pack each 5 s', 10, 5, 1],
  ['1 reading a pack, each second', 1, 1, 1],
  ['1 reading a pack, each minute', 1, 60, 6],
  ['1 reading a pack, each 15 minutes', 1, 900, 48],
] as const;

const server = await startRedis({ durable: true });
const redis = await RedisConnection.open({ address: parseRedisAddress(server.url), prefix: 'sy' });
try {
  for (const shape of shapes) await measureShape(history(redis), shape);
  await measureCharts(history(redis));
} finally {
  await redis.close();
  await server.close();
}

function aChunk(endpoint: string, position: number, at: number, pack: number, step: number): HistoryChunk {
  const readings = Array.from({ length: pack }, (_, index) => {
    const takenAt = at + (index * step * second) / pack;
    return { takenAt, receivedAt: at + step * second, value: 20 + Math.sin(takenAt / hour) };
  });
  return { endpoint, path, position, readings };
}

async function measureShape(
  store: RedisHistory,
  [name, pack, step, hours]: (typeof shapes)[number],
): Promise<void> {
  await redis.call((client) => client.flushall());
  const before = await usage();
  // Few series where each has much: the figures are for a reading.
  const steps = (hours * 3600) / step;
  const devices = Math.max(20, Math.min(series, Math.floor(200_000 / steps)));
  const readings = devices * steps * pack;
  for (let count = 0; count < steps; count++) {
    const at = end - hours * hour + count * step * second;
    // As the projection writes them: what came in a quarter of a second, of many devices.
    for (let from = 0; from < devices; from += 500) {
      const chunks = Array.from({ length: Math.min(500, devices - from) }, (_, index) =>
        aChunk(`device-${from + index}`, count * devices + from + index + 1, at, pack, step),
      );
      await store.append(chunks);
    }
  }
  const appended = await usage();
  await store.rollUp(end);
  const rolledUp = await usage();
  const packs = devices * steps;
  const bytes = (after: Usage): string => ((after.memory - before.memory) / readings).toFixed(1);
  const each = (later: Usage, earlier: Usage, of: number): string =>
    `${((later.redis - earlier.redis) / of).toFixed(2)} µs of Redis, ${((later.node - earlier.node) / of).toFixed(2)} µs of the node`;
  console.log(
    [
      `${name} (${devices} series, ${readings} readings):`,
      `  memory: ${bytes(appended)} bytes a reading as they come, ${bytes(rolledUp)} rolled up (roll-ups included)`,
      `  append: ${each(appended, before, packs)}, for each pack`,
      `  roll-up: ${each(rolledUp, appended, readings)}, for each reading`,
    ].join('\n'),
  );
}

async function measureCharts(store: RedisHistory): Promise<void> {
  await redis.call((client) => client.flushall());
  let position = 0;
  for (let at = end - days * day; at < end; ) {
    const chunks: HistoryChunk[] = [];
    for (; chunks.length < 1000 && at < end; at += 10 * second) {
      position += 1;
      chunks.push(aChunk('device', position, at, 10, 10));
    }
    await store.append(chunks);
  }
  await store.rollUp(end);
  for (const [name, span] of [
    ['an hour', hour],
    ['6 hours', 6 * hour],
    ['a day', day],
    [`${days} days`, days * day],
  ] as const) {
    const times: number[] = [];
    let items = 0;
    for (let run = 0; run < 12; run++) {
      const start = performance.now();
      const answer = await store.series({
        endpoint: 'device',
        path,
        from: end - span,
        to: end,
        points: 1200,
      });
      items = answer.items.length;
      if (run > 0) times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    console.log(
      `chart of ${name}: ${times[5]?.toFixed(1)} ms (${times[0]?.toFixed(1)}–${times.at(-1)?.toFixed(1)}), ${items} points`,
    );
  }
}

interface Usage {
  /** Bytes. */
  readonly memory: number;
  /** CPU, µs. */
  readonly redis: number;
  readonly node: number;
}

async function usage(): Promise<Usage> {
  const info = await redis.call((client) => client.info());
  const figure = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  const { user, system } = process.cpuUsage();
  return {
    memory: figure('used_memory_dataset'),
    redis: (figure('used_cpu_user') + figure('used_cpu_sys')) * 1e6,
    node: user + system,
  };
}
