import type { Clock } from '../../protocol/clock.ts';
import type { ObservationEnd, Observer } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { contentFormatOption } from '../../protocol/coap/options.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { AttributeStore } from './attributes.ts';
import { type HistoryBudget, NotificationHistory } from './notification-history.ts';
import { Observation, type Observed, observationKey, type ValuesAt } from './observation.ts';
import { ObservationConditions, type ReportingDefaults } from './observation-conditions.ts';
import { OperationError } from './operation-error.ts';

export interface ObservationsOptions {
  readonly clock: Clock;
  /** What the server wrote to the nodes. */
  readonly attributes: AttributeStore;
  readonly defaults: () => ReportingDefaults;
  readonly valuesAt: ValuesAt;
  /** Whether the server may read it; one that may not does not learn that it has changed either. Default: yes. */
  readonly mayRead?: (path: string) => boolean;
  /** What is told before anything else that waits for its turn: somebody waits for it. Default: nothing. */
  readonly first?: string | undefined;
  /** Notification Storing When Disabled or Offline; default: yes. */
  readonly storing?: () => boolean;
}

/** What a timer of the system can wait, ms: beyond it, it would fire at once. */
export const longestTimer = 2 ** 31 - 1;
/** After a notification that could not be sent although its observer is still there, ms. */
const retryDelay = 1_000;
/** Values of the past that go into one notification. */
const historyPerNotification = 200;
/** Observations that ended in silence and whose history waits for the next of the same paths. */
const mostOrphans = 32;

/**
 * Tells observers of changed values (OMA-TS-LightweightM2M_Core §5.1.2, §6.4.2): what is worth telling by the
 * attributes that hold, never sooner than pmin after the last time, at least every pmax, one notification at a
 * time. What cannot be told is kept as hqmax says, else the newest state is told when it can be.
 */
export class Observations {
  readonly #options: ObservationsOptions;
  readonly #observations = new Set<Observation>();
  readonly #orphans = new Map<string, NotificationHistory>();
  readonly #histories: HistoryBudget = { used: 0 };
  #paused = false;

  constructor(options: ObservationsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#observations.size;
  }

  /** The attributes as they hold for an observation. */
  conditionsOf(observed: Omit<Observed, 'observer'>): ObservationConditions {
    return new ObservationConditions(observed, this.#options.attributes, this.#options.defaults);
  }

  /** Takes an observer on, whom the first values have been told. One of the same peer at the same paths goes. */
  add(observed: Observed, told: readonly LwM2mRecord[]): void {
    const key = observationKey(observed);
    let history = this.#orphans.get(key);
    this.#orphans.delete(key);
    for (const other of this.#observations) {
      const { observer } = other.observed;
      if (observationKey(other.observed) !== key || observer.peer !== observed.observer.peer) continue;
      history = other.history;
      this.#drop(other);
      observer.end();
    }
    const { clock, valuesAt } = this.#options;
    const added = new Observation(
      observed,
      this.conditionsOf(observed),
      history ?? new NotificationHistory(this.#histories),
      valuesAt,
      told,
      clock.now(),
    );
    this.#observations.add(added);
    this.#schedule(added);
  }

  /** The endpoint says that an observer is one no longer. */
  ended(observer: Observer, reason: ObservationEnd): void {
    for (const observation of this.#observations) {
      if (observation.observed.observer !== observer) continue;
      this.#drop(observation);
      if (reason === 'deregistered' || reason === 'reset') observation.history.clear();
      else this.#orphan(observation);
    }
  }

  /** Values at these paths have changed, all at once. A path above resources: what is there has. */
  changed(paths: readonly string[]): void {
    if (this.#observations.size === 0) return;
    const now = this.#options.clock.now();
    const { mayRead } = this.#options;
    const readable = mayRead === undefined ? paths : paths.filter(mayRead);
    for (const observation of this.#observations) {
      // What it was told of may have gone, or may be read no longer: that is told once.
      const counting =
        readable.length === paths.length
          ? paths
          : paths.filter((path) => readable.includes(path) || observation.hasTold(path));
      if (counting.length > 0 && observation.changed(counting, now)) this.#schedule(observation);
    }
  }

  /**
   * Sends the present state at `path` to those who observe it or what it is part of, without regard to
   * pmin; resolves when each has acknowledged it or is given up. False where one was given up or nobody observes.
   */
  async deliver(path: string): Promise<boolean> {
    if (this.#paused) return false;
    const told = [...this.#observations].filter((observation) => observation.shows(path));
    const results = told.map(
      (observation) =>
        new Promise<boolean>((resolve) => {
          observation.waiting.push(resolve);
          observation.dueAt = this.#options.clock.now();
          if (!observation.inFlight) this.#send(observation);
        }),
    );
    const delivered = await Promise.all(results);
    return delivered.length > 0 && delivered.every((each) => each);
  }

  /** Attributes have changed: periods are measured anew from the last notification. */
  reschedule(): void {
    for (const observation of this.#observations) {
      observation.measureAnew();
      this.#schedule(observation);
    }
  }

  /** Forgets all observers, without telling them. What hqmax has kept waits for the next of the same paths. */
  clear(): void {
    for (const observation of [...this.#observations]) {
      this.#drop(observation);
      // What is under way comes back into the history first.
      observation.observed.observer.end();
      this.#orphan(observation);
    }
  }

  pause(): void {
    this.#paused = true;
    for (const observation of this.#observations) this.#schedule(observation);
  }

  resume(): void {
    this.#paused = false;
    const storing = this.#options.storing?.() ?? true;
    for (const observation of this.#observations) {
      if (!storing) observation.history.clear();
      // What hqmax does not have kept, 0 of all that is observed included, is not told later either.
      if (!storing || observation.conditions.longestHistory() === 0) observation.dueAt = undefined;
      if (observation.gone) observation.dueAt = this.#options.clock.now();
      this.#schedule(observation);
    }
  }

  #drop(observation: Observation): void {
    this.#observations.delete(observation);
    observation.timer?.cancel();
    for (const resolve of observation.waiting) resolve(false);
    observation.waiting = [];
  }

  #orphan({ observed, history }: Observation): void {
    if (history.length === 0) return;
    const key = observationKey(observed);
    this.#orphans.get(key)?.clear();
    this.#orphans.delete(key);
    this.#orphans.set(key, history);
    const [oldest] = this.#orphans;
    if (this.#orphans.size <= mostOrphans || oldest === undefined) return;
    oldest[1].clear();
    this.#orphans.delete(oldest[0]);
  }

  /** Does what is due, and sets the timer for what is due next. */
  #schedule(observation: Observation): void {
    observation.timer?.cancel();
    observation.timer = undefined;
    if (!this.#observations.has(observation)) return;
    // Without a history nothing has to be looked at while nothing can be told.
    const blocked = this.#paused || observation.inFlight;
    if (blocked && (observation.gone || !this.#keepsHistory(observation))) return;
    const now = this.#options.clock.now();
    if (!blocked && observation.waiting.length > 0) observation.dueAt = now;
    const nextLook = observation.look(now);
    const due = observation.nextAt;
    if (!blocked && observation.history.length > 0) this.#sendHistory(observation);
    else if (due > now) this.#wake(observation, Math.min(nextLook, due), now);
    else if (blocked) this.#keep(observation, now);
    else this.#send(observation);
  }

  #wake(observation: Observation, at: number, now: number): void {
    if (at === Number.POSITIVE_INFINITY) return;
    const delay = Math.min(Math.max(1, at - now), longestTimer);
    observation.timer = this.#options.clock.setTimer(delay, () => this.#schedule(observation));
  }

  /** While a notification is under way only where the server asks for it, by hqmax. */
  #keepsHistory({ conditions }: Observation): boolean {
    const most = this.#paused ? conditions.longestHistory() : conditions.longestOwnHistory();
    return (most ?? 0) > 0 && (this.#options.storing?.() ?? true);
  }

  /** A notification that cannot be sent now becomes history. */
  #keep(observation: Observation, now: number): void {
    const { conditions, history, observed } = observation;
    let records: readonly LwM2mRecord[];
    try {
      records = observed.read();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      observation.gone = true;
      return;
    }
    history.add(this.#timed(records, now), (path) => conditions.historyLength(path));
    observation.tell(records, now);
    this.#schedule(observation);
  }

  /** Each with its time, seconds since the epoch: its own, or that of the notification (ms, monotonic). */
  #timed(records: readonly LwM2mRecord[], told: number): LwM2mRecord[] {
    const { clock } = this.#options;
    const time = (clock.wallTime() - clock.now() + told) / 1_000;
    return records.map((record) => (record.time === undefined ? { ...record, time } : record));
  }

  /** An error response ends the observation (RFC 7641 §4.2). */
  #end(observation: Observation, error: unknown): void {
    if (!(error instanceof OperationError)) throw error;
    this.#drop(observation);
    observation.history.clear();
    observation.observed.observer.notify({ code: error.code }, { confirmable: true });
  }

  #send(observation: Observation): void {
    if (this.#paused) return;
    observation.timer?.cancel();
    observation.timer = undefined;
    let records: readonly LwM2mRecord[];
    try {
      records = observation.observed.read();
    } catch (error) {
      this.#end(observation, error);
      return;
    }
    observation.tell(records, this.#options.clock.now());
    const told = observation.waiting;
    observation.waiting = [];
    this.#notify(observation, records, (delivered) => {
      for (const resolve of told) resolve(delivered);
      if (!delivered) this.#undelivered(observation, records);
    });
  }

  /** Of the past, what fits one notification; where the format carries no times, one moment of it. */
  #sendHistory(observation: Observation): void {
    const { history, conditions, observed } = observation;
    const records = observed.timed ? history.take(historyPerNotification) : history.takeMoment();
    this.#notify(observation, records, (delivered) => {
      if (!delivered) history.restore(records, (path) => conditions.historyLength(path));
    });
  }

  /** A state that did not arrive: it is history, or the newest is told when that is possible. */
  #undelivered(observation: Observation, records: readonly LwM2mRecord[]): void {
    const { history, conditions, sentAt } = observation;
    if (!this.#keepsHistory(observation)) observation.dueAt = this.#options.clock.now();
    else history.restore(this.#timed(records, sentAt), (path) => conditions.historyLength(path));
  }

  #notify(
    observation: Observation,
    records: readonly LwM2mRecord[],
    done: (delivered: boolean) => void,
  ): void {
    const { observed, conditions } = observation;
    const { first } = this.#options;
    let payload: Uint8Array;
    try {
      payload = observed.encode(records);
    } catch (error) {
      done(false);
      this.#end(observation, error);
      return;
    }
    observation.inFlight = true;
    observed.observer.notify(
      { code: Code.CONTENT, options: [contentFormatOption(observed.contentFormat)], payload },
      {
        confirmable: conditions.confirmable(),
        keep: true,
        first: first !== undefined && observation.shows(first),
      },
      (delivered) => {
        observation.inFlight = false;
        done(delivered);
        if (delivered) this.#schedule(observation);
        else if (this.#observations.has(observation)) {
          // Where the observer is gone, `ended` says so next.
          const now = this.#options.clock.now();
          this.#wake(observation, now + retryDelay, now);
        }
      },
    );
    // What changes while it is under way may have to be kept.
    if (observation.inFlight) this.#schedule(observation);
  }
}
