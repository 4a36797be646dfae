import { thinSpace } from './numbers.ts';

/** Rates to choose from, Hz. */
const rates = [0.1, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

/** Readings per second at a Sampling Period (µs) of the sensor object; 0 where none are taken, or none could be. */
export function samplingRate(period: number): number {
  const rate = 1e6 / period;
  return period > 0 && Number.isFinite(rate) ? rate : 0;
}

/** The rates that a reader may choose from, rising, with the one that is now among them. */
export function offeredRates(now: number): readonly number[] {
  return [...new Set([now, ...rates])].sort((a, b) => a - b);
}

/** `50 Hz`; `off` for 0. */
export function rateText(rate: number): string {
  return rate === 0 ? 'off' : `${Number(rate.toPrecision(4))}${thinSpace}Hz`;
}
