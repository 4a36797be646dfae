import { RequestError } from '../../protocol/errors.ts';
import type { WallClockTime } from '../../protocol/temporenc.ts';

const MINUTE = 60_000;

/** Tells which moment a device's wall clock means. */
export interface TimeZone {
  /**
   * µs since the epoch; undefined where a part is missing, or there is no such day. Of an hour that a zone has twice
   * the first is meant, and one that it leaves out is taken as if the clock had not been set.
   */
  momentOf(time: WallClockTime): number | undefined;
}

/**
 * @param name `UTC`, an offset (`+02:00`, `-05:30`), or a zone of the IANA time zone database (`America/New_York`)
 * @throws RequestError it is none of these
 */
export function timeZone(name: string): TimeZone {
  const offset = offsetOf(name) ?? offsetsOfZone(name);
  return {
    momentOf: (time) => {
      const local = utcOf(time);
      if (local === undefined) return undefined;
      return (local - offset(local)) * 1000 + time.microsecond;
    },
  };
}

/** ms that local time is ahead of UTC, for a local time in ms as if it were UTC. */
type Offset = (local: number) => number;

function offsetOf(name: string): Offset | undefined {
  if (name === 'UTC') return () => 0;
  const match = /^([+-])(\d{2}):(\d{2})$/.exec(name);
  if (match === null) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  if (Number(match[3]) > 59 || minutes > 14 * 60) throw new RequestError(`'${name}' is no offset from UTC`);
  const ahead = (match[1] === '-' ? -minutes : minutes) * MINUTE;
  return () => ahead;
}

function offsetsOfZone(name: string): Offset {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new RequestError(`'${name}' is no time zone: UTC, an offset as +02:00, or one as America/New_York`);
  }
  const aheadAt = (moment: number): number => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(moment)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(moment / 1000) * 1000;
  };
  return (local) => {
    // A day before and after whatever change of the clocks there is near.
    const before = aheadAt(local - 86_400_000);
    const after = aheadAt(local + 86_400_000);
    if (before === after) return before;
    // In order, so that of two moments with the same local time the first one is found.
    for (const ahead of [before, after]) if (aheadAt(local - ahead) === ahead) return ahead;
    return before;
  };
}

/** ms since the epoch as if it were UTC. */
function utcOf({ year, month, day, hour, minute, second }: WallClockTime): number | undefined {
  if (year === undefined || month === undefined || day === undefined) return undefined;
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  // Not Date.UTC: it takes years below 100 for those of the last century.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  // A leap second is the first one of the next minute: Unix time has none.
  return date.setUTCHours(hour, minute, second);
}
