import { isDeepStrictEqual } from 'node:util';
import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';
import { ConflictError } from '../errors.ts';
import { isFlowAddress } from '../gateway/flow-address.ts';
import type { DeviceAttributes, DeviceStore } from '../ports/device-store.ts';
import type {
  DeviceObservationRecord,
  ObservationChoice,
  ObservationPolicy,
  ObservationPolicyStore,
} from '../ports/observation-policy-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import { type DesiredState, PolicySet, type PolicySubject } from './desired-observations.ts';
import { targetKey } from './observation-target.ts';

/** Policies that may be kept. */
const MAX_POLICIES = 1000;
/** Paths in all policies together: each is looked at for each device. */
const MAX_PATHS = 32_768;
/** Choices that may be kept for one device. */
export const MAX_CHOICES = 512;

/** A policy and where it comes from. */
export interface ListedPolicy {
  readonly policy: ObservationPolicy;
  /** The server brings it along; it can be changed and restored, but not removed. */
  readonly builtIn: boolean;
  /** A built-in one that somebody changed. */
  readonly changed: boolean;
}

/** What is kept of one device, and what is desired of it. */
export interface DeviceDesire {
  readonly desired: DesiredState;
  readonly record: DeviceObservationRecord;
}

type Subject = Pick<Registration, 'endpoint' | 'version' | 'links'> & Partial<Pick<Registration, 'address'>>;

/** Of a device that cannot be observed: it tells by itself what it has. */
const nothingDesired: DesiredState = { wanted: [], suppressed: [], beyondLimit: 0 };

const nothing: DeviceObservationRecord = { choices: [], written: new Map() };

/** Observation policies as they are now, in memory and in the store, and what people chose for single devices. */
export class PolicyBook {
  readonly #store: ObservationPolicyStore;
  readonly #devices: Pick<DeviceStore, 'get'>;
  readonly #builtIn: ReadonlyMap<string, ObservationPolicy>;
  #stored = new Map<string, ObservationPolicy>();
  #set: PolicySet;
  /** Endpoints that have a record: of all others nothing need be asked. */
  readonly #recorded = new Set<string>();
  #edition = 0;
  #shared: ((endpoint: string) => void) | undefined;

  private constructor(
    store: ObservationPolicyStore,
    devices: Pick<DeviceStore, 'get'>,
    builtIn: readonly ObservationPolicy[],
  ) {
    this.#store = store;
    this.#devices = devices;
    this.#builtIn = new Map(builtIn.map((policy) => [policy.id, policy]));
    this.#set = this.#compiled(this.#stored);
  }

  /** @throws StoreUnavailableError */
  static async open(
    store: ObservationPolicyStore,
    devices: Pick<DeviceStore, 'get'>,
    builtIn: readonly ObservationPolicy[],
  ): Promise<PolicyBook> {
    const book = new PolicyBook(store, devices, builtIn);
    await book.reload();
    return book;
  }

  /** Takes what the store has: another node may have changed it. False: nothing has. @throws StoreUnavailableError */
  async reload(): Promise<boolean> {
    const [policies, recorded] = await Promise.all([this.#store.policies(), this.#store.recorded()]);
    for (const endpoint of recorded) this.#recorded.add(endpoint);
    const isSame =
      policies.length === this.#stored.size &&
      policies.every((policy) => isDeepStrictEqual(policy, this.#stored.get(policy.id)));
    if (!isSame) this.#take(new Map(policies.map((policy) => [policy.id, policy])));
    return !isSame;
  }

  /**
   * Other nodes change the store too: what is kept of a device is always asked for. `onRecorded`: something is kept of
   * a device for the first time, which the others should know.
   */
  share(onRecorded: (endpoint: string) => void): void {
    this.#shared = onRecorded;
  }

  /** Another node has noted something of the device. */
  noteRecord(endpoint: string): void {
    this.#recorded.add(endpoint);
  }

  /** Rises with every change of a policy. */
  get edition(): number {
    return this.#edition;
  }

  /** Whether manufacturer and model of a device must be known to tell what is desired of it. */
  get needsAttributes(): boolean {
    return this.#set.needsAttributes;
  }

  /** By id. */
  list(): readonly ListedPolicy[] {
    return [...this.#merged(this.#stored).values()]
      .map((policy) => this.#listed(policy))
      .sort((a, b) => (a.policy.id < b.policy.id ? -1 : 1));
  }

  get(id: string): ListedPolicy | undefined {
    const policy = this.#stored.get(id) ?? this.#builtIn.get(id);
    return policy && this.#listed(policy);
  }

  /**
   * Makes a policy, or replaces the one with its id.
   * @throws RequestError a path that is no template; ConflictError there are too many
   */
  async put(policy: ObservationPolicy): Promise<void> {
    const next = new Map(this.#stored).set(policy.id, policy);
    if (next.size > MAX_POLICIES) throw new ConflictError(`there are ${MAX_POLICIES} policies already`);
    const paths = [...next.values()].reduce((sum, each) => sum + pathsOf(each), 0);
    const before = this.#stored.get(policy.id);
    if (paths > MAX_PATHS && pathsOf(policy) > (before === undefined ? 0 : pathsOf(before))) {
      throw new ConflictError(`all policies together may have ${MAX_PATHS} paths, and not ${paths}`);
    }
    this.#compiled(next);
    await this.#store.putPolicy(policy);
    this.#take(new Map(this.#stored).set(policy.id, policy));
  }

  /** Removes a policy; a built-in one is again as the server brings it along. False: there was nothing to remove. */
  async remove(id: string): Promise<boolean> {
    const removed = await this.#store.removePolicy(id);
    const next = new Map(this.#stored);
    next.delete(id);
    this.#take(next);
    return removed;
  }

  /** Whether what is desired can be told without asking the store. */
  isKnown(endpoint: string): boolean {
    return !this.#set.needsAttributes && !this.#recorded.has(endpoint);
  }

  /** What is desired of a device that `isKnown`. */
  known(registration: Subject): DesiredState {
    return this.#desired(registration);
  }

  /** What is desired of a device. */
  async desired(registration: Subject): Promise<DeviceDesire> {
    const record = await this.record(registration.endpoint);
    return { record, desired: this.#desired(await this.#subject(registration), record.choices) };
  }

  /** Those that are for the device, the strongest first. */
  async matching(registration: Subject): Promise<readonly ObservationPolicy[]> {
    if (cannotBeObserved(registration)) return [];
    return this.#set.matching(await this.#subject(registration));
  }

  /** What would be desired of it with other choices than it has. */
  async desiredWith(registration: Subject, choices: readonly ObservationChoice[]): Promise<DesiredState> {
    return this.#desired(await this.#subject(registration), choices);
  }

  #desired(subject: PolicySubject & Subject, choices?: readonly ObservationChoice[]): DesiredState {
    return cannotBeObserved(subject) ? nothingDesired : this.#set.desired(subject, choices);
  }

  async #subject(registration: Subject): Promise<PolicySubject & Subject> {
    if (!this.#set.needsAttributes || cannotBeObserved(registration)) return registration;
    const { endpoint, version, links } = registration;
    const { manufacturer, model }: DeviceAttributes = (await this.#devices.get(endpoint)) ?? {};
    return {
      endpoint,
      version,
      links,
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(model === undefined ? {} : { model }),
    };
  }

  record(endpoint: string): Promise<DeviceObservationRecord> {
    return this.#shared !== undefined || this.#recorded.has(endpoint)
      ? this.#store.record(endpoint)
      : Promise.resolve(nothing);
  }

  /** @throws ConflictError the device has too many */
  async choose(endpoint: string, choice: ObservationChoice): Promise<void> {
    const { choices } = await this.record(endpoint);
    const key = targetKey(choice);
    if (choices.length >= MAX_CHOICES && !choices.some((one) => targetKey(one) === key)) {
      throw new ConflictError(`'${endpoint}' has ${MAX_CHOICES} observations chosen by hand already`);
    }
    // Noted before it is stored: what is asked for nothing is harmless, what is not asked for would be lost.
    this.#note(endpoint);
    await this.#store.choose(endpoint, choice);
  }

  unchoose(endpoint: string, paths: readonly string[], composite: boolean): Promise<boolean> {
    return this.#store.unchoose(endpoint, paths, composite);
  }

  async setWritten(
    endpoint: string,
    path: string,
    attributes: NotificationAttributes | undefined,
  ): Promise<void> {
    if (attributes !== undefined) this.#note(endpoint);
    await this.#store.setWritten(endpoint, path, attributes);
  }

  #note(endpoint: string): void {
    if (this.#recorded.has(endpoint)) return;
    this.#recorded.add(endpoint);
    this.#shared?.(endpoint);
  }

  #take(stored: Map<string, ObservationPolicy>): void {
    this.#set = this.#compiled(stored);
    this.#stored = stored;
    this.#edition++;
  }

  #compiled(stored: ReadonlyMap<string, ObservationPolicy>): PolicySet {
    return new PolicySet([...this.#merged(stored).values()], new Set(this.#builtIn.keys()));
  }

  #merged(stored: ReadonlyMap<string, ObservationPolicy>): ReadonlyMap<string, ObservationPolicy> {
    return new Map([...this.#builtIn, ...stored]);
  }

  #listed(policy: ObservationPolicy): ListedPolicy {
    const builtIn = this.#builtIn.has(policy.id);
    return { policy, builtIn, changed: builtIn && this.#stored.has(policy.id) };
  }
}

function pathsOf({ observations }: ObservationPolicy): number {
  return observations.reduce((sum, { paths }) => sum + paths.length, 0);
}

/** Behind the gateway nothing can be observed, and readings come all the same. */
function cannotBeObserved({ address }: Subject): boolean {
  return address !== undefined && isFlowAddress(address);
}
