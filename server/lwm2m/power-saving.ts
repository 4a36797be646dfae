import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { ReadingValue } from '../telemetry/pack.ts';

/** Object 10, Cellular Connectivity. */
export const CELLULAR_CONNECTIVITY = 10;

/** What a device says of how it saves power. Times: seconds. */
export interface PowerSaving {
  /** Extended T3412: it sends at least so often. */
  readonly psmTimer?: number;
  /** T3324: it can be reached for so long after it has spoken. */
  readonly activeTimer?: number;
  /** It can be reached once in such a time. */
  readonly edrxCycle?: number;
  /** Which of them are active; absent: the device does not say. */
  readonly modes?: readonly ('psm' | 'edrx')[];
}

/** eDRX cycles in seconds by the lower four bits of octet 3, 3GPP TS 24.008 table 10.5.5.32. */
const iuCycles = [10.24, 20.48, 40.96, 81.92, 163.84, 327.68, 655.36, 1310.72, 1966.08, 2621.44];
const s1Cycles = [
  5.12, 10.24, 20.48, 40.96, 61.44, 81.92, 102.4, 122.88, 143.36, 163.84, 327.68, 655.36, 1310.72, 2621.44,
  5242.88, 10485.76,
];
/** Values that NB-S1 mode has; all others mean 20.48 s. */
const narrowBand = new Set([2, 3, 5, 9, 10, 11, 12, 13, 14, 15]);

const PSM = 1;
const EDRX = 2;

/** Reads the first instance of object 10 out of values by path; what is not there, or cannot be, is absent. */
export function powerSaving(
  values: Iterable<{ readonly path: string; readonly value: ReadingValue }>,
): PowerSaving {
  const found: { -readonly [K in keyof PowerSaving]?: PowerSaving[K] | undefined } = {};
  const cycles = new Map<number, number>();
  for (const { path, value } of values) {
    const [object, instance, resource, more] = pathIds(path) ?? [];
    if (object !== CELLULAR_CONNECTIVITY || instance !== 0 || more !== undefined) continue;
    if (resource === 4) found.psmTimer = seconds(value);
    if (resource === 5) found.activeTimer = seconds(value);
    if (resource === 7)
      cycles.set(
        7,
        cycleOf(value, (bits) => iuCycles[bits] ?? iuCycles[0]),
      );
    if (resource === 8)
      cycles.set(
        8,
        cycleOf(value, (bits) => s1Cycles[bits]),
      );
    if (resource === 9)
      cycles.set(
        9,
        cycleOf(value, (bits) => s1Cycles[narrowBand.has(bits) ? bits : 2]),
      );
    if (resource === 13) {
      const bits = Number(value);
      found.modes = [...(bits & PSM ? (['psm'] as const) : []), ...(bits & EDRX ? (['edrx'] as const) : [])];
    }
  }
  // The longest of those it has asked for, whatever network it is in.
  const cycle = Math.max(...[...cycles.values()].filter((one) => Number.isFinite(one)));
  return Object.fromEntries(
    Object.entries({ ...found, edrxCycle: cycle }).filter(
      ([, value]) => value !== undefined && (typeof value !== 'number' || Number.isFinite(value)),
    ),
  );
}

/** How long the device listens after it was heard, ms, by what it says: T3324 at the least, where PSM is active. */
export function windowOf({ activeTimer, modes }: PowerSaving): number | undefined {
  if (activeTimer === undefined || activeTimer <= 0) return undefined;
  if (modes !== undefined && !modes.includes('psm')) return undefined;
  return activeTimer * 1_000;
}

function seconds(value: ReadingValue): number | undefined {
  const number = Number(value);
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** `value`: opaque as hex. */
function cycleOf(value: ReadingValue, cycle: (bits: number) => number | undefined): number {
  const octet = Number.parseInt(String(value).slice(0, 2), 16);
  return Number.isNaN(octet) ? Number.NaN : (cycle(octet & 0x0f) ?? Number.NaN);
}
