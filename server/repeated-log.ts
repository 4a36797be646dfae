import type { Logger } from 'pino';
import type { Clock } from '../protocol/clock.ts';

/** How long the same reason is not told again, ms. */
const PERIOD = 60_000;
/** Different reasons that are remembered. */
const REASONS = 100;

/** Warns of what goes wrong again and again: each reason at once, and then once a minute with how often it was. */
export function warnRepeated(log: Logger, clock: Clock, message: string): (error: Error) => void {
  const reasons = new Map<string, { toldAt: number; untold: number }>();
  return (error) => {
    const now = clock.now();
    const known = reasons.get(error.message);
    if (known !== undefined && now - known.toldAt < PERIOD) {
      known.untold += 1;
      return;
    }
    if (known === undefined && reasons.size >= REASONS) reasons.clear();
    reasons.set(error.message, { toldAt: now, untold: 0 });
    const more = known === undefined || known.untold === 0 ? {} : { again: known.untold };
    log.warn({ reason: error.message, ...more }, message);
  };
}
