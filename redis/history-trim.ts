import { quarterOf } from '../server/history/summary.ts';
import type { HistoryBounds } from '../server/ports/history.ts';
import { eachBucket } from './buckets.ts';
import type { RedisConnection } from './connection.ts';
import { historyKeys } from './history-keys.ts';
import { decodeState, memberSpan, numberText, type SeriesState } from './history-records.ts';
import type { HistoryRollUps } from './history-roll-ups.ts';
import { HistorySizes } from './history-sizes.ts';
import { inLanes } from './lanes.ts';
import { loadScript } from './script.ts';

const trimSeries = loadScript('history-trim', 'history');
const purgeSeries = loadScript('history-purge', 'history');

/** Series of a bucket that are trimmed at a time. */
const seriesAtOnce = 4;
/** Members that one step removes: others have their turn between two. */
const membersPerStep = 1000;

/** What a trim goes by; µs since the epoch. */
interface TrimTimes {
  readonly readingsBefore: number;
  readonly rollUpsBefore: number;
}

/** Bounds history by age and size, and removes what removed devices have left. */
export class HistoryTrimmer {
  readonly #redis: RedisConnection;
  readonly #rollUps: HistoryRollUps;
  readonly #sizes: HistorySizes;

  constructor(redis: RedisConnection, rollUps: HistoryRollUps) {
    this.#redis = redis;
    this.#rollUps = rollUps;
    this.#sizes = new HistorySizes(redis);
  }

  async trim({ readingsBefore, rollUpsBefore, maxBytes }: HistoryBounds): Promise<void> {
    // First what nobody can see any more: it is not what readings have to go for.
    await eachBucket((bucket) => this.purge(bucket));
    const excess = await this.#sizes.excess(maxBytes);
    const readings = Math.max(readingsBefore, excess.readings);
    const rollUps = Math.max(rollUpsBefore, excess.rollUps);
    const times = {
      readingsBefore: readings,
      // A roll-up is never gone before its readings.
      rollUpsBefore: quarterOf(Math.min(rollUps, readings)),
    };
    await this.#rollUps.rollUp(times.readingsBefore);
    await eachBucket((bucket) => this.#trimBucket(bucket, times));
  }

  /** Removes what the series of removed devices have left in a bucket. */
  async purge(bucket: number): Promise<void> {
    const keys = historyKeys(this.#redis.keys, bucket);
    for (;;) {
      const id = await this.#redis.call((client) => client.lindex(keys.removed, 0));
      if (id === null) return;
      const names = [
        ...[keys.removed, keys.due, keys.taken, keys.sizes],
        ...[keys.readings(id), keys.rollUps(id), keys.dueOf(id)],
      ];
      while ((await this.#redis.run(purgeSeries, names, [id, membersPerStep])) === 1);
    }
  }

  async #trimBucket(bucket: number, times: TrimTimes): Promise<void> {
    const { meta } = historyKeys(this.#redis.keys, bucket);
    let cursor = '0';
    do {
      const [next, rows] = await this.#redis.call((client) => client.hscanBuffer(meta, cursor, 'COUNT', 200));
      cursor = next.toString();
      const ids = rows.flatMap((id, index) =>
        index % 2 === 0 && isTouched(decodeState(rows[index + 1] as Buffer), times) ? [id.toString()] : [],
      );
      await inLanes(ids, seriesAtOnce, (id) => this.#trimSeries(bucket, id, times));
    } while (cursor !== '0');
  }

  async #trimSeries(bucket: number, id: string, times: TrimTimes): Promise<void> {
    const keys = historyKeys(this.#redis.keys, bucket);
    const names = [
      ...[keys.series, keys.meta, keys.due, keys.sizes],
      ...[keys.readings(id), keys.rollUps(id), keys.dueOf(id)],
    ];
    const args = [
      ...[id, numberText(times.readingsBefore), numberText(times.rollUpsBefore)],
      ...[membersPerStep, memberSpan],
    ];
    for (;;) {
      const left = await this.#redis.run(trimSeries, names, args);
      if (left === 0) return;
      if (left === 2) await this.#rollUps.rollUpSeries({ bucket, id }, times.readingsBefore);
    }
  }
}

/** Whether a series has something that is to go, or nothing at all. */
function isTouched({ oldest, oldestRollUp }: SeriesState, times: TrimTimes): boolean {
  const isEmpty = oldest === Number.POSITIVE_INFINITY && oldestRollUp === Number.POSITIVE_INFINITY;
  return isEmpty || oldest < times.readingsBefore || oldestRollUp < times.rollUpsBefore;
}
