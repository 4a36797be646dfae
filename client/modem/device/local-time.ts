import type { Clock } from '../../../protocol/clock.ts';
import { isRecord, type KeptSettings } from '../kept-settings.ts';

/** What a server may have written of the modem's time. */
interface KeptTime {
  readonly timezone: string | undefined;
  readonly utcOffset: string | undefined;
}

const section = 'time';
const asMade: KeptTime = { timezone: undefined, utcOffset: undefined };

/** The modem's time: the machine's, in the machine's zone, unless a server says otherwise. */
export class LocalTime {
  readonly #clock: Clock;
  readonly #settings: KeptSettings;
  #kept: KeptTime;
  /** What a server's time was ahead of the machine's, s. A modem that starts has the network's again. */
  #ahead = 0;

  /** @throws StateFileError */
  constructor(clock: Clock, settings: KeptSettings) {
    this.#clock = clock;
    this.#settings = settings;
    this.#kept = settings.read(section, parseKept) ?? asMade;
    settings.onClear(() => {
      this.#kept = asMade;
      this.#ahead = 0;
    });
  }

  /** Seconds since the epoch. */
  get current(): number {
    return Math.floor(this.#clock.wallTime() / 1_000) + this.#ahead;
  }

  set current(seconds: number) {
    this.#ahead = seconds - Math.floor(this.#clock.wallTime() / 1_000);
  }

  /** IANA name. */
  get timezone(): string {
    return this.#kept.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  }

  set timezone(name: string) {
    this.#keep({ timezone: name });
  }

  /** `+02:00`; what the server wrote, or what holds in the zone at the moment. */
  get utcOffset(): string {
    return this.#kept.utcOffset ?? offsetIn(this.timezone, this.current * 1_000);
  }

  set utcOffset(offset: string) {
    this.#keep({ utcOffset: offset });
  }

  #keep(change: Partial<KeptTime>): void {
    const next = { ...this.#kept, ...change };
    this.#settings.write(section, next);
    this.#kept = next;
  }
}

/** Whether it is a zone of the IANA database that this machine knows. */
export function isTimezone(name: string): boolean {
  // A fixed offset, which Intl takes as well, is no zone.
  if (/^[+-]/.test(name)) return false;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Whether it is an offset as ISO 8601 or the Device object write them: `+02:00`, `-0330`, `UTC+2`, `Z`. */
export function isUtcOffset(text: string): boolean {
  if (text === 'Z' || text === 'UTC') return true;
  const match = /^(?:UTC)?([+-])(\d{1,2})(?::?([0-5]\d))?$/.exec(text);
  if (match === null) return false;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  // From Baker Island to the Line Islands.
  return minutes <= (match[1] === '-' ? 12 : 14) * 60;
}

function offsetIn(timezone: string, time: number): string {
  const parts = new Intl.DateTimeFormat('en', { timeZone: timezone, timeZoneName: 'longOffset' });
  const name = parts.formatToParts(time).find((part) => part.type === 'timeZoneName')?.value ?? '';
  const offset = name.replace('GMT', '');
  return offset === '' ? '+00:00' : offset;
}

function parseKept(value: unknown): KeptTime | undefined {
  if (!isRecord(value)) return undefined;
  const { timezone, utcOffset } = value;
  if (timezone !== undefined && !(typeof timezone === 'string' && isTimezone(timezone))) return undefined;
  if (utcOffset !== undefined && !(typeof utcOffset === 'string' && isUtcOffset(utcOffset))) return undefined;
  return { timezone, utcOffset };
}
