import type { Cell } from './measure.ts';
import { titles } from './titles.ts';

/** A promise of the project, and what was measured of it. */
export interface Goal {
  readonly promise: string;
  /** As it is shown: `3.4 times`. */
  readonly measured: string;
  readonly kept: boolean;
}

type Figure = (cell: Cell) => number | undefined;

const atRate: Figure = ({ cpu }) => cpu.median;
const saturated: Figure = (cell) => cell.saturated.cpu;

/** What the cells of one run say of the promises of which they have both sides. */
export function goals(cells: readonly Cell[]): Goal[] {
  const find = (title: string, peer: string): Cell | undefined =>
    cells.find((cell) => cell.title === title && cell.peer === peer);
  const found: Goal[] = [];
  /** `more` over `less` of a figure of two cells. */
  const ratio = (
    promise: string,
    [one, other]: readonly [Cell | undefined, Cell | undefined],
    figure: Figure,
    limit: { readonly least: number } | { readonly most: number },
  ): void => {
    const [upper, lower] = [one && figure(one), other && figure(other)];
    if (upper === undefined || lower === undefined) return;
    const value = upper / lower;
    const kept = 'least' in limit ? value >= limit.least : value <= limit.most;
    found.push({ promise, measured: `${value.toFixed(2)} times`, kept });
  };
  const ways = [
    ['at the fixed rate', atRate],
    ['as fast as it answers', saturated],
  ] as const;
  const againstLeshan = [
    [titles.registration, 3],
    [titles.newcomer, 3],
    [titles.update, 3],
    [titles.notification(1), 2.5],
  ] as const;
  for (const [title, least] of againstLeshan) {
    const both = [find(title, 'Leshan, in memory'), find(title, 'Simyard, in memory')] as const;
    for (const [way, figure] of ways) {
      ratio(`${title}: ≥ ${least} times Leshan's per CPU-second, ${way}`, both, figure, { least });
    }
  }
  ratio(
    "an idle registered device: ≤ 1/2 of Leshan's memory",
    [find(titles.update, 'Simyard, in memory'), find(titles.update, 'Leshan, in memory')],
    ({ device }) => device,
    { most: 0.5 },
  );
  const onRedis = titles.redis(titles.registration);
  for (const [way, figure] of ways) {
    ratio(
      `registration with Redis: ≥ 5 times Leshan's per CPU-second of the server, ${way}`,
      [find(onRedis, 'Leshan, Redis'), find(onRedis, 'Simyard, Redis')],
      figure,
      { least: 5 },
    );
    ratio(
      `confirmable notification, decoded and durable: ≤ 2.5 times a raw echo, ${way}`,
      [find(titles.notification(1), 'Simyard, on disk'), cells.find(({ work }) => work === 'echo')],
      figure,
      { most: 2.5 },
    );
  }
  const packs = find(titles.notification(50), 'Simyard, on disk');
  if (packs !== undefined) {
    const readings = (packs.readings * 1e6) / packs.saturated.cpu;
    found.push({
      promise: 'packs of 50 readings, durable: ≥ 300 000 readings per second and core',
      measured: Math.round(readings).toLocaleString('en'),
      kept: readings >= 300_000,
    });
  }
  return found;
}
