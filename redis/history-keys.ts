import type { Keys } from './keys.ts';

/** A series in its bucket. */
export interface SeriesPlace {
  readonly bucket: number;
  readonly id: string;
}

/** Keys of history, all of one bucket. */
export interface HistoryKeys {
  /** Hash endpoint → JSON object path → id of the series. */
  readonly series: string;
  /** Hash id → SeriesState. */
  readonly meta: string;
  readonly ids: string;
  /** Sorted set id → when the earliest quarter begins that is due. */
  readonly due: string;
  /** Hash `<id> <start>` → round in which it is being rolled up. */
  readonly taken: string;
  /** Hash of bytes: of readings by hour (`r<hour>`) and day (`R<day>`), of roll-ups (`u`, `U`). */
  readonly sizes: string;
  /** List of ids of series whose device was removed. */
  readonly removed: string;
  readings(id: string): string;
  rollUps(id: string): string;
  /** Sorted set of quarters that are due. */
  dueOf(id: string): string;
}

export function historyKeys(keys: Keys, bucket: number): HistoryKeys {
  const key = (name: string): string => keys.bucket(bucket, name);
  return {
    series: key('history-series'),
    meta: key('history-meta'),
    ids: key('history-ids'),
    due: key('history-due'),
    taken: key('history-taken'),
    sizes: key('history-sizes'),
    removed: key('history-removed'),
    readings: (id) => key(`readings:${id}`),
    rollUps: (id) => key(`roll-ups:${id}`),
    dueOf: (id) => key(`due:${id}`),
  };
}
