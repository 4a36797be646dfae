/**
 * Puts into `items[from..to)` what would stand there if all were sorted, in order; the rest stays unsorted around
 * it. Quick where few of many are wanted (quickselect), with three numbers as pivot.
 * @param before whether the first comes before the second: a strict total order
 */
export function selectRange(
  items: Uint32Array,
  from: number,
  to: number,
  before: (a: number, b: number) => boolean,
): void {
  if (from > 0) placeAt(items, 0, items.length, from, before);
  if (to < items.length) placeAt(items, from, items.length, to, before);
  items.subarray(from, to).sort((a, b) => (a === b ? 0 : before(a, b) ? -1 : 1));
}

/** Partitions items[low..high) so that what comes before the place is before it. */
function placeAt(
  items: Uint32Array,
  start: number,
  end: number,
  place: number,
  before: (a: number, b: number) => boolean,
): void {
  let low = start;
  let high = end - 1;
  while (low < high) {
    const pivot = median(
      items[low] as number,
      items[(low + high) >>> 1] as number,
      items[high] as number,
      before,
    );
    let left = low;
    let right = high;
    while (left <= right) {
      while (before(items[left] as number, pivot)) left += 1;
      while (before(pivot, items[right] as number)) right -= 1;
      if (left > right) break;
      const swapped = items[left] as number;
      items[left] = items[right] as number;
      items[right] = swapped;
      left += 1;
      right -= 1;
    }
    if (place <= right) high = right;
    else if (place >= left) low = left;
    else return;
  }
}

function median(a: number, b: number, c: number, before: (a: number, b: number) => boolean): number {
  if (before(a, b)) {
    if (before(b, c)) return b;
    return before(a, c) ? c : a;
  }
  if (before(a, c)) return a;
  return before(b, c) ? c : b;
}
