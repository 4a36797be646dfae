import type { Clock, Timer } from '../../protocol/clock.ts';
import type { ObservationEnd, Observer } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { contentFormatOption } from '../../protocol/coap/options.ts';
import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';
import { isAtOrBelow } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { AttributeStore } from './attributes.ts';
import { NotificationHistory } from './notification-history.ts';
import { isWorthTelling } from './notification-rules.ts';
import { ObservationConditions, type ReportingDefaults, touches } from './observation-conditions.ts';
import { OperationError } from './operation-error.ts';

/** What one observer wants to be told. */
export interface Observed {
  /** Canonical. Several only in a composite observation, which may also have one. */
  readonly paths: readonly string[];
  readonly composite: boolean;
  readonly observer: Observer;
  /** Those of the request: they hold for this observation, and no others do (§6.4.1). */
  readonly attributes?: NotificationAttributes;
  readonly contentFormat: number;
  /** Whether records keep their times in that format. */
  readonly timed: boolean;
  /** What there is to tell now. @throws OperationError it is gone, or cannot be read any more */
  read(): readonly LwM2mRecord[];
  /** @throws OperationError the format cannot carry it */
  encode(records: readonly LwM2mRecord[]): Uint8Array;
}

export interface ObservationsOptions {
  readonly clock: Clock;
  /** What the server wrote to the nodes. */
  readonly attributes: AttributeStore;
  readonly defaults: () => ReportingDefaults;
  /** The values at or below a path now, whoever asks; none where there is nothing. */
  readonly valuesAt: (path: string) => readonly LwM2mRecord[];
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

interface Observation {
  readonly observed: Observed;
  readonly key: string;
  readonly conditions: ObservationConditions;
  /** As it was told last. */
  told: readonly LwM2mRecord[];
  /** As it was looked at last, where an edge counts. */
  readonly before: Map<string, ResourceValue>;
  sentAt: number;
  evaluatedAt: number;
  /** Something is to be told, but not before this time; undefined: nothing is. */
  dueAt: number | undefined;
  /** Changes that are not looked at yet: epmin is not over. */
  readonly unseen: Set<string>;
  readonly history: NotificationHistory;
  inFlight: boolean;
  /** It can be read no longer, and the observer does not know yet. */
  gone: boolean;
  timer: Timer | undefined;
  /** Who waits for what is sent next, and for what is under way. */
  waiting: ((delivered: boolean) => void)[];
}

/**
 * Tells observers of changed values (OMA-TS-LightweightM2M_Core §5.1.2, §6.4.2): what is worth telling by the
 * attributes that hold, never sooner than pmin after the last time, at least every pmax, one notification at a
 * time. What cannot be told is kept as hqmax says, else the newest state is told when it can be.
 */
export class Observations {
  readonly #options: ObservationsOptions;
  readonly #observations = new Set<Observation>();
  readonly #orphans = new Map<string, NotificationHistory>();
  #paused = false;

  constructor(options: ObservationsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#observations.size;
  }

  /** The attributes as they hold for an observation. */
  conditionsOf(
    observed: Pick<Observed, 'paths' | 'composite'> & { readonly attributes?: NotificationAttributes },
  ): ObservationConditions {
    return new ObservationConditions(observed, this.#options.attributes, this.#options.defaults);
  }

  /** Takes an observer on, whom the first values have been told. One of the same peer at the same paths goes. */
  add(observed: Observed, told: readonly LwM2mRecord[]): void {
    const key = `${observed.composite ? 'composite ' : ''}${observed.paths.join(' ')}`;
    let history: NotificationHistory | undefined;
    for (const other of this.#observations) {
      if (other.key === key && other.observed.observer.peer === observed.observer.peer) {
        history = other.history;
        this.#drop(other);
        other.observed.observer.end();
      }
    }
    const now = this.#options.clock.now();
    const added: Observation = {
      observed,
      key,
      conditions: this.conditionsOf(observed),
      told,
      before: new Map(),
      sentAt: now,
      evaluatedAt: now,
      dueAt: undefined,
      unseen: new Set(),
      history: history ?? this.#orphans.get(key) ?? new NotificationHistory(),
      inFlight: false,
      gone: false,
      timer: undefined,
      waiting: [],
    };
    this.#orphans.delete(key);
    this.#observations.add(added);
    this.#schedule(added);
  }

  /** The endpoint says that an observer is one no longer. */
  ended(observer: Observer, reason: ObservationEnd): void {
    for (const observation of this.#observations) {
      if (observation.observed.observer !== observer) continue;
      this.#drop(observation);
      if (reason !== 'deregistered' && reason !== 'reset') this.#orphan(observation);
    }
  }

  /** Values at these paths have changed, all at once. A path above resources: what is there has. */
  changed(paths: readonly string[]): void {
    for (const observation of this.#observations) this.#changed(observation, paths);
  }

  /**
   * Sends the present state at `path` to those who observe it or what it is part of, without regard to
   * pmin; resolves when each has acknowledged it or is given up. False where one was given up or nobody observes.
   */
  async deliver(path: string): Promise<boolean> {
    if (this.#paused) return false;
    const told = [...this.#observations].filter(({ observed }) =>
      observed.paths.some((each) => touches(each, path)),
    );
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
      if (observation.dueAt !== undefined) {
        observation.dueAt = observation.sentAt + observation.conditions.minimumPeriod() * 1_000;
      }
      this.#schedule(observation);
    }
  }

  /** Forgets all observers, without telling them. What hqmax has kept waits for the next of the same paths. */
  clear(): void {
    for (const observation of [...this.#observations]) {
      this.#drop(observation);
      this.#orphan(observation);
      observation.observed.observer.end();
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

  #orphan({ key, history }: Observation): void {
    if (history.length === 0) return;
    this.#orphans.delete(key);
    this.#orphans.set(key, history);
    const [oldest] = this.#orphans.keys();
    if (this.#orphans.size > mostOrphans && oldest !== undefined) this.#orphans.delete(oldest);
  }

  #changed(observation: Observation, paths: readonly string[]): void {
    const { observed, conditions, unseen } = observation;
    const due = observation.dueAt;
    const now = this.#options.clock.now();
    const { evaluatedAt } = observation;
    for (const path of paths) {
      if (!observed.paths.some((each) => touches(each, path))) continue;
      if (now < evaluatedAt + conditions.minimumEvaluationPeriod(path) * 1_000) unseen.add(path);
      else this.#evaluate(observation, path);
    }
    if (observation.dueAt !== due || unseen.size > 0) this.#schedule(observation);
  }

  /** Looks at what may have changed at a path: whether it is worth telling, and from when on it may be told. */
  #evaluate(observation: Observation, path: string): void {
    const { conditions } = observation;
    observation.evaluatedAt = this.#options.clock.now();
    const due = observation.sentAt + conditions.minimumPeriod(path) * 1_000;
    if (observation.dueAt !== undefined && observation.dueAt <= due && !conditions.hasValueConditions(path)) {
      return;
    }
    if (this.#isWorthTelling(observation, path)) this.#due(observation, path);
  }

  #isWorthTelling(observation: Observation, path: string): boolean {
    const { conditions, told, before, observed } = observation;
    if (!conditions.hasValueConditions(path)) return true;
    // What comes and goes as a whole is told: its values have nothing to be compared with.
    const shown = (each: string): boolean =>
      isAtOrBelow(each, path) && observed.paths.some((at) => isAtOrBelow(each, at));
    const values = this.#options.valuesAt(path).filter((record) => shown(record.path));
    const known = new Map(told.filter((record) => shown(record.path)).map((each) => [each.path, each.value]));
    let worth = values.length < known.size;
    for (const { path: at, value } of values) {
      worth = isWorthTelling(conditions.valueConditions(at), known.get(at), before.get(at), value) || worth;
      if (typeof value === 'boolean') before.set(at, value);
    }
    return worth;
  }

  /** epmax is over: values that nobody announces are looked at. */
  #evaluateAll(observation: Observation, now: number): void {
    observation.evaluatedAt = now;
    observation.unseen.clear();
    const { conditions, told, before, observed } = observation;
    const known = new Map(told.map(({ path, value }) => [path, value]));
    const values = observed.paths.flatMap((path) => this.#options.valuesAt(path));
    const gone = values.length < known.size;
    for (const path of gone ? observed.paths : []) this.#due(observation, path);
    for (const { path, value } of values) {
      const worth = isWorthTelling(
        conditions.valueConditions(path),
        known.get(path),
        before.get(path),
        value,
      );
      if (typeof value === 'boolean') before.set(path, value);
      if (worth) this.#due(observation, path);
    }
  }

  #due(observation: Observation, path: string): void {
    const due = observation.sentAt + observation.conditions.minimumPeriod(path) * 1_000;
    observation.dueAt = Math.min(due, observation.dueAt ?? Number.POSITIVE_INFINITY);
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
    const nextLook = this.#look(observation, now);
    const { conditions, sentAt } = observation;
    const maximum = conditions.maximumPeriod() ?? Number.POSITIVE_INFINITY;
    const latest = sentAt + Math.max(conditions.minimumPeriod(), maximum) * 1_000;
    const due = Math.min(observation.dueAt ?? Number.POSITIVE_INFINITY, latest);
    if (!blocked && observation.history.length > 0) this.#sendHistory(observation);
    else if (due > now) this.#wake(observation, Math.min(nextLook, due), now);
    else if (blocked) this.#keep(observation, now);
    else this.#send(observation);
  }

  /** Looks at values where an evaluation period is over; when the next one will be. */
  #look(observation: Observation, now: number): number {
    const { conditions, unseen } = observation;
    let next = Number.POSITIVE_INFINITY;
    for (const path of unseen) {
      const at = observation.evaluatedAt + conditions.minimumEvaluationPeriod(path) * 1_000;
      if (at > now) next = Math.min(next, at);
      else {
        unseen.delete(path);
        this.#evaluate(observation, path);
      }
    }
    const longest = conditions.maximumEvaluationPeriod();
    if (longest === undefined) return next;
    if (now >= observation.evaluatedAt + longest * 1_000) this.#evaluateAll(observation, now);
    return Math.min(next, observation.evaluatedAt + longest * 1_000);
  }

  #wake(observation: Observation, at: number, now: number): void {
    if (at === Number.POSITIVE_INFINITY) return;
    const delay = Math.min(Math.max(1, at - now), longestTimer);
    observation.timer = this.#options.clock.setTimer(delay, () => this.#schedule(observation));
  }

  #keepsHistory({ conditions }: Observation): boolean {
    return (conditions.longestHistory() ?? 0) > 0 && (this.#options.storing?.() ?? true);
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
    const time = this.#options.clock.wallTime() / 1_000;
    history.add(
      records.map((record) => (record.time === undefined ? { ...record, time } : record)),
      (path) => conditions.historyLength(path),
    );
    this.#toldNow(observation, records, now);
    this.#schedule(observation);
  }

  #toldNow(observation: Observation, records: readonly LwM2mRecord[], now: number): void {
    observation.told = records;
    observation.dueAt = undefined;
    observation.unseen.clear();
    observation.sentAt = now;
    observation.evaluatedAt = now;
    observation.before.clear();
  }

  /** An error response ends the observation (RFC 7641 §4.2). */
  #end(observation: Observation, error: unknown): void {
    if (!(error instanceof OperationError)) throw error;
    this.#drop(observation);
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
    observation.gone = false;
    this.#toldNow(observation, records, this.#options.clock.now());
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
    const { history, conditions } = observation;
    if (this.#keepsHistory(observation)) {
      const time = (this.#options.clock.wallTime() - this.#options.clock.now() + observation.sentAt) / 1_000;
      const timed = records.map((record) => (record.time === undefined ? { ...record, time } : record));
      history.restore(timed, (path) => conditions.historyLength(path));
    } else observation.dueAt = this.#options.clock.now();
  }

  #notify(
    observation: Observation,
    records: readonly LwM2mRecord[],
    done: (delivered: boolean) => void,
  ): void {
    const { observed, conditions } = observation;
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
      { confirmable: conditions.confirmable(), keep: true },
      (delivered) => {
        observation.inFlight = false;
        done(delivered);
        if (delivered) this.#schedule(observation);
        else if (this.#observations.has(observation)) {
          // Where the observer is gone, `ended` says so next.
          this.#wake(observation, this.#options.clock.now() + retryDelay, this.#options.clock.now());
        }
      },
    );
    // What changes while it is under way may have to be kept.
    if (observation.inFlight) this.#schedule(observation);
  }
}
