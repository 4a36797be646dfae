import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { CoapResponseError } from '../../protocol/coap/errors.ts';
import type {
  CoapEndpoint,
  IncomingNotification,
  IncomingResponse,
  ObservationResolver,
  OutgoingRequest,
} from '../../protocol/coap/exchange.ts';
import { Code, formatCode, isSuccess } from '../../protocol/coap/message.ts';
import { pathOptions } from '../../protocol/coap/options.ts';
import { NotRegisteredError } from '../errors.ts';
import type { EventPublisher } from '../live/publisher.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { ObservationStore, StoredObservation } from '../ports/observation-store.ts';
import type { Registration, RegistrationStore } from '../ports/registration-store.ts';
import type { NotificationSource, TelemetryIngest } from '../telemetry/ingest.ts';
import { devicePath, withAccept } from './coap-request.ts';
import { readFormat } from './content-negotiation.ts';
import type { DeviceRequestOptions } from './device-requests.ts';

export interface ObservationServiceOptions {
  readonly observations: ObservationStore;
  readonly registrations: RegistrationStore;
  readonly ingest: TelemetryIngest;
  readonly events: EventPublisher;
  readonly clock: Clock;
  readonly log: Logger;
  readonly node: string;
  /** A device was heard. `doubt`: what it sent got silence, so it may give its observations up. */
  readonly onHeard: (registrationId: string, endpoint: string, doubt: boolean) => void;
  /** A notification with a token that nobody can guess came from a new address. */
  readonly onMoved: (registrationId: string, address: PeerAddress) => void;
}

export type ObserveOptions = DeviceRequestOptions & {
  /** ms */
  readonly timeout: number;
};

/** What is held in memory of one observation. */
interface Held {
  readonly stored: StoredObservation;
  readonly source: NotificationSource;
  /** Where its device was last heard; notifications move it. */
  address: PeerAddress;
}

/**
 * Observations on devices: made, kept in the store, taken up again when a notification with a stored
 * token comes (after a restart), and cancelled. Their notifications go to the telemetry.
 */
export class ObservationService {
  readonly #options: ObservationServiceOptions;
  /** Tokens of each registration that has a live observation here. */
  readonly #held = new Map<string, Map<string, Held>>();
  /** Work under way or waiting, by registration and path. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #endpoint: CoapEndpoint | undefined;

  constructor(options: ObservationServiceOptions) {
    this.#options = options;
  }

  /** Before anything else is called: the endpoint needs `resolve` when it is made. */
  attach(endpoint: CoapEndpoint): void {
    this.#endpoint = endpoint;
  }

  /** For the endpoint: who observes with this token? */
  readonly resolve: ObservationResolver = (token, peer, _identity, done) => {
    this.#options.observations.byToken(token).then(
      (found) => {
        if (found === undefined) {
          done('unknown');
          return;
        }
        const held = holding(found, found.address, found.rootPath);
        this.#hold(held);
        done({
          key: {
            token,
            peer,
            request: observeRequest(found.paths[0] ?? '/', found.rootPath, found.contentFormat),
          },
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

  /** Whether the path is observed, and the observation is live in this process. */
  isLive(registrationId: string, path: string): boolean {
    for (const { stored } of this.#held.get(registrationId)?.values() ?? []) {
      if (isOf(stored, path) && this.#attached().observation(stored.token) !== undefined) return true;
    }
    return false;
  }

  /**
   * Observes a path, in the place of an older observation of it. Resolves with the first answer,
   * whatever its code.
   */
  observe(
    registration: Registration,
    path: string,
    origin: StoredObservation['origin'],
    options: ObserveOptions,
  ): Promise<IncomingResponse> {
    return this.#inTurn(`${registration.id} ${path}`, () =>
      this.#observe(registration, path, origin, options),
    );
  }

  async #observe(
    registration: Registration,
    path: string,
    origin: StoredObservation['origin'],
    options: ObserveOptions,
  ): Promise<IncomingResponse> {
    const { observations, clock, events } = this.#options;
    const endpoint = this.#attached();
    const older = (await observations.byRegistration(registration.id)).filter((other) => isOf(other, path));
    const accept = options.contentFormat ?? readFormat(registration);
    const stored: StoredObservation = {
      token: randomBytes(8).toString('hex'),
      registrationId: registration.id,
      endpoint: registration.endpoint,
      paths: [path],
      ...(accept === undefined ? {} : { contentFormat: accept }),
      origin,
      createdAt: Math.floor(clock.wallTime()),
    };
    // Stored before it is asked for: a notification must never find a server that does not know it.
    if (!(await observations.add(stored))) throw new NotRegisteredError(registration.endpoint);
    const held = holding(stored, registration.address, registration.rootPath);
    this.#hold(held);
    try {
      const { response, observation } = await endpoint.observe(
        registration.address,
        {
          ...observeRequest(path, registration.rootPath, accept),
          timeout: options.timeout,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        },
        {
          token: stored.token,
          followPeer: true,
          onNotification: (notification) => this.#notified(held, notification),
        },
      );
      if (this.#held.get(registration.id)?.has(stored.token) !== true) {
        // The registration ended while the device was asked: nobody wants this observation any more.
        observation?.forget();
        throw new NotRegisteredError(registration.endpoint);
      }
      if (observation === undefined) {
        await this.#drop(stored, undefined);
        if (isSuccess(response.code)) {
          throw new CoapResponseError(Code.METHOD_NOT_ALLOWED, 'the device does not let this be observed');
        }
        return response;
      }
      this.#firstAnswer(held.source, response);
      for (const other of older) await this.#drop(other, undefined);
      events.publish('observed', registration.endpoint, clock.wallTime(), { path, origin });
      return response;
    } catch (error) {
      await this.#drop(stored, undefined);
      throw error;
    }
  }

  /** False where nothing was observed there. Passive, unless `active`: the device then hears of it at once. */
  async cancel(
    registration: Registration,
    path: string,
    options: ObserveOptions & { readonly active?: boolean },
  ): Promise<boolean> {
    const found = (await this.#options.observations.byRegistration(registration.id)).filter((other) =>
      isOf(other, path),
    );
    const endpoint = this.#attached();
    for (const stored of found) {
      if (options.active === true) {
        const held = holding(stored, registration.address, registration.rootPath);
        // Taken up anew where it is not live here, or the device has moved since its last notification.
        const live = endpoint.observation(stored.token);
        const observation =
          live?.peer === registration.address
            ? live
            : endpoint.restoreObservation(
                {
                  token: stored.token,
                  peer: registration.address,
                  request: observeRequest(path, registration.rootPath, stored.contentFormat),
                },
                (notification) => this.#notified(held, notification),
                { followPeer: true },
              );
        const response = await observation.cancel(options);
        if (!isSuccess(response.code)) throw new CoapResponseError(response.code);
      }
      await this.#drop(stored, 'cancelled');
    }
    return found.length > 0;
  }

  /** The registration has ended: the store has dropped its observations, and so does this process. */
  forget(registrationId: string): void {
    const tokens = this.#held.get(registrationId);
    this.#held.delete(registrationId);
    if (tokens === undefined) return;
    const at = this.#options.clock.wallTime();
    for (const [token, { stored }] of tokens) {
      this.#attached().observation(token)?.forget();
      // The policy makes its own anew; what a person asked for ends with the registration, and is told.
      if (stored.origin === 'policy') continue;
      this.#options.events.publish('observation-ended', stored.endpoint, at, {
        path: stored.paths[0],
        origin: stored.origin,
        reason: 'the registration ended',
      });
    }
  }

  /** A device's address changed: notifications from the new one are no surprise. */
  moved(registrationId: string, address: PeerAddress): void {
    const tokens = this.#held.get(registrationId);
    if (tokens !== undefined) for (const held of tokens.values()) held.address = address;
  }

  /** The answer to the Observe request is the first reading; it needs no acknowledgement. */
  #firstAnswer(source: NotificationSource, response: IncomingResponse): void {
    const nothing = (): void => undefined;
    const notification: IncomingNotification = {
      ...response,
      confirmable: false,
      messageId: 0,
      fresh: true,
      observe: undefined,
      accept: nothing,
      reject: nothing,
      ignore: nothing,
    };
    this.#options.ingest.accept(source, notification, nothing);
  }

  #notified(held: Held, notification: IncomingNotification): void {
    const { stored } = held;
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

  #move(held: Held, to: PeerAddress): void {
    const { registrationId, endpoint } = held.stored;
    this.#options.log.debug({ endpoint, from: held.address, to }, 'device moved');
    this.moved(registrationId, to);
    held.address = to;
    this.#options.onMoved(registrationId, to);
    this.#options.registrations.move(registrationId, to, this.#options.node).catch((error: unknown) => {
      this.#options.log.warn(
        { error, endpoint },
        'a new address was not stored; it will be with the next notification',
      );
      // No address: the next notification is taken for a move again.
      if (held.address === to) held.address = '';
    });
  }

  #ended(stored: StoredObservation, reason: string): void {
    this.#drop(stored, reason).catch((error: unknown) => {
      this.#options.log.warn(
        { error, endpoint: stored.endpoint },
        'the end of an observation was not stored',
      );
    });
  }

  async #drop(stored: StoredObservation, reason: string | undefined): Promise<void> {
    const tokens = this.#held.get(stored.registrationId);
    tokens?.delete(stored.token);
    if (tokens?.size === 0) this.#held.delete(stored.registrationId);
    this.#attached().observation(stored.token)?.forget();
    const removed = await this.#options.observations.remove(stored.token);
    if (removed && reason !== undefined) {
      this.#options.events.publish('observation-ended', stored.endpoint, this.#options.clock.wallTime(), {
        path: stored.paths[0],
        origin: stored.origin,
        reason,
      });
    }
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

  #hold(held: Held): void {
    const { registrationId, token } = held.stored;
    const tokens = this.#held.get(registrationId);
    if (tokens === undefined) this.#held.set(registrationId, new Map([[token, held]]));
    else tokens.set(token, held);
  }

  #attached(): CoapEndpoint {
    if (this.#endpoint === undefined) throw new Error('the observation service has no endpoint yet');
    return this.#endpoint;
  }
}

function holding(stored: StoredObservation, address: PeerAddress, rootPath: string): Held {
  const { endpoint, token, paths } = stored;
  return { stored, address, source: { endpoint, token, path: paths[0] ?? '/', rootPath } };
}

function isOf(observation: StoredObservation, path: string): boolean {
  return observation.paths.length === 1 && observation.paths[0] === path;
}

function observeRequest(path: string, rootPath: string, accept: number | undefined): OutgoingRequest {
  return withAccept({ code: Code.GET, options: pathOptions(devicePath(rootPath, path)) }, accept);
}
