import type { LoadedRange } from './range-feed.ts';
import type { SeriesBuffer } from './series-buffer.ts';
import type { TimeWindow } from './time-window.ts';

/** What is older no longer looks like what is. */
const staleMs = 15_000;

export interface Latest {
  readonly value: number;
  readonly stale: boolean;
}

export interface Pointed {
  readonly time: number;
  readonly value: number;
  /** Of a step: the least and the greatest of its readings. */
  readonly extent: readonly [least: number, greatest: number] | undefined;
}

export interface Summary {
  readonly minimum: number;
  readonly maximum: number;
  /** Readings per second; 0 where that is not told. */
  readonly rate: number;
  /** What a point of the line stands for, ms; 0: one reading. */
  readonly step: number;
}

/** Readings per second in the window, from the first to the last that is there. */
export function rateOf(buffer: SeriesBuffer, { from, to }: TimeWindow): number {
  const [first, end] = [buffer.indexOf(from), buffer.indexOf(to)];
  const times = buffer.times;
  if (end - first < 2) return 0;
  const elapsed = (times[end - 1] as number) - (times[first] as number);
  return elapsed > 0 ? ((end - first - 1) * 1000) / elapsed : 0;
}

export function latestOf(buffer: SeriesBuffer, now: number): Latest | undefined {
  const [value, taken] = [buffer.lastValue, buffer.lastTime];
  if (value === undefined || taken === undefined) return undefined;
  return { value, stale: now - taken > staleMs };
}

/** The newest of a range, where nothing newer was heard. */
export function lastOf(range: LoadedRange | undefined, now: number): Latest | undefined {
  const item = range?.items.at(-1);
  if (range === undefined || item === undefined) return undefined;
  return { value: item.last, stale: now - (item.at + range.step) > staleMs };
}
