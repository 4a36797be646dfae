import type { ApiReading, ApiValue } from './api-types.ts';
import { type LoadSeries, RangeFeed } from './range-feed.ts';
import { SeriesBuffer } from './series-buffer.ts';

/** At 1 kHz about 17 minutes; 32 MB at most. */
const keptReadings = 1 << 20;
/** The most that the API gives at once. */
const pageSize = 10_000;
/** The most that is fetched to have each reading: ranges beyond it are drawn from what the server makes of them. */
const mostPages = 20;
/** Readings that are fetched one by one: many for what is watched live, one page of what lies further back. */
const mostReadings = 100_000;
const mostOfLong = pageSize;
const longMs = 3_600_000;
/** Of the newest readings the pace is told. */
const paceReadings = 256;

/** Asks for readings of one path, the newest `limit` of the range, oldest first. */
export type LoadReadings = (query: {
  readonly from: number;
  readonly to: number;
  readonly limit: number;
}) => Promise<readonly ApiReading[]>;

/** One sensor's readings: what came live and what was fetched from the past, in one order. */
export class SensorFeed {
  readonly buffer: SeriesBuffer;
  /** Of longer ranges than there are readings here. */
  readonly past: RangeFeed;
  readonly #load: LoadReadings;
  /** Everything taken since then is here, as far as the server had it. */
  #completeFrom: number;
  #filling: Promise<void> | undefined;
  #wantedFrom = Number.POSITIVE_INFINITY;
  #pages = 0;

  /** `now`: what was taken later comes live. */
  constructor(load: LoadReadings, loadSeries: LoadSeries, now: number, kept: number = keptReadings) {
    this.#load = load;
    this.past = new RangeFeed(loadSeries);
    this.buffer = new SeriesBuffer(kept);
    this.#completeFrom = now;
  }

  /** Whether every reading taken since then is here. */
  hasAllSince(time: number): boolean {
    return time >= (this.buffer.full ? (this.buffer.firstTime ?? 0) : this.#completeFrom);
  }

  /**
   * Whether the readings themselves are to be had for a window from then until now: they are here, or so few at
   * the present pace that they can be fetched. `period`: of the sensor, as far as it is known, ms.
   */
  isWithinReach(from: number, now: number, period: number | undefined): boolean {
    if (this.hasAllSince(from)) return true;
    if (this.buffer.full || this.#pages >= mostPages) return false;
    const span = now - from;
    return span / (this.#pace() ?? period ?? 1000) <= (span > longMs ? mostOfLong : mostReadings);
  }

  /** Whether more of the past is on its way. */
  get filling(): boolean {
    return this.#filling !== undefined;
  }

  add(points: Iterable<readonly [time: number, value: ApiValue]>): void {
    this.buffer.add(numeric(points));
  }

  /** The same, of readings that came just now. */
  addLive(points: readonly (readonly [time: number, value: ApiValue])[]): void {
    for (const [time] of points) this.past.took(time);
    this.add(points);
  }

  /** Fetches what is missing back to `from`, newest first; a wish while it fetches extends it. */
  fill(from: number): Promise<void> {
    this.#wantedFrom = Math.min(this.#wantedFrom, from);
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  /**
   * Fetches a stretch again: what the server had taken in but not yet filed when it was first asked,
   * and what was not on the stream either, for it came before. True where something was new.
   */
  async mend(from: number, to: number): Promise<boolean> {
    const before = this.buffer.length;
    const readings = await this.#load({ from: Math.floor(from), to: Math.ceil(to), limit: pageSize });
    this.add(readings.map(({ takenAt, value }) => [takenAt, value] as const));
    return this.buffer.length > before;
  }

  /** Between two readings, ms. */
  #pace(): number | undefined {
    const { times } = this.buffer;
    const first = Math.max(0, times.length - paceReadings);
    if (times.length - first < 2) return undefined;
    const elapsed = (times.at(-1) as number) - (times[first] as number);
    return elapsed / (times.length - first - 1);
  }

  async #fill(): Promise<void> {
    while (this.#wantedFrom < this.#completeFrom && this.#pages < mostPages && !this.buffer.full) {
      const from = this.#wantedFrom;
      const to = Math.ceil(this.#completeFrom);
      const readings = await this.#load({ from: Math.floor(from), to, limit: pageSize });
      this.#pages++;
      this.add(readings.map(({ takenAt, value }) => [takenAt, value] as const));
      const oldest = readings[0]?.takenAt;
      // A page that is not full was all that there is; one whose readings are all of one instant cannot lead on.
      const complete = readings.length < pageSize || oldest === undefined || oldest >= this.#completeFrom;
      this.#completeFrom = complete ? from : oldest;
    }
  }
}

function* numeric(points: Iterable<readonly [number, ApiValue]>): Iterable<readonly [number, number]> {
  for (const [time, value] of points) {
    if (typeof value === 'number' && Number.isFinite(value)) yield [time, value];
  }
}
