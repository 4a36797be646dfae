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

/** @throws Error in one line, where results cannot be written: better before the first row than after it */
export function checkWritable(place: URL = folder): void {
  try {
    mkdirSync(place, { recursive: true });
    const trial = new URL('writable.part', place);
    writeFileSync(trial, '');
    rmSync(trial);
  } catch (error) {
    throw new Error(`results cannot be written to bench/results: ${(error as Error).message}`);
  }
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

/** What a run of a set has found that has not come to its end: each set has a file of its own. */
const unfinishedName = (set: Results['set']): string => `unfinished-${set}.json`;
/** As people name it. */
export const unfinishedFile = (set: Results['set']): string => `bench/results/${unfinishedName(set)}`;

export function writeUnfinished(results: Results, place?: URL): void {
  writeResults(results, unfinishedName(results.set), place);
}

/** What a run that was stopped has left, if it was of the same set and lengths. */
export function readUnfinished(
  wanted: Pick<Results, 'set' | 'runs' | 'seconds'>,
  place: URL = folder,
): Results | undefined {
  const name = unfinishedName(wanted.set);
  if (!existsSync(new URL(name, place))) return undefined;
  const left = readResults(name, place);
  return left.runs === wanted.runs && left.seconds === wanted.seconds ? left : undefined;
}

export function dropUnfinished(set: Results['set'], place: URL = folder): void {
  rmSync(new URL(unfinishedName(set), place), { force: true });
}
