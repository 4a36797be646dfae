/** The slope of the straight line that fits best (least squares); NaN for fewer than two points. */
export function slope(points: readonly (readonly [number, number])[]): number {
  const count = points.length;
  const mean = { x: 0, y: 0 };
  for (const [x, y] of points) {
    mean.x += x / count;
    mean.y += y / count;
  }
  let [upper, lower] = [0, 0];
  for (const [x, y] of points) {
    upper += (x - mean.x) * (y - mean.y);
    lower += (x - mean.x) ** 2;
  }
  return upper / lower;
}
