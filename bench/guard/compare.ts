/** CPU of each path as multiples of the floor, by the path's name. */
export type GuardFigures = Readonly<Record<string, number>>;

export interface GuardChange {
  readonly name: string;
  /** Undefined for a path of which nothing is kept. */
  readonly was: number | undefined;
  readonly is: number;
}

/** A change for the worse that is told: more than a quarter. What is below that is lost in the noise of most machines. */
const TOLD = 1.25;

/** Every path that was measured, beside what is kept of it. */
export function compare(kept: GuardFigures, measured: GuardFigures): GuardChange[] {
  return Object.entries(measured).map(([name, is]) => ({ name, was: kept[name], is }));
}

export function isWorse({ was, is }: GuardChange): boolean {
  // What is no number is not good either.
  return was !== undefined && !(is <= was * TOLD);
}
