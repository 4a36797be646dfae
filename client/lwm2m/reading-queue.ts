const initialCapacity = 64;

/**
 * Readings of one sensor that wait to be sent: a ring that grows up to its bound and then drops the
 * oldest, counting them. Times are µs since the epoch, which doubles hold exactly.
 */
export class ReadingQueue {
  readonly limit: number;
  #times: Float64Array;
  #values: Float64Array;
  #first = 0;
  #length = 0;
  #dropped = 0;

  constructor(limit = 65_536) {
    this.limit = limit;
    const capacity = Math.min(initialCapacity, limit);
    this.#times = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** How many were lost because the queue was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Time of the oldest, µs. */
  get oldest(): number | undefined {
    return this.#length === 0 ? undefined : this.#times[this.#first];
  }

  push(time: number, value: number): void {
    if (this.#length === this.#times.length) this.#makeRoom();
    const at = (this.#first + this.#length) % this.#times.length;
    this.#times[at] = time;
    this.#values[at] = value;
    this.#length++;
  }

  /** The reading at a place, 0 the oldest; only below `length`. */
  time(index: number): number {
    return this.#times[(this.#first + index) % this.#times.length] as number;
  }

  value(index: number): number {
    return this.#values[(this.#first + index) % this.#values.length] as number;
  }

  /** Takes the oldest away. */
  remove(count: number): void {
    const removed = Math.min(count, this.#length);
    this.#first = (this.#first + removed) % this.#times.length;
    this.#length -= removed;
  }

  #makeRoom(): void {
    const capacity = this.#times.length;
    if (capacity === this.limit) {
      this.remove(1);
      this.#dropped++;
      return;
    }
    const times = new Float64Array(Math.min(capacity * 2, this.limit));
    const values = new Float64Array(times.length);
    for (let i = 0; i < this.#length; i++) {
      times[i] = this.time(i);
      values[i] = this.value(i);
    }
    this.#times = times;
    this.#values = values;
    this.#first = 0;
  }
}
