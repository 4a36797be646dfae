import { expect, it } from 'vitest';
import { everyTick } from '../../../client/modem/shared-tick.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

it('each modem is called every five seconds, in its own tenth, from one timer', () => {
  const clock = new FakeClock();
  const calls = new Map<number, number[]>();
  for (let seed = 0; seed < 200; seed++) {
    calls.set(seed, []);
    everyTick(clock, seed, () => calls.get(seed)?.push(clock.now()));
  }
  expect(clock.pending).toBe(1);
  clock.advance(20_000);
  expect(clock.pending).toBe(1);
  const moments = new Set<number>();
  for (const times of calls.values()) {
    expect(times).toHaveLength(4);
    times.forEach((time, i) => {
      if (i > 0) expect(time - (times[i - 1] ?? 0)).toBe(5_000);
    });
    moments.add((times[0] ?? 0) % 5_000);
  }
  expect(moments.size).toBe(50);
});

it('who is cancelled is called no more, in the middle of a slot too, and nothing is left of all', () => {
  const clock = new FakeClock();
  const called: string[] = [];
  const first = everyTick(clock, 7, () => {
    called.push('first');
    second.cancel();
  });
  const second = everyTick(clock, 7, () => called.push('second'));
  clock.advance(10_000);
  expect(called).toEqual(['first', 'first']);
  first.cancel();
  expect(clock.pending).toBe(0);
  const third = everyTick(clock, 7, () => called.push('third'));
  clock.advance(5_000);
  expect(called.at(-1)).toBe('third');
  third.cancel();
  third.cancel();
  expect(clock.pending).toBe(0);
});
