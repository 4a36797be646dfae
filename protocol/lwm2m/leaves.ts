import { RequestError } from '../errors.ts';
import { isAtOrBelow, pathIds } from './path.ts';
import type { LwM2mRecord } from './value.ts';

// Records in the order of the tree, for the formats that write the tree itself: TLV and LwM2M CBOR.

/** A record beside the ids of its path. */
export interface Leaf {
  readonly record: LwM2mRecord;
  readonly ids: readonly number[];
}

/**
 * The records, sorted: numeric per level, a node before what is below it.
 * @throws RequestError one is no resource at or below the base
 */
export function sortedLeaves(basePath: string, records: readonly LwM2mRecord[]): Leaf[] {
  const leaves = records.map((record): Leaf => {
    const ids = pathIds(record.path) ?? [];
    if (ids.length < 3 || !isAtOrBelow(record.path, basePath)) {
      throw new RequestError(`${record.path} is no resource at or below ${basePath}`);
    }
    return { record, ids };
  });
  return leaves.sort(byIds);
}

/** Sorted leaves, cut where the id of that level changes. */
export function groupLeaves(leaves: readonly Leaf[], level: number): Leaf[][] {
  const cut: Leaf[][] = [];
  for (const leaf of leaves) {
    const last = cut.at(-1);
    if (last !== undefined && last[0]?.ids[level] === leaf.ids[level]) last.push(leaf);
    else cut.push([leaf]);
  }
  return cut;
}

function byIds(a: Leaf, b: Leaf): number {
  const level = a.ids.findIndex((id, at) => id !== b.ids[at]);
  // None differs: equal, or `b` is below.
  if (level === -1) return a.ids.length - b.ids.length;
  return (a.ids[level] as number) - (b.ids[level] ?? -1);
}
