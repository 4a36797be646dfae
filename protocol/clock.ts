/** A timer that can be called off. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as an argument, so that tests own it. `now` is monotonic and is what durations are measured
 * with; `wallTime` is the civil time, which may jump.
 */
export interface Clock {
  /** Milliseconds, monotonic, from an arbitrary origin; may have a fraction. */
  now(): number;
  /** Milliseconds since the Unix epoch; may have a fraction (microseconds where the system knows them). */
  wallTime(): number;
  /** Calls back once after `delay` milliseconds. Does not keep a process alive by itself. */
  setTimer(delay: number, callback: () => void): Timer;
}

/** How far the fine clock may be from the system's before it is set anew, ms. */
const DRIFT = 2;
let offset = performance.timeOrigin;

/** The system's time, which may be stepped, with the monotonic clock's resolution between its ticks. */
function wallTime(): number {
  const now = performance.now();
  const system = Date.now();
  // Date.now is cut off to whole milliseconds: up to one ahead is no drift.
  if (Math.abs(now + offset - system) > DRIFT) offset = system - now;
  return now + offset;
}

/** The system's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime,
  setTimer(delay, callback) {
    const handle: unknown = setTimeout(callback, delay);
    if (typeof handle === 'object' && handle !== null && 'unref' in handle) {
      (handle as { unref(): void }).unref();
    }
    return { cancel: () => clearTimeout(handle as Parameters<typeof clearTimeout>[0]) };
  },
};
