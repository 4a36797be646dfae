import type { Clock, Timer } from '../../../protocol/clock.ts';

interface Entry {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/** Resolves when all promises that could go on have: time stands still until then. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  #wallOffset: number;
  readonly #heap: Entry[] = [];

  constructor(wallTime = 1_790_000_000_000) {
    this.#wallOffset = wallTime;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#wallOffset + this.#now;
  }

  /** Moves the civil time alone, as an operator or NTP does. */
  setWallTime(wallTime: number): void {
    this.#wallOffset = wallTime - this.#now;
  }

  setTimer(delay: number, callback: () => void): Timer {
    const entry: Entry = {
      due: this.#now + Math.max(0, delay),
      order: this.#order++,
      callback,
      cancelled: false,
    };
    this.#push(entry);
    return {
      cancel: () => {
        entry.cancelled = true;
      },
    };
  }

  /** Timers that are still to fire. */
  get pending(): number {
    return this.#heap.filter((entry) => !entry.cancelled).length;
  }

  /** Fires what is due within that time, in order, each at its own moment. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let next = this.#peek(); next !== undefined && next.due <= end; next = this.#peek()) {
      this.#fire(next);
    }
    this.#now = end;
  }

  /**
   * As `advance`, and lets promises run between any two timers; stops early where `until` becomes
   * true. Whether it did is the result.
   */
  async run(milliseconds: number, until: () => boolean = () => false): Promise<boolean> {
    const end = this.#now + milliseconds;
    for (;;) {
      await settled();
      if (until()) return true;
      const next = this.#peek();
      if (next === undefined || next.due > end) {
        this.#now = end;
        return until();
      }
      this.#fire(next);
    }
  }

  #fire(entry: Entry): void {
    this.#pop();
    this.#now = Math.max(this.#now, entry.due);
    entry.callback();
  }

  #peek(): Entry | undefined {
    while (this.#heap[0]?.cancelled === true) this.#pop();
    return this.#heap[0];
  }

  #before(a: Entry, b: Entry): boolean {
    return a.due < b.due || (a.due === b.due && a.order < b.order);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    heap.push(entry);
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#before(heap[at] as Entry, heap[parent] as Entry)) return;
      [heap[at], heap[parent]] = [heap[parent] as Entry, heap[at] as Entry];
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      let child = at * 2 + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && this.#before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!this.#before(heap[child] as Entry, heap[at] as Entry)) return;
      [heap[at], heap[child]] = [heap[child] as Entry, heap[at] as Entry];
      at = child;
    }
  }
}
