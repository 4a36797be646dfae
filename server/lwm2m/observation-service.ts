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
  /** Set by `attach`: the endpoint needs `resolve` when it is made. */
  readonly observations: ObservationStore;
  readonly registrations: RegistrationStore;
  readonly ingest: TelemetryIngest;
  readonly events: EventPublisher;
  readonly clock: Clock;
  readonly log: Logger;
  readonly node: string;
  /** A device was heard, at this address. */
  readonly onHeard: (endpoint: string) => void;
}

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
  #endpoint: CoapEndpoint | undefined;

  constructor(options: ObservationServiceOptions) {
    this.#options = options;
  }

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

  /** True where an observation of this registration is live in this process: the device remembers us. */
  isLive(registrationId: string): boolean {
    return this.#held.has(registrationId);
  }

  /**
   * Observes a path, in the place of an older observation of it. Resolves with the first answer,
   * whatever its code.
   */
  async observe(
    registration: Registration,
    path: string,
    origin: StoredObservation['origin'],
    options: DeviceRequestOptions & { readonly timeout: number },
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
    options: DeviceRequestOptions & { readonly timeout: number; readonly active?: boolean },
  ): Promise<boolean> {
    const found = (await this.#options.observations.byRegistration(registration.id)).filter((other) =>
      isOf(other, path),
    );
    const endpoint = this.#attached();
    for (const stored of found) {
      if (options.active === true) {
        const held = holding(stored, registration.address, registration.rootPath);
        const observation =
          endpoint.observation(stored.token) ??
          endpoint.restoreObservation(
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

  /** Observes each of the paths that is not observed yet; what a device refuses is told, and left. */
  async ensure(registration: Registration, paths: readonly string[], timeout: number): Promise<void> {
    if (paths.length === 0) return;
    const there = await this.#options.observations.byRegistration(registration.id);
    for (const path of paths) {
      const known = there.find((other) => isOf(other, path));
      if (known !== undefined && this.#attached().observation(known.token) !== undefined) continue;
      const response = await this.observe(registration, path, 'policy', { timeout });
      if (!isSuccess(response.code)) {
        const { endpoint } = registration;
        this.#options.log.info(
          { endpoint, path, code: formatCode(response.code) },
          'device refuses to be observed',
        );
      }
    }
  }

  /** The registration has ended: the store has dropped its observations, and so does this process. */
  forget(registrationId: string): void {
    const tokens = this.#held.get(registrationId);
    this.#held.delete(registrationId);
    if (tokens === undefined) return;
    for (const token of tokens.keys()) this.#attached().observation(token)?.forget();
  }

  /** A device's address changed: notifications from the new one are no surprise. */
  moved(registrationId: string, address: PeerAddress): void {
    const tokens = this.#held.get(registrationId);
    if (tokens !== undefined) for (const held of tokens.values()) held.address = address;
  }

  /** The answer to the Observe request is the first reading; it needs no acknowledgement. */
  #firstAnswer(source: NotificationSource, response: IncomingResponse): void {
    const nothing = (): void => undefined;
    this.#options.ingest.accept(source, {
      ...response,
      confirmable: false,
      messageId: 0,
      fresh: true,
      observe: undefined,
      accept: nothing,
      reject: nothing,
      ignore: nothing,
    });
  }

  #notified(held: Held, notification: IncomingNotification): void {
    const { stored } = held;
    this.#options.onHeard(stored.endpoint);
    if (held.address !== notification.peer) this.#move(held, notification.peer);
    if (!isSuccess(notification.code)) {
      // RFC 7641 §4.2: an error response ends the observation on the device's side.
      notification.accept();
      this.#ended(stored, formatCode(notification.code));
      return;
    }
    this.#options.ingest.accept(held.source, notification);
  }

  /** A notification with a token that nobody can guess came from elsewhere: the device has moved. */
  #move(held: Held, to: PeerAddress): void {
    const from = held.address;
    const { registrationId, endpoint } = held.stored;
    this.moved(registrationId, to);
    held.address = to;
    this.#attached().movePeer(from, to);
    this.#options.registrations.move(registrationId, to, this.#options.node).catch((error: unknown) => {
      this.#options.log.warn(
        { error, endpoint },
        'a new address was not stored; it will be with the next one',
      );
      // Noticed again with the next notification.
      held.address = from;
    });
    this.#options.log.debug({ endpoint, from, to }, 'device moved');
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
