/** Figures of one minute, as a node counted them. */
export interface StatisticsSample {
  /** Any time of the minute, ms since the epoch. */
  readonly at: number;
  /** What there was at its end, by name. */
  readonly gauges: Readonly<Record<string, number>>;
  /** What happened in it, by name. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Figures of a minute or an hour that was counted. */
export interface StatisticsRow extends StatisticsSample {
  /** When it begins, ms since the epoch. */
  readonly at: number;
  /** Of how many minutes it tells: 1 to 60 of an hour. */
  readonly minutes: number;
}

/** How it was with the fleet: each minute, and each hour for longer. What was not counted is not there. */
export interface StatisticsStore {
  /**
   * Adds to the minute and the hour that `at` lies in, at once: gauges replace those of the same name, counters are
   * added.
   */
  add(sample: StatisticsSample): Promise<void>;
  /** Those that begin in `from` (inclusive) to `to` (exclusive), oldest first. */
  read(query: {
    readonly step: 'minute' | 'hour';
    readonly from: number;
    readonly to: number;
  }): Promise<readonly StatisticsRow[]>;
  /** Removes the minutes and the hours that begin before. */
  trim(bounds: { readonly minutesBefore: number; readonly hoursBefore: number }): Promise<void>;
}
