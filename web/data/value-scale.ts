/** The extent of a plot's value axis. */
export interface ValueScale {
  readonly low: number;
  readonly high: number;
}

const padding = 0.08;

/** Of what can be drawn in units of 1: an axis finds no steps for more, and of the largest numbers even the extent is none. */
const largestDrawn = 1e15;

/** The power of ten in which values from `minimum` to `maximum` are drawn; 1 for what anybody measures. */
export function drawingUnit(minimum: number, maximum: number): number {
  const size = Math.max(Math.abs(minimum), Math.abs(maximum));
  return Number.isFinite(size) && size > largestDrawn ? 10 ** Math.floor(Math.log10(size)) : 1;
}

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
