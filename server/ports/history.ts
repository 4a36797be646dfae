import type { LogPosition } from './telemetry-log.ts';

/** One reading of a series as REST and charts get it. */
export interface HistoryReading {
  /** µs since the epoch: the device's time, or that of receipt where the device's was absent or implausible. */
  readonly takenAt: number;
  /** µs since the epoch. */
  readonly receivedAt: number;
  /** Numbers are numbers; everything else is JSON (opaque as lower-case hex). */
  readonly value: number | string | boolean;
  /** The device gave a time that cannot be: kept as it was. µs since the epoch. */
  readonly claimedAt?: number;
}

/** Readings of one path of one device out of one log entry. */
export interface HistoryChunk {
  readonly endpoint: string;
  readonly path: string;
  readonly position: LogPosition;
  /** In the order of the pack; not empty. */
  readonly readings: readonly HistoryReading[];
}

interface HistoryRange {
  readonly endpoint: string;
  readonly path: string;
  /** µs since the epoch, inclusive. */
  readonly from?: number;
  /** µs since the epoch, exclusive. */
  readonly to?: number;
}

export interface HistoryQuery extends HistoryRange {
  /** The newest so many of the range. */
  readonly limit: number;
}

export interface HistoryPageQuery extends HistoryRange {
  readonly limit: number;
  /** `newest`: the first page is the newest `limit`, the next one those before; `oldest`: the other way round. */
  readonly order: 'newest' | 'oldest';
  /** `next` of the page before, with the same range and order. */
  readonly cursor?: string;
}

export interface HistoryPage {
  /** Oldest first in either order. */
  readonly items: readonly HistoryReading[];
  /** Absent where there are no more. */
  readonly next?: string;
}

/** For a chart: a range in about so many points. */
export interface HistorySeriesQuery {
  readonly endpoint: string;
  readonly path: string;
  /** µs since the epoch, inclusive. */
  readonly from: number;
  /** µs since the epoch, exclusive. */
  readonly to: number;
  /** At least 1. */
  readonly points: number;
}

/** What the readings of one step of time come to: finite numbers as they are, truth values as 0 and 1. */
export interface HistorySummary {
  /** Where the step begins, µs since the epoch; of a single reading when it was taken. */
  readonly at: number;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Of these readings the one taken last; the later in the order of `query` where times are equal. */
  readonly last: number;
}

export interface HistorySeries {
  /** µs; 0 where each item is one reading. */
  readonly step: number;
  /** Oldest first; a step without a reading has none. */
  readonly items: readonly HistorySummary[];
}

export interface HistoryBounds {
  /** Readings taken before go. µs since the epoch. */
  readonly readingsBefore: number;
  /** Roll-ups that end at this time or before go; never those of readings that are kept. µs since the epoch. */
  readonly rollUpsBefore: number;
  /** What the readings may take on disk, and as much again their roll-ups; the oldest go first, in whole hours. */
  readonly maxBytes: number;
}

/**
 * Series by device and path, filled by a consumer of the log: never in the way of an ACK. Of finite numbers and
 * truth values there are roll-ups of fixed steps, which stay when the readings have gone. A roll-up is what the
 * readings of its step come to, each counted once, however late they came and however often they were appended.
 */
export interface History {
  /**
   * Idempotent by position: a call has all that its positions have of a series, and the positions of a series rise from
   * call to call. What has one that a call before had, or passed, is repeated, and has no effect.
   */
  append(chunks: readonly HistoryChunk[]): Promise<void>;
  /** Oldest first, by takenAt; where equal, by position, then as in the pack. */
  query(query: HistoryQuery): Promise<readonly HistoryReading[]>;
  /** The same, page by page. @throws RequestError the cursor is none of these pages'. */
  page(query: HistoryPageQuery): Promise<HistoryPage>;
  /**
   * Each reading by itself where the range has at most `points`, and all of them are kept; otherwise the shortest
   * step of `historySteps` that makes at most `points` of the range, and longer where readings or shorter roll-ups
   * are gone, or are too many. Steps begin at multiples of their length from the epoch; the range is extended
   * to whole ones. What is not rolled up yet is in it all the same. Texts and numbers that are not finite have no place in a chart.
   */
  series(query: HistorySeriesQuery): Promise<HistorySeries>;
  /** Makes the roll-ups of the steps that end before, as far as they are missing or have got late readings. µs since the epoch. */
  rollUp(before: number): Promise<void>;
  /** Paths of a device that have readings or roll-ups. */
  paths(endpoint: string): Promise<readonly string[]>;
  /** Removes what is out of bounds, and series that have nothing left. Rolls up before it removes. */
  trim(bounds: HistoryBounds): Promise<void>;
}
