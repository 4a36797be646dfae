/** Buckets in each doubling: a quantile is off by at most one part in 64. */
const STEPS = 64;
/** Values up to 2^31 µs, some 36 minutes; what is longer counts as that. */
const BUCKETS = STEPS * 26;
const LONGEST = 2 ** 31 - 1;

/** A histogram as it goes from process to process: bucket, count, bucket, count, … */
export interface HistogramData {
  readonly buckets: readonly number[];
  /** µs; exact. */
  readonly max: number;
  readonly sum: number;
}

/** ms; NaN where nothing was counted. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Counts of durations in µs, in buckets that grow with the value: as exact as needed, and of one size for any number. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** @param microseconds not below 0 */
  add(microseconds: number): void {
    const value = Math.min(LONGEST, Math.round(microseconds));
    const bucket = bucketOf(value);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#count++;
    this.#sum += value;
    if (value > this.#max) this.#max = value;
  }

  merge(data: HistogramData): void {
    for (let at = 0; at < data.buckets.length; at += 2) {
      const bucket = data.buckets[at] as number;
      const count = data.buckets[at + 1] as number;
      this.#counts[bucket] = (this.#counts[bucket] as number) + count;
      this.#count += count;
    }
    this.#sum += data.sum;
    this.#max = Math.max(this.#max, data.max);
  }

  /** The value that this share of all does not exceed, µs; `share` is 0 to 1. NaN where there is none. */
  quantile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] as number;
      if (seen >= wanted) return Math.min(upperEnd(bucket), this.#max);
    }
    return this.#max;
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      mean: this.#sum / this.#count / 1_000,
      p50: this.quantile(0.5) / 1_000,
      p95: this.quantile(0.95) / 1_000,
      p99: this.quantile(0.99) / 1_000,
      max: this.#count === 0 ? Number.NaN : this.#max / 1_000,
    };
  }

  toData(): HistogramData {
    const buckets: number[] = [];
    this.#counts.forEach((count, bucket) => {
      if (count > 0) buckets.push(bucket, count);
    });
    return { buckets, max: this.#max, sum: this.#sum };
  }
}

/** Values below 2 × STEPS have a bucket each; beyond, each doubling has STEPS of them. */
function bucketOf(value: number): number {
  if (value < 2 * STEPS) return value;
  const shift = 31 - Math.clz32(value) - 6;
  return shift * STEPS + (value >>> shift);
}

/** The largest value of a bucket. */
function upperEnd(bucket: number): number {
  if (bucket < 2 * STEPS) return bucket;
  const shift = Math.floor(bucket / STEPS) - 1;
  return (bucket - shift * STEPS + 1) * 2 ** shift - 1;
}
