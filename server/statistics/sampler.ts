import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { DeviceCounts, DeviceStore } from '../ports/device-store.ts';
import type { StatisticsSample, StatisticsStore } from '../ports/statistics-store.ts';
import { type Counters, counterNames } from './metrics.ts';

/** How often is looked, ms. */
const INTERVAL = 5_000;
const MINUTE = 60_000;
/** Samples that wait for a store that is out: an hour. */
const MAX_WAITING = 60;
/** How often what is too old goes, ms. */
const TRIM_INTERVAL = 3_600_000;
/** How long minutes and hours are kept, ms: two weeks and a day, and thirteen months. */
const MINUTES_KEPT = 15 * 86_400_000;
const HOURS_KEPT = 396 * 86_400_000;

export interface StatisticsSamplerOptions {
  readonly store: StatisticsStore;
  readonly devices: Pick<DeviceStore, 'counts'>;
  /** What was counted since the start of the process; only rises. */
  readonly counters: () => Readonly<Counters>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Looks every few seconds how it is with the fleet, and writes it down every minute. */
export class StatisticsSampler {
  readonly #options: StatisticsSamplerOptions;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  /** As far as `#counted` goes. */
  #seen: Readonly<Counters>;
  /** Counters at the last look, and `Clock.now` of it. */
  #looked: { readonly at: number; readonly readings: number; readonly notifications: number };
  /** The minute that is being counted, ms since the epoch. */
  #minute: number;
  #counted: Counters = noCounters();
  #devices: DeviceCounts | undefined;
  #rates = { readings: 0, notifications: 0 };
  #waiting: StatisticsSample[] = [];
  #told = false;
  #trimmedAt = Number.NEGATIVE_INFINITY;

  constructor(options: StatisticsSamplerOptions) {
    this.#options = options;
    this.#seen = { ...options.counters() };
    this.#looked = { ...this.#seen, at: options.clock.now() };
    this.#minute = minuteOf(options.clock.wallTime());
  }

  /** A second, in the last seconds. */
  get rates(): { readonly readings: number; readonly notifications: number } {
    return this.#rates;
  }

  /** What is counted and not in the store yet, of the minutes that begin at `since` or later. */
  pending(since: number): readonly StatisticsSample[] {
    this.#count();
    return [...this.#waiting, this.#sample()].filter(({ at }) => at >= since);
  }

  start(): void {
    if (this.#closed) return;
    this.#running = this.look()
      .catch((error: unknown) => {
        this.#options.log.warn({ error }, 'the fleet is not counted now');
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#closed) return;
        this.#timer = this.#options.clock.setTimer(INTERVAL, () => this.start());
      });
  }

  /** One look; rejects where the store does not answer. */
  async look(): Promise<void> {
    const { clock, devices } = this.#options;
    this.#rate();
    const now = clock.wallTime();
    if (minuteOf(now) !== this.#minute) {
      this.#count();
      this.#waiting.push(this.#sample());
      // Of a store that is out for longer the oldest are given up.
      if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
      this.#minute = minuteOf(now);
      this.#counted = noCounters();
    }
    await this.#write();
    this.#devices = await devices.counts(now);
    await this.#trim(now);
  }

  /** Writes down what was counted so far. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
    this.#count();
    this.#waiting.push(this.#sample());
    await this.#write();
  }

  #sample(): StatisticsSample {
    return { at: this.#minute, gauges: { ...this.#devices }, counters: { ...this.#counted } };
  }

  #count(): void {
    const counters = this.#options.counters();
    for (const name of counterNames) this.#counted[name] += counters[name] - this.#seen[name];
    this.#seen = { ...counters };
  }

  #rate(): void {
    const at = this.#options.clock.now();
    const seconds = (at - this.#looked.at) / 1000;
    const { readings, notifications } = this.#options.counters();
    if (seconds > 0) {
      this.#rates = {
        readings: (readings - this.#looked.readings) / seconds,
        notifications: (notifications - this.#looked.notifications) / seconds,
      };
    }
    this.#looked = { at, readings, notifications };
  }

  async #write(): Promise<void> {
    const { store, log } = this.#options;
    for (let sample = this.#waiting[0]; sample !== undefined; sample = this.#waiting[0]) {
      try {
        await store.add(sample);
      } catch (error) {
        if (!this.#told) log.warn({ error }, 'statistics are not stored now; they wait');
        this.#told = true;
        return;
      }
      this.#told = false;
      this.#waiting.shift();
    }
  }

  async #trim(now: number): Promise<void> {
    const { clock, store } = this.#options;
    if (clock.now() - this.#trimmedAt < TRIM_INTERVAL) return;
    await store.trim({ minutesBefore: now - MINUTES_KEPT, hoursBefore: now - HOURS_KEPT });
    this.#trimmedAt = clock.now();
  }
}

function minuteOf(time: number): number {
  return Math.floor(time / MINUTE) * MINUTE;
}

function noCounters(): Counters {
  return Object.fromEntries(counterNames.map((name) => [name, 0])) as Counters;
}
