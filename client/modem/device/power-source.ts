import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../protocol/clock.ts';

/** Battery Status of the Device object (/3/0/20). */
export const BatteryStatus = {
  NORMAL: 0,
  CHARGING: 1,
  CHARGE_COMPLETE: 2,
  LOW: 4,
  UNKNOWN: 6,
} as const;
export type BatteryStatus = (typeof BatteryStatus)[keyof typeof BatteryStatus];

/** Kinds of power source, as Available Power Sources has them (/3/0/6). */
const Source = { INTERNAL_BATTERY: 1, USB: 5, MAINS: 6 } as const;

/** One power source: of the first of them the battery level is told. */
export interface PowerSupply {
  readonly kind: number;
  /** mV; undefined: not measured. */
  readonly voltage: number | undefined;
  /** mA; undefined: not measured. */
  readonly current: number | undefined;
}

export interface PowerReading {
  readonly supplies: readonly PowerSupply[];
  /** Per cent. */
  readonly level: number;
  readonly status: BatteryStatus;
}

/** Where a modem has its power from. */
export interface PowerSource {
  read(): PowerReading;
}

/** Hours from full to a fifth, and back on the charger. */
const dischargeHours = 40;
const chargeHours = 10;
const lowest = 20;
const lowLevel = 15;

/**
 * A battery that goes down in the field and is charged again, with the 3.3 to 4.2 V of a lithium cell.
 * The seed says where in that it is.
 */
export function simulatedPower(clock: Clock, seed: number): PowerSource {
  return {
    read() {
      const { level, charging } = battery(clock.wallTime(), seed);
      const usb = { kind: Source.USB, voltage: charging ? 5_000 : 0, current: charging ? 900 : 0 };
      return {
        supplies: [
          { kind: Source.INTERNAL_BATTERY, voltage: 3_300 + level * 9, current: charging ? 850 : -210 },
          usb,
        ],
        level,
        status: charging ? BatteryStatus.CHARGING : BatteryStatus.NORMAL,
      };
    },
  };
}

/** The charge in per cent at a time (ms since the epoch), and whether it is being charged. */
export function battery(time: number, seed = 0): { readonly level: number; readonly charging: boolean } {
  const hours = (time / 3_600_000 + (seed % 997)) % (dischargeHours + chargeHours);
  if (hours < dischargeHours) {
    return { level: Math.round(100 - ((100 - lowest) * hours) / dischargeHours), charging: false };
  }
  return {
    level: Math.round(lowest + ((100 - lowest) * (hours - dischargeHours)) / chargeHours),
    charging: true,
  };
}

/** A reading of the machine is good for so long, ms. */
const readingAge = 10_000;

/**
 * The battery of the machine that the modem runs on, as Linux shows it; undefined where it has none, or is
 * another system.
 */
export function machinePower(clock: Clock, folder = '/sys/class/power_supply'): PowerSource | undefined {
  if (readMachine(folder) === undefined) return undefined;
  let last: PowerReading | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    read() {
      if (last === undefined || clock.now() - readAt >= readingAge) {
        // A battery that was taken out keeps its last reading, of an unknown state.
        last = readMachine(folder) ?? {
          supplies: [],
          level: last?.level ?? 0,
          status: BatteryStatus.UNKNOWN,
        };
        readAt = clock.now();
      }
      return last;
    },
  };
}

function readMachine(folder: string): PowerReading | undefined {
  let level: number | undefined;
  let status: BatteryStatus = BatteryStatus.UNKNOWN;
  const batteries: PowerSupply[] = [];
  const others: PowerSupply[] = [];
  for (const name of entries(folder)) {
    const supply = join(folder, name);
    const kind = text(supply, 'type');
    const capacity = number(supply, 'capacity');
    if (kind === 'Battery' && capacity !== undefined && text(supply, 'scope') !== 'Device') {
      level ??= Math.min(100, Math.max(0, Math.round(capacity)));
      if (batteries.length === 0) status = statusOf(text(supply, 'status'), level);
      batteries.push(measured(supply, Source.INTERNAL_BATTERY));
    } else if ((kind === 'Mains' || kind === 'USB') && number(supply, 'online') === 1) {
      others.push(measured(supply, kind === 'USB' ? Source.USB : Source.MAINS));
    }
  }
  return level === undefined ? undefined : { supplies: [...batteries, ...others], level, status };
}

function measured(supply: string, kind: number): PowerSupply {
  const thousandth = (value: number | undefined) =>
    value === undefined ? undefined : Math.round(value / 1_000);
  return {
    kind,
    voltage: thousandth(number(supply, 'voltage_now')),
    current: thousandth(number(supply, 'current_now')),
  };
}

function statusOf(status: string | undefined, level: number): BatteryStatus {
  if (status === 'Charging') return BatteryStatus.CHARGING;
  if (status === 'Full') return BatteryStatus.CHARGE_COMPLETE;
  if (status !== 'Discharging' && status !== 'Not charging') return BatteryStatus.UNKNOWN;
  return level < lowLevel ? BatteryStatus.LOW : BatteryStatus.NORMAL;
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Files of sysfs come, go and refuse as their driver likes: what cannot be read is not known. */
function text(supply: string, file: string): string | undefined {
  try {
    return readFileSync(join(supply, file), 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return undefined;
    throw error;
  }
}

function number(supply: string, file: string): number | undefined {
  const found = text(supply, file);
  return found === undefined || !/^-?\d+$/.test(found) ? undefined : Number(found);
}
