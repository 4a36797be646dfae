import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { CoapResponseError } from '../../protocol/coap/errors.ts';
import type { CoapEndpoint } from '../../protocol/coap/exchange.ts';
import { NotRegisteredError } from '../errors.ts';
import type { EventType } from '../events.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { DeviceAttributes, DeviceStore } from '../ports/device-store.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { DeviceRequests } from './device-requests.ts';
import { type ObservationRule, wantedPaths } from './observation-policy.ts';
import type { ObservationService } from './observation-service.ts';
import type { RegistrationListener } from './registration-interface.ts';

/** Time for one request of the set-up that follows a registration, ms: sleepy radios are slow. */
const SETUP_TIMEOUT = 60_000;
/** How often `last heard` goes to the store, ms. */
const HEARD_INTERVAL = 2_000;

export interface DeviceLifecycleOptions {
  readonly endpoint: CoapEndpoint;
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
}

/**
 * What follows when a device comes, moves or goes: events, the observations that the policy wants,
 * what the device says it is, and whatever waits for it.
 */
export class DeviceLifecycle implements RegistrationListener {
  readonly #options: DeviceLifecycleOptions;
  /** Registrations whose set-up is under way, and those where it did not succeed: tried again at the next Update. */
  readonly #settingUp = new Set<string>();
  readonly #incomplete = new Set<string>();
  #heard = new Map<string, number>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: DeviceLifecycleOptions) {
    this.#options = options;
  }

  registered(registration: Registration, replaced: Registration | undefined): void {
    if (replaced !== undefined) this.#forget(replaced);
    this.#event('registered', registration, replaced === undefined ? {} : { replaced: true });
    this.#options.onReachable(registration.endpoint, true);
    this.#setUp(registration);
  }

  updated(registration: Registration, previous: Registration): void {
    const { observations, endpoint } = this.#options;
    if (registration.address !== previous.address) {
      endpoint.movePeer(previous.address, registration.address);
      observations.moved(registration.id, registration.address);
    }
    this.heard(registration.endpoint);
    this.#event('updated', registration, {});
    const changed = linkTargets(registration) !== linkTargets(previous);
    const remembered = observations.isLive(registration.id) || this.#wanted(registration).length === 0;
    // Commands first: a person waits for them, and the device's radio may sleep again soon.
    this.#options.onReachable(registration.endpoint, false);
    if (changed || !remembered || this.#incomplete.has(registration.id)) this.#setUp(registration);
  }

  deregistered(registration: Registration): void {
    this.#forget(registration);
    this.#event('deregistered', registration, {});
  }

  expired(registration: Registration): void {
    this.#forget(registration);
    this.#event('expired', registration, {});
  }

  /** Notes that a device was heard now; the store learns it within a few seconds. */
  heard(endpoint: string): void {
    this.#heard.set(endpoint, Math.floor(this.#options.clock.wallTime()));
    if (this.#timer === undefined && !this.#closed) {
      this.#timer = this.#options.clock.setTimer(HEARD_INTERVAL, () => {
        this.#timer = undefined;
        this.flush().catch((error: unknown) => {
          this.#options.log.warn({ error }, 'when devices were last heard was not stored');
        });
      });
    }
  }

  /** Stores what `heard` has gathered. */
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

  #forget(registration: Registration): void {
    this.#incomplete.delete(registration.id);
    this.#options.observations.forget(registration.id);
  }

  #event(type: EventType, registration: Registration, more: Readonly<Record<string, unknown>>): void {
    const { events, clock, present } = this.#options;
    events.publish(type, registration.endpoint, clock.wallTime(), {
      registration: present(registration),
      ...more,
    });
  }

  #wanted(registration: Registration): readonly string[] {
    return wantedPaths(registration, this.#options.rules);
  }

  #setUp(registration: Registration): void {
    if (this.#settingUp.has(registration.id)) return;
    this.#settingUp.add(registration.id);
    this.#incomplete.delete(registration.id);
    this.#follow(registration)
      .catch((error: unknown) => {
        if (this.#closed || error instanceof NotRegisteredError) return;
        this.#incomplete.add(registration.id);
        const { endpoint } = registration;
        this.#options.log.warn(
          { endpoint, error },
          'set-up after registration is not complete; tried again later',
        );
      })
      .finally(() => this.#settingUp.delete(registration.id));
  }

  async #follow(registration: Registration): Promise<void> {
    await this.#options.observations.ensure(registration, this.#wanted(registration), SETUP_TIMEOUT);
    await this.#identify(registration);
  }

  /** Reads the Device object and keeps what it says of the device. */
  async #identify(registration: Registration): Promise<void> {
    if (!registration.links.some(({ target }) => target === '/3/0')) return;
    const { requests, devices, events, clock } = this.#options;
    const { endpoint } = registration;
    let attributes: DeviceAttributes;
    try {
      const { records } = await requests.read(endpoint, '/3/0', { timeout: SETUP_TIMEOUT });
      attributes = deviceAttributes(new Map(records.map(({ path, value }) => [path, value])));
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      if (error instanceof CoapResponseError) {
        this.#options.log.info({ endpoint, reason: error.message }, 'device does not tell what it is');
        return;
      }
      throw error;
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

function linkTargets(registration: Registration): string {
  return registration.links.map(({ target }) => target).join(',');
}
