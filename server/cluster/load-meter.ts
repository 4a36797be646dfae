import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { NodeLoad } from './cluster.ts';

/** Length of what `cluster.ts` calls the last seconds. */
const windowMs = 10_000;
/** How often the event loop is looked at, ms. What is measured includes this pause itself. */
const resolution = 10;

/** Measures how hard this process works, from its start on. */
export class LoadMeter {
  readonly #clock: Clock;
  readonly #delays = monitorEventLoopDelay({ resolution });
  #since: number;
  #used = process.cpuUsage();
  #timer: Timer | undefined;
  /** Of the window before, which stands until the one that runs says enough. */
  #last: Pick<NodeLoad, 'cpu' | 'eventLoopDelay'> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#delays.enable();
    this.#begin();
  }

  /** Idempotent. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#delays.disable();
  }

  read(): NodeLoad {
    const { cpu, eventLoopDelay } = this.#last ?? this.#measure();
    return { cpu, memory: process.memoryUsage.rss(), eventLoopDelay };
  }

  #begin(): void {
    this.#since = this.#clock.now();
    this.#used = process.cpuUsage();
    this.#delays.reset();
    this.#timer = this.#clock.setTimer(windowMs, () => {
      this.#last = this.#measure();
      this.#begin();
    });
  }

  #measure(): Pick<NodeLoad, 'cpu' | 'eventLoopDelay'> {
    const { user, system } = process.cpuUsage(this.#used);
    const elapsed = this.#clock.now() - this.#since;
    const delay = this.#delays.count === 0 ? 0 : this.#delays.percentile(99) / 1e6 - resolution;
    return {
      cpu: elapsed <= 0 ? 0 : (user + system) / 1000 / elapsed,
      eventLoopDelay: Math.max(0, delay),
    };
  }
}
