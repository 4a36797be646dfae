import { decodeBody } from '../server/history/reading-body.ts';
import { charted, minute, quarterOf, Summaries } from '../server/history/summary.ts';
import { eachBucket } from './buckets.ts';
import type { RedisConnection, ScriptArgument } from './connection.ts';
import { historyKeys, type SeriesPlace } from './history-keys.ts';
import { decodeRecords, encodeRollUp, memberSpan, numberText } from './history-records.ts';
import { inLanes } from './lanes.ts';
import { loadScript } from './script.ts';

const takeDue = loadScript('history-take', 'history');
const storeRollUps = loadScript('history-store', 'history');

/** Series of a bucket that are rolled up at a time. */
const seriesAtOnce = 4;
/** Quarters of one series, and bytes of their readings, that are rolled up in one go. */
const quartersAtOnce = 8;
const bytesAtOnce = 1_048_576;
/** Bytes of readings that are put together into one member: a query for few of them reads no more. */
const memberBytes = 65_536;

/** Makes roll-ups of quarters that got readings, and puts the readings of a quarter together. */
export class HistoryRollUps {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Of all series, the quarters that begin before. */
  async rollUp(before: number): Promise<void> {
    await eachBucket(async (bucket) => {
      const { due } = historyKeys(this.#redis.keys, bucket);
      const ids = await this.#redis.call((client) =>
        client.zrangebyscore(due, '-inf', `(${numberText(before)}`),
      );
      await inLanes(ids, seriesAtOnce, (id) => this.rollUpSeries({ bucket, id }, before));
    });
  }

  /** Each quarter once: one that gets readings meanwhile stays due. */
  async rollUpSeries({ bucket, id }: SeriesPlace, before: number): Promise<void> {
    const keys = historyKeys(this.#redis.keys, bucket);
    let after = '-inf';
    for (;;) {
      const [round, starts, members] = (await this.#redis.runBuffer(
        takeDue,
        [keys.meta, keys.due, keys.taken, keys.readings(id), keys.dueOf(id)],
        [id, after, numberText(before), quartersAtOnce, memberSpan, bytesAtOnce],
      )) as [number, Buffer[], Buffer[]];
      const last = starts.at(-1);
      if (last === undefined) return;
      after = last.toString();
      const quarters = summaries(starts, members);
      const args: ScriptArgument[] = [...quarters].flatMap(([start, minutes]) => [
        numberText(start),
        encodeRollUp(start, minutes),
      ]);
      await this.#redis.run(
        storeRollUps,
        [
          ...[keys.meta, keys.due, keys.taken, keys.sizes],
          ...[keys.readings(id), keys.rollUps(id), keys.dueOf(id)],
        ],
        [id, round, memberBytes, ...args],
      );
    }
  }
}

/** The minutes of each quarter. */
function summaries(starts: readonly Buffer[], members: readonly Buffer[]): ReadonlyMap<number, Summaries> {
  const quarters = new Map(starts.map((start) => [Number(start.toString()), new Summaries(minute)]));
  for (const member of members) {
    decodeRecords(member, (position, _part, body) =>
      decodeBody(body, (takenAt, _receivedAt, value) => {
        const number = charted(value);
        if (number !== undefined) quarters.get(quarterOf(takenAt))?.add(takenAt, number, position);
      }),
    );
  }
  return quarters;
}
