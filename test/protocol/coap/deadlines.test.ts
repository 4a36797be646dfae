import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../protocol/clock.ts';
import { Deadline, Deadlines } from '../../../protocol/coap/deadlines.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

class Mark extends Deadline {
  readonly #expired: (mark: Mark) => void;
  constructor(expired: (mark: Mark) => void) {
    super();
    this.#expired = expired;
  }
  override expire(): void {
    this.#expired(this);
  }
}

describe('deadlines', () => {
  test('expire in order of time, whatever is set, moved and called off', () => {
    const step = fc.record({
      which: fc.integer({ min: 0, max: 19 }),
      delay: fc.integer({ min: 0, max: 100 }),
      cancel: fc.boolean(),
      pass: fc.integer({ min: 0, max: 10 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const clock = new FakeClock();
        const deadlines = new Deadlines(clock);
        const due = new Map<Mark, number>();
        const marks = Array.from(
          { length: 20 },
          () =>
            new Mark((mark) => {
              expect(clock.now()).toBe(due.get(mark));
              due.delete(mark);
            }),
        );
        for (const { which, delay, cancel, pass } of steps) {
          const mark = marks[which] as Mark;
          if (cancel) {
            deadlines.cancel(mark);
            due.delete(mark);
          } else {
            deadlines.set(mark, delay);
            due.set(mark, clock.now() + delay);
          }
          expect(deadlines.size).toBe(due.size);
          clock.advance(pass);
        }
        clock.advance(200);
        expect([due.size, deadlines.size]).toEqual([0, 0]);
      }),
    );
  });

  test('need one timer, however many there are', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    for (let i = 0; i < 1000; i++) deadlines.set(new Mark(() => {}), 1000 - i);
    expect(clock.pending).toBe(1);
    clock.advance(2_000);
    expect(clock.pending).toBe(0);
  });

  test('may be set again as they expire', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    let times = 0;
    const mark: Mark = new Mark(() => {
      if (++times < 5) deadlines.set(mark, 100);
    });
    deadlines.set(mark, 100);
    clock.advance(10_000);
    expect(times).toBe(5);
  });

  test('go on after one that throws', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    let reached = false;
    deadlines.set(
      new Mark(() => {
        throw new Error('a bug');
      }),
      10,
    );
    deadlines.set(
      new Mark(() => {
        reached = true;
      }),
      20,
    );
    expect(() => clock.advance(15)).toThrow('a bug');
    clock.advance(15);
    expect(reached).toBe(true);
  });

  test('are over with their owner', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const mark = new Mark(() => expect.unreachable());
    deadlines.set(mark, 10);
    deadlines.close();
    deadlines.set(mark, 10);
    expect([deadlines.size, clock.pending]).toEqual([0, 0]);
    clock.advance(100);
  });
});

describe('the system clock', () => {
  test('measures, tells the civil time, and calls back once unless called off', async () => {
    const before = systemClock.now();
    expect(Math.abs(systemClock.wallTime() - Date.now())).toBeLessThan(1_000);
    const off = systemClock.setTimer(0, () => expect.unreachable());
    off.cancel();
    off.cancel();
    await new Promise<void>((resolve) => {
      const hold = setInterval(() => {}, 1_000);
      systemClock.setTimer(1, () => {
        clearInterval(hold);
        resolve();
      });
    });
    expect(systemClock.now()).toBeGreaterThan(before);
  });
});
