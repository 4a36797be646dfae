import { quarter } from '../history/summary.ts';
import type { History, HistoryChunk, HistoryReading, HistorySeries } from '../ports/history.ts';
import type { Channel } from './channel.ts';
import { encodeChunks, seriesName } from './history-chunk.ts';
import type { ReadingColumns } from './history-reader.ts';
import type { SeriesName } from './history-table.ts';
import type { SummaryTable } from './rollup-reader.ts';
import type { DuePlace } from './rollup-table.ts';

/** Quarters that are rolled up between two looks of the reading thread at what else there is. */
const quartersAtOnce = 64;

/** How often a series is brought up to date for one answer; readings that come all the while are in it anyway. */
const mostTries = 2;

export function history(channel: Channel, queries: Channel): History {
  /**
   * The quarters that begin before, each once: the thread that reads makes of each what its readings come to, and
   * the one that writes stores it unless the quarter got readings meanwhile.
   */
  async function rollUp(before: number, name?: SeriesName): Promise<void> {
    while (await channel.write('catchUpHistory', name));
    let after: DuePlace | undefined;
    for (;;) {
      const due = await channel.write('takeDue', before, after, quartersAtOnce, name);
      after = due.at(-1);
      if (after === undefined) return;
      await channel.write('storeRollUps', await queries.query('rollUp', due));
    }
  }

  async function append(chunks: readonly HistoryChunk[]): Promise<void> {
    for (let left = chunks; left.length > 0; ) {
      const known = new Map(await channel.write('appendHistory', encodeChunks(left)));
      if (known.size === 0) return;
      // A consumer that was killed repeats these, cut in another way: what is there already is left out.
      left = left.filter(({ endpoint, path, position }) => {
        const level = known.get(seriesName(endpoint, path));
        return level !== undefined && position > level;
      });
    }
  }

  return {
    append,
    query: async (query) => readingsOf(await queries.query('readings', query)),
    page: async (query) => {
      const found = await queries.query('readingsPage', query);
      return {
        items: readingsOf(found),
        ...(found.next === undefined ? {} : { next: found.next }),
      };
    },
    series: async (query) => {
      for (let tries = 0; ; tries++) {
        const answer = await queries.query('series', query, tries === mostTries);
        if (answer !== 'behind') return seriesOf(answer);
        await rollUp(query.to, [query.endpoint, query.path]);
      }
    },
    rollUp: (before) => rollUp(Math.floor(before / quarter) * quarter),
    paths: (endpoint) => channel.read('seriesPaths', endpoint),
    trim: async ({ readingsBefore, rollUpsBefore, maxBytes }) => {
      while (await channel.write('catchUpHistory'));
      // First what nobody can see any more: it is not what readings have to go for.
      while (await channel.write('purgeHistory'));
      const times = await channel.write('historyTrimTimes', readingsBefore, rollUpsBefore, maxBytes);
      await rollUp(times.readingsBefore);
      for (let after: number | undefined = 0; after !== undefined; ) {
        after = await channel.write('trimHistory', times, after);
      }
    },
  };
}

function readingsOf({ takenAt, receivedAt, values, claimedAt }: ReadingColumns): readonly HistoryReading[] {
  const readings: HistoryReading[] = new Array(takenAt.length);
  for (let index = 0; index < takenAt.length; index++) {
    const claimed = claimedAt?.get(index);
    readings[index] = {
      takenAt: takenAt[index] as number,
      receivedAt: receivedAt[index] as number,
      value: values[index] as HistoryReading['value'],
      ...(claimed === undefined ? {} : { claimedAt: claimed }),
    };
  }
  return readings;
}

function seriesOf({ step, at, count, min, max, mean, last }: SummaryTable): HistorySeries {
  const items = Array.from(at, (start, index) => ({
    at: start,
    count: count[index] as number,
    min: min[index] as number,
    max: max[index] as number,
    mean: mean[index] as number,
    last: last[index] as number,
  }));
  return { step, items };
}
