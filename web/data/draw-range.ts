import { type DrawnSeries, isGap } from './decimate.ts';
import type { LoadedRange } from './range-feed.ts';
import type { TimeWindow } from './time-window.ts';

/** What a plot draws of steps: the line of the mean, and the band from minimum to maximum. */
export interface DrawnRange extends DrawnSeries {
  /** As long as `times`; null where the line breaks. */
  readonly least: (number | null)[];
  readonly greatest: (number | null)[];
}

/** So many readings in most steps: then one without a reading is a silence, and not the time between two. */
const dense = 3;

/**
 * The items of a loaded range around a window, one beyond each edge so that the line leaves the plot. A step
 * stands in its middle.
 */
export function drawRange({ step, items }: LoadedRange, { from, to }: TimeWindow, now: number): DrawnRange {
  const times: number[] = [];
  const values: (number | null)[] = [];
  const least: (number | null)[] = [];
  const greatest: (number | null)[] = [];
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  let count = 0;
  const starts = Float64Array.from(items, ({ at }) => at);
  const isDense = step > 0 && medianCount(items) >= dense;
  const first = Math.max(0, starts.findIndex((at) => at + step > from) - 1);
  for (let index = first; index < items.length; index++) {
    const item = items[index] as (typeof items)[number];
    const before = starts[index - 1] as number;
    const silent = isDense ? item.at - before > step * 1.5 : isGap(starts, index);
    if (index > first && silent) {
      times.push((before + step + item.at) / 2);
      values.push(null);
      least.push(null);
      greatest.push(null);
    }
    // The newest step has not ended: nothing is drawn in the future.
    times.push(Math.max(item.at, Math.min(item.at + step / 2, now)));
    values.push(item.mean);
    least.push(item.min);
    greatest.push(item.max);
    if (item.at >= to) break;
    if (item.at + step >= from) {
      count += item.count;
      minimum = Math.min(minimum, item.min);
      maximum = Math.max(maximum, item.max);
    }
  }
  return { times, values, least, greatest, minimum, maximum, count };
}

function medianCount(items: LoadedRange['items']): number {
  const counts = items.map(({ count }) => count).sort((a, b) => a - b);
  return counts[counts.length >> 1] ?? 0;
}
