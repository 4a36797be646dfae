import type { Logger } from 'pino';
import type { Timer } from '../../protocol/clock.ts';
import { ResetError } from '../../protocol/coap/errors.ts';
import { RequestError, TimeoutError } from '../../protocol/errors.ts';
import { DeviceElsewhereError, NotRegisteredError } from '../errors.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { StoredObservation } from '../ports/observation-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import { AddressLanes } from './address-lanes.ts';
import type { DesiredObservation } from './desired-observations.ts';
import { type DeviceSession, newSession } from './device-session.ts';
import { FailureLog } from './failure-log.ts';
import { targetKey } from './observation-target.ts';
import { type ObservationCounts, pauseAfter, type Trouble } from './observation-troubles.ts';
import type { DevicePresence } from './presence.ts';
import { bugText, type ReconcileParts, ReconcileRound, tellDrift } from './reconcile-device.ts';
import { RegistrationStorm } from './registration-storm.ts';

/**
 * After so long without a word a device may have given a notification up, and its observations with it:
 * MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, ms.
 */
const PATIENCE = 93_000;
/** Observations of a device that is merely quiet are renewed at most this often, ms. */
const RENEWAL_INTERVAL = 600_000;
/** How often what is due is looked at, ms. */
const TICK = 5_000;
/** Devices that are looked at at the same time because they are due, and when the next come, ms. */
const DUE_AT_ONCE = 1_000;
const MORE_DUE = 1_000;
/** Pause before a store that could not answer is asked again, ms. */
const STORE_PAUSE = 30_000;
/** Registrations of one address (host and port) that are set up at the same time. */
const AT_ONE_ADDRESS = 8;

export interface PolicyReconcilerOptions extends Omit<ReconcileParts, 'counts'> {
  readonly presence?: DevicePresence;
  /** As the store has it. @throws StoreUnavailableError */
  readonly findRegistration: (registrationId: string) => Promise<Registration | undefined>;
  /** Whether another node has the device; absent where there is no other. @throws StoreUnavailableError */
  readonly isElsewhere?: ((registration: Registration) => Promise<boolean>) | undefined;
  /** Whether there is something to ask it. */
  readonly tellsIdentity: (registration: Registration) => boolean;
  /** Asks the device what it is; resolves where it has told, or will not. */
  readonly identify: (registration: Registration, signal: AbortSignal | undefined) => Promise<void>;
  readonly log: Logger;
}

/**
 * Keeps each registered device in line with what is desired of it: when it comes, speaks again, moves or
 * lists other objects, when policies change, when it ends an observation, or is silent on one for longer
 * than it was told to be.
 */
export class PolicyReconciler {
  readonly counts: ObservationCounts = {
    wanted: 0,
    observed: 0,
    refused: 0,
    failed: 0,
    drifted: 0,
    drifts: 0,
  };
  readonly #options: PolicyReconcilerOptions;
  readonly #parts: ReconcileParts;
  readonly #sessions = new Map<string, DeviceSession>();
  /** `Clock.now` when a session is to be looked at again, by registration. */
  readonly #due = new Map<string, number>();
  readonly #lanes = new AddressLanes(AT_ONE_ADDRESS);
  readonly #storm: RegistrationStorm;
  readonly #expected: FailureLog;
  /** Registrations that this process has heard of. */
  readonly #met = new Set<string>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: PolicyReconcilerOptions) {
    this.#options = options;
    this.#expected = new FailureLog(
      options.log,
      options.clock,
      'device is not in line with its policies; tried again later',
    );
    this.#parts = { ...options, counts: this.counts };
    this.#storm = new RegistrationStorm(options.clock);
  }

  /** Observations that devices still lack. */
  get pending(): number {
    const { wanted, observed, refused, failed, drifted } = this.counts;
    return Math.max(0, wanted - observed - refused - failed - drifted);
  }

  session(registrationId: string): DeviceSession | undefined {
    return this.#sessions.get(registrationId);
  }

  /** It has registered, and remembers nothing of what was asked before. */
  registered(registration: Registration): void {
    this.#met.add(registration.id);
    this.#storm.registered();
    if (!this.#options.tellsIdentity(registration) && this.#isIdle(registration)) return;
    const session = this.#begin(registration);
    session.fresh = true;
    this.#kick(session);
  }

  updated(registration: Registration, previous: Registration): void {
    const { book, observations, clock } = this.#options;
    this.#met.add(registration.id);
    let session = this.#sessions.get(registration.id);
    if (session === undefined) {
      if (this.#isIdle(registration)) return;
      // After a restart: what it is was read by the process before.
      session = this.#begin(registration, true);
    }
    session.registration = registration;
    this.#lanes.moved(session, registration.address);
    const now = clock.now();
    if (now - session.heardAt > PATIENCE && now - session.renewedAt > RENEWAL_INTERVAL) session.renew = true;
    session.heardAt = now;
    const relisted = !sameLinks(registration, previous);
    if (relisted) session.troubles?.forgetRefusals();
    session.troubles?.retry();
    if (
      relisted ||
      session.renew ||
      session.failures > 0 ||
      session.edition !== book.edition ||
      (session.troubles !== undefined && session.troubles.size > 0) ||
      observations.liveSince(registration.id).length < session.observed
    ) {
      this.#kick(session);
    }
  }

  /** It was with another node until now, and is as that one has left it. */
  takenOver(registration: Registration): void {
    this.#met.add(registration.id);
    if (this.#isIdle(registration)) return;
    const session = this.#sessions.get(registration.id) ?? this.#begin(registration, true);
    session.registration = registration;
    session.takenOver = true;
    this.#lanes.moved(session, registration.address);
    this.#kick(session);
  }

  /** Another node has it: resolves when nothing is under way here any more. */
  async released({ id, endpoint }: Pick<Registration, 'id' | 'endpoint'>): Promise<void> {
    this.#met.delete(id);
    this.#due.delete(id);
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#drop(session);
    session.request?.abort(new DeviceElsewhereError(endpoint));
    await session.running;
  }

  ended(registration: Pick<Registration, 'id' | 'endpoint'>): void {
    this.#met.delete(registration.id);
    this.#due.delete(registration.id);
    const session = this.#sessions.get(registration.id);
    if (session === undefined) return;
    this.#drop(session);
    session.request?.abort(new NotRegisteredError(registration.endpoint));
  }

  moved(registrationId: string, address: string): void {
    const session = this.#sessions.get(registrationId);
    if (session === undefined) return;
    session.registration = { ...session.registration, address };
    this.#lanes.moved(session, address);
  }

  /** It was heard; `doubt` where it got silence for an answer, so that it may give its observations up. */
  heard(registrationId: string, doubt: boolean): void {
    const now = this.#options.clock.now();
    const session = this.#sessions.get(registrationId);
    if (session === undefined) {
      if (this.#met.has(registrationId)) return;
      // It registered with the process before: which of its observations it still has is found out now, once.
      this.#met.add(registrationId);
      this.#due.set(registrationId, now);
      this.#schedule();
      return;
    }
    session.heardAt = now;
    if (doubt) session.renew = true;
    if (session.running !== undefined) return;
    if (session.failures > 0) {
      if (now >= session.pausedUntil) this.#kick(session);
    } else if (session.registration.queueMode && session.edition !== this.#options.book.edition) {
      // A change of policy has left it alone while it slept.
      this.#kick(session);
    }
  }

  /** What a Discover has shown to be other than wanted. */
  drifted(
    registration: Registration,
    wanted: DesiredObservation,
    drift: Pick<Trouble, 'reason' | 'real'>,
  ): void {
    const session = this.#sessions.get(registration.id) ?? this.#begin(registration, true);
    const trouble = tellDrift(this.#parts, session, wanted, drift);
    this.#lookAgain(session, trouble.retryAt);
  }

  /** A device ended an observation by itself: it is made again, at once the first time. */
  lost(observation: StoredObservation, reason: string): void {
    const session = this.#sessions.get(observation.registrationId);
    if (session === undefined) return;
    const key = targetKey(observation);
    const trouble = tellDrift(this.#parts, session, { ...observation, key }, { reason });
    this.#lookAgain(session, trouble.retryAt);
  }

  /**
   * What is desired of the device has changed, or may have: brings it in line. Resolves when that is done,
   * or has been given up for now.
   */
  reconcile(registration: Registration): Promise<void> {
    const session = this.#sessions.get(registration.id) ?? this.#begin(registration, true);
    this.#storm.leave(session);
    this.#kick(session);
    return session.running ?? Promise.resolve();
  }

  /** What is desired of the device has changed; somebody is about to make it so, and it is looked at behind them. */
  lookSoon(registration: Registration): void {
    const session = this.#sessions.get(registration.id) ?? this.#begin(registration, true);
    if (session.running !== undefined) session.again = true;
    this.#lookAgain(session, this.#options.clock.now());
  }

  /** As `reconcile`, and everything is made anew; refusals count no more. */
  renew(registration: Registration): Promise<void> {
    const session = this.#sessions.get(registration.id) ?? this.#begin(registration, true);
    session.renew = true;
    session.troubles?.clear();
    return this.reconcile(registration);
  }

  /** Whether requests would reach the device now rather than wait for it to wake up. */
  isReachable(registration: Registration): boolean {
    const { presence } = this.#options;
    return !registration.queueMode || presence === undefined || presence.state(registration).awake;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#storm.close();
  }

  /** Nothing is wanted of it, as far as that can be told without asking the store: nothing is remembered of it. */
  #isIdle(registration: Registration): boolean {
    const { book } = this.#options;
    return book.isKnown(registration.endpoint) && book.known(registration).wanted.length === 0;
  }

  #begin(registration: Registration, identified = false): DeviceSession {
    const session = newSession(registration, this.#options.clock.now());
    session.identified = identified;
    this.#sessions.set(registration.id, session);
    return session;
  }

  #drop(session: DeviceSession): void {
    this.#storm.leave(session);
    this.#lanes.leave(session);
    this.#sessions.delete(session.registration.id);
    this.#due.delete(session.registration.id);
    this.#settle(session, 0, 0);
    session.troubles?.clear();
  }

  #settle(session: DeviceSession, wanted: number, observed: number): void {
    this.counts.wanted += wanted - session.wanted;
    this.counts.observed += observed - session.observed;
    session.wanted = wanted;
    session.observed = observed;
  }

  #isCurrent(session: DeviceSession): boolean {
    return !this.#closed && this.#sessions.get(session.registration.id) === session;
  }

  #kick(session: DeviceSession): void {
    session.again = true;
    session.running ??= this.#inTurn(session).finally(() => {
      session.running = undefined;
      if (!this.#isCurrent(session)) return;
      if (session.again) {
        // It spoke, or something changed, while it was asked in vain: that is tried again now.
        session.troubles?.retry();
        this.#kick(session);
      }
      // A device from which nothing is wanted needs no session.
      else if (session.wanted === 0 && session.failures === 0) this.#drop(session);
    });
  }

  async #inTurn(session: DeviceSession): Promise<void> {
    const turn = this.#lanes.enter(session, session.registration.address);
    try {
      if (turn !== undefined) await turn;
      // Behind the lane: who forges registrations from an address has few of them in the way of others.
      const calm = session.fresh && this.#isCurrent(session) ? this.#storm.enter(session) : undefined;
      if (calm !== undefined) await calm;
      if (this.#isCurrent(session)) await this.#rounds(session);
    } finally {
      this.#lanes.leave(session);
    }
  }

  async #rounds(session: DeviceSession): Promise<void> {
    session.request = new AbortController();
    try {
      const { book } = this.#options;
      do {
        session.again = false;
        await this.#round(session);
      } while ((session.again || session.edition !== book.edition) && this.#isCurrent(session));
      session.failures = 0;
      session.fault = undefined;
    } catch (error) {
      if (this.#isCurrent(session)) this.#failed(session, error);
    } finally {
      session.request = undefined;
    }
  }

  async #round(session: DeviceSession): Promise<void> {
    // One that has registered right before has done so here.
    if (!session.fresh && (await this.#options.isElsewhere?.(session.registration)) === true) {
      throw new DeviceElsewhereError(session.registration.endpoint);
    }
    const result = await new ReconcileRound(this.#parts, session, () => this.#isCurrent(session)).run();
    if (result === undefined || !this.#isCurrent(session)) return;
    this.#settle(session, result.wanted, result.observed);
    this.#due.delete(session.registration.id);
    if (result.lookAgainAt !== undefined) this.#lookAgain(session, result.lookAgainAt);
    if (result.bug !== undefined) throw result.bug;
    if (session.identified || session.again) return;
    session.identified = true;
    try {
      await this.#options.identify(session.registration, session.request?.signal);
    } catch (error) {
      session.identified = false;
      throw error;
    }
    // Policies may go by what the device has said it is.
    if (this.#options.book.needsAttributes) session.again = true;
  }

  #failed(session: DeviceSession, error: unknown): void {
    const { clock, log } = this.#options;
    const { endpoint, queueMode } = session.registration;
    if (error instanceof NotRegisteredError || error instanceof DeviceElsewhereError) {
      // The registration ended, or went to another node, before it was looked at: nobody will tell that it has.
      this.#drop(session);
      return;
    }
    session.failures++;
    session.pausedUntil = clock.now() + pauseAfter(session.failures);
    // Who sleeps is asked when it speaks, not before; a store that failed is no matter of the device.
    if (!queueMode || !(error instanceof TimeoutError)) this.#lookAgain(session, session.pausedUntil);
    // RequestError: too much waits for the device already.
    const expected = [TimeoutError, StoreUnavailableError, ResetError, RequestError];
    if (expected.some((kind) => error instanceof kind)) {
      this.#expected.tell(endpoint, error);
    } else {
      session.fault = bugText(error);
      log.error(
        { endpoint, error },
        'bringing a device in line with its policies met a bug; tried again later',
      );
    }
  }

  #lookAgain(session: DeviceSession, at: number): void {
    if (!Number.isFinite(at)) return;
    const { id } = session.registration;
    const due = this.#due.get(id);
    if (due === undefined || at < due) this.#due.set(id, at);
    this.#schedule();
  }

  #schedule(delay = TICK): void {
    if (this.#timer !== undefined || this.#closed || this.#due.size === 0) return;
    this.#timer = this.#options.clock.setTimer(delay, () => {
      this.#timer = undefined;
      const now = this.#options.clock.now();
      let left = DUE_AT_ONCE;
      for (const [id, at] of this.#due) {
        if (at > now) continue;
        // A fleet that fell silent together is not asked together.
        if (left-- === 0) return this.#schedule(MORE_DUE);
        this.#due.delete(id);
        const session = this.#sessions.get(id);
        if (session !== undefined) this.#kick(session);
        else void this.#takeUp(id);
      }
      this.#schedule();
    });
  }

  /** Makes what is wanted of a device of the process before, and was not heard of since. */
  async #takeUp(id: string): Promise<void> {
    const { findRegistration, clock, log } = this.#options;
    try {
      const registration = await findRegistration(id);
      if (registration === undefined || this.#closed || !this.#met.has(id)) return;
      if (this.#sessions.has(id) || this.#isIdle(registration)) return;
      this.#kick(this.#begin(registration, true));
    } catch (error) {
      if (this.#closed) return;
      if (!(error instanceof StoreUnavailableError)) {
        log.error({ error }, 'looking up a device of before the start met a bug; tried again later');
      }
      this.#due.set(id, clock.now() + STORE_PAUSE);
      this.#schedule();
    }
  }
}

/** Whether a device lists the same objects in the same versions as before. */
function sameLinks({ links }: Registration, { links: before }: Registration): boolean {
  if (links === before) return true;
  if (links.length !== before.length) return false;
  return links.every(({ target, attributes }, index) => {
    const other = before[index];
    return other?.target === target && other.attributes['ver'] === attributes['ver'];
  });
}
