import type { ApiReading, ApiValue } from './api-types.ts';
import { SeriesBuffer } from './series-buffer.ts';

/** At 1 kHz about 17 minutes; 32 MB at most. */
const keptReadings = 1 << 20;
/** The most that the API gives at once. */
const pageSize = 10_000;
/** The most that is fetched to fill a range: beyond it the plot says from when on it is complete. */
const mostPages = 30;

/** Asks for readings of one path, the newest `limit` of the range, oldest first. */
export type LoadReadings = (query: {
  readonly from: number;
  readonly to: number;
  readonly limit: number;
}) => Promise<readonly ApiReading[]>;

/** One sensor's readings: what came live and what was fetched from the past, in one order. */
export class SensorFeed {
  readonly buffer: SeriesBuffer;
  readonly #load: LoadReadings;
  /** Everything taken since then is here, as far as the server had it. */
  #completeFrom: number;
  #filling: Promise<void> | undefined;
  #wantedFrom = Number.POSITIVE_INFINITY;
  #pages = 0;

  /** `now`: what was taken later comes live. */
  constructor(load: LoadReadings, now: number, kept: number = keptReadings) {
    this.#load = load;
    this.buffer = new SeriesBuffer(kept);
    this.#completeFrom = now;
  }

  /** There is more in the past, but no more of it is kept here: from when on it is. Otherwise undefined. */
  get keptFrom(): number | undefined {
    if (this.buffer.full) return this.buffer.firstTime;
    return this.#pages < mostPages ? undefined : this.#completeFrom;
  }

  /** Whether more of the past is on its way. */
  get filling(): boolean {
    return this.#filling !== undefined;
  }

  add(points: Iterable<readonly [time: number, value: ApiValue]>): void {
    this.buffer.add(numeric(points));
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
