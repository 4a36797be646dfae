/**
 * Fills a data folder, or a Redis, with a plausible fleet, through the same ports as the server does: devices of some makers
 * with carriers, signals, queue mode and lost registrations, each with last values; a week of statistics, and some
 * trouble.
 * `node bench/seed-fleet.ts [count=100000] [folder or redis://…=./data]`; the server must not run on that folder.
 */
import { Redis } from 'ioredis';
import { openRedisStores } from '../redis/index.ts';
import { openEmbeddedStores } from '../server/embedded/index.ts';
import { deviceOf, minuteOf, troublesOf } from './fleet.ts';

const [countText = '100000', folder = './data'] = process.argv.slice(2);
const count = Number(countText);
if (!Number.isSafeInteger(count) || count < 1) {
  console.error('usage: node bench/seed-fleet.ts [count] [folder]');
  process.exit(2);
}

/** Devices that go to the store together. */
const AT_ONCE = 2000;

const started = performance.now();
const now = Date.now();
// A power cut while it fills the folder costs nothing but another run.
const stores = folder.startsWith('redis')
  ? await openRedisStores({ url: folder })
  : await openEmbeddedStores({ path: folder, durable: false });
const memory = folder.startsWith('redis') ? new Redis(folder) : undefined;
const memoryUsed = async (): Promise<number> =>
  Number(/^used_memory:(\d+)/m.exec((await memory?.info('memory')) ?? '')?.[1]);
const empty = await memoryUsed();
for (let from = 0; from < count; from += AT_ONCE) {
  const devices = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) =>
    deviceOf(from + index, now),
  );
  await Promise.all(
    devices.flatMap(({ registration, attributes, values }) => [
      stores.registrations.register(registration),
      stores.devices.setAttributes(registration.endpoint, attributes),
      stores.lastValues.set(registration.endpoint, values),
    ]),
  );
  await Promise.all(
    devices.flatMap(({ registration, leaves }) =>
      leaves ? [stores.registrations.deregister(registration.id)] : [],
    ),
  );
  await stores.devices.listening(
    new Map(
      devices.flatMap(({ registration, listensUntil }) =>
        listensUntil === undefined ? [] : [[registration.endpoint, listensUntil] as const],
      ),
    ),
  );
}
if (memory !== undefined) {
  const each = ((await memoryUsed()) - empty) / count;
  console.log(`memory of Redis: ${each.toFixed(0)} bytes for each device, its last values included`);
  memory.disconnect();
}
while ((await stores.registrations.expire(now, 5000)).length > 0);
const { known, registered, awake, asleep, lost, left } = await stores.devices.counts(now);
const minutes = 8 * 1440;
for (let from = minutes; from > 0; from -= AT_ONCE) {
  await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, from) }, (_, index) =>
      stores.statistics.add(
        minuteOf({ known, registered, awake, asleep, lost, left }, now - (from - index) * 60_000),
      ),
    ),
  );
}
await stores.events.append(troublesOf(count, now));
await stores.close();
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `${folder}: ${known} devices in ${seconds} s: ${registered} registered (${awake} awake, ${asleep} asleep), ${lost} lost, ${left} left`,
);
