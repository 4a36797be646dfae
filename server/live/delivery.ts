import type { Clock, Timer } from '../../protocol/clock.ts';
import type { LivePosition } from '../events.ts';
import type { Group } from './group.ts';
import type { Batch, Subscriber } from './subscriber.ts';

/**
 * The shortest time from one delivery to the next, ms. What is published meanwhile goes out together: under load a
 * subscriber costs a write per delivery, not one per item. What comes after a rest goes out at once, and so does what
 * somebody waits for.
 */
const SPACING = 10;
/** Subscribers that are given something before devices get their turn. */
const HANDED_PER_TURN = 64;

interface Work {
  readonly group: Group;
  readonly batch: Batch;
  readonly members: readonly Subscriber[];
  next: number;
}

/**
 * Hands what groups have collected to their members: all of a turn at once, and a bounded number of
 * subscribers in one go, so that datagrams are answered in between however many listen.
 */
export class Delivery {
  readonly #clock: Clock;
  readonly #newest: () => LivePosition;
  #waiting: Group[] = [];
  readonly #work: Work[] = [];
  #scheduled = false;
  /** Runs in time; undefined where it runs in the next turn, or is not scheduled. */
  #timer: Timer | undefined;
  #last = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, newest: () => LivePosition) {
    this.#clock = clock;
    this.#newest = newest;
  }

  /** The group has collected something since it was last cut. */
  add(group: Group): void {
    this.#waiting.push(group);
    this.#schedule();
  }

  /** Somebody waits for what was collected: it goes out in the next turn. */
  hurry(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    setImmediate(() => this.#run());
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const rest = this.#last + SPACING - this.#clock.now();
    if (this.#work.length > 0 || rest <= 0) setImmediate(() => this.#run());
    else {
      this.#timer = this.#clock.setTimer(rest, () => {
        this.#timer = undefined;
        this.#run();
      });
    }
  }

  #run(): void {
    this.#scheduled = false;
    if (this.#work.length === 0) this.#cut();
    let handed = 0;
    while (handed < HANDED_PER_TURN) {
      const work = this.#work[0];
      if (work === undefined) break;
      const member = work.members[work.next++];
      if (member === undefined) {
        work.group.underWay--;
        this.#work.shift();
        continue;
      }
      member.live(work.batch);
      handed++;
    }
    if (this.#work.length > 0 || this.#waiting.length > 0) this.#schedule();
  }

  #cut(): void {
    this.#last = this.#clock.now();
    const end = this.#newest();
    for (const group of this.#waiting) {
      const batch = group.cut(end);
      group.underWay++;
      this.#work.push({ group, batch, members: [...group.members], next: 0 });
    }
    this.#waiting = [];
  }
}
