/** Rows that the reader has chosen: single ones by name, or all that match. */
export type Selection =
  | { readonly kind: 'some'; readonly endpoints: ReadonlySet<string> }
  | { readonly kind: 'all' };

export const nothingSelected: Selection = { kind: 'some', endpoints: new Set() };

export function isSelected(selection: Selection, endpoint: string): boolean {
  return selection.kind === 'all' || selection.endpoints.has(endpoint);
}

/** @param total how many match */
export function selectedCount(selection: Selection, total: number): number {
  return selection.kind === 'all' ? total : selection.endpoints.size;
}

/** With these chosen, or not chosen any more; of all nothing can be left out. */
export function withRows(selection: Selection, endpoints: Iterable<string>, chosen: boolean): Selection {
  if (selection.kind === 'all') return selection;
  const next = new Set(selection.endpoints);
  for (const endpoint of endpoints) {
    if (chosen) next.add(endpoint);
    else next.delete(endpoint);
  }
  return { kind: 'some', endpoints: next };
}
