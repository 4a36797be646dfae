import type { Clock, Timer } from '../clock.ts';

/** Something that happens at a time, unless it is called off before. */
export abstract class Deadline {
  /** Owned by Deadlines. Milliseconds on the clock. */
  due = 0;
  /** Owned by Deadlines. Place in the heap, -1 while not set. */
  place = -1;
  /** Called once when the time has come; it may set itself again. */
  abstract expire(): void;
}

/**
 * All deadlines of an endpoint, in a binary heap with one timer of the clock: setting and calling off
 * costs neither a timer nor a closure, which is what a message costs twice.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #heap: Deadline[] = [];
  #timer: Timer | undefined;
  #timerDue = Number.POSITIVE_INFINITY;
  #closed = false;
  #expiring = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Sets a deadline `delay` milliseconds from `now`; one that was set moves. */
  set(deadline: Deadline, delay: number, now: number = this.#clock.now()): void {
    if (this.#closed) return;
    deadline.due = now + delay;
    if (deadline.place >= 0) {
      this.#up(deadline.place);
      this.#down(deadline.place);
    } else {
      deadline.place = this.#heap.length;
      this.#heap.push(deadline);
      this.#up(deadline.place);
    }
    if (!this.#expiring && (this.#heap[0] as Deadline).due < this.#timerDue) this.#arm();
  }

  /** Calls a deadline off; nothing where it is not set. The clock's timer is left: it will find less to do. */
  cancel(deadline: Deadline): void {
    const place = deadline.place;
    if (place < 0) return;
    deadline.place = -1;
    const last = this.#heap.pop() as Deadline;
    if (last === deadline) return;
    this.#heap[place] = last;
    last.place = place;
    this.#up(place);
    this.#down(last.place);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const deadline of this.#heap) deadline.place = -1;
    this.#heap.length = 0;
  }

  #arm(): void {
    this.#timer?.cancel();
    const first = this.#heap[0];
    if (first === undefined || this.#closed) {
      this.#timer = undefined;
      this.#timerDue = Number.POSITIVE_INFINITY;
      return;
    }
    this.#timerDue = first.due;
    this.#timer = this.#clock.setTimer(Math.max(0, first.due - this.#clock.now()), this.#run);
  }

  readonly #run = (): void => {
    this.#timer = undefined;
    this.#timerDue = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    this.#expiring = true;
    try {
      for (let first = this.#heap[0]; first !== undefined && first.due <= now; first = this.#heap[0]) {
        this.cancel(first);
        first.expire();
      }
    } finally {
      this.#expiring = false;
      this.#arm();
    }
  };

  #up(from: number): void {
    const heap = this.#heap;
    const deadline = heap[from] as Deadline;
    let place = from;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = heap[parentPlace] as Deadline;
      if (parent.due <= deadline.due) break;
      heap[place] = parent;
      parent.place = place;
      place = parentPlace;
    }
    heap[place] = deadline;
    deadline.place = place;
  }

  #down(from: number): void {
    const heap = this.#heap;
    const deadline = heap[from] as Deadline;
    let place = from;
    for (;;) {
      let childPlace = place * 2 + 1;
      if (childPlace >= heap.length) break;
      const right = heap[childPlace + 1];
      if (right !== undefined && right.due < (heap[childPlace] as Deadline).due) childPlace++;
      const child = heap[childPlace] as Deadline;
      if (child.due >= deadline.due) break;
      heap[place] = child;
      child.place = place;
      place = childPlace;
    }
    heap[place] = deadline;
    deadline.place = place;
  }
}
