import { decodePlace, Found, isBefore, type Place } from '../server/history/found-readings.ts';
import { decodeBody } from '../server/history/reading-body.ts';
import { charted, minute, quarter, quarterOf, Summaries, Summary } from '../server/history/summary.ts';
import { bucketOf } from '../server/ports/bucket.ts';
import { decodeCursor, encodeCursor } from '../server/ports/cursor.ts';
import { StoreUnavailableError } from '../server/ports/errors.ts';
import type {
  HistoryPage,
  HistoryPageQuery,
  HistoryReading,
  HistorySeries,
  HistorySeriesQuery,
} from '../server/ports/history.ts';
import { stepFor } from '../server/ports/history-steps.ts';
import type { RedisConnection } from './connection.ts';
import { historyKeys, type SeriesPlace } from './history-keys.ts';
import {
  decodeRecords,
  decodeRollUp,
  decodeRollUpMinutes,
  decodeState,
  memberSpan,
  numberText,
  type SeriesState,
} from './history-records.ts';
import { loadScript } from './script.ts';

const walkReadings = loadScript('history-walk');
const readSummaries = loadScript('history-summaries', 'history');

/** Members and bytes of the first stretch of a walk, and the most of a later one. */
const firstMembers = 16;
const mostMembers = 1024;
const bytesAtOnce = 262_144;
/** Records that steps of less than a minute may be made of. */
const recordsForShortSteps = 30_000;
/** Records looked through for readings to be shown one by one, beside one for each. */
const recordsBeside = 5_000;
/** Quarters that are made of readings for one answer; where more are due they are rolled up first. */
const dueInAnswer = 8;
/** How often an answer is begun anew because the series was put together or trimmed meanwhile. */
const mostTries = 8;

/** One reading as a walk meets it. */
type Visit = (
  place: Place,
  receivedAt: number,
  value: HistoryReading['value'],
  claimedAt: number | undefined,
) => unknown;

/** The series was put together or trimmed between two stretches of one answer. */
class ChangedMeanwhile extends Error {}

export class HistoryReader {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Paths of a device, with their series. */
  async series(endpoint: string): Promise<ReadonlyMap<string, SeriesPlace>> {
    const bucket = bucketOf(endpoint);
    const { series } = historyKeys(this.#redis.keys, bucket);
    const text = await this.#redis.call((client) => client.hget(series, endpoint));
    const ids: Readonly<Record<string, string>> = text === null ? {} : JSON.parse(text);
    return new Map(Object.entries(ids).map(([path, id]) => [path, { bucket, id }]));
  }

  async page({ endpoint, path, from, to, limit, order, cursor }: HistoryPageQuery): Promise<HistoryPage> {
    const newest = order === 'newest';
    const kind = `readings ${order}`;
    const after = cursor === undefined ? undefined : decodePlace(decodeCursor(kind, cursor, 'string'));
    const lower = from ?? Number.NEGATIVE_INFINITY;
    const upper = to ?? Number.POSITIVE_INFINITY;
    if (limit <= 0 || lower >= upper) return { items: [] };
    const place = (await this.series(endpoint)).get(path);
    if (place === undefined) return { items: [] };
    // What lies beyond the cursor's time is of pages before.
    const start = newest || after === undefined ? lower : Math.max(lower, after[0]);
    const end = newest && after !== undefined ? Math.min(upper, after[0] + 1) : upper;
    return this.#again(async () => {
      const found = new Found(newest, limit + 1);
      const walk = new Walk(this.#redis, place, start, end, newest);
      await walk.run(
        (at, receivedAt, value, claimedAt) => {
          const [takenAt] = at;
          if (takenAt < lower || takenAt >= upper || !found.wants(takenAt, takenAt)) return;
          if (after !== undefined && !(newest ? isBefore(at, after) : isBefore(after, at))) return;
          found.add({ place: at, takenAt, receivedAt, value, claimedAt });
        },
        (last) => found.isPast(newest ? last : last - quarter),
      );
      const { items, more } = found.take(limit);
      const edge = newest ? items[0] : items.at(-1);
      return {
        items: items.map(({ takenAt, receivedAt, value, claimedAt }) => ({
          takenAt,
          receivedAt,
          value,
          ...(claimedAt === undefined ? {} : { claimedAt }),
        })),
        ...(more && edge !== undefined ? { next: encodeCursor(kind, edge.place.join(' ')) } : {}),
      };
    });
  }

  /** `behind` where the series' roll-ups are to be made first; `patient`: not even then. */
  async chart(query: HistorySeriesQuery, patient: boolean): Promise<HistorySeries | SeriesPlace> {
    const { endpoint, path, from, to, points } = query;
    const place = from >= to ? undefined : (await this.series(endpoint)).get(path);
    if (place === undefined) return { step: 0, items: [] };
    return this.#again(async () => {
      const state = await this.#state(place);
      if (state === undefined) return { step: 0, items: [] };
      const isWhole = from >= state.sealed;
      const single = isWhole ? await this.#readings(place, state, from, to, points) : undefined;
      if (single !== undefined) return seriesOf(0, single);
      let step = stepFor(to - from, points, isWhole ? 0 : quarter);
      if (step < minute) {
        const summaries = new Summaries(step);
        const [start, end] = extended(from, to, step);
        const added = await this.#visit(
          place,
          state,
          start,
          end,
          recordsForShortSteps,
          (takenAt, value, at) => summaries.add(takenAt, value, at),
        );
        if (added) return seriesOf(step, summaries.entries());
        step = stepFor(to - from, points, minute);
      }
      const [start, end] = extended(from, to, step);
      const most = patient ? Number.MAX_SAFE_INTEGER : dueInAnswer;
      const found = await this.#rolledUp(place, start, end, step, most);
      return found === undefined ? place : seriesOf(step, found.entries());
    });
  }

  async #state(place: SeriesPlace): Promise<SeriesState | undefined> {
    const { meta } = historyKeys(this.#redis.keys, place.bucket);
    const bytes = await this.#redis.call((client) => client.hgetBuffer(meta, place.id));
    return bytes === null ? undefined : decodeState(bytes);
  }

  /** Each by itself; undefined where there are more than so many. */
  async #readings(place: SeriesPlace, state: SeriesState, from: number, to: number, points: number) {
    const found: { readonly takenAt: number; readonly value: number; readonly position: number }[] = [];
    const most = points + recordsBeside;
    const all = await this.#visit(place, state, from, to, most, (takenAt, value, position) => {
      found.push({ takenAt, value, position });
      return found.length > points ? false : undefined;
    });
    if (!all) return undefined;
    found.sort((a, b) => a.takenAt - b.takenAt || a.position - b.position);
    return found.map(({ takenAt, value, position }) => {
      const summary = new Summary();
      summary.add(takenAt, value, position);
      return [takenAt, summary] as const;
    });
  }

  /**
   * Calls back for each reading of the range that has a place in a chart, in no order that could be relied on. False
   * where it stopped because there are more than so many records, or because the callback said so by `false`.
   */
  async #visit(
    place: SeriesPlace,
    state: SeriesState,
    from: number,
    to: number,
    mostRecords: number,
    take: (takenAt: number, value: number, position: number) => unknown,
  ): Promise<boolean> {
    let stopped = false;
    const walk = new Walk(this.#redis, place, from, to, false, state);
    await walk.run(
      ([takenAt, position], _receivedAt, value) => {
        if (stopped || takenAt < from || takenAt >= to) return;
        const number = charted(value);
        if (number !== undefined && take(takenAt, number, position) === false) stopped = true;
      },
      () => {
        stopped ||= walk.records > mostRecords;
        return stopped;
      },
    );
    return !stopped && walk.records <= mostRecords;
  }

  /** Undefined where more quarters are due than may be. */
  async #rolledUp(
    { bucket, id }: SeriesPlace,
    from: number,
    to: number,
    step: number,
    mostDue: number,
  ): Promise<Summaries | undefined> {
    const keys = historyKeys(this.#redis.keys, bucket);
    const withMinutes = step < quarter;
    const answer = await this.#redis.runBuffer(
      readSummaries,
      [keys.meta, keys.readings(id), keys.rollUps(id), keys.dueOf(id)],
      [id, quarterOf(from), to, withMinutes ? 1 : 0, mostDue, memberSpan],
    );
    const [, behind, rollUps, dueStarts, readings] = answer as [Buffer, number, Buffer[], Buffer[], Buffer[]];
    if (behind === 1) return undefined;
    const due = new Set(dueStarts.map((start) => Number(start.toString())));
    const summaries = new Summaries(step);
    for (const bytes of rollUps) {
      const { start, summary } = decodeRollUp(bytes);
      if (due.has(start)) continue;
      if (!withMinutes) {
        if (start >= from) summaries.merge(start, summary);
        continue;
      }
      decodeRollUpMinutes(bytes, (at, ofMinute) => {
        if (at >= from && at < to) summaries.merge(at, ofMinute);
      });
    }
    for (const member of readings) {
      decodeRecords(member, (position, _part, body) =>
        decodeBody(body, (takenAt, _receivedAt, value) => {
          const number = charted(value);
          if (number === undefined || takenAt < from || takenAt >= to || !due.has(quarterOf(takenAt))) return;
          summaries.add(takenAt, number, position);
        }),
      );
    }
    return summaries;
  }

  async #again<T>(answer: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await answer();
      } catch (error) {
        if (!(error instanceof ChangedMeanwhile)) throw error;
        if (tries === mostTries)
          throw new StoreUnavailableError('history changes too often to be read', { cause: error });
      }
    }
  }
}

/** Goes through the readings of a range, stretch by stretch. */
class Walk {
  readonly #redis: RedisConnection;
  readonly #place: SeriesPlace;
  readonly #newest: boolean;
  #from: string;
  #to: string;
  #state: SeriesState | undefined;
  /** Records that were met, by position and part: stretches overlap. */
  readonly #met = new Set<string>();

  constructor(
    redis: RedisConnection,
    place: SeriesPlace,
    from: number,
    to: number,
    newest: boolean,
    state?: SeriesState,
  ) {
    this.#redis = redis;
    this.#place = place;
    this.#newest = newest;
    this.#from = numberText(from);
    // What has readings before the end ends less than memberSpan after it.
    this.#to = `(${numberText(to + memberSpan)}`;
    this.#state = state;
  }

  get records(): number {
    return this.#met.size;
  }

  /**
   * @param isPast whether no member that ends there, or beyond, can have a reading that is wanted
   * @throws ChangedMeanwhile
   */
  async run(visit: Visit, isPast: (last: number) => boolean): Promise<void> {
    const { bucket, id } = this.#place;
    const keys = historyKeys(this.#redis.keys, bucket);
    let count = firstMembers;
    let size = bytesAtOnce;
    for (;;) {
      const answer = await this.#redis.runBuffer(
        walkReadings,
        [keys.meta, keys.readings(id)],
        [id, this.#newest ? 1 : 0, this.#from, this.#to, count, size],
      );
      const [bytes, more, rows] = answer as [Buffer, number, Buffer[]];
      // Its device was removed.
      if (bytes.length === 0) return;
      const state = decodeState(bytes);
      if (this.#state !== undefined && state.version !== this.#state.version) throw new ChangedMeanwhile();
      this.#state = state;
      for (let index = 0; index < rows.length; index += 2) {
        if (isPast(Number((rows[index] as Buffer).toString()))) return;
        this.#visitMember(rows[index + 1] as Buffer, state, visit);
      }
      if (more === 0) return;
      // On from there, that member included: others may end at the same time.
      const edge = (rows.at(-2) as Buffer).toString();
      if (edge === (this.#newest ? this.#to : this.#from)) {
        count *= 2;
        size *= 2;
      } else {
        count = Math.min(count * 2, mostMembers);
      }
      if (this.#newest) this.#to = edge;
      else this.#from = edge;
    }
  }

  #visitMember(member: Buffer, { hiddenBefore, hiddenPosition }: SeriesState, visit: Visit): void {
    decodeRecords(member, (position, part, body) => {
      const identity = `${position} ${part}`;
      if (this.#met.has(identity)) return;
      this.#met.add(identity);
      let index = 0;
      decodeBody(body, (takenAt, receivedAt, value, claimedAt) => {
        const place: Place = [takenAt, position, part, index];
        index += 1;
        if (takenAt < hiddenBefore && position <= hiddenPosition) return;
        visit(place, receivedAt, value, claimedAt);
      });
    });
  }
}

/** To whole steps. */
function extended(from: number, to: number, step: number): readonly [from: number, to: number] {
  return [Math.floor(from / step) * step, Math.ceil(to / step) * step];
}

function seriesOf(
  step: number,
  entries: readonly (readonly [at: number, summary: Summary])[],
): HistorySeries {
  return { step, items: entries.map(([at, summary]) => summary.present(at)) };
}
