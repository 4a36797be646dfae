/** What a plot draws: times in ms ascending; a null value breaks the line. */
export interface DrawnSeries {
  readonly times: number[];
  readonly values: (number | null)[];
  /** Of the readings in the window, not only of those drawn. */
  readonly minimum: number;
  readonly maximum: number;
  readonly count: number;
}

/** A silence longer than this many usual periods is a gap, over which no line is drawn. */
const gapPeriods = 4;
/** Readings on each side of a silence that say what is usual there. */
const neighbours = 9;

/**
 * Readings of a window, reduced to at most four for each column of pixels (first, least, greatest,
 * last), which draws the same pixels as all of them. Columns are counted from the epoch and not from
 * the window's edge, so that the line does not shimmer while the window slides. One reading beyond
 * each edge is kept, so that the line leaves the plot.
 *
 * @param times ms, ascending
 * @param column ms that one column of pixels covers
 */
export function decimate(
  times: Float64Array,
  values: Float64Array,
  from: number,
  to: number,
  column: number,
): DrawnSeries {
  const outTimes: number[] = [];
  const outValues: (number | null)[] = [];
  const first = Math.max(0, firstAtOrAfter(times, from) - 1);
  const last = Math.min(times.length, firstAtOrAfter(times, to) + 1);
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  let count = 0;

  const emit = (index: number) => {
    outTimes.push(times[index] as number);
    outValues.push(values[index] as number);
  };
  let bucket = Number.NaN;
  let bucketFirst = -1;
  let least = -1;
  let greatest = -1;
  const flush = (bucketLast: number) => {
    if (bucketFirst < 0) return;
    const [one, two] = least < greatest ? [least, greatest] : [greatest, least];
    emit(bucketFirst);
    if (one !== bucketFirst && one !== bucketLast) emit(one);
    if (two !== one && two !== bucketFirst && two !== bucketLast) emit(two);
    if (bucketLast !== bucketFirst) emit(bucketLast);
    bucketFirst = -1;
  };

  let usual = 0;
  for (let index = first; index < last; index++) {
    const time = times[index] as number;
    const value = values[index] as number;
    if (index > first) {
      const step = time - (times[index - 1] as number);
      // The running estimate is cheap and only suspects; the look at the neighbours decides.
      if ((usual === 0 || step > gapPeriods * usual) && isGap(times, index)) {
        flush(index - 1);
        bucket = Number.NaN;
        outTimes.push(((times[index - 1] as number) + time) / 2);
        outValues.push(null);
      } else {
        usual = usual === 0 ? step : usual + (step - usual) / 8;
      }
    }
    const timeBucket = Math.floor(time / column);
    if (timeBucket !== bucket) {
      flush(index - 1);
      bucket = timeBucket;
      bucketFirst = index;
      least = index;
      greatest = index;
    } else {
      if (value < (values[least] as number)) least = index;
      if (value > (values[greatest] as number)) greatest = index;
    }
    if (time >= from && time < to) {
      count++;
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
  }
  flush(last - 1);
  return { times: outTimes, values: outValues, minimum, maximum, count };
}

/**
 * Whether the step that ends at `index` is a silence: longer than several of the steps usual before
 * it and after it. Where the sampling period changes, one side knows the new one: no gap.
 */
export function isGap(times: Float64Array, index: number): boolean {
  const step = (times[index] as number) - (times[index - 1] as number);
  const before = medianStep(times, Math.max(1, index - neighbours), index);
  const after = medianStep(times, index + 1, Math.min(times.length, index + 1 + neighbours));
  if (before === undefined && after === undefined) return false;
  return step > gapPeriods * Math.max(before ?? 0, after ?? 0);
}

/** Of the steps that end at the indices from `from` to before `to`. */
function medianStep(times: Float64Array, from: number, to: number): number | undefined {
  if (to - from < 2) return undefined;
  const steps: number[] = [];
  for (let index = from; index < to; index++) {
    steps.push((times[index] as number) - (times[index - 1] as number));
  }
  steps.sort((a, b) => a - b);
  return steps[steps.length >> 1];
}

function firstAtOrAfter(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
