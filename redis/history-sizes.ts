import { eachBucket } from './buckets.ts';
import type { RedisConnection } from './connection.ts';
import { historyKeys } from './history-keys.ts';
import { loadScript } from './script.ts';

const foldSizes = loadScript('history-fold-sizes');

const hour = 3_600_000_000;
/** Hours of a bucket that are counted one by one, from its newest; those before by the day. */
const hoursKept = 168;
const hoursOfDay = 24;

/** The times before which all must go so that what stays is within a bound; −∞ where nothing must. µs since the epoch. */
export interface Excess {
  readonly readings: number;
  readonly rollUps: number;
}

/** How many bytes history has of each hour: what a bound by size goes by. Long ago by the day, to need less memory. */
export class HistorySizes {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async excess(maxBytes: number): Promise<Excess> {
    const readings = new Sizes();
    const rollUps = new Sizes();
    await eachBucket(async (bucket) => {
      const { sizes } = historyKeys(this.#redis.keys, bucket);
      const fields = await this.#redis.call((client) => client.hgetall(sizes));
      const newest = { r: Number.NEGATIVE_INFINITY, u: Number.NEGATIVE_INFINITY };
      for (const [field, text] of Object.entries(fields)) {
        const [kind, at, bytes] = [field.charAt(0), Number(field.slice(1)), Number(text)];
        if (kind === 'r' || kind === 'u') {
          newest[kind] = Math.max(newest[kind], at);
          (kind === 'r' ? readings : rollUps).addHour(at, bytes);
        } else {
          (kind === 'R' ? readings : rollUps).addDay(at, bytes);
        }
      }
      const old = Object.keys(fields).flatMap((field) => {
        const kind = field.charAt(0);
        const at = Number(field.slice(1));
        if ((kind !== 'r' && kind !== 'u') || at >= newest[kind] - hoursKept) return [];
        return [field, `${kind.toUpperCase()}${Math.floor(at / hoursOfDay)}`];
      });
      if (old.length > 0) await this.#redis.run(foldSizes, [sizes], old);
    });
    return { readings: readings.excess(maxBytes), rollUps: rollUps.excess(maxBytes) };
  }
}

class Sizes {
  readonly #hours = new Map<number, number>();
  readonly #days = new Map<number, number>();

  addHour(at: number, bytes: number): void {
    this.#hours.set(at, (this.#hours.get(at) ?? 0) + bytes);
  }

  addDay(at: number, bytes: number): void {
    this.#days.set(at, (this.#days.get(at) ?? 0) + bytes);
  }

  excess(maxBytes: number): number {
    // A day that is counted as one in any bucket is one.
    const steps = new Map<number, number>();
    for (const [at, bytes] of this.#days) steps.set((at + 1) * hoursOfDay, bytes);
    for (const [at, bytes] of this.#hours) {
      const day = Math.floor(at / hoursOfDay);
      const end = this.#days.has(day) ? (day + 1) * hoursOfDay : at + 1;
      steps.set(end, (steps.get(end) ?? 0) + bytes);
    }
    let total = 0;
    for (const [end, bytes] of [...steps].sort(([a], [b]) => b - a)) {
      total += bytes;
      if (total > maxBytes) return end * hour;
    }
    return Number.NEGATIVE_INFINITY;
  }
}
