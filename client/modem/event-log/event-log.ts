import type { Clock } from '../../../protocol/clock.ts';

/** Log Event Class (/20/x/4010). Generic is all of them. */
export const LogClass = { GENERIC: 0, SYSTEM: 1, SECURITY: 2, EVENT: 3, TRACE: 4, PANIC: 5 } as const;
export type LogClass = (typeof LogClass)[keyof typeof LogClass];

/** Bits of Log Status (/20/x/4013). */
const Status = { STOPPED: 1, HAS_DATA: 2 } as const;

const names: Readonly<Record<LogClass, string>> = {
  0: 'generic',
  1: 'system',
  2: 'security',
  3: 'event',
  4: 'trace',
  5: 'panic',
};

/** What a log holds at most: entries, and bytes of them all. */
const mostEntries = 128;
const mostBytes = 8_192;

/**
 * The modem's log of what happened: a ring, of which the oldest goes first. It collects from the start; a
 * server may stop and start it, and choose one class.
 */
export class EventLog {
  readonly #clock: Clock;
  #entries: Uint8Array[] = [];
  #bytes = 0;
  #running = true;
  /** GENERIC: all but the trace. */
  logClass: number = LogClass.GENERIC;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get status(): number {
    return (this.#running ? 0 : Status.STOPPED) | (this.#entries.length > 0 ? Status.HAS_DATA : 0);
  }

  /** Lines of text: time, class, what happened. */
  get data(): Uint8Array {
    const data = new Uint8Array(this.#bytes);
    let at = 0;
    for (const entry of this.#entries) {
      data.set(entry, at);
      at += entry.length;
    }
    return data;
  }

  /** Collects; goes on behind what there is where `extend` says so. */
  start(extend: boolean): void {
    this.#running = true;
    if (!extend) this.empty();
  }

  /** Collects no more. */
  stop(empty: boolean): void {
    this.#running = false;
    if (empty) this.empty();
  }

  empty(): void {
    this.#entries = [];
    this.#bytes = 0;
  }

  /** The entry as it stands in the log, which may be stopped; undefined: its class is not logged. */
  add(logClass: LogClass, message: string): Uint8Array | undefined {
    if (!this.#collects(logClass)) return undefined;
    const time = new Date(this.#clock.wallTime()).toISOString();
    const line = `${time} ${names[logClass]} ${message.replaceAll(/[\r\n]+/g, ' ').slice(0, 400)}\n`;
    const entry = new TextEncoder().encode(line);
    if (!this.#running) return entry;
    this.#entries.push(entry);
    this.#bytes += entry.length;
    while (this.#entries.length > mostEntries || this.#bytes > mostBytes) {
      this.#bytes -= this.#entries.shift()?.length ?? 0;
    }
    return entry;
  }

  #collects(logClass: LogClass): boolean {
    return this.logClass === LogClass.GENERIC ? logClass !== LogClass.TRACE : logClass === this.logClass;
  }
}
