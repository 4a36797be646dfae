import { thinSpace } from './numbers.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** `12 s ago`, `in 5 min`; ms since the epoch. */
export function relativeTime(at: number, now: number): string {
  const distance = Math.abs(now - at);
  if (distance < second) return 'now';
  const text = coarse(distance);
  return at > now ? `in ${text}` : `${text} ago`;
}

/** `12 s`, or `now`; ms since the epoch. */
export function ageText(at: number, now: number): string {
  return now - at < second ? 'now' : coarse(now - at);
}

/** `23 h 59 min`, at most two units; ms. */
export function durationText(duration: number): string {
  if (duration <= 0) return `0${thinSpace}s`;
  if (duration < second) return `${Math.round(duration)}${thinSpace}ms`;
  const parts = (
    [
      [day, 'd'],
      [hour, 'h'],
      [minute, 'min'],
      [second, 's'],
    ] as const
  ).flatMap(([size, unit], index, all) => {
    const larger = all[index - 1];
    const count = Math.floor((larger === undefined ? duration : duration % larger[0]) / size);
    return [{ count, unit }];
  });
  const first = parts.findIndex((part) => part.count > 0);
  return parts
    .slice(first, first + 2)
    .filter((part) => part.count > 0)
    .map((part) => `${part.count}${thinSpace}${part.unit}`)
    .join(' ');
}

/** The reader's own time zone and UTC under it, to the millisecond (six digits where there are µs). */
export function exactTime(at: number, timeZone?: string): string {
  const local = stamp(at, timeZone);
  const utc = stamp(at, 'UTC');
  const zone = zoneName(at, timeZone);
  return zone === 'UTC' ? `${utc} UTC` : `${local} ${zone}\n${utc} UTC`;
}

/** `14:03:27`, in the reader's time zone. */
export function clockTime(at: number, timeZone?: string): string {
  return stamp(at, timeZone).slice(11, 19);
}

/** `14:03:27.123`, in the reader's time zone. */
export function clockMilliseconds(at: number, timeZone?: string): string {
  return stamp(at, timeZone).slice(11);
}

/** `28 Nov`, in the reader's time zone. */
export function dayText(at: number, timeZone?: string): string {
  const [, month = '1', day = '1'] = stamp(at, timeZone).slice(0, 10).split('-');
  return `${Number(day)} ${months[Number(month) - 1]}`;
}

/** `14:03:27`, and `28 Nov 14:03:27` on another day than that of `now`. */
export function momentText(at: number, now: number, timeZone?: string): string {
  const isToday = stamp(at, timeZone).slice(0, 10) === stamp(now, timeZone).slice(0, 10);
  const clock = clockTime(at, timeZone);
  return isToday ? clock : `${dayText(at, timeZone)} ${clock}`;
}

/** RFC 3339 in UTC with µs: what a CSV carries. */
export function isoMicroseconds(at: number): string {
  const whole = Math.floor(at);
  const micros = Math.round((at - whole) * 1000);
  const carried = micros === 1000;
  const iso = new Date(carried ? whole + 1 : whole).toISOString();
  return `${iso.slice(0, -1)}${String(carried ? 0 : micros).padStart(3, '0')}Z`;
}

/** How far a value has faded: what is older than `stale` looks it, and nothing stale looks fresh. */
export function freshness(
  at: number,
  now: number,
  limits: { readonly aging: number; readonly stale: number } = { aging: 15 * second, stale: 2 * minute },
): 'fresh' | 'aging' | 'stale' {
  const age = now - at;
  if (age < limits.aging) return 'fresh';
  return age < limits.stale ? 'aging' : 'stale';
}

function coarse(distance: number): string {
  if (distance < minute) return `${Math.floor(distance / second)}${thinSpace}s`;
  if (distance < hour) return `${Math.floor(distance / minute)}${thinSpace}min`;
  if (distance < 2 * day) return `${Math.floor(distance / hour)}${thinSpace}h`;
  return `${Math.floor(distance / day)}${thinSpace}d`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const formats = new Map<string, Intl.DateTimeFormat>();

function stamp(at: number, timeZone: string | undefined): string {
  let format = formats.get(timeZone ?? '');
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA-u-hc-h23', {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      ...(timeZone !== undefined && { timeZone }),
    });
    formats.set(timeZone ?? '', format);
  }
  const parts = new Map(format.formatToParts(at).map((part) => [part.type as string, part.value]));
  const date = `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
  const time = `${parts.get('hour')}:${parts.get('minute')}:${parts.get('second')}`;
  return `${date} ${time}.${parts.get('fractionalSecond')}`;
}

function zoneName(at: number, timeZone: string | undefined): string {
  const format = new Intl.DateTimeFormat('en', {
    timeZoneName: 'short',
    ...(timeZone !== undefined && { timeZone }),
  });
  return format.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? '';
}
