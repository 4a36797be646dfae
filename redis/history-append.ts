import { encodeBody, splitReadings } from '../server/history/reading-body.ts';
import { charted, quarter, Summaries } from '../server/history/summary.ts';
import { bucketOf } from '../server/ports/bucket.ts';
import { StoreUnavailableError } from '../server/ports/errors.ts';
import type { HistoryChunk, HistoryReading } from '../server/ports/history.ts';
import type { RedisConnection, ScriptArgument } from './connection.ts';
import { historyKeys } from './history-keys.ts';
import { decodeState, encodeRecord, encodeSummary, numberText } from './history-records.ts';
import { loadScript } from './script.ts';

const openSeries = loadScript('history-open', 'history');
const appendReadings = loadScript('history-append', 'history');

/** Series whose ids are kept in memory. */
const cachedSeries = 200_000;
/** Series and bytes of one script: others have their turn between two. */
const seriesAtOnce = 32;
const bytesAtOnce = 524_288;
/** How often it is tried to append to series that change all the while. */
const mostTries = 10;

interface KnownSeries {
  readonly id: string;
  readonly sealed: number;
}

/** What is to be appended to one series. */
interface Pending {
  readonly name: string;
  readonly endpoint: string;
  readonly path: string;
  /** By position. */
  readonly chunks: HistoryChunk[];
}

/** Fills history: one script for up to 32 series of a bucket. */
export class HistoryAppender {
  readonly #redis: RedisConnection;
  /** Path and endpoint → the series as it was when last seen. */
  readonly #known = new Map<string, KnownSeries>();

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async append(chunks: readonly HistoryChunk[]): Promise<void> {
    let left = pendingOf(chunks);
    for (let tries = 0; left.length > 0; tries++) {
      // Each time a series changed meanwhile: it was sealed, or its device was removed.
      if (tries === mostTries) throw new StoreUnavailableError('history changes too often to be appended to');
      const series = await this.#open(left);
      const batches = batchesOf(left);
      left = (await Promise.all(batches.map((batch) => this.#append(batch, series)))).flat();
    }
  }

  /** By name; asks for those that are not known yet. */
  async #open(pending: readonly Pending[]): Promise<ReadonlyMap<string, KnownSeries>> {
    const series = new Map<string, KnownSeries>();
    const unknown: Pending[] = [];
    for (const one of pending) {
      const known = this.#known.get(one.name);
      if (known === undefined) unknown.push(one);
      else series.set(one.name, known);
    }
    await Promise.all(
      [...Map.groupBy(unknown, ({ endpoint }) => endpoint)].map(async ([endpoint, ofDevice]) => {
        const keys = historyKeys(this.#redis.keys, bucketOf(endpoint));
        const args = [endpoint, ...ofDevice.map(({ path }) => path)];
        const names = [keys.series, keys.meta, keys.ids];
        const answer = (await this.#redis.runBuffer(openSeries, names, args)) as Buffer[];
        for (const [index, { name }] of ofDevice.entries()) {
          const { sealed } = decodeState(answer[index * 2 + 1] as Buffer);
          series.set(name, { id: (answer[index * 2] as Buffer).toString(), sealed });
        }
      }),
    );
    if (this.#known.size + unknown.length > cachedSeries) this.#known.clear();
    for (const [name, one] of series) this.#known.set(name, one);
    return series;
  }

  /** One script. What it could not append to, because the series is another by now. */
  async #append(
    batch: readonly Pending[],
    known: ReadonlyMap<string, KnownSeries>,
  ): Promise<readonly Pending[]> {
    const keys = historyKeys(this.#redis.keys, bucketOf((batch[0] as Pending).endpoint));
    const names = [keys.meta, keys.due, keys.taken, keys.sizes];
    const args: ScriptArgument[] = [];
    const series = batch.map(({ name }) => known.get(name) as KnownSeries);
    for (const [index, { name, chunks }] of batch.entries()) {
      const { id, sealed } = series[index] as KnownSeries;
      names.push(keys.readings(id), keys.rollUps(id), keys.dueOf(id));
      const records = chunks.flatMap((chunk) => recordsOf(chunk, sealed));
      args.push(id, name, numberText(sealed), records.length, ...records.flat());
    }
    const results = (await this.#redis.runBuffer(appendReadings, names, args)) as (number | Buffer)[];
    return batch.filter(({ name }, index) => {
      const result = results[index];
      if (result === 1) return false;
      const state = result as Buffer;
      if (state.length === 0) this.#known.delete(name);
      else
        this.#known.set(name, { id: (series[index] as KnownSeries).id, sealed: decodeState(state).sealed });
      return true;
    });
  }
}

function pendingOf(chunks: readonly HistoryChunk[]): readonly Pending[] {
  const bySeries = new Map<string, Pending>();
  for (const chunk of chunks) {
    // A path begins with a slash and holds no space.
    const name = `${chunk.path} ${chunk.endpoint}`;
    const pending = bySeries.get(name);
    if (pending !== undefined) pending.chunks.push(chunk);
    else bySeries.set(name, { name, endpoint: chunk.endpoint, path: chunk.path, chunks: [chunk] });
  }
  return [...bySeries.values()].map((pending) => ({ ...pending, chunks: byPosition(pending.chunks) }));
}

/** One chunk for each position, rising. */
function byPosition(chunks: readonly HistoryChunk[]): HistoryChunk[] {
  const merged: HistoryChunk[] = [];
  for (const chunk of chunks.toSorted((a, b) => a.position - b.position)) {
    const last = merged.at(-1);
    if (last?.position !== chunk.position) merged.push(chunk);
    else merged[merged.length - 1] = { ...last, readings: [...last.readings, ...chunk.readings] };
  }
  return merged;
}

/**
 * Batches of one bucket each. A series is in one batch with all its chunks: a script that knows a position takes all of
 * it, or nothing.
 */
function batchesOf(pending: readonly Pending[]): readonly (readonly Pending[])[] {
  const batches: Pending[][] = [];
  for (const ofBucket of Map.groupBy(pending, ({ endpoint }) => bucketOf(endpoint)).values()) {
    let batch: Pending[] = [];
    let bytes = 0;
    for (const one of ofBucket) {
      const size = one.chunks.reduce((sum, { readings }) => sum + 64 + readings.length * 12, 0);
      if (batch.length === seriesAtOnce || (batch.length > 0 && bytes + size > bytesAtOnce)) {
        batches.push(batch);
        batch = [];
        bytes = 0;
      }
      batch.push(one);
      bytes += size;
    }
    batches.push(batch);
  }
  return batches;
}

/** The arguments of each record of a chunk. */
function recordsOf({ position, readings }: HistoryChunk, sealed: number): readonly ScriptArgument[][] {
  return splitReadings(readings).map((ofPart, part) => {
    const first = (ofPart[0] as HistoryReading).takenAt;
    const last = (ofPart.at(-1) as HistoryReading).takenAt;
    const late = first < sealed ? lateSummaries(ofPart, sealed, position) : [];
    return [position, first, last, encodeRecord(position, part, encodeBody(ofPart)), late.length, ...late];
  });
}

function lateSummaries(readings: readonly HistoryReading[], sealed: number, position: number): Buffer[] {
  const summaries = new Summaries(quarter);
  for (const { takenAt, value } of readings) {
    const number = charted(value);
    if (number !== undefined && takenAt < sealed) summaries.add(takenAt, number, position);
  }
  return summaries.entries().map(([start, summary]) => encodeSummary(start, summary));
}
