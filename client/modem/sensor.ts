import type { ReadingStream } from '../lwm2m/pack-stream.ts';
import { ReadingQueue } from '../lwm2m/reading-queue.ts';
import { roughNormal, type SensorModel } from './signals.ts';

/** A sensor that fell behind by more than this was not there to sample: µs. */
const longestBacklog = 2_000_000;

/** One simulated sensor: samples at exact times of its period, made in batches. Times are µs since the epoch. */
export class Sensor implements ReadingStream {
  readonly model: SensorModel;
  readonly path: string;
  readonly queue: ReadingQueue;
  readonly #random: () => number;
  readonly #phase: number;
  readonly #now: () => number;
  #period: number;
  #nextAt: number;
  #takenAt = 0;
  #value = Number.NaN;
  #sequence = 0;
  #minimum = Number.POSITIVE_INFINITY;
  #maximum = Number.NEGATIVE_INFINITY;

  /** `rate` in samples per second; 0: idle. `now` in µs since the epoch. */
  constructor(options: {
    readonly model: SensorModel;
    readonly path: string;
    readonly rate: number;
    readonly random: () => number;
    readonly now: () => number;
    readonly queueLimit?: number;
  }) {
    this.model = options.model;
    this.path = options.path;
    this.queue = new ReadingQueue(options.queueLimit);
    this.#random = options.random;
    this.#phase = options.random() * 2 * Math.PI;
    this.#now = options.now;
    this.#period = options.rate === 0 ? 0 : Math.round(1e6 / options.rate);
    this.#nextAt = this.#firstAfter(options.now());
  }

  /** µs between samples; 0: idle. */
  get period(): number {
    return this.#period;
  }

  set period(microseconds: number) {
    const now = this.#now();
    this.produce(now);
    this.#period = microseconds;
    this.#nextAt = this.#firstAfter(now);
  }

  /** When the next sample is due; infinity when idle. */
  get nextAt(): number {
    return this.#period === 0 ? Number.POSITIVE_INFINITY : this.#nextAt;
  }

  /** The newest sample; takes the first where there was none. */
  get latest(): { readonly time: number; readonly value: number } {
    if (this.#sequence === 0) this.takeNow();
    return { time: this.#takenAt, value: this.#value };
  }

  get sequence(): number {
    return this.#sequence;
  }

  get minimum(): number {
    return Math.min(this.#minimum, this.latest.value);
  }

  get maximum(): number {
    return Math.max(this.#maximum, this.latest.value);
  }

  /** Minimum and Maximum begin anew with the newest sample. */
  reset(): void {
    const { value } = this.latest;
    this.#minimum = value;
    this.#maximum = value;
  }

  /** Takes the samples that are due up to `now`, each at its own time, into the queue. Returns how many. */
  produce(now: number): number {
    if (this.#period === 0) return 0;
    if (now - this.#nextAt > longestBacklog || this.#nextAt - now > 2 * this.#period) {
      // The process was stopped, or the clock was set: samples that nobody took are not made up.
      this.#nextAt = this.#firstAfter(now);
    }
    let count = 0;
    for (; this.#nextAt <= now; this.#nextAt += this.#period) {
      const time = Math.max(this.#nextAt, this.#takenAt + 1);
      this.queue.push(time, this.#sample(time));
      count++;
    }
    return count;
  }

  takeNow(): { readonly time: number; readonly value: number } {
    const now = this.#now();
    this.produce(now);
    const time = Math.max(Math.round(now), this.#takenAt + 1);
    return { time, value: this.#sample(time) };
  }

  #sample(time: number): number {
    const { signal, noise } = this.model;
    const value = Math.fround(signal(time / 1e6, this.#phase) + noise * roughNormal(this.#random));
    this.#takenAt = time;
    this.#value = value;
    this.#sequence++;
    if (value < this.#minimum) this.#minimum = value;
    if (value > this.#maximum) this.#maximum = value;
    return value;
  }

  /** Samples lie on whole multiples of the period, so that sensors of one rate sample together. */
  #firstAfter(now: number): number {
    return this.#period === 0 ? now : (Math.floor(now / this.#period) + 1) * this.#period;
  }
}
