/** How far ahead of its receipt a value may say that it was taken, µs: clocks differ by seconds, not by hours. */
export const plausiblyAhead = 300_000_000;

/** The newest value of one path. */
export interface LastValue {
  readonly path: string;
  /** As in HistoryReading; numbers that JSON does not know (NaN, infinities) may come back as NaN. */
  readonly value: number | string | boolean;
  /** µs since the epoch. */
  readonly takenAt: number;
  readonly receivedAt: number;
}

/** The newest value of every path seen, with its time. */
export interface LastValues {
  /**
   * Keeps, for each path, the value with the later `takenAt` (the later call where equal). One that was
   * taken more than `plausiblyAhead` after another is received is of a clock that was wrong, and gives way.
   */
  set(endpoint: string, values: readonly LastValue[]): Promise<void>;
  /** The same for several devices, in one go where the engine can. */
  setAll(values: ReadonlyMap<string, readonly LastValue[]>): Promise<void>;
  /** By path, in numeric order. `prefix` as a canonical path: `/42769/0`. */
  get(endpoint: string, prefix?: string): Promise<readonly LastValue[]>;
}
