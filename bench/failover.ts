/**
 * What a fail-over costs: how long nothing is written, and what was acknowledged before it and is gone after it.
 * Registrations are acknowledged by the master alone; readings when a replica has them too (`WAIT 1`).
 * `node bench/failover.ts [runs=3] [sentinel|cluster=sentinel]`
 */
import { openRedisStores } from '../redis/index.ts';
import { bucketDigits, bucketOf } from '../server/ports/bucket.ts';
import type { Stores } from '../server/ports/stores.ts';
import { type RedisServer, startRedisCluster, startSentinel } from '../test/support/redis.ts';
import { deviceOf } from './fleet.ts';

const [runsText = '3', kind = 'sentinel'] = process.argv.slice(2);
/** Writes of each kind that are under way at once. */
const AT_ONCE = 20;
/** Before the master dies, ms. */
const BEFORE = 4_000;
/** Without a write that succeeds the measurement has failed, ms. */
const PATIENCE = 60_000;

interface Written {
  readonly acknowledged: string[];
  /** When the last one before and the first one after the outage were acknowledged. */
  last: number;
  again: number | undefined;
}

/** Writes until `isOver`, and notes what was acknowledged. */
async function write(
  step: (name: string) => Promise<unknown>,
  died: () => number | undefined,
  isOver: () => boolean,
): Promise<Written> {
  const written: Written = { acknowledged: [], last: 0, again: undefined };
  let count = 0;
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const name = `dev-${count++}`;
      try {
        await step(name);
        const now = performance.now();
        written.acknowledged.push(name);
        const death = died();
        if (death === undefined) written.last = now;
        else if (now > death + 200) written.again ??= now;
      } catch {
        // Refused: whoever wrote it knows, and would write it again.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return written;
}

/** Asks until there is an answer. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function measure(): Promise<void> {
  const started: { url: string; master: RedisServer; close(): Promise<void> } =
    kind === 'cluster' ? await clusterOf() : await startSentinel();
  const stores: Stores = await openRedisStores({ url: started.url });
  try {
    let death: number | undefined;
    let over = false;
    const now = Date.now();
    const template = deviceOf(1, now).registration;
    const register = (name: string): Promise<unknown> =>
      stores.registrations.register({
        ...template,
        endpoint: name,
        id: `${bucketDigits(bucketOf(name))}${name}`,
        address: `${name}:5683`,
        expiresAt: now + 3_600_000,
      });
    const append = (name: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const entry = { endpoint: name, key: name, receivedAt: now, body: new Uint8Array(500) };
        stores.log.append(entry, (error, position) =>
          error === undefined ? resolve(position) : reject(error),
        );
      });
    const isOver = (): boolean => over;
    const died = (): number | undefined => death;
    const writing = Promise.all([write(register, died, isOver), write(append, died, isOver)]);
    await new Promise((resolve) => setTimeout(resolve, BEFORE));
    death = performance.now();
    await started.master.kill();
    // All buckets answer again, and so do all masters.
    await again(() => stores.registrations.count());
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    over = true;
    const [registered, appended] = await writing;
    const found = await Promise.all(
      registered.acknowledged.map((name) => again(() => stores.registrations.byEndpoint(name))),
    );
    const lost = found.filter((one) => one === undefined).length;
    const kept = new Set<string>();
    for (let after = 0; ; ) {
      const entries = await stores.log.read(after, 1_000);
      if (entries.length === 0) break;
      for (const { endpoint } of entries) kept.add(endpoint);
      after = entries.at(-1)?.position ?? after;
    }
    const lostEntries = appended.acknowledged.filter((name) => !kept.has(name)).length;
    const outage = (one: Written): string =>
      one.again === undefined ? 'never again' : `${((one.again - one.last) / 1000).toFixed(1)} s`;
    console.log(
      `${kind}: registrations ${registered.acknowledged.length} acknowledged, ${lost} lost, nothing for ${outage(registered)}; ` +
        `readings ${appended.acknowledged.length} acknowledged, ${lostEntries} lost, nothing for ${outage(appended)}`,
    );
  } finally {
    await stores.close();
    await started.close();
  }
}

async function clusterOf(): Promise<{ url: string; master: RedisServer; close(): Promise<void> }> {
  const cluster = await startRedisCluster({ replicas: 1, durable: true });
  return { url: cluster.url, master: cluster.servers[0] as RedisServer, close: cluster.close };
}

for (let run = 0; run < Number(runsText); run++) await measure();
