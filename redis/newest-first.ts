/** Something of one bucket, with its place among those of all. */
export interface Placed {
  readonly id: string;
  readonly at: number;
}

/** What one look into a bucket found, newest first; `next`: where to look on, where there may be more. */
export interface Found<T extends Placed> {
  readonly items: readonly T[];
  readonly next?: number;
}

interface Source<T extends Placed> {
  readonly bucket: number;
  items: readonly T[];
  taken: number;
  /** Where to look next; undefined: there is no more. */
  next: number | undefined;
}

/** Negative where `a` is before `b` in a list that is newest first. */
export function compareNewest(a: Placed, b: Placed): number {
  return b.at - a.at || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/**
 * What lies in many buckets as one list, newest first. A bucket is looked into again when all that was found there
 * has been taken.
 * @param look those that are not newer than `from`, or that are older, where the bucket was looked into before
 */
export async function* newestFirst<T extends Placed>(
  buckets: readonly number[],
  from: number,
  look: (bucket: number, from: number, again: boolean) => Promise<Found<T>>,
): AsyncGenerator<T, void, void> {
  let sources = buckets.map((bucket): Source<T> => ({ bucket, items: [], taken: 0, next: from }));
  for (let again = false; ; again = true) {
    const empty = sources.filter(({ items, taken, next }) => taken === items.length && next !== undefined);
    await Promise.all(
      empty.map(async (source) => {
        const found = await look(source.bucket, source.next as number, again);
        source.items = found.items;
        source.taken = 0;
        source.next = found.next;
      }),
    );
    sources = sources.filter(({ items, taken, next }) => taken < items.length || next !== undefined);
    if (sources.length === 0) return;
    while (sources.every(({ items, taken }) => taken < items.length)) {
      let first: Source<T> | undefined;
      for (const source of sources) {
        if (first === undefined || compareNewest(head(source), head(first)) < 0) first = source;
      }
      if (first === undefined) return;
      const item = head(first);
      first.taken += 1;
      if (first.taken === first.items.length && first.next === undefined) {
        sources = sources.filter((source) => source !== first);
      }
      yield item;
    }
  }
}

function head<T extends Placed>({ items, taken }: Source<T>): T {
  return items[taken] as T;
}
