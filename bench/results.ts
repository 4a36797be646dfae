import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { Cell } from './measure.ts';

/** A peer that did not run, and why. */
export interface Missing {
  readonly peer: string;
  readonly reason: string;
}

/** What one run of the benchmark has found: bench/results/latest.json, of the whole set bench/results/full.json. */
export interface Results {
  readonly version: 1;
  /** ISO 8601 */
  readonly when: string;
  readonly set: 'short' | 'full' | 'part';
  readonly runs: number;
  /** s of one run */
  readonly seconds: number;
  /** of all rows together */
  readonly minutes: number;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGib: number;
    readonly kernel: string;
    readonly node: string;
    readonly java?: string;
    readonly redis?: string;
    /** Load averages before and after: others were at work where the first is above 1. */
    readonly loadBefore: number;
    readonly loadAfter: number;
  };
  readonly cells: readonly Cell[];
  readonly missing: readonly Missing[];
}

const folder = new URL('./results/', import.meta.url);

export function machineNow(
  loadBefore: number,
  versions: { readonly java?: string; readonly redis?: string },
) {
  const load = loadavg()[0] ?? Number.NaN;
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    ...versions,
    loadBefore,
    loadAfter: load,
  };
}

/** Whole or not at all: who is stopped meanwhile leaves what was there before. */
export function writeResults(results: Results, name = 'latest.json', place: URL = folder): void {
  mkdirSync(place, { recursive: true });
  const part = new URL(`${name}.part`, place);
  writeFileSync(part, `${JSON.stringify(results, undefined, 1)}\n`);
  renameSync(part, new URL(name, place));
}

export function readResults(name = 'latest.json', place: URL = folder): Results {
  return JSON.parse(readFileSync(new URL(name, place), 'utf8')) as Results;
}

const UNFINISHED = 'unfinished.json';
/** Of a run that has not come to its end; as people name it. */
export const unfinishedFile = `bench/results/${UNFINISHED}`;

export function writeUnfinished(results: Results, place?: URL): void {
  writeResults(results, UNFINISHED, place);
}

/** What a run that was stopped has left, if it was of the same set and lengths. */
export function readUnfinished(
  wanted: Pick<Results, 'set' | 'runs' | 'seconds'>,
  place: URL = folder,
): Results | undefined {
  if (!existsSync(new URL(UNFINISHED, place))) return undefined;
  const left = readResults(UNFINISHED, place);
  const isSame = left.set === wanted.set && left.runs === wanted.runs && left.seconds === wanted.seconds;
  return isSame ? left : undefined;
}

export function dropUnfinished(place: URL = folder): void {
  rmSync(new URL(UNFINISHED, place), { force: true });
}
