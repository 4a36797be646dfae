import { quarterOf } from '../server/history/summary.ts';
import type { History } from '../server/ports/history.ts';
import { comparePaths } from '../server/ports/path-order.ts';
import type { RedisConnection } from './connection.ts';
import { HistoryAppender } from './history-append.ts';
import { HistoryReader } from './history-reader.ts';
import { HistoryRollUps } from './history-roll-ups.ts';
import { HistoryTrimmer } from './history-trim.ts';

export interface RedisHistory extends History {
  /** Removes what the series of removed devices have left in a bucket; nobody sees it any more. */
  purge(bucket: number): Promise<void>;
}

/** How often a series is brought up to date for one answer; readings that come all the while are in it anyway. */
const mostTries = 2;

/**
 * Readings and roll-ups of a series in two sorted sets of its device's bucket (docs/decisions/0022-history-on-redis.md).
 */
export function history(redis: RedisConnection): RedisHistory {
  const appender = new HistoryAppender(redis);
  const reader = new HistoryReader(redis);
  const rollUps = new HistoryRollUps(redis);
  const trimmer = new HistoryTrimmer(redis, rollUps);
  return {
    append: (chunks) => appender.append(chunks),
    query: async (query) => (await reader.page({ ...query, order: 'newest' })).items,
    page: (query) => reader.page(query),
    series: async (query) => {
      for (let tries = 0; ; tries++) {
        const answer = await reader.chart(query, tries === mostTries);
        if (!('id' in answer)) return answer;
        await rollUps.rollUpSeries(answer, query.to);
      }
    },
    rollUp: (before) => rollUps.rollUp(quarterOf(before)),
    paths: async (endpoint) => [...(await reader.series(endpoint)).keys()].sort(comparePaths),
    trim: (bounds) => trimmer.trim(bounds),
    purge: (bucket) => trimmer.purge(bucket),
  };
}
