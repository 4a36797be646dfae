import type { Timer } from '../../protocol/clock.ts';
import type { Observer } from '../../protocol/coap/exchange.ts';
import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';
import { isAtOrBelow } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { NotificationHistory } from './notification-history.ts';
import { isWorthTelling } from './notification-rules.ts';
import { type ObservationConditions, touches } from './observation-conditions.ts';

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

/** Observations of the same by the same peer take each other's place, and inherit what was not told. */
export function observationKey({ composite, paths }: Pick<Observed, 'composite' | 'paths'>): string {
  return `${composite ? 'composite ' : ''}${paths.join(' ')}`;
}

/** The values at or below a path now, whoever asks; none where there is nothing. */
export type ValuesAt = (path: string) => readonly LwM2mRecord[];

/** One observation: what was told, and whether what has changed since is worth telling, and when. Times in ms. */
export class Observation {
  readonly observed: Observed;
  readonly conditions: ObservationConditions;
  readonly history: NotificationHistory;
  /** When something was told last. */
  sentAt: number;
  /** Something is to be told, but not before this time; undefined: nothing is. */
  dueAt: number | undefined;
  inFlight = false;
  /** It can be read no longer, and the observer does not know yet. */
  gone = false;
  timer: Timer | undefined;
  /** Who waits for what is sent next. */
  waiting: ((delivered: boolean) => void)[] = [];
  readonly #valuesAt: ValuesAt;
  /** As it was told last. */
  #told: readonly LwM2mRecord[];
  /** As it was looked at last, where an edge counts. */
  readonly #before = new Map<string, ResourceValue>();
  #lookedAt: number;
  /** Changes that are not looked at yet: epmin is not over. */
  readonly #unseen = new Set<string>();

  constructor(
    observed: Observed,
    conditions: ObservationConditions,
    history: NotificationHistory,
    valuesAt: ValuesAt,
    told: readonly LwM2mRecord[],
    now: number,
  ) {
    this.observed = observed;
    this.conditions = conditions;
    this.history = history;
    this.#valuesAt = valuesAt;
    this.#told = told;
    this.sentAt = now;
    this.#lookedAt = now;
  }

  /** Whether a change at this path shows in it. */
  shows(path: string): boolean {
    return this.observed.paths.some((each) => touches(each, path));
  }

  /** Whether what was told last has something at or below the path. */
  hasTold(path: string): boolean {
    return this.#told.some((record) => isAtOrBelow(record.path, path));
  }

  /** Values at these paths have changed; true where something is to be done at another time than before. */
  changed(paths: readonly string[], now: number): boolean {
    const due = this.dueAt;
    const lookedAt = this.#lookedAt;
    for (const path of paths) {
      if (!this.shows(path)) continue;
      if (now < lookedAt + this.conditions.minimumEvaluationPeriod(path) * 1_000) this.#unseen.add(path);
      else this.#evaluate(path, now);
    }
    return this.dueAt !== due || this.#unseen.size > 0;
  }

  /** Looks at values where an evaluation period is over; when the next one will be. */
  look(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const path of this.#unseen) {
      const at = this.#lookedAt + this.conditions.minimumEvaluationPeriod(path) * 1_000;
      if (at > now) next = Math.min(next, at);
      else {
        this.#unseen.delete(path);
        this.#evaluate(path, now);
      }
    }
    const longest = this.conditions.maximumEvaluationPeriod();
    if (longest === undefined) return next;
    if (now >= this.#lookedAt + longest * 1_000) this.#evaluateAll(now);
    return Math.min(next, this.#lookedAt + longest * 1_000);
  }

  /** When the next notification goes out, if nothing more happens. */
  get nextAt(): number {
    const maximum = this.conditions.maximumPeriod() ?? Number.POSITIVE_INFINITY;
    const latest = this.sentAt + Math.max(this.conditions.minimumPeriod(), maximum) * 1_000;
    return Math.min(this.dueAt ?? Number.POSITIVE_INFINITY, latest);
  }

  /** These values are told, or kept to be. */
  tell(records: readonly LwM2mRecord[], now: number): void {
    this.#told = records;
    this.#before.clear();
    this.#unseen.clear();
    this.dueAt = undefined;
    this.gone = false;
    this.sentAt = now;
    this.#lookedAt = now;
  }

  /** Attributes have changed: the minimum period is measured anew from the last notification. */
  measureAnew(): void {
    if (this.dueAt !== undefined) this.dueAt = this.sentAt + this.conditions.minimumPeriod() * 1_000;
  }

  /** Whether what may have changed at a path is worth telling, and from when on it may be told. */
  #evaluate(path: string, now: number): void {
    this.#lookedAt = now;
    const conditional = this.conditions.hasValueConditions(path);
    if (!conditional || this.#isWorthTelling(path)) this.#due(path);
  }

  #isWorthTelling(path: string): boolean {
    const shown = (record: LwM2mRecord): boolean =>
      isAtOrBelow(record.path, path) && this.observed.paths.some((at) => isAtOrBelow(record.path, at));
    return this.#differing(this.#valuesAt(path).filter(shown), this.#told.filter(shown)).length > 0;
  }

  /** epmax is over: values that nobody announces are looked at. */
  #evaluateAll(now: number): void {
    this.#lookedAt = now;
    this.#unseen.clear();
    const values = this.observed.paths.flatMap((path) => this.#valuesAt(path));
    for (const path of this.#differing(values, this.#told)) this.#due(path);
  }

  /** Paths of values that are worth telling: by their conditions, or because they have come or gone. */
  #differing(values: readonly LwM2mRecord[], told: readonly LwM2mRecord[]): string[] {
    const gone = new Map(told.map((record) => [record.path, record.value]));
    const differing: string[] = [];
    for (const { path, value } of values) {
      const known = gone.get(path);
      gone.delete(path);
      const conditions = this.conditions.valueConditions(path);
      if (isWorthTelling(conditions, known, this.#before.get(path), value)) differing.push(path);
      if (typeof value === 'boolean') this.#before.set(path, value);
    }
    return [...differing, ...gone.keys()];
  }

  #due(path: string): void {
    const due = this.sentAt + this.conditions.minimumPeriod(path) * 1_000;
    this.dueAt = Math.min(due, this.dueAt ?? Number.POSITIVE_INFINITY);
  }
}
