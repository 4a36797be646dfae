import { randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { ConflictError, NotRegisteredError, UnknownDeviceError } from '../errors.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { DeviceSelector, WantedObservation } from '../ports/observation-policy-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import { checkCompositeMeaning, checkMeaning } from './attribute-check.ts';
import { attributesOfNodes, notRefused, otherAttributes } from './attributes-at-device.ts';
import { checkAttributes } from './desired-observations.ts';
import type { DeviceRequestOptions, DeviceRequests } from './device-requests.ts';
import type { ObservationService } from './observation-service.ts';
import { type ObservationTarget, targetKey } from './observation-target.ts';
import type { ListedPolicy, PolicyBook } from './policy-book.ts';
import type { PolicyReconciler } from './policy-reconciler.ts';
import { type DeviceObservationStatus, observationStatus } from './policy-status.ts';
import type { PolicySweep } from './policy-sweep.ts';
import { speaks } from './versions.ts';

/** How long a caller waits for a device to be brought in line, ms. */
const CALLER_PATIENCE = 10_000;

/** A policy as a person gives it. */
export interface PolicyInput {
  readonly name: string;
  readonly enabled: boolean;
  readonly devices: DeviceSelector;
  readonly observations: readonly WantedObservation[];
}

/**
 * What is to be observed: of many devices by policies, of one by hand; and what there is of it.
 *
 * @throws UnknownDeviceError, NotRegisteredError, RequestError, ConflictError, StoreUnavailableError
 */
export interface ObservationPolicies {
  list(): readonly ListedPolicy[];
  get(id: string): ListedPolicy | undefined;
  /** Without an id, one is made up. Devices are brought in line behind it. */
  put(
    id: string | undefined,
    input: PolicyInput,
  ): Promise<{ readonly listed: ListedPolicy; readonly created: boolean }>;
  /** False: there is none. ConflictError for a policy that the server brings along. */
  remove(id: string): Promise<boolean>;
  /** A policy that the server brings along is again as it was; undefined where it brings none of that id. */
  restore(id: string): Promise<ListedPolicy | undefined>;
  statusOf(endpoint: string): Promise<DeviceObservationStatus>;
  /** Asks the device which attributes it has (Discover, §6.3.2); what differs has drifted, and is repaired. */
  check(endpoint: string, options?: DeviceRequestOptions): Promise<DeviceObservationStatus>;
  /** Makes all wanted observations anew, refused ones too. */
  renew(endpoint: string): Promise<DeviceObservationStatus>;
  /** By hand: wanted, or not, whatever policies say. */
  choose(endpoint: string, target: ObservationTarget, wanted: boolean): Promise<DeviceObservationStatus>;
  /** Policies alone count again for the target. False: nobody chose. */
  unchoose(endpoint: string, target: ObservationTarget): Promise<boolean>;
}

export interface PolicyServiceOptions {
  readonly stores: Pick<Stores, 'devices' | 'registrations'>;
  readonly book: PolicyBook;
  readonly reconciler: PolicyReconciler;
  readonly sweep: Pick<PolicySweep, 'start'>;
  readonly observations: Pick<ObservationService, 'stored' | 'liveSince'>;
  readonly requests: Pick<DeviceRequests, 'discover'>;
  /** What the resources of a device are typed by. */
  readonly lookupFor: (registration: Registration) => ResourceTypeLookup;
  readonly events: EventPublisher;
  readonly clock: Clock;
}

export class PolicyService implements ObservationPolicies {
  readonly #options: PolicyServiceOptions;

  constructor(options: PolicyServiceOptions) {
    this.#options = options;
  }

  list(): readonly ListedPolicy[] {
    return this.#options.book.list();
  }

  get(id: string): ListedPolicy | undefined {
    return this.#options.book.get(id);
  }

  async put(id: string | undefined, input: PolicyInput) {
    const { book, clock } = this.#options;
    for (const { attributes } of input.observations)
      if (attributes !== undefined) checkAttributes(attributes);
    const name = id ?? `p-${randomBytes(6).toString('hex')}`;
    const former = book.get(name);
    const now = Math.floor(clock.wallTime());
    await book.put({ id: name, ...input, createdAt: former?.policy.createdAt ?? now, updatedAt: now });
    this.#changed(name, former === undefined ? 'created' : 'changed');
    return { listed: this.#listed(name), created: former === undefined };
  }

  async remove(id: string): Promise<boolean> {
    if (this.#options.book.get(id)?.builtIn === true) {
      throw new ConflictError(`'${id}' comes with the server: switch it off, or restore it`);
    }
    const removed = await this.#options.book.remove(id);
    if (removed) this.#changed(id, 'removed');
    return removed;
  }

  async restore(id: string): Promise<ListedPolicy | undefined> {
    if (this.#options.book.get(id)?.builtIn !== true) return undefined;
    if (await this.#options.book.remove(id)) this.#changed(id, 'restored');
    return this.#listed(id);
  }

  async statusOf(endpoint: string): Promise<DeviceObservationStatus> {
    const registration = await this.#options.stores.registrations.byEndpoint(endpoint);
    if (registration !== undefined) return this.#status(registration);
    await this.#known(endpoint);
    const { clock, book } = this.#options;
    // Without its links nothing is known of what policies want; what was chosen stands.
    const desire = await book.desired({ endpoint, version: '1.2', links: [] });
    return observationStatus({
      desired: desire.desired,
      policies: [],
      registeredAt: undefined,
      session: undefined,
      stored: [],
      live: new Set(),
      now: clock.now(),
      wallTime: clock.wallTime(),
    });
  }

  async check(endpoint: string, options: DeviceRequestOptions = {}): Promise<DeviceObservationStatus> {
    const { book, reconciler, requests } = this.#options;
    const registration = await this.#registered(endpoint);
    const { desired } = await book.desired(registration);
    const taken = notRefused(desired.wanted, reconciler.session(registration.id)?.troubles);
    const nodes = attributesOfNodes(registration, taken);
    for (const wanted of taken) {
      const real = await otherAttributes(requests, endpoint, wanted.paths, nodes, options);
      if (real === undefined) continue;
      reconciler.drifted(registration, wanted, { reason: 'the device has other attributes', real });
    }
    const status = await this.#status(registration);
    reconciler.lookSoon(registration);
    return status;
  }

  async renew(endpoint: string): Promise<DeviceObservationStatus> {
    const registration = await this.#registered(endpoint);
    await this.#inTime(this.#options.reconciler.renew(registration));
    return this.statusOf(endpoint);
  }

  async choose(
    endpoint: string,
    target: ObservationTarget,
    wanted: boolean,
  ): Promise<DeviceObservationStatus> {
    if (target.attributes !== undefined) checkAttributes(target.attributes);
    await this.#known(endpoint);
    const registration = await this.#options.stores.registrations.byEndpoint(endpoint);
    if (registration !== undefined) this.#checkMeaning(registration, target);
    await this.#record(endpoint, target, wanted);
    if (registration === undefined) return this.statusOf(endpoint);
    await this.#inLine(registration);
    return this.#status(registration);
  }

  /** By what is known of the resources in the versions that the device has registered. @throws RequestError */
  #checkMeaning(registration: Registration, { paths, composite, attributes }: ObservationTarget): void {
    if (attributes === undefined) return;
    const lookup = this.#options.lookupFor(registration);
    // LwM2M 1.0 has no composite observations: there each path is observed by itself.
    if (composite === true && speaks(registration, '1.1')) checkCompositeMeaning(attributes);
    else for (const path of paths) checkMeaning(path, attributes, lookup);
  }

  async unchoose(endpoint: string, { paths, composite }: ObservationTarget): Promise<boolean> {
    await this.#known(endpoint);
    const removed = await this.#options.book.unchoose(endpoint, [...paths].sort(), composite === true);
    const registration = await this.#options.stores.registrations.byEndpoint(endpoint);
    if (removed && registration !== undefined) await this.#inLine(registration);
    return removed;
  }

  /** A person observes something, or ends an observation, by way of the device itself: that is desired from then on. */
  async chosen(registration: Registration, target: ObservationTarget, wanted: boolean): Promise<boolean> {
    const { book, reconciler } = this.#options;
    const { endpoint } = registration;
    const key = targetKey(target);
    const { desired, record } = await book.desired(registration);
    const wasDesired = desired.wanted.some((observation) => observation.key === key);
    if (wanted) {
      await this.#record(endpoint, target, true);
      await this.#noteWritten(registration, target, record.written);
    } else {
      const others = record.choices.filter((choice) => targetKey(choice) !== key);
      const byPolicy = (await book.desiredWith(registration, others)).wanted.some((one) => one.key === key);
      // Where no policy wants it, there is nothing to rule out.
      if (byPolicy) await this.#record(endpoint, target, false);
      else await book.unchoose(endpoint, [...target.paths].sort(), target.composite === true);
    }
    reconciler.lookSoon(registration);
    return wasDesired;
  }

  /** What stands at nodes of an older device is to be removed again one day. */
  async #noteWritten(
    registration: Registration,
    { paths, attributes }: ObservationTarget,
    written: ReadonlyMap<string, NotificationAttributes>,
  ): Promise<void> {
    if (attributes === undefined || speaks(registration, '1.2')) return;
    for (const path of paths) {
      const all = { ...written.get(path), ...attributes };
      await this.#options.book.setWritten(registration.endpoint, path, all);
    }
  }

  #record(endpoint: string, target: ObservationTarget, wanted: boolean): Promise<void> {
    const { paths, composite, attributes, contentFormat } = target;
    return this.#options.book.choose(endpoint, {
      paths: [...paths].sort(),
      composite: composite === true,
      wanted,
      ...(wanted && attributes !== undefined ? { attributes } : {}),
      ...(wanted && contentFormat !== undefined ? { contentFormat } : {}),
      chosenAt: Math.floor(this.#options.clock.wallTime()),
    });
  }

  /** Waits for the device where it can be reached now; a device that sleeps is asked when it speaks. */
  async #inLine(registration: Registration): Promise<void> {
    const { reconciler } = this.#options;
    const done = reconciler.reconcile(registration);
    if (reconciler.isReachable(registration)) await this.#inTime(done);
  }

  /** A device may take minutes; who asked is then told what there is so far, and that it is being worked on. */
  async #inTime(done: Promise<void>): Promise<void> {
    let timer: Timer | undefined;
    const over = new Promise<void>((resolve) => {
      timer = this.#options.clock.setTimer(CALLER_PATIENCE, resolve);
    });
    await Promise.race([done, over]);
    timer?.cancel();
  }

  async #status(registration: Registration): Promise<DeviceObservationStatus> {
    const { book, observations, reconciler, clock } = this.#options;
    const { desired } = await book.desired(registration);
    const policies = await book.matching(registration);
    const stored = await observations.stored(registration.id);
    return observationStatus({
      desired,
      policies,
      registeredAt: registration.registeredAt,
      session: reconciler.session(registration.id),
      stored,
      live: new Set(observations.liveSince(registration.id).map((live) => targetKey(live.stored))),
      now: clock.now(),
      wallTime: clock.wallTime(),
    });
  }

  #listed(id: string): ListedPolicy {
    const listed = this.#options.book.get(id);
    if (listed === undefined) throw new ConflictError(`'${id}' was removed meanwhile`);
    return listed;
  }

  #changed(id: string, change: 'created' | 'changed' | 'removed' | 'restored'): void {
    const { events, clock, sweep } = this.#options;
    events.publish('observation-policy', undefined, clock.wallTime(), { id, change });
    sweep.start();
  }

  async #registered(endpoint: string): Promise<Registration> {
    const registration = await this.#options.stores.registrations.byEndpoint(endpoint);
    if (registration !== undefined) return registration;
    await this.#known(endpoint);
    throw new NotRegisteredError(endpoint);
  }

  async #known(endpoint: string): Promise<void> {
    if ((await this.#options.stores.devices.get(endpoint)) === undefined)
      throw new UnknownDeviceError(endpoint);
  }
}
