import type { DeviceCounts } from '../ports/device-store.ts';
import type { Overview, StatisticsSeries, TenantOverview } from '../statistics/fleet-statistics.ts';
import { type MetricName, metricNames, type SwitchCounts } from '../statistics/metrics.ts';
import type { ApiOverview, ApiStatistics } from './schemas/statistics.ts';

export function presentOverview(overview: Overview): ApiOverview {
  const { comparison } = overview;
  return {
    now: Math.round(overview.now),
    devices: presentCounts(overview.devices),
    carriers: overview.carriers.map(({ value, count }) => ({ carrier: value, count })),
    switches: { ...presentSwitches(overview.switches), pending: overview.switches.pending },
    readingsPerSecond: rounded(overview.readingsPerSecond),
    notificationsPerSecond: rounded(overview.notificationsPerSecond),
    comparison: {
      at: Math.round(comparison.at),
      devices: comparison.devices && presentCounts(comparison.devices),
      switches: comparison.switches && presentSwitches(comparison.switches),
      readingsPerSecond: comparison.readingsPerSecond === null ? null : rounded(comparison.readingsPerSecond),
    },
  };
}

/** What is counted for all alone is not known of one. */
export function presentTenantOverview({ now, devices, carriers }: TenantOverview): ApiOverview {
  return {
    now: Math.round(now),
    devices: presentCounts(devices),
    carriers: carriers.map(({ value, count }) => ({ carrier: value, count })),
    switches: null,
    readingsPerSecond: null,
    notificationsPerSecond: null,
    comparison: null,
  };
}

export function presentStatistics({ step, series }: StatisticsSeries): ApiStatistics {
  const shown: Partial<Record<MetricName, number[][]>> = {};
  for (const name of metricNames) {
    const points = series[name];
    if (points !== undefined) shown[name] = points.map(([at, value]) => [at, value]);
  }
  return { step, series: shown };
}

function presentCounts({ known, registered, awake, asleep, lost, left }: DeviceCounts) {
  return { known, registered, awake, asleep, lost, left };
}

function presentSwitches({ ack, nack, other }: SwitchCounts) {
  return { ack, nack, other };
}

function rounded(rate: number): number {
  return Math.round(rate * 100) / 100;
}
