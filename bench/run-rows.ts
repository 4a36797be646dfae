import type { Cell, Row } from './measure.ts';
import type { Peer } from './peers/target.ts';
import type { Missing } from './results.ts';

/** What came of the rows so far. */
export interface Found {
  readonly cells: readonly Cell[];
  readonly missing: readonly Missing[];
}

export interface RowsRun {
  readonly measure: (row: Row, peer: Peer) => Promise<Cell>;
  /** What an earlier run has found of the same rows: it is not measured again. */
  readonly found: Found;
  /** After each server of each row, with all that was found up to then. */
  readonly keep: (found: Found) => void;
  /** Asked before each server of each row. */
  readonly isStopped: () => boolean;
  readonly tell: (line: string) => void;
}

/** What one server did of one row: what a server that could not is named by. */
const nameOf = (row: Pick<Row, 'title'>, peer: { readonly name: string }): string =>
  `${peer.name}, ${row.title}`;

/** Each server under each kind of work in turn. What one cannot do is named with the reason, and the others go on. */
export async function runRows(rows: readonly Row[], run: RowsRun): Promise<Found> {
  const cells = [...run.found.cells];
  const missing: Missing[] = [];
  const unable = new Set<Peer>();
  for (const peer of new Set(rows.flatMap(({ peers }) => peers))) {
    const reason = await peer.prepare();
    if (reason === undefined) continue;
    unable.add(peer);
    missing.push({ peer: peer.name, reason });
    run.tell(`${peer.name} cannot run: ${reason}`);
  }
  const pairs = rows.flatMap((row) => row.peers.map((peer) => ({ row, peer })));
  for (const { row, peer } of pairs) {
    const isThere = cells.some(({ title, peer: name }) => title === row.title && name === peer.name);
    if (unable.has(peer) || isThere) continue;
    if (run.isStopped()) break;
    const begun = performance.now();
    try {
      const cell = await run.measure(row, peer);
      cells.push(cell);
      run.tell(`${told(cell)} (${((performance.now() - begun) / 1_000).toFixed(0)} s)`);
    } catch (error) {
      // Whoever stops the run ends its servers too; that is no failure of theirs.
      if (run.isStopped()) break;
      if (!(error instanceof Error)) throw error;
      const reason = oneLine(error.message);
      missing.push({ peer: nameOf(row, peer), reason });
      run.tell(`${row.title}: ${peer.name} could not: ${reason}`);
    }
    run.keep({ cells, missing });
  }
  const order = new Map(pairs.map(({ row, peer }, index) => [nameOf(row, peer), index]));
  const placeOf = ({ title, peer }: Cell): number => order.get(nameOf({ title }, { name: peer })) ?? 0;
  return { cells: cells.sort((a, b) => placeOf(a) - placeOf(b)), missing };
}

/** Characters of a reason at the most. */
const REASON = 200;

/** What a failure says, in one line: where a program's last words follow, the last of them that is no JSON. */
export function oneLine(message: string): string {
  const [first = '', ...said] = message.split('\n').map((line) => line.trim());
  const last = said.findLast((line) => line !== '' && !line.startsWith('{') && !line.startsWith('['));
  const what = first.replace(/\. It had said:$/, '');
  return (last === undefined ? what : `${what}: ${last}`).slice(0, REASON);
}

function told({ title, peer, cpu, rate, saturated }: Cell): string {
  const flatOut = `flat out ${Math.round(saturated.rate)}/s at ${saturated.cpu.toFixed(1)} µs`;
  return `${title}: ${peer}: ${cpu.median.toFixed(1)} µs at ${rate}/s; ${flatOut}`;
}
