/** Items, and reads, that are spent on one page: then it is given as it is, and the next one goes on. */
const MAX_LOOKED = 5_000;
const MAX_READS = 200;

export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/**
 * A page of what somebody may see of a list that has more than that. It may be shorter than `limit`, also empty, where
 * little of the list is his: `next` tells whether there is more to be looked through.
 */
export async function visiblePage<T>(
  query: { readonly limit: number; readonly cursor?: string },
  read: (query: { readonly limit: number; readonly cursor?: string }) => Promise<Page<T>>,
  visible: (items: readonly T[]) => Promise<readonly T[]>,
): Promise<Page<T>> {
  const found: T[] = [];
  let { cursor } = query;
  for (let looked = 0, reads = 1; ; reads++) {
    // No more than what still fits: a cursor leads behind all that was read.
    const limit = query.limit - found.length;
    const page = await read({ limit, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...(await visible(page.items)));
    looked += page.items.length;
    cursor = page.next;
    if (cursor === undefined) return { items: found };
    if (found.length >= query.limit || looked >= MAX_LOOKED || reads >= MAX_READS) {
      return { items: found, next: cursor };
    }
  }
}
