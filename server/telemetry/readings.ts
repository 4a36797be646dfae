import { toApiValue } from '../../objects/values.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { HistoryReading } from '../ports/history.ts';
import { type LastValue, plausiblyAhead } from '../ports/last-values.ts';
import type { Pack, ReadingValue, Series } from './pack.ts';

/** SenML times below this are relative to now (RFC 8428 §4.5.3). Seconds. */
const RELATIVE_BELOW = 2 ** 28;
/** A time this far behind receipt is a clock that was never set. µs. */
const MAX_BEHIND = 10 * 365 * 86_400 * 1_000_000;

export interface PackSource {
  readonly endpoint: string;
  /** µs since the epoch. */
  readonly receivedAt: number;
  /** The freshness rule of RFC 7641 §3.4. */
  readonly fresh: boolean;
  readonly records: readonly LwM2mRecord[];
  /** Object id of the IoT Sensor object, whose instances carry their own time (resource 4, µs). */
  readonly sensorObject: number;
}

/**
 * Groups records by path and gives each its time: SenML's, else the sensor object's own, else that of
 * receipt. Implausible times are kept as `claimedAt`, and the reading stands at its receipt.
 * `selfTimed` tells whether every reading stands at a time that the device gave: then equal bytes are the
 * same readings.
 */
export function packReadings(source: PackSource): { readonly pack: Pack; readonly selfTimed: boolean } {
  const { receivedAt, records } = source;
  const ownTimes = sensorTimes(records, source.sensorObject);
  const builders: SeriesBuilder[] = [];
  // Most packs are of one path.
  let byPath: Map<string, SeriesBuilder> | undefined;
  let selfTimed = records.length > 0;
  let lastPath = '';
  let builder: SeriesBuilder | undefined;
  for (const record of records) {
    if (builder === undefined || record.path !== lastPath) {
      if (builder !== undefined) byPath ??= new Map([[lastPath, builder]]);
      lastPath = record.path;
      builder = byPath?.get(lastPath);
      if (builder === undefined) {
        builder = { path: lastPath, takenAt: [], values: [], claimedAt: undefined };
        byPath?.set(lastPath, builder);
        builders.push(builder);
      }
    }
    const time = record.time;
    let claimed: number | undefined;
    if (time === undefined) claimed = ownTimes?.get(instanceOf(lastPath));
    else if (time >= RELATIVE_BELOW) claimed = Math.round(time * 1_000_000);
    else claimed = Math.round(receivedAt + time * 1_000_000);
    const plausible =
      claimed === undefined || (claimed <= receivedAt + plausiblyAhead && claimed >= receivedAt - MAX_BEHIND);
    // A clock that was never set says the same again and again: such readings stand at their receipt.
    if (!plausible || (time === undefined ? claimed === undefined : time < RELATIVE_BELOW)) selfTimed = false;
    builder.takenAt.push(plausible ? (claimed ?? receivedAt) : receivedAt);
    builder.values.push(toApiValue(record.value));
    // A claim of so many seconds that they are no number of microseconds cannot be told.
    if (!plausible && Number.isFinite(claimed)) {
      builder.claimedAt ??= [];
      builder.claimedAt[builder.takenAt.length - 1] = claimed;
    }
  }
  const series: Series[] = [];
  for (const { path, takenAt, values, claimedAt } of builders) {
    series.push(claimedAt === undefined ? { path, takenAt, values } : { path, takenAt, values, claimedAt });
  }
  return {
    pack: { endpoint: source.endpoint, receivedAt, overtaken: !source.fresh && !selfTimed, series },
    selfTimed,
  };
}

interface SeriesBuilder {
  readonly path: string;
  readonly takenAt: number[];
  readonly values: ReadingValue[];
  claimedAt: (number | undefined)[] | undefined;
}

/** Taken At of each sensor instance in the pack, by instance path. */
function sensorTimes(records: readonly LwM2mRecord[], sensorObject: number): Map<string, number> | undefined {
  const first = records[0];
  if (first === undefined || first.time !== undefined || !first.path.startsWith(`/${sensorObject}/`)) {
    return undefined;
  }
  let times: Map<string, number> | undefined;
  for (const { path, value } of records) {
    if (
      path.endsWith('/4') &&
      (typeof value === 'number' || typeof value === 'bigint') &&
      Number(value) > 0
    ) {
      const instance = instanceOf(path);
      if (path === `${instance}/4`) {
        times ??= new Map();
        times.set(instance, Number(value));
      }
    }
  }
  return times;
}

/** `/42770/0` of `/42770/0/2`. */
function instanceOf(path: string): string {
  const second = path.indexOf('/', 1);
  const third = second < 0 ? -1 : path.indexOf('/', second + 1);
  return third < 0 ? path : path.slice(0, third);
}

/** The newest value of each path of a pack, by the time it was taken; the later one of the pack where equal. */
export function newestValues(pack: Pack): LastValue[] {
  const { receivedAt } = pack;
  return pack.series.flatMap(({ path, takenAt: times, values }) => {
    let index = 0;
    for (let i = 1; i < times.length; i++) if ((times[i] ?? 0) >= (times[index] ?? 0)) index = i;
    const takenAt = times[index];
    const value = values[index];
    return takenAt === undefined || value === undefined ? [] : [{ path, value, takenAt, receivedAt }];
  });
}

/** A series as history and API have it. */
export function historyReadings(series: Series, receivedAt: number): HistoryReading[] {
  return series.takenAt.map((takenAt, index) => {
    const value = series.values[index] ?? '';
    const claimedAt = series.claimedAt?.[index];
    return claimedAt === undefined
      ? { takenAt, receivedAt, value }
      : { takenAt, receivedAt, value, claimedAt };
  });
}
