import type { Clock, Timer } from '../../../protocol/clock.ts';

/** Time that passes when the test says so. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #origin: number;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  /** @param origin wall time at the start, ms since the epoch. */
  constructor(origin = 1_767_225_600_000) {
    this.#origin = origin;
  }

  get timers(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#origin + this.#now;
  }

  setTimer(delay: number, callback: () => void): Timer {
    const timer = { at: this.#now + delay, callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = end;
  }
}
