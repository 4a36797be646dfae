import { DeviceIndex } from '../server/inventory/device-index.ts';
import { StoreUnavailableError } from '../server/ports/errors.ts';
import { allBuckets, bucketKeys } from './buckets.ts';
import type { RedisConnection } from './connection.ts';
import { indexRow } from './device-row.ts';
import { loadScript } from './script.ts';

const changes = loadScript('device-changes', 'bucket');
const all = loadScript('all-devices');

/** Changes of a bucket that are read at once. */
const changesAtOnce = 500;
/** Buckets that are read anew at the same time: Redis has others to answer in between. */
const bucketsAtOnce = 8;
/** How often the index is brought level without being asked, ms. */
const refreshInterval = 2_000;
/** Removals of a bucket that are kept: a node that did not look for longer reads all anew. */
export const removalsKept = 1_000;

/**
 * All devices in this node's memory, for lists, filters and counts. Before each answer it is brought level with what
 * has changed since the last one, by the revision of each bucket; questions at the same time share one look.
 */
export class Inventory {
  readonly #redis: RedisConnection;
  readonly #revisions: readonly string[];
  readonly #allKeys: (bucket: number) => readonly string[];
  readonly #changeKeys: (bucket: number) => readonly string[];
  #index = new DeviceIndex();
  /** By bucket, the revision that was taken in; undefined: nothing yet. */
  #levels: (number | undefined)[] = [];
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
    this.#revisions = allBuckets.map((bucket) => redis.keys.bucket(bucket, 'revision'));
    this.#allKeys = bucketKeys(redis.keys, ['devices', 'revision']);
    this.#changeKeys = bucketKeys(redis.keys, ['devices', 'revision', 'changed', 'removed']);
    // What a fail-over has lost may have had revisions that are given again.
    redis.onReconnect(() => this.#forget());
    this.#timer = setInterval(() => this.#keepLevel(), refreshInterval);
    this.#timer.unref();
    this.#keepLevel();
  }

  /** The index as it was at some time after the call. */
  async level(): Promise<DeviceIndex> {
    // A look that began before this call may have missed what the caller was told of.
    if (this.#running === undefined) {
      this.#running = this.#takeIn().finally(() => {
        this.#running = undefined;
      });
      await this.#running;
    } else {
      this.#next ??= this.#running
        .catch(() => undefined)
        .then(() => {
          this.#next = undefined;
          return this.level();
        })
        .then(() => undefined);
      await this.#next;
    }
    return this.#index;
  }

  /** One device is as a row says, or not there: found while its page was read. */
  put(endpoint: string, row: string | undefined): void {
    if (row === undefined) this.#index.remove(endpoint);
    else this.#index.put(indexRow(endpoint, row));
  }

  /** So that whoever asks next need not wait until all is read that has changed since somebody asked. */
  #keepLevel(): void {
    this.level().catch((error: unknown) => {
      // While the store is away there is nothing to be level with; whoever asks is told so.
      if (!(error instanceof StoreUnavailableError)) throw error;
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #forget(): void {
    this.#index = new DeviceIndex();
    this.#levels = [];
  }

  async #takeIn(): Promise<void> {
    for (;;) {
      const index = this.#index;
      await this.#takeInOnce();
      // All was forgotten meanwhile: what was read before is in an index that nobody asks.
      if (this.#index === index) return;
    }
  }

  async #takeInOnce(): Promise<void> {
    const revisions = await this.#readRevisions();
    if (revisions.some((revision, bucket) => revision < (this.#levels[bucket] ?? 0))) this.#forget();
    const behind = allBuckets.filter((bucket) => this.#levels[bucket] !== revisions[bucket]);
    const lanes = Array.from({ length: Math.min(bucketsAtOnce, behind.length) }, async () => {
      for (let bucket = behind.pop(); bucket !== undefined; bucket = behind.pop()) {
        if (this.#levels[bucket] === undefined) await this.#readAll(bucket);
        else await this.#readChanges(bucket);
      }
    });
    await Promise.all(lanes);
  }

  async #readRevisions(): Promise<readonly number[]> {
    const found = this.#redis.isCluster
      ? await Promise.all(this.#revisions.map((key) => this.#redis.call((client) => client.get(key))))
      : await this.#redis.call((client) => client.mget(...this.#revisions));
    return found.map((revision) => Number(revision ?? 0));
  }

  async #readAll(bucket: number): Promise<void> {
    const index = this.#index;
    const answer = await this.#redis.run(all, this.#allKeys(bucket), []);
    if (this.#index !== index) return;
    const [revision, rows] = answer as [string, string[]];
    for (let i = 0; i + 1 < rows.length; i += 2) this.put(rows[i] as string, rows[i + 1] as string);
    this.#levels[bucket] = Number(revision);
  }

  async #readChanges(bucket: number): Promise<void> {
    for (;;) {
      const args = [this.#levels[bucket] ?? 0, changesAtOnce, removalsKept];
      const index = this.#index;
      const answer = await this.#redis.run(changes, this.#changeKeys(bucket), args);
      if (this.#index !== index) return;
      // So much has changed since the last look that it is not known any more what.
      if (answer === null) return this.#forget();
      const [reached, more, removed, changed] = answer as [string, number, string[], (string | null)[]];
      for (const endpoint of removed) this.put(endpoint, undefined);
      for (let i = 0; i + 1 < changed.length; i += 2) {
        this.put(changed[i] as string, changed[i + 1] ?? undefined);
      }
      this.#levels[bucket] = Number(reached);
      if (more === 0) return;
    }
  }
}
