import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress, PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import { CoapResponseError } from '../../protocol/coap/errors.ts';
import type {
  CoapEndpoint,
  IncomingNotification,
  IncomingResponse,
  ObservationResolver,
} from '../../protocol/coap/exchange.ts';
import { Code, formatCode, isSuccess } from '../../protocol/coap/message.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { maySpeakFor } from '../enrolment/speakers.ts';
import { ConflictError, NotRegisteredError } from '../errors.ts';
import type { EventPublisher } from '../live/publisher.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { ObservationStore, StoredObservation } from '../ports/observation-store.ts';
import type { Registration, RegistrationStore } from '../ports/registration-store.ts';
import type { TelemetryIngest } from '../telemetry/ingest.ts';
import { AddressMoves } from './address-moves.ts';
import { compositeFormats } from './composite-formats.ts';
import { readFormats } from './content-negotiation.ts';
import type { DeviceReach } from './device-reach.ts';
import type { DeviceRequestOptions } from './device-requests.ts';
import { type Held, HeldObservations, holding } from './held-observations.ts';
import { attachAttributes, cancelAtDevice, firstNotification, requestOf } from './observation-requests.ts';
import { type ObservationTarget, type TargetLike, targetKey, targetOf } from './observation-target.ts';
import { observationToken } from './observation-token.ts';
import { RecentMap } from './recent-map.ts';
import { speaks } from './versions.ts';

export interface ObservationServiceOptions {
  readonly observations: ObservationStore;
  readonly registrations: RegistrationStore;
  readonly ingest: TelemetryIngest;
  readonly events: EventPublisher;
  readonly clock: Clock;
  readonly log: Logger;
  readonly node: string;
  /** Of this node, 0 to 255: its tokens begin with it. */
  readonly slot: number;
  /** What the resources of a device are typed by. */
  readonly lookupFor: (registration: Registration) => ResourceTypeLookup;
  readonly reach: DeviceReach;
  /** A device was heard. `doubt`: what it sent got silence, so it may give its observations up. */
  readonly onHeard: (registrationId: string, endpoint: string, doubt: boolean) => void;
  /** A device ended an observation by itself. */
  readonly onLost: (observation: StoredObservation, reason: string) => void;
  /** A notification with a token that nobody can guess came from a new address. */
  readonly onMoved: (
    registrationId: string,
    address: PeerAddress,
    from: { readonly endpoint: string; readonly address: PeerAddress },
  ) => void;
  /** That notification made this node the owner: another one had the device. */
  readonly onTakenOver?:
    | ((device: Pick<Registration, 'id' | 'endpoint' | 'address'>, formerNode: string) => void)
    | undefined;
  /** The device whose address another one was found to have, by a notification. */
  readonly onDisplaced?: (endpoint: string, address: PeerAddress) => void;
}

/** For how long what a device tells for an observation that was just replaced is taken, ms; then it gets RST. */
const LATE = 30_000;
/** Observations that were just replaced, of all devices. */
const MOST_REPLACED = 16_384;

/** An observation in whose place another one is, or will be right away. */
interface Replaced {
  readonly held: Held;
  readonly registration: Registration;
  /** `Clock.now` until when its notifications are taken. */
  readonly until: number;
}

/** No address: the next notification is taken for a move. */
const NOWHERE: PeerAddress = '';

/** `contentFormat` goes before that of the target. */
export type ObserveOptions = DeviceRequestOptions & {
  /** ms */
  readonly timeout: number;
};

/**
 * Observations on devices: made, kept in the store, taken up again when a notification with a stored
 * token comes (after a restart), and cancelled. Their notifications go to the telemetry.
 */
export class ObservationService {
  readonly #options: ObservationServiceOptions;
  readonly #held = new HeldObservations();
  /** Work under way or waiting, by registration and target. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** By token. */
  readonly #replaced = new RecentMap<string, Replaced>(MOST_REPLACED);
  readonly #moves: AddressMoves;
  #endpoint: CoapEndpoint | undefined;

  constructor(options: ObservationServiceOptions) {
    this.#options = options;
    this.#moves = new AddressMoves({
      ...options,
      onDisplaced: (displaced, to) => {
        this.displaced(displaced);
        options.onDisplaced?.(displaced.endpoint, to);
      },
    });
  }

  /** Before anything else is called: the endpoint needs `resolve` when it is made. */
  attach(endpoint: CoapEndpoint): void {
    this.#endpoint = endpoint;
  }

  /** For the endpoint: who observes with this token? */
  readonly resolve: ObservationResolver = (token, peer, identity, done) => {
    const late = this.#replaced.get(token);
    if (late !== undefined && late.until > this.#options.clock.now()) {
      const { held, registration } = late;
      done(
        this.#isOwn(held, identity)
          ? {
              key: { token, peer, request: requestOf(held.stored, registration) },
              followPeer: (_, speaker) => this.#isOwn(held, speaker),
              onNotification: (notification) => this.#notifiedLate(held, notification),
            }
          : 'unknown',
      );
      return;
    }
    this.#restored(token).then(
      (found) => {
        if (found === undefined || !this.#isOwn(found.held, identity)) {
          done('unknown');
          return;
        }
        const { held, request } = found;
        this.#held.add(held);
        done({
          key: { token, peer, request },
          followPeer: (_, speaker) => this.#isOwn(held, speaker),
          onNotification: (notification) => this.#notified(held, notification),
        });
      },
      (error: unknown) => {
        if (!(error instanceof StoreUnavailableError)) {
          this.#options.log.error({ error, peer }, 'looking up an observation met a bug');
        }
        done('unavailable');
      },
    );
  };

  #holding(registration: Registration, stored: StoredObservation, at = registration.address): Held {
    const { lookupFor, clock } = this.#options;
    const { rootPath, identity } = registration;
    return holding(stored, at, rootPath, lookupFor(registration), clock.now(), identity !== undefined);
  }

  /** A token is hard to guess, and no proof of who has it: a secure session is. */
  #isOwn({ stored: { endpoint }, isSecure }: Held, identity: PeerIdentity | undefined): boolean {
    return maySpeakFor({ endpoint, isSecure }, identity);
  }

  /** An observation of the store, as it was before a restart. */
  async #restored(token: string) {
    const { observations, registrations } = this.#options;
    const found = await observations.byToken(token);
    if (found === undefined) return undefined;
    const registration = await registrations.byId(found.registrationId);
    if (registration === undefined) return undefined;
    const { address, addressLost = false, rootPath, ...stored } = found;
    // With another node so far: it is this node's with the notification that is being looked up.
    const at = addressLost || registration.node !== this.#options.node ? NOWHERE : address;
    const held = this.#holding(registration, stored, at);
    return { held, request: requestOf(stored, registration) };
  }

  /** Whether the target is observed, and the observation is live in this process. */
  isLive(registrationId: string, target: TargetLike): boolean {
    return this.#held
      .ofTarget(registrationId, targetOf(target))
      .some(({ stored }) => this.#attached().observation(stored.token) !== undefined);
  }

  /** Observations that are live in this process. After a restart each becomes so with its first notification. */
  live(registrationId: string): readonly StoredObservation[] {
    return this.#held
      .of(registrationId)
      .map(({ stored }) => stored)
      .filter(({ token }) => this.#attached().observation(token) !== undefined);
  }

  /** As `live`, each with the `Clock.now` of its last notification, or of its making. */
  liveSince(
    registrationId: string,
  ): readonly { readonly stored: StoredObservation; readonly heardAt: number }[] {
    return this.#held
      .of(registrationId)
      .filter(({ stored }) => this.#attached().observation(stored.token) !== undefined);
  }

  /** All that the store has of a registration, live here or not. */
  stored(registrationId: string): Promise<readonly StoredObservation[]> {
    return this.#options.observations.byRegistration(registrationId);
  }

  /**
   * Observes a target, in the place of an older observation of the same paths. Resolves with the first
   * answer, whatever its code. Attributes go in the request where the device speaks 1.2 (§6.4.1); for an
   * older one they are written beforehand (§6.3.4), at each path.
   * @throws CoapResponseError the device answers and yet does not observe, or does not take the attributes;
   *   ConflictError it was cancelled meanwhile; NotRegisteredError; TimeoutError; RequestError
   */
  observe(
    registration: Registration,
    target: TargetLike,
    origin: StoredObservation['origin'],
    options: ObserveOptions,
  ): Promise<IncomingResponse> {
    const wanted = targetOf(target);
    return this.#inTurn(`${registration.id} ${targetKey(wanted)}`, () =>
      this.#observe(registration, wanted, origin, options),
    );
  }

  async #observe(
    registration: Registration,
    target: ObservationTarget,
    origin: StoredObservation['origin'],
    options: ObserveOptions,
  ): Promise<IncomingResponse> {
    const { observations, clock, events } = this.#options;
    const deadline = clock.now() + options.timeout;
    const left = (): ObserveOptions => ({ ...options, timeout: Math.max(1, deadline - clock.now()) });
    const older = await this.#ofTarget(registration.id, target);
    if (target.attributes !== undefined && !speaks(registration, '1.2')) {
      const way = { endpoint: this.#attached(), reach: this.#options.reach };
      await attachAttributes(way, registration, target.paths, target.attributes, left);
    }
    const asked = options.contentFormat ?? target.contentFormat;
    const formats = target.composite
      ? compositeFormats(registration, asked)
      : readFormats(registration, (target.paths[0] ?? '').split('/').length > 3, asked);
    for (const [index, format] of formats.entries()) {
      const stored: StoredObservation = {
        token: observationToken(this.#options.slot, registration.endpoint),
        registrationId: registration.id,
        endpoint: registration.endpoint,
        paths: target.paths,
        ...(target.composite === true ? { composite: true } : {}),
        ...(target.attributes === undefined ? {} : { attributes: target.attributes }),
        ...(format === undefined ? {} : { contentFormat: format }),
        origin,
        createdAt: Math.floor(clock.wallTime()),
        pending: true,
      };
      // Stored before it is asked for: a notification must never find a server that does not know it.
      if (!(await observations.add(stored))) throw new NotRegisteredError(registration.endpoint);
      const response = await this.#ask(registration, stored, left());
      if (isSuccess(response.code)) {
        await this.#confirm(stored);
        this.#remember(
          registration,
          this.#held
            .of(registration.id)
            .filter((held) => older.some(({ token }) => token === held.stored.token)),
        );
        for (const other of older) await this.#drop(other, undefined);
        const { paths } = target;
        const what = target.composite === true ? { paths } : { path: paths[0] };
        events.publish('observed', registration.endpoint, clock.wallTime(), { ...what, origin });
        return response;
      }
      const refusedFormat =
        response.code === Code.NOT_ACCEPTABLE || response.code === Code.UNSUPPORTED_CONTENT_FORMAT;
      if (!refusedFormat || index === formats.length - 1) return response;
    }
    throw new Error('there is no content format to observe in');
  }

  /** The device has it, for whoever takes the device over. */
  async #confirm(stored: StoredObservation): Promise<void> {
    const { observations, log } = this.#options;
    try {
      await observations.confirm(stored);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      log.warn(
        { error, endpoint: stored.endpoint },
        'that a device is observed was not stored; a node that takes it over asks it again',
      );
    }
  }

  /** One Observe request. What is held of it afterwards is an observation, or nothing. */
  async #ask(
    registration: Registration,
    stored: StoredObservation,
    options: ObserveOptions,
  ): Promise<IncomingResponse> {
    const { reach } = this.#options;
    const { endpoint: name } = registration;
    const held = this.#holding(registration, stored);
    this.#held.add(held);
    try {
      const { response, observation } = await reach.send(registration, options, (target, timeout, signal) =>
        this.#attached().observe(
          target,
          {
            ...requestOf(stored, registration),
            timeout,
            ...(signal === undefined ? {} : { signal }),
          },
          {
            token: stored.token,
            followPeer: (_, identity) => this.#isOwn(held, identity),
            onNotification: (notification) => this.#notified(held, notification),
          },
        ),
      );
      if (!this.#held.has(stored)) {
        // It was cancelled, or its registration ended, while the device was asked: nobody wants it any more.
        observation?.forget();
        const now = await this.#options.registrations.byId(registration.id);
        if (now === undefined) throw new NotRegisteredError(name);
        // It went to another node meanwhile, which knows the observation by its token.
        if (now.node !== this.#options.node) return response;
        throw new ConflictError('the observation was cancelled while the device was asked for it');
      }
      if (observation !== undefined) {
        held.heardAt = this.#options.clock.now();
        this.#options.ingest.accept(held.source, firstNotification(response), () => undefined);
        return response;
      }
      if (isSuccess(response.code)) {
        throw new CoapResponseError(Code.METHOD_NOT_ALLOWED, 'the device does not let this be observed');
      }
      await this.#drop(stored, undefined);
      return response;
    } catch (error) {
      await this.#drop(stored, undefined);
      throw error;
    }
  }

  async #ofTarget(registrationId: string, target: ObservationTarget): Promise<readonly StoredObservation[]> {
    const key = targetKey(target);
    return (await this.stored(registrationId)).filter((other) => targetKey(other) === key);
  }

  /**
   * False where nothing was observed there. Passive, unless `active`: the device then hears of it at once,
   * by the request that made it with Observe 1 (§6.4.3, §6.4.5). Passive, its next notification gets RST.
   */
  async cancel(
    registration: Registration,
    target: TargetLike,
    {
      active,
      onAnswer,
      ...options
    }: ObserveOptions & {
      readonly active?: boolean;
      /** Called with what the device answers to it. */
      readonly onAnswer?: (response: IncomingResponse) => void;
    },
  ): Promise<boolean> {
    const found = await this.#ofTarget(registration.id, targetOf(target));
    for (const stored of found) {
      if (active === true) {
        const response = await this.#cancelAtDevice(registration, stored, options);
        onAnswer?.(response);
      }
      await this.#drop(stored, 'cancelled');
    }
    return found.length > 0;
  }

  async #cancelAtDevice(
    registration: Registration,
    stored: StoredObservation,
    options: ObserveOptions,
  ): Promise<IncomingResponse> {
    const { reach } = this.#options;
    const held = this.#holding(registration, stored);
    return cancelAtDevice(
      { endpoint: this.#attached(), reach },
      registration,
      stored,
      options,
      (notification) => this.#notified(held, notification),
    );
  }

  /** Another registration of the device takes the place of this one: as `forget`, and what it still tells is taken. */
  replaced(registration: Registration): void {
    this.#remember(registration, this.#held.of(registration.id));
    this.forget(registration.id);
  }

  /**
   * A device may have sent a notification before it hears of the observation that replaces the one it is for, or have
   * sent it for an observation that it was asked for just before it registered anew: what is in it is worth having.
   */
  #remember(registration: Registration, replaced: readonly Held[]): void {
    const until = this.#options.clock.now() + LATE;
    for (const held of replaced) this.#replaced.set(held.stored.token, { held, registration, until });
  }

  /** The registration has ended: the store has dropped its observations, and so does this process. */
  forget(registrationId: string): void {
    const at = this.#options.clock.wallTime();
    for (const { stored } of this.#held.take(registrationId)) {
      this.#attached().observation(stored.token)?.forget();
      // The policy makes all of them anew; of what a person asked for the end is told.
      if (stored.origin === 'policy') continue;
      this.#tellEnd(stored, at, 'the registration ended');
    }
  }

  /** Observations that another node has made are taken up here, as they are. */
  adopt(registration: Registration, stored: readonly StoredObservation[]): void {
    const { address } = registration;
    for (const one of stored) {
      if (this.#attached().observation(one.token) !== undefined) continue;
      const held = this.#holding(registration, one);
      this.#held.add(held);
      this.#attached().restoreObservation(
        { token: one.token, peer: address, request: requestOf(one, registration) },
        (notification) => this.#notified(held, notification),
        { followPeer: (_, identity) => this.#isOwn(held, identity) },
      );
    }
  }

  /**
   * Nobody knows whether the device has it: it is not taken for live any more. The store has it until the same is made
   * anew, for the device may tell of it.
   */
  abandon(stored: StoredObservation): void {
    this.#held.remove(stored);
    this.#attached().observation(stored.token)?.forget();
  }

  /** Another node has the device: what is held of its observations is in the store, and goes from memory. */
  released(registrationId: string): void {
    for (const { stored } of this.#held.take(registrationId)) {
      this.#attached().observation(stored.token)?.forget();
    }
  }

  /** A device's address changed: notifications from the new one are no surprise. */
  moved(registrationId: string, address: PeerAddress): void {
    this.#held.moved(registrationId, address);
    for (const { stored } of this.#held.of(registrationId)) {
      this.#attached().observation(stored.token)?.moveTo(address);
    }
  }

  /** Another device is at its address: whatever notification of this one comes tells where it is. */
  displaced(registration: Pick<Registration, 'id' | 'endpoint'>): void {
    this.#options.reach.lost(registration);
    this.#held.moved(registration.id, NOWHERE);
  }

  #notified(held: Held, notification: IncomingNotification): void {
    const { stored } = held;
    this.#options.reach.heard(stored.registrationId);
    held.heardAt = this.#options.clock.now();
    // One that was overtaken may come from where the device was before.
    if (held.address !== notification.peer && notification.fresh) this.#move(held, notification.peer);
    if (!isSuccess(notification.code) || notification.observe === undefined) {
      // RFC 7641 §4.2 and §3.2: an error, or a response without Observe, is the last one.
      this.#ended(
        stored,
        isSuccess(notification.code) ? 'the device ended it' : formatCode(notification.code),
      );
      if (!isSuccess(notification.code)) {
        this.#options.onHeard(stored.registrationId, stored.endpoint, false);
        notification.accept();
        return;
      }
    }
    this.#options.onHeard(stored.registrationId, stored.endpoint, false);
    this.#options.ingest.accept(held.source, notification, () => {
      this.#options.onHeard(stored.registrationId, stored.endpoint, true);
    });
  }

  /** What comes for an observation that was just replaced: its values are taken, and it is not taken up again. */
  #notifiedLate(held: Held, notification: IncomingNotification): void {
    this.#attached().observation(held.stored.token)?.forget();
    if (!isSuccess(notification.code)) notification.accept();
    // The answer to a request that nobody waits for any more.
    else if (notification.observe === undefined) notification.reject();
    else this.#options.ingest.accept(held.source, notification, () => undefined);
  }

  #move(held: Held, to: PeerAddress): void {
    const { registrationId, endpoint } = held.stored;
    const { address } = held;
    held.address = to;
    this.heardAt({ id: registrationId, endpoint, address }, to, () => {
      if (held.address === to) held.address = NOWHERE;
    });
  }

  /** A device that is taken to be at one address was heard at another: it is taken to be there, here and in the store. */
  heardAt(
    { id: registrationId, endpoint, address: from }: Pick<Registration, 'id' | 'endpoint' | 'address'>,
    to: PeerAddress,
    onNotStored: () => void = () => undefined,
  ): void {
    this.#options.log.debug({ endpoint, from, to }, 'device moved');
    this.moved(registrationId, to);
    this.#options.onMoved(registrationId, to, { endpoint, address: from });
    this.#moves.store({ id: registrationId, endpoint, to, onNotStored });
  }

  #ended(stored: StoredObservation, reason: string): void {
    this.#options.onLost(stored, reason);
    this.#drop(stored, reason).catch((error: unknown) => {
      this.#options.log.warn(
        { error, endpoint: stored.endpoint },
        'the end of an observation was not stored',
      );
    });
  }

  async #drop(stored: StoredObservation, reason: string | undefined): Promise<void> {
    this.#held.remove(stored);
    this.#attached().observation(stored.token)?.forget();
    const removed = await this.#options.observations.remove(stored.token);
    if (removed && reason !== undefined) this.#tellEnd(stored, this.#options.clock.wallTime(), reason);
  }

  #tellEnd({ endpoint, paths, composite, origin }: StoredObservation, at: number, reason: string): void {
    const what = composite === true ? { paths } : { path: paths[0] };
    this.#options.events.publish('observation-ended', endpoint, at, { ...what, origin, reason });
  }

  /** One after the other for each key. */
  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key);
    const turn = before === undefined ? work() : before.then(work, work);
    this.#turns.set(key, turn);
    const settle = (): void => {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    };
    turn.then(settle, settle);
    return turn;
  }

  #attached(): CoapEndpoint {
    if (this.#endpoint === undefined) throw new Error('the observation service has no endpoint yet');
    return this.#endpoint;
  }
}
