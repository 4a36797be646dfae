import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { Cell } from './measure.ts';

/** A peer that did not run, and why. */
export interface Missing {
  readonly peer: string;
  readonly reason: string;
}

/** What one run of the benchmark has found: bench/results/latest.json. */
export interface Results {
  readonly version: 1;
  /** ISO 8601 */
  readonly when: string;
  readonly set: 'short' | 'full' | 'part';
  readonly runs: number;
  /** s of one run */
  readonly seconds: number;
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

export function writeResults(results: Results, name = 'latest.json'): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(name, folder), `${JSON.stringify(results, undefined, 1)}\n`);
}

export function readResults(name = 'latest.json'): Results {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Results;
}
