import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DecodeError } from '../../protocol/errors.ts';
import type { ReportSource } from './ingest.ts';

/** One line for each device in that time, ms: what a device sends must not fill the disk with log. */
const INTERVAL = 60_000;
/** Devices remembered; beyond it all are forgotten, which costs a line each. */
const MAX_DEVICES = 10_000;

/** Tells of notifications and Sends that cannot be read, with how many more there were since the last line. */
export class UnreadableLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #told = new Map<string, { at: number; since: number }>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  tell({ endpoint, path }: ReportSource, error: DecodeError, payload: Uint8Array): void {
    const now = this.#clock.now();
    const told = this.#told.get(endpoint);
    if (told !== undefined && now - told.at < INTERVAL) {
      told.since++;
      return;
    }
    if (this.#told.size >= MAX_DEVICES) this.#told.clear();
    this.#told.set(endpoint, { at: now, since: 0 });
    const start = Buffer.from(payload.subarray(0, 32)).toString('hex');
    const more = told === undefined || told.since === 0 ? {} : { moreSinceLastLine: told.since };
    this.#log.warn(
      { endpoint, path, reason: error.message, start, ...more },
      'what a device reported cannot be read',
    );
  }
}
