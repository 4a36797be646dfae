const FIRST = 5_000;
const LONGEST = 6 * 3_600_000;

/** A webhook that has failed for so long is given up, ms. */
export const GIVE_UP_AFTER = 3 * 86_400_000;

/**
 * How long to wait before the next attempt, ms: twice as long each time, up to six hours, and up to a fifth more or
 * less, so that many webhooks to a receiver that comes back do not come all at once.
 * @param attempts that failed in a row, at least one
 * @param random between 0 and 1
 */
export function pauseBeforeRetry(attempts: number, random: number): number {
  const pause = Math.min(LONGEST, FIRST * 2 ** Math.min(attempts - 1, 20));
  return pause * (0.8 + 0.4 * random);
}
