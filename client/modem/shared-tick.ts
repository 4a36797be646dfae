import type { Clock, Timer } from '../../protocol/clock.ts';

/** Each modem is called this often, ms, in one of so many slots. */
const period = 5_000;
const slots = 50;
const slotLength = period / slots;

/** Calls all modems of a process every five seconds, from one timer, spread so that they do not come all at once. */
class SharedTick {
  readonly #clock: Clock;
  readonly #slots = new Map<number, Set<() => void>>();
  #timer: Timer | undefined;
  /** The slot that had its turn last, counted from the clock's origin. */
  #last = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(slot: number, work: () => void): Timer {
    const members = this.#slots.get(slot) ?? new Set();
    this.#slots.set(slot, members.add(work));
    this.#schedule();
    return {
      cancel: () => {
        members.delete(work);
        if (members.size > 0 || this.#slots.get(slot) !== members) return;
        this.#slots.delete(slot);
        this.#schedule();
      },
    };
  }

  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#slots.size === 0) return;
    const now = this.#clock.now();
    // A timer of the system may fire a little early: no slot has its turn twice.
    const at = Math.max(Math.floor(now / slotLength), this.#last);
    let ahead = 1;
    while (ahead < slots && !this.#slots.has((at + ahead) % slots)) ahead++;
    const due = (at + ahead) * slotLength - now;
    this.#timer = this.#clock.setTimer(Math.max(1, due), () => {
      this.#last = at + ahead;
      const members = this.#slots.get((at + ahead) % slots);
      this.#schedule();
      for (const work of [...(members ?? [])]) if (members?.has(work) === true) work();
    });
  }
}

const ticks = new WeakMap<Clock, SharedTick>();

/** Has `work` called every five seconds until it is cancelled; `seed` says when in them. */
export function everyTick(clock: Clock, seed: number, work: () => void): Timer {
  const tick = ticks.get(clock) ?? new SharedTick(clock);
  ticks.set(clock, tick);
  return tick.add(Math.abs(seed) % slots, work);
}
