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

export interface HistoryQuery {
  readonly endpoint: string;
  readonly path: string;
  /** µs since the epoch, inclusive. */
  readonly from?: number;
  /** µs since the epoch, exclusive. */
  readonly to?: number;
  /** The newest so many of the range. */
  readonly limit: number;
}

/** Series by device and path, filled by a consumer of the log: never in the way of an ACK. */
export interface History {
  /** Idempotent by endpoint, path and position. */
  append(chunks: readonly HistoryChunk[]): Promise<void>;
  /** Oldest first, by takenAt; where equal, by position, then as in the pack. */
  query(query: HistoryQuery): Promise<readonly HistoryReading[]>;
  /** Paths of a device that have readings. */
  paths(endpoint: string): Promise<readonly string[]>;
  /** Removes readings taken before this time (µs since the epoch), and series that have none left. */
  trim(before: number): Promise<void>;
}
