/**
 * Fills a data folder, or a Redis, with a plausible fleet, through the same ports as the server does: devices of some makers
 * with carriers, signals, queue mode and lost registrations, each with last values; a week of statistics, and some
 * trouble.
 * `node bench/seed-fleet.ts [count=100000] [folder or redis://…=./data]`; the server must not run on that folder.
 */
import { Redis } from 'ioredis';
import { openRedisStores } from '../redis/index.ts';
import { openEmbeddedStores } from '../server/embedded/index.ts';
import { fillStore } from './fill-store.ts';

const [countText = '100000', folder = './data'] = process.argv.slice(2);
const count = Number(countText);
if (!Number.isSafeInteger(count) || count < 1) {
  console.error('usage: node bench/seed-fleet.ts [count] [folder]');
  process.exit(2);
}

const started = performance.now();
// A power cut while it fills the folder costs nothing but another run.
const stores = folder.startsWith('redis')
  ? await openRedisStores({ url: folder })
  : await openEmbeddedStores({ path: folder, durable: false });
const memory = folder.startsWith('redis') ? new Redis(folder) : undefined;
const memoryUsed = async (): Promise<number> =>
  Number(/^used_memory:(\d+)/m.exec((await memory?.info('memory')) ?? '')?.[1]);
const empty = await memoryUsed();
const { known, registered, awake, asleep, lost, left } = await fillStore(stores, count, Date.now());
if (memory !== undefined) {
  const each = ((await memoryUsed()) - empty) / count;
  console.log(`memory of Redis: ${each.toFixed(0)} bytes for each device, its last values included`);
  memory.disconnect();
}
await stores.close();
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `${folder}: ${known} devices in ${seconds} s: ${registered} registered (${awake} awake, ${asleep} asleep), ${lost} lost, ${left} left`,
);
