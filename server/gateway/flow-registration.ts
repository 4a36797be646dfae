import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { Link } from '../../protocol/lwm2m/link-format.ts';
import type { EndpointBinding } from '../enrolment/endpoint-binding.ts';
import { newRegistrationId, type RegistrationListener } from '../lwm2m/registration-interface.ts';
import type { Registration, RegistrationStore, RegistrationUpdate } from '../ports/registration-store.ts';
import type { GatewayDevice } from './device-file.ts';
import { flowAddressOf, isFlowAddress } from './flow-address.ts';

/** Between two steps of the store for one device, ms, however often its address changes. */
const SHORTEST_PAUSE = 1_000;
/** The version of LwM2M whose rules hold for what the gateway says in the device's name. */
const VERSION = '1.1';

/** The endpoint is somebody else's: registered by LwM2M. */
export class EndpointTakenError extends Error {
  override readonly name = 'EndpointTakenError';
}

export interface FlowRegistrationParts {
  readonly registrations: Pick<RegistrationStore, 'byEndpoint' | 'register' | 'update'>;
  /** What happens with registrations is told here, as by the registration interface. */
  readonly listener: RegistrationListener;
  /** Which names may be registered without security. */
  readonly binding: Pick<EndpointBinding, 'admit'>;
  readonly node: string;
  /** ms that a registration outlives its lifetime. */
  readonly grace: number;
  /** One that does not step with the system's. */
  readonly clock: Clock;
}

/**
 * The registration of a device that knows of none: made when the device is heard, renewed while it is, and left to
 * expire when it is silent. One of a node that was heard by another before goes over to this one by its update.
 */
export class FlowRegistration {
  readonly #parts: FlowRegistrationParts;
  readonly #device: GatewayDevice;
  #registration: Registration | undefined;
  /** `Clock.now` of the last step of the store. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: FlowRegistrationParts, device: GatewayDevice) {
    this.#parts = parts;
    this.#device = device;
  }

  /** As this node knows it; undefined: none, or it has run out. */
  get current(): Registration | undefined {
    const { clock } = this.#parts;
    const age = clock.now() - this.#renewedAt;
    return age < this.#device.lifetime * 1000 ? this.#registration : undefined;
  }

  /** When the store should hear of the device being at this peer, with so many objects, ms; undefined: it need not. */
  dueIn(peer: PeerAddress, links: number): number | undefined {
    const registration = this.current;
    if (registration === undefined) return 0;
    const age = this.#parts.clock.now() - this.#renewedAt;
    if (age > (this.#device.lifetime * 1000) / 3) return 0;
    const isSame =
      registration.address.length === peer.length + flowAddressOf('').length &&
      registration.address.endsWith(peer) &&
      registration.links.length >= links;
    return isSame ? undefined : Math.max(0, SHORTEST_PAUSE - age);
  }

  /** Another node has heard the device, or its registration has ended: the store is asked when it is heard here. */
  forget(): void {
    this.#registration = undefined;
  }

  /** Read from the store: this node has it, and has not heard the device. */
  adopt(registration: Registration): void {
    if (this.#registration?.id === registration.id) return;
    this.#registration = registration;
    this.#renewedAt = this.#parts.clock.now();
  }

  /**
   * The device was heard at `peer`: registers it, or updates its registration.
   * @throws EndpointTakenError, EndpointRefusedError, StoreUnavailableError
   */
  async renew(peer: PeerAddress, links: readonly Link[]): Promise<Registration> {
    const address = flowAddressOf(peer);
    const known = this.current;
    const renewed =
      (known === undefined ? undefined : await this.#update(known, address, links)) ??
      (await this.#enter(address, links));
    this.#registration = renewed;
    this.#renewedAt = this.#parts.clock.now();
    return renewed;
  }

  /** Of a device that is registered by somebody else, or by nobody. */
  async #enter(address: PeerAddress, links: readonly Link[]): Promise<Registration> {
    const { registrations, binding } = this.#parts;
    const { endpoint } = this.#device;
    const found = await registrations.byEndpoint(endpoint);
    if (found !== undefined && !isFlowAddress(found.address)) {
      throw new EndpointTakenError(`'${endpoint}' is registered by LwM2M`);
    }
    await binding.admit(endpoint, undefined);
    const updated = found === undefined ? undefined : await this.#update(found, address, links);
    return updated ?? (await this.#register(address, links));
  }

  /** Undefined where it has ended meanwhile. */
  async #update(
    known: Registration,
    address: PeerAddress,
    links: readonly Link[],
  ): Promise<Registration | undefined> {
    const { registrations, clock, node, listener } = this.#parts;
    const update: RegistrationUpdate = {
      id: known.id,
      address,
      lifetime: this.#device.lifetime,
      links: joined(known.links, links),
      updatedAt: Math.floor(clock.wallTime()),
      node,
    };
    const result = await registrations.update(update, null);
    if (result === undefined) return undefined;
    if (result.displaced !== undefined) listener.displaced(result.displaced, address);
    listener.updated(result.registration, result.previous, update);
    return result.registration;
  }

  async #register(address: PeerAddress, links: readonly Link[]): Promise<Registration> {
    const { registrations, clock, node, grace, listener } = this.#parts;
    const { endpoint, lifetime, tenant } = this.#device;
    const now = Math.floor(clock.wallTime());
    const registration: Registration = {
      id: newRegistrationId(endpoint),
      endpoint,
      address,
      lifetime,
      version: VERSION,
      binding: 'U',
      queueMode: false,
      rootPath: '/',
      links,
      contentFormats: [],
      additional: {},
      registeredAt: now,
      updatedAt: now,
      expiresAt: now + lifetime * 1000 + grace,
      node,
    };
    const { replaced, fence, displaced } = await registrations.register(registration, tenant);
    if (displaced !== undefined) listener.displaced(displaced, address);
    const registered = { ...registration, fence };
    listener.registered(registered, replaced);
    return registered;
  }
}

/** Both, each once: another node may have heard sensors that this one has not. */
function joined(known: readonly Link[], links: readonly Link[]): readonly Link[] {
  const targets = new Set(known.map(({ target }) => target));
  return [...known, ...links.filter(({ target }) => !targets.has(target))];
}
