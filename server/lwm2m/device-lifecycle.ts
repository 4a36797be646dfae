import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { CoapResponseError } from '../../protocol/coap/errors.ts';
import { formatCode, isSuccess } from '../../protocol/coap/message.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { NotRegisteredError } from '../errors.ts';
import type { EventType } from '../events.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { DeviceAttributes, DeviceStore } from '../ports/device-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { DeviceRequests } from './device-requests.ts';
import { type ObservationRule, wantedPaths } from './observation-policy.ts';
import type { ObservationService } from './observation-service.ts';
import type { RegistrationListener } from './registration-interface.ts';

/** Time for one request of the set-up that follows a registration, ms: sleepy radios are slow. */
const SETUP_TIMEOUT = 60_000;
/** How often `last heard` goes to the store, ms. */
const HEARD_INTERVAL = 2_000;
/**
 * After so long without a word a device may have given a notification up, and its observations with it:
 * MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, ms.
 */
const PATIENCE = 93_000;
/** Observations of a device that is merely quiet are renewed at most this often, ms. */
const RENEWAL_INTERVAL = 600_000;

export interface DeviceLifecycleOptions {
  readonly requests: DeviceRequests;
  readonly observations: ObservationService;
  readonly devices: DeviceStore;
  readonly events: EventPublisher;
  readonly clock: Clock;
  readonly log: Logger;
  readonly rules: readonly ObservationRule[];
  /** A registration as events show it. */
  readonly present: (registration: Registration) => Readonly<Record<string, unknown>>;
  /** The device can be reached now: what waits for it may go out. `anew`: it has registered, and forgotten what was asked. */
  readonly onReachable: (endpoint: string, anew: boolean) => void;
  /** The device is at another address: requests under way follow it there. */
  readonly onMoved: (registrationId: string, to: string) => void;
  /** A device that held no registration has registered. */
  readonly onArrived: (endpoint: string) => void;
}

/** What is remembered of a registration from which the policy wants something. */
interface Session {
  /** As it is now: objects and address change. */
  registration: Registration;
  /** The Device object was read. */
  identified: boolean;
  /** Set-up is under way; what changes meanwhile asks for another round. */
  running: boolean;
  again: boolean;
  /** Something did not succeed: tried again at the next Update. */
  incomplete: boolean;
  /** The device may have given its observations up: all are made anew at the next Update. */
  doubt: boolean;
  /** Paths that a person cancelled: the policy leaves them alone. */
  readonly cancelled: Set<string>;
  /** `Clock.now` */
  heardAt: number;
  renewedAt: number;
  /** Ends the request of the set-up that is under way when the device moves. */
  address: AbortController | undefined;
}

/**
 * What follows when a device comes, moves or goes: events, the observations that the policy wants,
 * what the device says it is, and whatever waits for it.
 */
export class DeviceLifecycle implements RegistrationListener {
  readonly #options: DeviceLifecycleOptions;
  readonly #sessions = new Map<string, Session>();
  #heard = new Map<string, number>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: DeviceLifecycleOptions) {
    this.#options = options;
  }

  registered(registration: Registration, replaced: Registration | undefined): void {
    if (replaced === undefined) this.#options.onArrived(registration.endpoint);
    else this.#replace(replaced, registration);
    this.#event('registered', registration, replaced === undefined ? {} : { replaced: true });
    this.#options.onReachable(registration.endpoint, true);
    this.#setUp(this.#session(registration));
  }

  updated(registration: Registration, previous: Registration): void {
    if (registration.address !== previous.address) this.#move(registration, registration.address);
    this.#noteHeard(registration.endpoint);
    this.#event('updated', registration, {});
    // Commands first: a person waits for them, and the device's radio may sleep again soon.
    this.#options.onReachable(registration.endpoint, false);
    const known = this.#sessions.get(registration.id);
    // After a restart: what it is was read by the process before.
    const session = known ?? this.#session(registration, true);
    session.registration = registration;
    const now = this.#options.clock.now();
    const silent = now - session.heardAt > PATIENCE && now - session.renewedAt > RENEWAL_INTERVAL;
    session.heardAt = now;
    if (silent) session.doubt = true;
    const missing = this.#wanted(session).some((path) => !this.#isLive(registration, path));
    if (session.doubt || session.incomplete || missing) this.#setUp(session);
    else this.#keepOrDrop(session);
  }

  deregistered(registration: Registration): void {
    this.#forget(registration);
    this.#event('deregistered', registration, {});
  }

  expired(registration: Registration): void {
    this.#forget(registration);
    this.#event('expired', registration, {});
  }

  /** A notification moved the device. */
  moved(registrationId: string, to: string): void {
    const session = this.#sessions.get(registrationId);
    if (session !== undefined) this.#move({ ...session.registration, address: to }, to);
    else this.#options.onMoved(registrationId, to);
  }

  /** A notification came; `doubt` where it got silence, so that the device may give its observations up. */
  heard(registrationId: string, endpoint: string, doubt: boolean): void {
    this.#noteHeard(endpoint);
    const session = this.#sessions.get(registrationId);
    if (session === undefined) return;
    session.heardAt = this.#options.clock.now();
    if (doubt) session.doubt = true;
  }

  /** A person ended this observation, or asked for it: the policy makes it anew only in the second case. */
  chosen(registrationId: string, path: string, wanted: boolean): void {
    const session = this.#sessions.get(registrationId);
    if (wanted) session?.cancelled.delete(path);
    else session?.cancelled.add(path);
  }

  /** Stores when devices were last heard. */
  async flush(): Promise<void> {
    const heard = this.#heard;
    if (heard.size === 0) return;
    this.#heard = new Map();
    await this.#options.devices.heard(heard);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.flush();
  }

  #session(registration: Registration, identified = false): Session {
    const now = this.#options.clock.now();
    const session: Session = {
      registration,
      identified,
      running: false,
      again: false,
      incomplete: false,
      doubt: false,
      cancelled: new Set(),
      heardAt: now,
      renewedAt: now,
      address: undefined,
    };
    this.#sessions.set(registration.id, session);
    return session;
  }

  /** A device from which nothing is wanted needs no session. */
  #keepOrDrop(session: Session): void {
    if (session.incomplete || session.running || session.cancelled.size > 0) return;
    if (this.#wanted(session).length === 0) this.#sessions.delete(session.registration.id);
  }

  #move(registration: Registration, to: string): void {
    this.#options.observations.moved(registration.id, to);
    this.#options.onMoved(registration.id, to);
    const session = this.#sessions.get(registration.id);
    if (session === undefined) return;
    session.registration = registration;
  }

  /** What was asked of the former registration is asked where the device is now. */
  #replace(former: Registration, registration: Registration): void {
    this.#forget(former);
    if (former.address !== registration.address) this.#options.onMoved(former.id, registration.address);
  }

  #forget(registration: Registration): void {
    const session = this.#sessions.get(registration.id);
    this.#sessions.delete(registration.id);
    session?.address?.abort(new NotRegisteredError(registration.endpoint));
    this.#options.observations.forget(registration.id);
  }

  #noteHeard(endpoint: string): void {
    this.#heard.set(endpoint, Math.floor(this.#options.clock.wallTime()));
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = this.#options.clock.setTimer(HEARD_INTERVAL, () => {
      this.#timer = undefined;
      this.flush().catch((error: unknown) => {
        this.#options.log.warn({ error }, 'when devices were last heard was not stored');
      });
    });
  }

  #event(type: EventType, registration: Registration, more: Readonly<Record<string, unknown>>): void {
    const { events, clock, present } = this.#options;
    events.publish(type, registration.endpoint, clock.wallTime(), {
      registration: present(registration),
      ...more,
    });
  }

  #wanted(session: Session): readonly string[] {
    const wanted = wantedPaths(session.registration, this.#options.rules);
    return session.cancelled.size === 0 ? wanted : wanted.filter((path) => !session.cancelled.has(path));
  }

  #isLive(registration: Registration, path: string): boolean {
    return this.#options.observations.isLive(registration.id, path);
  }

  #isCurrent(session: Session): boolean {
    return !this.#closed && this.#sessions.get(session.registration.id) === session;
  }

  #setUp(session: Session): void {
    session.again = true;
    if (session.running) return;
    session.running = true;
    this.#rounds(session)
      .catch((error: unknown) => {
        if (!this.#isCurrent(session)) return;
        session.incomplete = true;
        const { endpoint } = session.registration;
        this.#options.log.warn(
          { endpoint, error },
          'set-up after registration is not complete; tried again later',
        );
      })
      .finally(() => {
        session.running = false;
        if (this.#isCurrent(session)) this.#keepOrDrop(session);
      });
  }

  async #rounds(session: Session): Promise<void> {
    while (session.again && this.#isCurrent(session)) {
      session.again = false;
      session.incomplete = false;
      const renew = session.doubt;
      session.doubt = false;
      if (renew) session.renewedAt = this.#options.clock.now();
      for (const path of this.#wanted(session)) {
        if (!this.#isCurrent(session)) return;
        if (!renew && this.#isLive(session.registration, path)) continue;
        await this.#observe(session, path);
      }
      if (!session.identified && this.#isCurrent(session)) await this.#identify(session);
    }
  }

  /** What a device refuses is told, and left; what fails otherwise is tried again. */
  async #observe(session: Session, path: string): Promise<void> {
    const { registration } = session;
    const { endpoint } = registration;
    const address = new AbortController();
    session.address = address;
    try {
      const response = await this.#options.observations.observe(registration, path, 'policy', {
        timeout: SETUP_TIMEOUT,
        signal: address.signal,
      });
      if (isSuccess(response.code)) return;
      this.#options.log.info(
        { endpoint, path, code: formatCode(response.code) },
        'device refuses to be observed',
      );
    } catch (error) {
      if (!(error instanceof CoapResponseError || error instanceof DecodeError)) throw error;
      this.#options.log.info({ endpoint, path, reason: error.message }, 'device cannot be observed');
    } finally {
      session.address = undefined;
    }
  }

  /** Reads the Device object and keeps what it says of the device. */
  async #identify(session: Session): Promise<void> {
    session.identified = true;
    if (!session.registration.links.some(({ target }) => target === '/3/0')) return;
    const { requests, devices, events, clock } = this.#options;
    const { endpoint } = session.registration;
    let attributes: DeviceAttributes;
    try {
      const { records } = await requests.read(endpoint, '/3/0', { timeout: SETUP_TIMEOUT });
      attributes = deviceAttributes(new Map(records.map(({ path, value }) => [path, value])));
    } catch (error) {
      if (!(error instanceof CoapResponseError || error instanceof DecodeError)) {
        session.identified = false;
        throw error;
      }
      this.#options.log.info({ endpoint, reason: error.message }, 'device does not tell what it is');
      return;
    }
    if (Object.keys(attributes).length === 0) return;
    await devices.setAttributes(endpoint, attributes);
    events.publish('device', endpoint, clock.wallTime(), { attributes });
  }
}

/** Resources 0 to 3 of the Device object: manufacturer, model, serial number, firmware version. */
function deviceAttributes(values: ReadonlyMap<string, unknown>): DeviceAttributes {
  const attributes: Record<string, string> = {};
  const names = ['manufacturer', 'model', 'serialNumber', 'firmwareVersion'] as const;
  for (const [resource, name] of names.entries()) {
    const value = values.get(`/3/0/${resource}`);
    if (typeof value === 'string' && value !== '') attributes[name] = value.slice(0, 255);
  }
  return attributes;
}
