import type { Clock, Timer } from '../../protocol/clock.ts';
import type { ObservationEnd, Observer } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { contentFormatOption } from '../../protocol/coap/options.ts';
import { isAtOrBelow } from '../../protocol/lwm2m/path.ts';
import { OperationError } from './operation-error.ts';

/** What is sent to an observer now. @throws OperationError it is gone, or cannot be read any more */
export type Snapshot = () => { readonly contentFormat: number; readonly payload: Uint8Array };

export interface ObservationsOptions {
  readonly clock: Clock;
  /** Notification attributes that hold at a path, in seconds. */
  readonly minimumPeriod: (path: string) => number;
  readonly maximumPeriod: (path: string) => number | undefined;
}

/** What a timer of the system can wait, ms: beyond it, it would fire at once. */
export const longestTimer = 2 ** 31 - 1;

interface Observation {
  readonly path: string;
  readonly observer: Observer;
  readonly snapshot: Snapshot;
  sentAt: number;
  /** Something has changed since what was sent last. */
  dirty: boolean;
  inFlight: boolean;
  timer: Timer | undefined;
  /** Who waits for what is sent next, and for what is under way. */
  waiting: ((delivered: boolean) => void)[];
}

/**
 * Tells observers of changed values (OMA-TS-LightweightM2M_Core §6.4.2): never sooner than pmin after
 * the last time, at least every pmax, confirmable, the newest state only and one at a time.
 */
export class Observations {
  readonly #options: ObservationsOptions;
  readonly #observations = new Set<Observation>();
  #paused = false;

  constructor(options: ObservationsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#observations.size;
  }

  /** Takes an observer on, whom the first value has been told. One of the same peer at the same path goes. */
  add(path: string, observer: Observer, snapshot: Snapshot): void {
    for (const other of this.#observations) {
      if (other.path === path && other.observer.peer === observer.peer) {
        this.#drop(other);
        other.observer.end();
      }
    }
    const added: Observation = {
      path,
      observer,
      snapshot,
      sentAt: this.#options.clock.now(),
      dirty: false,
      inFlight: false,
      timer: undefined,
      waiting: [],
    };
    this.#observations.add(added);
    this.#schedule(added);
  }

  /** The endpoint says that an observer is one no longer. */
  ended(observer: Observer, _reason: ObservationEnd): void {
    for (const observation of this.#observations) {
      if (observation.observer === observer) this.#drop(observation);
    }
  }

  /** Values at these paths have changed, all at once. */
  changed(paths: readonly string[]): void {
    for (const observation of this.#observations) {
      if (observation.dirty || !paths.some((path) => touches(observation.path, path))) continue;
      observation.dirty = true;
      this.#schedule(observation);
    }
  }

  /**
   * Sends the present state at `path` to those who observe it or what it is part of, without regard to
   * pmin; resolves when each has acknowledged it or is given up. False where one was given up or nobody observes.
   */
  async deliver(path: string): Promise<boolean> {
    if (this.#paused) return false;
    const told = [...this.#observations].filter((each) => touches(each.path, path));
    const results = told.map(
      (observation) =>
        new Promise<boolean>((resolve) => {
          observation.waiting.push(resolve);
          observation.dirty = true;
          if (!observation.inFlight) this.#send(observation);
        }),
    );
    const delivered = await Promise.all(results);
    return delivered.length > 0 && delivered.every((each) => each);
  }

  /** Attributes have changed: periods are measured anew from the last notification. */
  reschedule(): void {
    for (const observation of this.#observations) this.#schedule(observation);
  }

  /** Forgets all observers, without telling them. */
  clear(): void {
    for (const observation of [...this.#observations]) {
      this.#drop(observation);
      observation.observer.end();
    }
  }

  pause(): void {
    this.#paused = true;
    for (const observation of this.#observations) observation.timer?.cancel();
  }

  resume(): void {
    this.#paused = false;
    this.reschedule();
  }

  #drop(observation: Observation): void {
    this.#observations.delete(observation);
    observation.timer?.cancel();
    for (const resolve of observation.waiting) resolve(false);
    observation.waiting = [];
  }

  #schedule(observation: Observation): void {
    observation.timer?.cancel();
    observation.timer = undefined;
    if (this.#paused || observation.inFlight || !this.#observations.has(observation)) return;
    const { clock, minimumPeriod, maximumPeriod } = this.#options;
    const now = clock.now();
    const minimum = observation.sentAt + minimumPeriod(observation.path) * 1_000;
    const maximum = (maximumPeriod(observation.path) ?? Number.POSITIVE_INFINITY) * 1_000;
    const urgent = observation.waiting.length > 0;
    const due = urgent ? now : observation.dirty ? minimum : Math.max(minimum, observation.sentAt + maximum);
    if (due === Number.POSITIVE_INFINITY) return;
    if (due <= now) this.#send(observation);
    else {
      const delay = Math.min(Math.max(1, due - now), longestTimer);
      observation.timer = clock.setTimer(delay, () => this.#schedule(observation));
    }
  }

  #send(observation: Observation): void {
    if (this.#paused) return;
    observation.timer?.cancel();
    observation.timer = undefined;
    let notification: ReturnType<Snapshot>;
    try {
      notification = observation.snapshot();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      // An error response ends the observation (RFC 7641 §4.2).
      observation.observer.notify({ code: error.code }, { confirmable: true });
      this.#drop(observation);
      return;
    }
    observation.dirty = false;
    observation.inFlight = true;
    observation.sentAt = this.#options.clock.now();
    const told = observation.waiting;
    observation.waiting = [];
    observation.observer.notify(
      {
        code: Code.CONTENT,
        options: [contentFormatOption(notification.contentFormat)],
        payload: notification.payload,
      },
      { confirmable: true, keep: true },
      (delivered) => {
        observation.inFlight = false;
        for (const resolve of told) resolve(delivered);
        this.#schedule(observation);
      },
    );
  }
}

/** Whether a change at `changed` shows in what is observed at `observed`, or the reverse. */
function touches(observed: string, changed: string): boolean {
  return isAtOrBelow(changed, observed) || isAtOrBelow(observed, changed);
}
