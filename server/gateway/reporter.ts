import type { Clock, Timer } from '../../protocol/clock.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { Report, TelemetryIngest } from '../telemetry/ingest.ts';
import { type ReportSource, reportOf } from './report.ts';

/** What a device may have waiting for a store that is away: some minutes of three sensors at 1 Hz. */
const MAX_WAITING = 1_000;
/** Pause before a store that did not take a report is asked again, ms. */
const RETRY = 1_000;

export interface ReporterOptions extends ReportSource {
  readonly ingest: Pick<TelemetryIngest, 'keep'>;
  readonly clock: Clock;
  /** A report was given up: the store was away for longer than what waits may grow. */
  readonly onLost: () => void;
}

/**
 * Brings the readings of one device into the log. The protocol acknowledges nothing, so that the device does not send
 * again what the store does not take: it waits here, in order, and within bounds. Readings that are with the store
 * already may overtake one that it did not take: they have times of their own.
 */
export class Reporter {
  readonly #options: ReporterOptions;
  #waiting: Report[] = [];
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /**
   * What the device said, or what follows from it.
   * @param payload the packet: of readings with a time of their own the same bytes are the same readings
   */
  report(records: readonly LwM2mRecord[], payload: Uint8Array): void {
    const report = reportOf(this.#options, records, payload);
    if (this.#waiting.length > 0) this.#hold(report);
    else this.#keep(report);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #keep(report: Report): void {
    this.#options.ingest.keep(report, (outcome) => {
      if (outcome === 'refused') this.#hold(report);
    });
  }

  #hold(report: Report): void {
    if (this.#closed) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.shift();
      this.#options.onLost();
    }
    this.#waiting.push(report);
    this.#timer ??= this.#options.clock.setTimer(RETRY, () => {
      this.#timer = undefined;
      const again = this.#waiting;
      this.#waiting = [];
      for (const one of again) this.#keep(one);
    });
  }
}
