import type { ApiResourceItem, ApiValue } from './api-types.ts';
import { clipped } from './names.ts';
import { displayUnit } from './numbers.ts';

/** Object 42770, IoT Sensor, and those of its resources that the console draws from. */
export const sensorObject = { id: 42770, kind: 1, value: 2, units: 6, samplingPeriod: 7 } as const;

/** Object 42769, Carrier. */
export const carrierObjectId = 42769;

const longestUnit = 24;

/** What is known of one sensor, by its instance. */
export interface Sensor {
  readonly instance: number;
  /** Of its values: `/42770/0/2`. */
  readonly path: string;
  readonly kind: string | undefined;
  readonly units: string | undefined;
  /** Between two readings, µs, as the device said last. */
  readonly samplingPeriod: number | undefined;
}

/** A value at a path, wherever it came from: last values, a read of the object, the live stream. */
export type PathValue = Pick<ApiResourceItem, 'path' | 'value'>;

/** Whether readings of this path are a sensor's values, and of which instance. */
export function sensorInstance(path: string): number | undefined {
  const match = /^\/(\d+)\/(\d+)\/(\d+)$/.exec(path);
  if (match === null || Number(match[1]) !== sensorObject.id || Number(match[3]) !== sensorObject.value) {
    return undefined;
  }
  return Number(match[2]);
}

/** Sensors by instance, with what `items` tell of them; what was known before stays known. */
export function learnSensors(known: ReadonlyMap<number, Sensor>, items: Iterable<PathValue>) {
  const sensors = new Map(known);
  for (const { path, value } of items) {
    const match = /^\/(\d+)\/(\d+)\/(\d+)/.exec(path);
    if (match === null || Number(match[1]) !== sensorObject.id) continue;
    const instance = Number(match[2]);
    const before = sensors.get(instance) ?? {
      instance,
      path: `/${sensorObject.id}/${instance}/${sensorObject.value}`,
      kind: undefined,
      units: undefined,
      samplingPeriod: undefined,
    };
    sensors.set(instance, { ...before, ...learned(Number(match[3]), value) });
  }
  return new Map([...sensors].sort(([a], [b]) => a - b));
}

export function sensorTitle(sensor: Sensor): string {
  return sensor.kind === undefined || sensor.kind === '' ? `Sensor ${sensor.instance}` : clipped(sensor.kind);
}

export function sensorUnit(sensor: Sensor): string {
  return clipped(displayUnit(sensor.units), longestUnit);
}

function learned(resource: number, value: ApiValue): Partial<Sensor> {
  if (resource === sensorObject.samplingPeriod && typeof value === 'number') return { samplingPeriod: value };
  if (typeof value !== 'string') return {};
  if (resource === sensorObject.kind) return { kind: value };
  if (resource === sensorObject.units) return { units: value };
  return {};
}
