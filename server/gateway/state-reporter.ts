import type { Clock, Timer } from '../../protocol/clock.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { Report, TelemetryIngest } from '../telemetry/ingest.ts';
import { type ReportSource, reportOf } from './report.ts';

/** What may wait for a store that is away; beyond it the oldest is given up, as newer ones say more. */
const MAX_WAITING = 100;
/** Pause before a store that did not take a report is asked again, ms. */
const RETRY = 1_000;

export interface StateReporterOptions extends ReportSource {
  readonly ingest: Pick<TelemetryIngest, 'keep'>;
  readonly clock: Clock;
  /** A report was given up: the store was away for longer than what waits may grow. */
  readonly onLost: () => void;
}

interface Waiting {
  readonly report: Report;
  /** Of one that something is built on: now or not at all. */
  readonly settle: ((error?: StoreUnavailableError) => void) | undefined;
}

/**
 * Brings the state of one device into the log of readings, strictly in the order in which it came about: what is last
 * in the log is what holds, also for the process that comes after this one. So one report is under way at a time, and
 * one that the store did not take is never overtaken.
 */
export class StateReporter {
  readonly #options: StateReporterOptions;
  #waiting: Waiting[] = [];
  /** The first one is with the store. */
  #underWay = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: StateReporterOptions) {
    this.#options = options;
  }

  /** Is tried until it is durable. */
  report(records: readonly LwM2mRecord[]): void {
    if (this.#closed) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.splice(this.#underWay ? 1 : 0, 1);
      this.#options.onLost();
    }
    this.#waiting.push({ report: reportOf(this.#options, records, new Uint8Array()), settle: undefined });
    this.#goOn();
  }

  /**
   * Resolves when it is durable, so that something may be built on it, and all that was reported before.
   * @throws StoreUnavailableError it may be in the log, and may not
   */
  record(records: readonly LwM2mRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: StoreUnavailableError): void =>
        error === undefined ? resolve() : reject(error);
      // What came before waits for a store that is away.
      if (this.#closed || this.#timer !== undefined) {
        settle(refused());
        return;
      }
      this.#waiting.push({ report: reportOf(this.#options, records, new Uint8Array()), settle });
      this.#goOn();
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#refuseRecords();
    this.#waiting = [];
  }

  #goOn(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#underWay || this.#timer !== undefined) return;
    this.#underWay = true;
    this.#options.ingest.keep(first.report, (outcome) => {
      this.#underWay = false;
      if (this.#closed) return;
      if (outcome === 'kept') {
        this.#waiting.shift();
        first.settle?.();
        this.#goOn();
        return;
      }
      this.#refuseRecords();
      if (this.#waiting.length === 0) return;
      this.#timer = this.#options.clock.setTimer(RETRY, () => {
        this.#timer = undefined;
        this.#goOn();
      });
    });
  }

  #refuseRecords(): void {
    const records = this.#waiting.filter(({ settle }) => settle !== undefined);
    this.#waiting = this.#waiting.filter(({ settle }) => settle === undefined);
    for (const { settle } of records) settle?.(refused());
  }
}

function refused(): StoreUnavailableError {
  return new StoreUnavailableError('the log of readings did not take the request');
}
