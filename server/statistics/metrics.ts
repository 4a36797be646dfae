import type { DeviceCounts } from '../ports/device-store.ts';
import type { StatisticsRow } from '../ports/statistics-store.ts';

/** What there is: the last of a step is told. */
export const gaugeNames = [
  'known',
  'registered',
  'awake',
  'asleep',
  'lost',
  'left',
] as const satisfies readonly (keyof DeviceCounts)[];

/** What happens: the sum of a step is told. */
export const counterNames = [
  'readings',
  'notifications',
  'switches-ack',
  'switches-nack',
  'switches-other',
  'events',
] as const;
export type CounterName = (typeof counterNames)[number];
export type Counters = Record<CounterName, number>;

export const metricNames = [...gaugeNames, ...counterNames] as const;
export type MetricName = (typeof metricNames)[number];

export type SwitchOutcome = 'ack' | 'nack' | 'other';
export type SwitchCounts = Record<SwitchOutcome, number>;

export function sumOf(rows: readonly StatisticsRow[], name: CounterName): number {
  return rows.reduce((sum, { counters }) => sum + (counters[name] ?? 0), 0);
}

export function switchesOf(rows: readonly StatisticsRow[]): SwitchCounts {
  return {
    ack: sumOf(rows, 'switches-ack'),
    nack: sumOf(rows, 'switches-nack'),
    other: sumOf(rows, 'switches-other'),
  };
}

/** What a row has of a metric; undefined where it has nothing of it. */
export function metricOf({ gauges, counters }: StatisticsRow, metric: MetricName): number | undefined {
  return gauges[metric] ?? counters[metric];
}

export function isGauge(metric: MetricName): boolean {
  return (gaugeNames as readonly string[]).includes(metric);
}
