import type { Clock } from '../protocol/clock.ts';

/**
 * A clock whose civil time does not step: the time at its making, and from then on what has passed. For
 * what ends by time (lifetimes, commands, retention): a system clock that is set an hour ahead must not
 * end every registration, and one that is ten years ahead for a moment must not remove every reading.
 */
export function steadyClock(clock: Clock): Clock {
  const origin = clock.wallTime() - clock.now();
  return {
    now: () => clock.now(),
    wallTime: () => origin + clock.now(),
    setTimer: (delay, callback) => clock.setTimer(delay, callback),
  };
}
