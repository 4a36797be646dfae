/**
 * What the embedded stores cost: CPU of both threads per append, latency of commits, registrations,
 * bytes per registration, and pages of the device list at 100 000 devices.
 * `node bench/embedded.ts [folder]`
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbeddedStores } from '../server/embedded/index.ts';
import type { Registration } from '../server/ports/registration-store.ts';
import type { Stores } from '../server/ports/stores.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

const root = process.argv[2] ?? temporaryFolder();

interface Cost {
  readonly cpu: number;
  readonly wall: number;
}

/** CPU (all threads) and wall time of a piece of work, µs. */
async function costOf(work: () => Promise<void>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const used = process.cpuUsage(cpu);
  return { cpu: used.user + used.system, wall: (performance.now() - start) * 1000 };
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Appends `total` entries with `size` waiting at any time, as devices with one exchange each do. */
async function appends(stores: Stores, size: number, total: number, prefix: string): Promise<void> {
  const body = new Uint8Array(700).fill(7);
  const latencies: number[] = [];
  const warmUp = Math.min(total, size * 200);
  // Made beforehand: what the strings cost is not the store's.
  const entries = Array.from({ length: warmUp + total }, (_, index) => ({
    endpoint: Buffer.from(`urn:imei:35694210${String(index % 1000).padStart(6, '0')}`).toString('latin1'),
    key: Buffer.from(`${prefix}${index.toString(36)}.17324567.0`).toString('latin1'),
    receivedAt: 1.7e15 + index,
    body,
  }));
  let sequence = 0;
  const run = (count: number, record: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      let open = 0;
      let left = count;
      const batch = (): void => {
        const now = Math.min(size, left);
        left -= now;
        open = now;
        const start = performance.now();
        const done = (error: Error | undefined): void => {
          if (error) {
            reject(error);
            return;
          }
          open -= 1;
          if (open > 0) return;
          if (record) latencies.push(performance.now() - start);
          if (left > 0) setImmediate(batch);
          else resolve();
        };
        for (let index = 0; index < now; index++) {
          const entry = entries[sequence++];
          if (entry !== undefined) stores.log.append(entry, done);
        }
      };
      batch();
    });
  await run(warmUp, false);
  const cost = await costOf(() => run(total, true));
  latencies.sort((a, b) => a - b);
  console.log(
    `append, ${String(size).padStart(4)} at once: ${(cost.cpu / total).toFixed(2).padStart(7)} µs CPU each, ` +
      `${Math.round(total / (cost.wall / 1e6))
        .toString()
        .padStart(7)}/s, ` +
      `p50 ${percentile(latencies, 0.5).toFixed(2)} ms, p99 ${percentile(latencies, 0.99).toFixed(2)} ms`,
  );
}

/** Appends of `devices` that each have one entry under way, and append the next when it is acknowledged. */
async function stream(stores: Stores, devices: number, total: number): Promise<void> {
  const body = new Uint8Array(700).fill(7);
  const entries = Array.from({ length: total }, (_, index) => ({
    endpoint: Buffer.from(`urn:imei:35694210${String(index % devices).padStart(6, '0')}`).toString('latin1'),
    key: Buffer.from(`s${devices}-${index.toString(36)}.17324567.0`).toString('latin1'),
    receivedAt: 1.7e15 + index,
    body,
  }));
  const cost = await costOf(
    () =>
      new Promise((resolve, reject) => {
        let next = 0;
        let acknowledged = 0;
        const append = (): void => {
          const entry = entries[next++];
          if (entry !== undefined) stores.log.append(entry, done);
        };
        const done = (error: Error | undefined): void => {
          acknowledged += 1;
          if (error) reject(error);
          else if (acknowledged === total) resolve();
          else setImmediate(append);
        };
        for (let device = 0; device < devices; device++) append();
      }),
  );
  console.log(
    `append, ${devices} devices, one under way each: ${(cost.cpu / total).toFixed(2)} µs CPU each, ` +
      `${Math.round(total / (cost.wall / 1e6))}/s`,
  );
}

/** ms by which times move, so that registering again changes what is stored. */
let shift = 0;

function registration(index: number): Registration {
  const objects = [
    '/1/0',
    '/3/0',
    '/4/0',
    '/5/0',
    '/7/0',
    '/10/0',
    '/11/0',
    '/42769/0',
    '/42770/0',
    '/42770/1',
  ];
  return {
    id: `r${index.toString(36)}x0123456789abcdef`,
    endpoint: `urn:imei:${356_942_100_000_000 + ((index * 7919) % 100_003)}`,
    address: `10.1.${index & 255}.${(index >> 8) & 255}:5683`,
    lifetime: 3600,
    version: '1.1',
    binding: 'U',
    queueMode: false,
    rootPath: '/',
    links: objects.map((target) => ({ target, attributes: {} })),
    contentFormats: [110, 112],
    additional: {},
    registeredAt: 1.7e12 + shift + index,
    updatedAt: 1.7e12 + shift + index,
    expiresAt: 1.7e12 + shift + index + 3_600_000,
    node: 'node-1',
  };
}

async function registrations(stores: Stores, count: number): Promise<void> {
  const work = async (): Promise<void> => {
    for (let start = 0; start < count; start += 200) {
      const calls: Promise<unknown>[] = [];
      for (let index = start; index < start + 200; index++)
        calls.push(stores.registrations.register(registration(index)));
      await Promise.all(calls);
    }
  };
  const first = await costOf(work);
  console.log(
    `register, 200 at once: ${(first.cpu / count).toFixed(1)} µs CPU each, ${Math.round(count / (first.wall / 1e6))}/s`,
  );
  shift += 1000;
  const again = await costOf(work);
  console.log(`register again: ${(again.cpu / count).toFixed(1)} µs CPU each`);
  const updates = await costOf(async () => {
    for (let start = 0; start < count; start += 200) {
      const calls: Promise<unknown>[] = [];
      for (let index = start; index < start + 200; index++) {
        const { id, address, node } = registration(index);
        calls.push(stores.registrations.update({ id, address, updatedAt: 1.7e12 + 2000 + index, node }));
      }
      await Promise.all(calls);
    }
  });
  console.log(`update: ${(updates.cpu / count).toFixed(1)} µs CPU each`);
}

async function lists(stores: Stores): Promise<void> {
  const time = async (name: string, query: Parameters<Stores['devices']['list']>[0]): Promise<void> => {
    await stores.devices.list(query);
    const start = performance.now();
    const page = await stores.devices.list(query);
    console.log(`${name}: ${(performance.now() - start).toFixed(1)} ms (${page.total} match)`);
  };
  const first = await stores.devices.list({ limit: 50, now: 0 });
  await time('list, first page of 50', { limit: 50, now: 0 });
  await time('list, second page', {
    limit: 50,
    now: 0,
    ...(first.next === undefined ? {} : { cursor: first.next }),
  });
  await time('list, registered', { limit: 50, now: 0, filter: { states: ['registered'] } });
  await time('search, part of few endpoints', { limit: 50, now: 0, filter: { search: '210007777' } });
  await time('search, part of all endpoints', { limit: 50, now: 0, filter: { search: 'IMEI' } });
  await time('search, nothing found', { limit: 50, now: 0, filter: { search: 'zzzz' } });
}

for (const path of [join(root, 'appends'), ':memory:']) {
  const stores = await openEmbeddedStores({ path });
  console.log(`\n${stores.description}`);
  for (const [size, total] of [
    [1, 2000],
    [10, 20_000],
    [50, 200_000],
    [200, 200_000],
  ] as const) {
    await appends(stores, size, total, `${size}-`);
  }
  await stream(stores, 100, 200_000);
  await stream(stores, 400, 400_000);
  await stores.close();
}

const inMemory = await openEmbeddedStores({ path: ':memory:' });
console.log('\nregistrations in memory');
await registrations(inMemory, 20_000);
await inMemory.close();

const folder = join(root, 'devices');
const stores = await openEmbeddedStores({ path: folder });
console.log(`\n${stores.description}`);
await registrations(stores, 100_000);
await lists(stores);
await stores.close();
console.log(
  `bytes per registration on disk: ${Math.round(statSync(join(folder, 'simyard.db')).size / 100_000)}`,
);
const reopened = performance.now();
const again = await openEmbeddedStores({ path: folder });
console.log(
  `opened again in ${(performance.now() - reopened).toFixed(0)} ms, ${await again.registrations.count()} registrations`,
);
await again.close();
if (process.argv[2] === undefined) removeFolder(root);
