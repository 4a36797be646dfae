/** The extent of a plot's value axis. */
export interface ValueScale {
  readonly low: number;
  readonly high: number;
}

const padding = 0.08;

/**
 * The axis for values from `minimum` to `maximum`, given the one before. It widens at once, and
 * narrows only when the values fill little of it: an axis that breathes with each reading cannot be read.
 */
export function fitScale(
  before: ValueScale | undefined,
  minimum: number,
  maximum: number,
): ValueScale | undefined {
  if (!(minimum <= maximum)) return before;
  const extent = maximum - minimum;
  const room = extent > 0 ? extent * padding : Math.max(Math.abs(maximum) * 0.01, 1e-6);
  const wanted = { low: minimum - room, high: maximum + room };
  if (before === undefined) return wanted;
  const inside = minimum >= before.low && maximum <= before.high;
  if (inside && extent + 2 * room > 0.6 * (before.high - before.low)) return before;
  if (inside) return wanted;
  return extent + 2 * room > 0.6 * (before.high - before.low)
    ? { low: Math.min(before.low, wanted.low), high: Math.max(before.high, wanted.high) }
    : wanted;
}
