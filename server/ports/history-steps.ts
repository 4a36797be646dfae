const second = 1_000_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** The steps in which a chart may be drawn, µs. Those below a minute divide it, those below a quarter of an hour that, those below a day that. */
export const historySteps: readonly number[] = [
  ...[1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000],
  ...[1, 2, 5, 10, 15, 20, 30].map((count) => count * second),
  ...[1, 3, 5, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((count) => count * day),
];

/** The shortest step that makes at most `points` of a span, and is no shorter than `least`; both µs. */
export function stepFor(span: number, points: number, least = 0): number {
  const step = historySteps.find((candidate) => candidate >= least && span <= candidate * points);
  return step ?? (historySteps.at(-1) as number);
}
