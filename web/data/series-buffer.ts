const firstCapacity = 4096;

/**
 * The newest readings of one series in time order, in two flat arrays: a window that slides through
 * them and moves back to their start when it meets the end, so that what is kept is always one slice.
 * Times are ms since the epoch with a fraction, when the reading was *taken*.
 */
export class SeriesBuffer {
  readonly #limit: number;
  #times = new Float64Array(firstCapacity);
  #values = new Float64Array(firstCapacity);
  #start = 0;
  #end = 0;

  /** Keeps the newest `limit` readings. */
  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError('limit is a positive integer');
    this.#limit = limit;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** Whether the next reading drives the oldest one out. */
  get full(): boolean {
    return this.length === this.#limit;
  }

  /** Views of what is kept now; valid until the next `add`. */
  get times(): Float64Array {
    return this.#times.subarray(this.#start, this.#end);
  }

  get values(): Float64Array {
    return this.#values.subarray(this.#start, this.#end);
  }

  get firstTime(): number | undefined {
    return this.length === 0 ? undefined : this.#times[this.#start];
  }

  get lastTime(): number | undefined {
    return this.length === 0 ? undefined : this.#times[this.#end - 1];
  }

  get lastValue(): number | undefined {
    return this.length === 0 ? undefined : this.#values[this.#end - 1];
  }

  /**
   * Puts readings where their times belong; late ones fall between those that are there. A reading
   * of a time that is there already replaces it: what is replayed or loaded twice is there once.
   */
  add(points: Iterable<readonly [time: number, value: number]>): void {
    let late: (readonly [number, number])[] | undefined;
    for (const point of points) {
      const last = this.lastTime;
      if (last === undefined || point[0] > last) {
        this.#append(point[0], point[1]);
      } else if (point[0] === last) {
        this.#values[this.#end - 1] = point[1];
      } else {
        late ??= [];
        late.push(point);
      }
    }
    if (late !== undefined) this.#merge(late.sort((a, b) => a[0] - b[0]));
  }

  /** Index of the first reading that was taken at `time` or later; `length` where there is none. */
  indexOf(time: number): number {
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#times[middle] as number) < time) low = middle + 1;
      else high = middle;
    }
    return low - this.#start;
  }

  clear(): void {
    this.#start = 0;
    this.#end = 0;
  }

  #append(time: number, value: number): void {
    if (this.#end === this.#times.length) this.#makeRoom();
    this.#times[this.#end] = time;
    this.#values[this.#end] = value;
    this.#end++;
    if (this.length > this.#limit) this.#start++;
  }

  /** Twice the limit at most: moving back costs one copy per `limit` appends. */
  #makeRoom(): void {
    if (this.length <= this.#times.length / 2 && this.#start > 0) {
      this.#times.copyWithin(0, this.#start, this.#end);
      this.#values.copyWithin(0, this.#start, this.#end);
    } else {
      const capacity = this.#times.length * 2;
      const times = new Float64Array(capacity);
      const values = new Float64Array(capacity);
      times.set(this.times);
      values.set(this.values);
      this.#times = times;
      this.#values = values;
    }
    this.#end = this.length;
    this.#start = 0;
  }

  /** `late` ascending, all before the last time. One pass over what they fall into. */
  #merge(late: readonly (readonly [number, number])[]): void {
    const from = this.indexOf((late[0] as readonly [number, number])[0]) + this.#start;
    const tailTimes = this.#times.slice(from, this.#end);
    const tailValues = this.#values.slice(from, this.#end);
    this.#end = from;
    let kept = 0;
    for (const [time, value] of late) {
      while (kept < tailTimes.length && (tailTimes[kept] as number) < time) {
        this.#append(tailTimes[kept] as number, tailValues[kept] as number);
        kept++;
      }
      if (kept < tailTimes.length && tailTimes[kept] === time) kept++;
      if (this.lastTime === time) this.#values[this.#end - 1] = value;
      else this.#append(time, value);
    }
    for (; kept < tailTimes.length; kept++)
      this.#append(tailTimes[kept] as number, tailValues[kept] as number);
  }
}
