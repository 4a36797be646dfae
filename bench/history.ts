/**
 * What history costs: roll-ups per reading, and how long the answers to charts and exports take over HTTP, of a
 * sensor that was sampled once a second for a month (2.6 million readings, one to a log entry: the worst case).
 * `node bench/history.ts [--days 30] [--pack 1] [--runs 9]`
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../server/config.ts';
import { openEmbeddedStores } from '../server/embedded/index.ts';
import { createLog } from '../server/log.ts';
import { startServer } from '../server/main.ts';
import type { HistoryChunk } from '../server/ports/history.ts';
import type { Registration } from '../server/ports/registration-store.ts';
import type { Stores } from '../server/ports/stores.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '30' },
    pack: { type: 'string', default: '1' },
    runs: { type: 'string', default: '9' },
  },
});
const [days, pack, runs] = [Number(values.days), Number(values.pack), Number(values.runs)];
const second = 1_000_000;
const hour = 3_600 * second;
const day = 24 * hour;
const end = Math.floor((Date.now() * 1000) / hour) * hour;
const begin = end - days * day;
const path = '/42770/0/2';

async function costOf(work: () => Promise<void>): Promise<{ readonly cpu: number; readonly wall: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const used = process.cpuUsage(cpu);
  return { cpu: used.user + used.system, wall: performance.now() - start };
}

function registration(endpoint: string): Registration {
  const now = Date.now();
  return {
    id: 'bench',
    endpoint,
    address: '127.0.0.1:40000',
    lifetime: 86_400,
    version: '1.1',
    binding: 'U',
    queueMode: false,
    rootPath: '/',
    links: [],
    contentFormats: [112],
    additional: {},
    registeredAt: now,
    updatedAt: now,
    expiresAt: now + 86_400_000,
    node: 'bench',
  };
}

async function fill(stores: Stores): Promise<number> {
  let position = 0;
  for (let at = begin; at < end; ) {
    const chunks: HistoryChunk[] = [];
    for (; chunks.length < 2000 && at < end; at += pack * second) {
      const readings = Array.from({ length: pack }, (_, index) => {
        const takenAt = at + index * second;
        const value = 20 + 5 * Math.sin((takenAt / day) * 2 * Math.PI) + ((takenAt / second) % 17) / 20;
        return { takenAt, receivedAt: at + pack * second, value };
      });
      chunks.push({ endpoint: 'bench', path, position: ++position, readings });
    }
    await stores.history.append(chunks);
  }
  return position * pack;
}

async function time(name: string, ask: () => Promise<string>): Promise<void> {
  const samples: number[] = [];
  let said = '';
  for (let run = 0; run <= runs; run++) {
    const start = performance.now();
    said = await ask();
    // The first one warms up.
    if (run > 0) samples.push(performance.now() - start);
  }
  samples.sort((a, b) => a - b);
  const [least, middle, most] = [samples[0], samples[samples.length >> 1], samples.at(-1)];
  console.log(
    `${name}: ${middle?.toFixed(1)} ms (${least?.toFixed(1)}–${most?.toFixed(1)}, ${runs} runs), ${said}`,
  );
}

const folder = temporaryFolder();
try {
  const stores = await openEmbeddedStores({ path: folder });
  await stores.registrations.register(registration('bench'));
  let count = 0;
  const filled = await costOf(async () => {
    count = await fill(stores);
  });
  console.log(
    `${count} readings, ${pack} to an entry: ${(filled.cpu / count).toFixed(2)} µs CPU each, ${(filled.wall / 1000).toFixed(1)} s`,
  );
  const rolled = await costOf(() => stores.history.rollUp(end + day));
  console.log(
    `rolled up: ${(rolled.cpu / count).toFixed(2)} µs CPU each, ${(rolled.wall / 1000).toFixed(1)} s`,
  );
  // A late reading in each hour: what is made again.
  const late = await costOf(async () => {
    const chunks = Array.from({ length: days * 24 }, (_, index) => ({
      endpoint: 'bench',
      path,
      position: count + index + 1,
      readings: [{ takenAt: begin + index * hour + 7, receivedAt: end, value: 0 }],
    }));
    await stores.history.append(chunks);
    await stores.history.rollUp(end + day);
  });
  console.log(`${days * 24} late readings, each in another hour: ${(late.wall / 1000).toFixed(2)} s`);
  await stores.close();
  console.log(`on disk: ${(statSync(join(folder, 'simyard.db')).size / 1e6).toFixed(0)} MB`);

  const config = loadConfig({}, [
    ...['--coap-port', '0', '--http-port', '0', '--data', folder, '--log-level', 'error'],
  ]);
  const server = await startServer(config, { log: createLog('error') });
  const base = server.httpAddress;
  const series = async (from: number, to: number, points: number): Promise<string> => {
    const query = `path=${path}&from=${from / 1000}&to=${to / 1000}&points=${points}`;
    const answer = await fetch(`${base}/api/devices/bench/readings/series?${query}`);
    if (!answer.ok) throw new Error(await answer.text());
    const { step, items } = (await answer.json()) as { step: number; items: unknown[] };
    return `${items.length} points of ${step / 1000} s`;
  };
  for (const [name, span] of [
    ['10 min', hour / 6],
    ['1 h', hour],
    ['6 h', 6 * hour],
    ['24 h', day],
    ['7 d', 7 * day],
    [`${days} d`, days * day],
  ] as const) {
    await time(`series of ${name}`, () => series(end - span, end, 1200));
  }
  await time(`export of 24 h as CSV`, async () => {
    const answer = await fetch(`${base}/api/readings/export?endpoint=bench&from=${(end - day) / 1000}`);
    return `${((await answer.text()).length / 1e6).toFixed(1)} MB`;
  });
  await server.close();
} finally {
  removeFolder(folder);
}
