/** A run of rows that are drawn, and how many before it are not. */
export interface RowRun {
  readonly gap: number;
  readonly first: number;
  readonly end: number;
}

/** What is drawn of so many rows: those in sight, and one beside them that must be there, for it has the focus. */
export function rowRuns(
  count: number,
  { first, end }: { readonly first: number; readonly end: number },
  needed: number,
): { readonly runs: readonly RowRun[]; readonly after: number } {
  const from = Math.min(first, Math.max(0, count - 1));
  const to = Math.min(end, count);
  const wanted = [{ first: from, end: Math.max(from, to) }];
  if (needed >= 0 && needed < count && (needed < from || needed >= to))
    wanted.push({ first: needed, end: needed + 1 });
  wanted.sort((a, b) => a.first - b.first);
  let at = 0;
  const runs = wanted.map((run) => {
    const gap = run.first - at;
    at = run.end;
    return { ...run, gap };
  });
  return { runs, after: count - at };
}
