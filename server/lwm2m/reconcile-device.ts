import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { CoapResponseError, EndpointClosedError, ResetError } from '../../protocol/coap/errors.ts';
import { Code, formatCode, isSuccess } from '../../protocol/coap/message.ts';
import { BusyError, DecodeError, RequestError, TimeoutError } from '../../protocol/errors.ts';
import {
  type AttributeChanges,
  attributeRules,
  type NotificationAttributes,
  notificationAttributeNames,
} from '../../protocol/lwm2m/notification-attributes.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { ConflictError, DeviceElsewhereError, NotRegisteredError } from '../errors.ts';
import type { EventPublisher } from '../live/publisher.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { StoredObservation } from '../ports/observation-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import { checkCompositeMeaning, checkMeaning } from './attribute-check.ts';
import { attributesOfNodes, notRefused, otherAttributes } from './attributes-at-device.ts';
import type { DesiredObservation } from './desired-observations.ts';
import { type DeviceRequests, LONGEST_TIMEOUT } from './device-requests.ts';
import { type DeviceSession, troublesOf } from './device-session.ts';
import type { ObservationService } from './observation-service.ts';
import { targetKey } from './observation-target.ts';
import { isPassing, type ObservationCounts, type Trouble } from './observation-troubles.ts';
import type { PolicyBook } from './policy-book.ts';
import { sameAttributes } from './same-attributes.ts';
import { speaks } from './versions.ts';

/** Time for one request, ms: sleepy radios are slow. */
export const RECONCILE_TIMEOUT = 60_000;
/**
 * After that nobody waits for the answer to an Observe any more, ms: with what the clocks of two nodes may differ by. Who
 * asked and did not say how it ended is gone.
 */
const abandonedAfter = { policy: RECONCILE_TIMEOUT + 10_000, api: LONGEST_TIMEOUT + 10_000 } as const;
/** How much later than pmax a notification may come, ms: MAX_TRANSMIT_SPAN of RFC 7252 §4.8.2, or a quarter of pmax. */
const SILENCE_MARGIN = 45_000;
const LONGEST_SILENCE = 3_600_000;

/** Answers that may mean the attributes, and not the observation. */
const maybeOfAttributes: ReadonlySet<Code> = new Set([
  ...[Code.BAD_REQUEST, Code.BAD_OPTION, Code.UNAUTHORIZED, Code.FORBIDDEN],
  ...[Code.METHOD_NOT_ALLOWED, Code.NOT_IMPLEMENTED],
]);

/** What a round needs of the server. */
export interface ReconcileParts {
  readonly requests: Pick<DeviceRequests, 'writeAttributes' | 'discover'>;
  readonly observations: Pick<
    ObservationService,
    'observe' | 'cancel' | 'stored' | 'liveSince' | 'adopt' | 'abandon'
  >;
  readonly book: PolicyBook;
  /** What the resources of a device are typed by. */
  readonly lookupFor: (registration: Registration) => ResourceTypeLookup;
  readonly events: EventPublisher;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counts: ObservationCounts;
}

/** Why a wanted observation is not had as it is wanted: the device's answer, or what the server knows beforehand. */
interface Refusal {
  readonly code?: Code;
  readonly diagnostic: string;
}

/** What a round came to. */
export interface RoundResult {
  readonly wanted: number;
  readonly observed: number;
  /** `Clock.now` when there is something to look at again, without the device having spoken. */
  readonly lookAgainAt: number | undefined;
  /** A bug that kept something from being ended or removed, the rest being done. */
  readonly bug: unknown;
}

/**
 * Brings one device in line with what is desired of it: ends what is not wanted, removes attributes that
 * are not wanted any more, and makes what is missing or other than wanted. What the device refuses is
 * remembered, and what fails otherwise too, with the time of the next try.
 * @throws TimeoutError the device does not answer; what stores and endpoint throw: the round is then
 *   incomplete
 */
export class ReconcileRound {
  readonly #parts: ReconcileParts;
  readonly #session: DeviceSession;
  readonly #isCurrent: () => boolean;
  #lookAgainAt = Number.POSITIVE_INFINITY;
  #bug: unknown;
  /** Attributes that are to stand at nodes of the device, and those that were written there. */
  #nodes: ReadonlyMap<string, NotificationAttributes> = new Map();
  /** As `#nodes`, without what the device has refused. */
  #taken: ReadonlyMap<string, NotificationAttributes> = new Map();
  #written: Map<string, NotificationAttributes> = new Map();

  constructor(parts: ReconcileParts, session: DeviceSession, isCurrent: () => boolean) {
    this.#parts = parts;
    this.#session = session;
    this.#isCurrent = isCurrent;
  }

  async run(): Promise<RoundResult | undefined> {
    const { book, clock } = this.#parts;
    const session = this.#session;
    const { edition } = book;
    const renew = session.renew;
    session.renew = false;
    if (renew) session.renewedAt = clock.now();
    const { desired, record } = await book.desired(session.registration);
    const wanted = new Map(desired.wanted.map((observation) => [observation.key, observation]));
    this.#nodes = attributesOfNodes(session.registration, desired.wanted);
    this.#taken = attributesOfNodes(session.registration, notRefused(desired.wanted, session.troubles));
    this.#written = new Map(record.written);
    const stored = session.fresh ? [] : await this.#parts.observations.stored(session.registration.id);
    if (!this.#isCurrent()) return undefined;
    session.fresh = false;
    // What another node has made of it goes on here; the device hears nothing of that.
    if (session.takenOver) this.#parts.observations.adopt(session.registration, stored);
    session.takenOver = false;
    for (const observation of stored) this.#doubt(observation);
    session.troubles?.keep(new Set(wanted.keys()), clock.now());
    for (const observation of stored) {
      if (wanted.has(targetKey(observation))) continue;
      await this.#step(observation.paths, () => this.#end(observation));
    }
    await this.#removeAttributes();
    let observed = 0;
    for (const observation of desired.wanted) {
      if (!this.#isCurrent()) return undefined;
      if (await this.#bring(observation, renew)) observed++;
    }
    if (!this.#isCurrent()) return undefined;
    session.edition = edition;
    return {
      wanted: wanted.size,
      observed,
      lookAgainAt: Number.isFinite(this.#lookAgainAt) ? this.#lookAgainAt : undefined,
      bug: this.#bug,
    };
  }

  /** A node that was killed while it asked may have left what the device never heard of: it is asked for anew. */
  #doubt(observation: StoredObservation): void {
    if (observation.pending !== true) return;
    const { clock, observations } = this.#parts;
    const left = observation.createdAt + abandonedAfter[observation.origin] - clock.wallTime();
    if (left > 0) this.#lookAgain(clock.now() + left);
    else observations.abandon(observation);
  }

  /** Passive: the device hears of it with its next notification. */
  async #end(observation: StoredObservation): Promise<void> {
    const { registration } = this.#session;
    await this.#parts.observations.cancel(registration, observation, { timeout: RECONCILE_TIMEOUT });
  }

  /** True where it is observed as it is wanted. */
  async #bring(wanted: DesiredObservation, renew: boolean): Promise<boolean> {
    const { clock, observations } = this.#parts;
    const { registration, troubles } = this.#session;
    const now = clock.now();
    const live = observations
      .liveSince(registration.id)
      .find(({ stored }) => targetKey(stored) === wanted.key);
    const asWanted = live !== undefined && isAsWanted(live.stored, wanted);
    const silence = asWanted ? this.#silence(wanted, live.heardAt) : undefined;
    let trouble = troubles?.get(wanted.key);
    if (trouble !== undefined && isWantedAnew(wanted, trouble)) {
      troubles?.wantedAnew(wanted.key, wanted.since);
      trouble = troubles?.get(wanted.key);
    }
    // What is there may be the one that is in trouble; one that was made since, by a person, is not.
    const sound = trouble === undefined || (live !== undefined && live.stored.createdAt > trouble.since);
    if (asWanted && silence === undefined && !renew && sound) {
      troubles?.mend(wanted.key, now);
      return true;
    }
    if (silence !== undefined && trouble === undefined) {
      await this.#tellSilence(wanted, silence);
    } else if (trouble !== undefined && trouble.retryAt > now) {
      this.#lookAgain(trouble.retryAt);
      return false;
    }
    return this.#observe(wanted);
  }

  /** In words, where nothing was heard for longer than the wanted pmax allows. */
  #silence(wanted: DesiredObservation, heardAt: number): string | undefined {
    const now = this.#parts.clock.now();
    const until = heardAt + this.#patience(wanted, this.#session.troubles?.attempts(wanted.key, now) ?? 0);
    if (now > until) {
      const silent = Math.round((now - heardAt) / 1000);
      return `nothing was heard for ${silent} s, with a pmax of ${wanted.attributes?.pmax} s`;
    }
    this.#lookAgain(until);
    return undefined;
  }

  /** With what the device has instead of the wanted attributes, where it has. */
  async #tellSilence(wanted: DesiredObservation, reason: string): Promise<void> {
    const { registration } = this.#session;
    const real = await otherAttributes(
      this.#parts.requests,
      registration.endpoint,
      wanted.paths,
      this.#taken,
      this.#limits,
    );
    const drift = real === undefined ? { reason } : { reason: `${reason}; it has other attributes`, real };
    if (this.#isCurrent()) tellDrift(this.#parts, this.#session, wanted, drift);
  }

  /** How long the device may be silent on this observation, ms. */
  #patience(wanted: DesiredObservation, relapses: number): number {
    const pmax = (wanted.attributes?.pmax ?? 0) * 1000;
    if (pmax <= 0) return Number.POSITIVE_INFINITY;
    const patience = pmax + Math.max(SILENCE_MARGIN, pmax / 4);
    return Math.min(patience * 2 ** Math.min(relapses, 10), patience + LONGEST_SILENCE);
  }

  #lookAgain(at: number): void {
    if (at < this.#lookAgainAt) this.#lookAgainAt = at;
  }

  async #observe(wanted: DesiredObservation): Promise<boolean> {
    const { clock } = this.#parts;
    const session = this.#session;
    try {
      const fault = this.#faultOfAttributes(wanted);
      if (fault !== undefined) {
        const refusal = await this.#ask(withoutAttributes(wanted));
        this.#refused(wanted, refusal ?? { diagnostic: `it is observed without the attributes: ${fault}` });
        return false;
      }
      await this.#noteAttributes(wanted);
      let refusal = await this.#ask(wanted);
      if (refusal === undefined) {
        session.troubles?.mend(wanted.key, clock.now());
        const patience = this.#patience(wanted, session.troubles?.attempts(wanted.key, clock.now()) ?? 0);
        this.#lookAgain(clock.now() + patience);
        return true;
      }
      if (wanted.attributes !== undefined && maybeOfAttributes.has(refusal.code)) {
        // Values that come at other times than wanted are better than none.
        if ((await this.#ask(withoutAttributes(wanted))) === undefined) {
          refusal = {
            ...refusal,
            diagnostic: 'it is observed without the attributes, which the device does not take',
          };
        }
      }
      this.#refused(wanted, refusal);
      return false;
    } catch (error) {
      if (isOfThisOne(error)) {
        this.#failed(wanted, error.message);
        return false;
      }
      if (error instanceof TimeoutError && this.#isCurrent()) {
        this.#failed(wanted, 'the device does not answer');
      }
      if (endsRound(error)) throw error;
      this.#tellBug(error, wanted.paths);
      this.#failed(wanted, bugText(error));
      return false;
    }
  }

  /** Why the wanted attributes have no meaning there, by what is known of the resource; undefined where they have. */
  #faultOfAttributes({ attributes, paths, composite }: DesiredObservation): string | undefined {
    if (attributes === undefined) return undefined;
    const lookup = this.#parts.lookupFor(this.#session.registration);
    try {
      if (composite === true) checkCompositeMeaning(attributes);
      else for (const path of paths) checkMeaning(path, attributes, lookup);
      return undefined;
    } catch (error) {
      if (error instanceof RequestError) return error.message;
      throw error;
    }
  }

  /** One thing of the round: what goes wrong with it does not keep the others from being done. */
  async #step(paths: readonly string[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (endsRound(error)) throw error;
      this.#tellBug(error, paths);
      this.#bug ??= error;
    }
  }

  #tellBug(error: unknown, paths: readonly string[]): void {
    const { endpoint } = this.#session.registration;
    this.#parts.log.error({ endpoint, paths, error }, 'one thing that is wanted of a device met a bug');
  }

  /** Of each request: it ends with the registration. */
  get #limits() {
    const signal = this.#session.request?.signal;
    return { timeout: RECONCILE_TIMEOUT, ...(signal === undefined ? {} : { signal }) };
  }

  /** Observes; resolves with the device's no, where it says no. */
  async #ask(wanted: DesiredObservation): Promise<Required<Refusal> | undefined> {
    const origin = wanted.policy === undefined ? 'api' : 'policy';
    try {
      const { code, payload } = await this.#parts.observations.observe(
        this.#session.registration,
        wanted,
        origin,
        this.#limits,
      );
      if (isSuccess(code)) return undefined;
      return { code, diagnostic: new TextDecoder().decode(payload.subarray(0, 200)) };
    } catch (error) {
      if (error instanceof CoapResponseError) return error;
      throw error;
    }
  }

  #refused(wanted: DesiredObservation, { code, diagnostic }: Refusal): void {
    if (code !== undefined && isPassing(code)) {
      this.#trouble(wanted, {
        state: 'failed',
        reason: diagnostic || 'the device cannot now',
        code: formatCode(code),
      });
      return;
    }
    const reason = diagnostic || 'the device refuses';
    const answer = code === undefined ? {} : { code: formatCode(code) };
    this.#trouble(wanted, { state: 'refused', reason, ...answer });
    const { clock, events, log } = this.#parts;
    const { endpoint } = this.#session.registration;
    log.info({ endpoint, paths: wanted.paths, ...answer, reason }, 'device is not observed as it is wanted');
    const what = { ...shown(wanted), ...answer, reason };
    events.publish('observation-refused', endpoint, clock.wallTime(), what);
  }

  #failed(wanted: DesiredObservation, reason: string): void {
    const { endpoint } = this.#session.registration;
    this.#parts.log.info({ endpoint, paths: wanted.paths, reason }, 'device cannot be observed now');
    this.#trouble(wanted, { state: 'failed', reason });
  }

  #trouble(wanted: DesiredObservation, trouble: Pick<Trouble, 'state' | 'reason' | 'code'>): Trouble {
    const { clock, counts } = this.#parts;
    const troubles = troublesOf(this.#session, counts);
    const added = troubles.add(
      wanted.key,
      { ...trouble, wantedSince: wanted.since },
      clock.now(),
      clock.wallTime(),
    );
    this.#lookAgain(added.retryAt);
    return added;
  }

  /**
   * For a device that gets attributes by Write-Attributes: what was written and is not wanted any more goes
   * before the others are written, and what will be written is noted before it is.
   */
  async #noteAttributes({ attributes, paths }: DesiredObservation): Promise<void> {
    const { registration } = this.#session;
    if (attributes === undefined || speaks(registration, '1.2')) return;
    for (const path of paths) {
      const before = this.#written.get(path);
      const after = { ...before, ...attributes };
      if (!sameAttributes(before, after)) await this.#setWritten(path, after);
    }
  }

  async #setWritten(path: string, attributes: NotificationAttributes | undefined): Promise<void> {
    await this.#parts.book.setWritten(this.#session.registration.endpoint, path, attributes);
    if (attributes === undefined) this.#written.delete(path);
    else this.#written.set(path, attributes);
  }

  /** Takes attributes off the device that this server has set and nobody wants any more. */
  async #removeAttributes(): Promise<void> {
    for (const [path, written] of [...this.#written]) {
      if (!this.#isCurrent()) return;
      await this.#step([path], () => this.#removeAttributesOf(path, written));
    }
  }

  async #removeAttributesOf(path: string, written: NotificationAttributes): Promise<void> {
    const { requests, log } = this.#parts;
    const { registration } = this.#session;
    const { endpoint } = registration;
    const keep = this.#nodes.get(path) ?? {};
    const names = notificationAttributeNames.filter((name) => written[name] !== undefined);
    const removed = names.filter((name) => keep[name] === undefined);
    if (removed.length === 0) return;
    // A device that has come back with an older version has no such attribute any more.
    const known = removed.filter((name) => speaks(registration, attributeRules[name].since));
    const changes: AttributeChanges = Object.fromEntries(known.map((name) => [name, null]));
    try {
      if (Object.keys(changes).length > 0)
        await requests.writeAttributes(endpoint, path, changes, this.#limits);
    } catch (error) {
      const kinds = [CoapResponseError, DecodeError, ResetError, RequestError];
      if (error instanceof BusyError || !kinds.some((kind) => error instanceof kind)) throw error;
      // What the device does not let go, or does not have any more, is not ours to remember.
      log.info({ endpoint, path, reason: String(error) }, 'attributes were not removed by the device');
    }
    const left: NotificationAttributes = Object.fromEntries(
      names.filter((name) => !removed.includes(name)).map((name) => [name, written[name]]),
    );
    await this.#setWritten(path, Object.keys(left).length === 0 ? undefined : left);
  }
}

function withoutAttributes({ attributes: _, ...bare }: DesiredObservation): DesiredObservation {
  return bare;
}

/** Whether an error is about the device or the server as a whole: there is no use in going on with the round. */
function endsRound(error: unknown): boolean {
  const kinds = [
    ...[TimeoutError, StoreUnavailableError, NotRegisteredError, DeviceElsewhereError],
    ...[EndpointClosedError, BusyError],
  ];
  return kinds.some((kind) => error instanceof kind);
}

/** How the API shows that something failed by a bug; the log has its stack. */
export function bugText(error: unknown): string {
  return `the server met a fault, which its log tells of: ${String(error).slice(0, 200)}`;
}

/** Whether an error is about one observation, so that the round goes on with the others. */
function isOfThisOne(error: unknown): error is Error {
  // Cancelled while it was made: whether it is wanted still, the next round says.
  const kinds = [DecodeError, RequestError, ResetError, ConflictError];
  return kinds.some((kind) => error instanceof kind);
}

/** Whether something else is wanted than when it fell into trouble. */
function isWantedAnew({ since }: DesiredObservation, trouble: Trouble): boolean {
  return trouble.wantedSince === undefined ? since > trouble.since : since !== trouble.wantedSince;
}

/** Notes that a wanted observation is not what it should be, and tells. */
export function tellDrift(
  { clock, counts, events }: Pick<ReconcileParts, 'clock' | 'counts' | 'events'>,
  session: DeviceSession,
  wanted: Pick<DesiredObservation, 'key' | 'paths' | 'composite'> &
    Partial<Pick<DesiredObservation, 'since'>>,
  drift: Pick<Trouble, 'reason' | 'real'>,
): Trouble {
  const { since } = wanted;
  // Until the next round counts again it is either observed or drifted.
  if (session.observed > 0 && session.troubles?.get(wanted.key) === undefined) {
    session.observed--;
    counts.observed--;
  }
  const trouble = troublesOf(session, counts).add(
    wanted.key,
    { ...drift, state: 'drifted', ...(since === undefined ? {} : { wantedSince: since }) },
    clock.now(),
    clock.wallTime(),
  );
  const { endpoint } = session.registration;
  events.publish('observation-drifted', endpoint, clock.wallTime(), {
    ...shown(wanted),
    reason: drift.reason,
  });
  return trouble;
}

/** How events name a target. */
export function shown({ paths, composite }: Pick<DesiredObservation, 'paths' | 'composite'>) {
  return composite === true ? { paths } : { path: paths[0] };
}

/** Whether an observation is what is wanted now. */
export function isAsWanted(stored: StoredObservation, wanted: DesiredObservation): boolean {
  return (
    sameAttributes(stored.attributes, wanted.attributes) &&
    (wanted.contentFormat === undefined || stored.contentFormat === wanted.contentFormat)
  );
}
