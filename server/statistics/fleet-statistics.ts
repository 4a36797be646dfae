import type { Clock } from '../../protocol/clock.ts';
import type { Counting } from '../cluster/shared-counting.ts';
import type { DeviceCounts, DeviceFacet } from '../ports/device-store.ts';
import type { StatisticsRow, StatisticsSample } from '../ports/statistics-store.ts';
import type { Stores } from '../ports/stores.ts';
import { deviceCounts } from './device-counts.ts';
import {
  gaugeNames,
  isGauge,
  type MetricName,
  metricOf,
  type SwitchCounts,
  sumOf,
  switchesOf,
} from './metrics.ts';
import type { StatisticsSampler } from './sampler.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** Steps of a series, ms. */
const steps = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 7, 30].map((days) => days * DAY),
];
/** Minutes are kept a little longer than this, ms. */
const MINUTES_REACH = 14 * DAY;
/** What is compared with the same moment a week before may be so much away from it, ms. */
const NEAR = 2.5 * MINUTE;
/** Of a time in the past so many of its minutes must have been counted for a sum to be told. */
const COVERAGE = 0.9;

/** How it is with the fleet now, and how it was a week before. Null: nothing was kept of it. */
export interface Overview {
  readonly now: number;
  readonly devices: DeviceCounts;
  /** Of registered devices. */
  readonly carriers: readonly DeviceFacet[];
  readonly switches: SwitchCounts & { readonly pending: number };
  readonly readingsPerSecond: number;
  readonly notificationsPerSecond: number;
  readonly comparison: {
    readonly at: number;
    readonly devices: DeviceCounts | null;
    readonly switches: SwitchCounts | null;
    readonly readingsPerSecond: number | null;
  };
}

/** How it is with the devices of a tenant now. What is counted for all at once cannot be told of one. */
export type TenantOverview = Pick<Overview, 'now' | 'devices' | 'carriers'>;

export interface StatisticsSeries {
  /** ms */
  readonly step: number;
  /** By metric: when a step began, ms since the epoch, and its value. Steps of which nothing was kept are not there. */
  readonly series: Readonly<Partial<Record<MetricName, readonly (readonly [number, number])[]>>>;
}

/** The fleet in figures, now and over time. */
export class FleetStatistics {
  readonly #stores: Pick<Stores, 'devices' | 'commands' | 'statistics'>;
  readonly #sampler: Pick<StatisticsSampler, 'pending' | 'rates'>;
  readonly #clock: Clock;
  readonly #elsewhere: (since: number) => Promise<readonly Counting[]>;

  /** @param elsewhere what other nodes count and have not stored yet */
  constructor(
    stores: Pick<Stores, 'devices' | 'commands' | 'statistics'>,
    sampler: Pick<StatisticsSampler, 'pending' | 'rates'>,
    clock: Clock,
    elsewhere: (since: number) => Promise<readonly Counting[]> = async () => [],
  ) {
    this.#stores = stores;
    this.#sampler = sampler;
    this.#clock = clock;
    this.#elsewhere = elsewhere;
  }

  /** @param since from when carrier switches are counted: the reader's midnight */
  async overview(since: number): Promise<Overview> {
    const { devices, commands, statistics } = this.#stores;
    const now = this.#clock.wallTime();
    const from = Math.floor(since / MINUTE) * MINUTE;
    const [counts, { facets }, pending, stored, before] = await Promise.all([
      devices.counts(now),
      devices.facets(['carrier'], { states: ['registered'] }, now),
      commands.countOpen('carrier-switch'),
      statistics.read({ step: now - from > MINUTES_REACH ? 'hour' : 'minute', from, to: now }),
      this.#comparison(from - WEEK, now - WEEK),
    ]);
    // Read last: what is written meanwhile is counted by neither rather than by both.
    const elsewhere = await this.#elsewhere(from);
    const here = { pending: this.#sampler.pending(from), rates: this.#sampler.rates };
    const all = [here, ...elsewhere];
    const counted = [...stored, ...all.flatMap((counting) => counting.pending.map(asRow))];
    return {
      now,
      devices: counts,
      carriers: facets.carrier ?? [],
      switches: { ...switchesOf(counted), pending },
      readingsPerSecond: all.reduce((sum, { rates }) => sum + rates.readings, 0),
      notificationsPerSecond: all.reduce((sum, { rates }) => sum + rates.notifications, 0),
      comparison: before,
    };
  }

  async ofTenant(tenant: string): Promise<TenantOverview> {
    const { devices } = this.#stores;
    const now = this.#clock.wallTime();
    const registered = { states: ['registered'], tenant: [tenant] } as const;
    const [counts, { facets }] = await Promise.all([
      deviceCounts(devices, now, tenant),
      devices.facets(['carrier'], registered, now),
    ]);
    return { now, devices: counts, carriers: facets.carrier ?? [] };
  }

  /** @param points at most so many steps */
  async series(
    metrics: readonly MetricName[],
    from: number,
    to: number,
    points: number,
  ): Promise<StatisticsSeries> {
    const wanted = (to - from) / points;
    // Minutes of long ago are kept no more.
    const least = from < this.#clock.wallTime() - MINUTES_REACH ? HOUR : MINUTE;
    const step = steps.find((one) => one >= wanted && one >= least) ?? Math.ceil(wanted / DAY) * DAY;
    const begin = Math.floor(from / step) * step;
    const rows = await this.#stores.statistics.read({
      step: step < HOUR ? 'minute' : 'hour',
      from: begin,
      to,
    });
    const series: Partial<Record<MetricName, readonly (readonly [number, number])[]>> = {};
    for (const metric of metrics) series[metric] = seriesOf(rows, metric, step);
    return { step, series };
  }

  async #comparison(from: number, at: number): Promise<Overview['comparison']> {
    const rows = await this.#stores.statistics.read({
      step: 'minute',
      from: Math.min(from, at - NEAR),
      to: at + NEAR,
    });
    const near = rows.filter((row) => row.at >= at - NEAR);
    const closest = near.filter((row) => row.at <= at).at(-1) ?? near[0];
    const day = rows.filter((row) => row.at >= from && row.at < at);
    const covered = closest !== undefined && day.length >= Math.floor((at - from) / MINUTE) * COVERAGE;
    const rated = near.filter((row) => metricOf(row, 'readings') !== undefined);
    return {
      at,
      devices: closest === undefined ? null : countsOf(closest),
      switches: covered ? switchesOf(day) : null,
      readingsPerSecond: rated.length === 0 ? null : sumOf(rated, 'readings') / (rated.length * 60),
    };
  }
}

function seriesOf(
  rows: readonly StatisticsRow[],
  metric: MetricName,
  step: number,
): readonly (readonly [number, number])[] {
  const points: [number, number][] = [];
  const gauge = isGauge(metric);
  for (const row of rows) {
    const value = metricOf(row, metric);
    if (value === undefined) continue;
    const at = Math.floor(row.at / step) * step;
    const last = points.at(-1);
    if (last === undefined || last[0] !== at) points.push([at, value]);
    else last[1] = gauge ? value : last[1] + value;
  }
  return points;
}

function asRow(sample: StatisticsSample): StatisticsRow {
  return { ...sample, minutes: 1 };
}

/** Null where the row was written before anything was counted. */
function countsOf({ gauges }: StatisticsRow): DeviceCounts | null {
  if (gaugeNames.some((name) => gauges[name] === undefined)) return null;
  return Object.fromEntries(gaugeNames.map((name) => [name, gauges[name]])) as unknown as DeviceCounts;
}
