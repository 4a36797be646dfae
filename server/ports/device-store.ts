import type { Registration } from './registration-store.ts';

/** What is known of a device beyond its registration. Absent: not known. */
export interface DeviceAttributes {
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serialNumber?: string;
  readonly firmwareVersion?: string;
  readonly iccid?: string;
  readonly imsi?: string;
  readonly imei?: string;
  /** Name of the current carrier; empty when disconnected. */
  readonly carrier?: string;
  /** Radio signal strength, dBm (object 4, resource 2). */
  readonly signal?: number;
}

/** A registration as the inventory has it: of who it is by, where that was reached. */
export interface ListedRegistration extends Omit<Registration, 'identity'> {
  readonly transportAddress?: string;
}

/** One device of the inventory, registered now or not. Times: ms since the epoch. */
export interface Device extends DeviceAttributes {
  readonly endpoint: string;
  /** Whose it is; absent: the operator's own, whom principals with a tenant do not see. */
  readonly tenant?: string;
  /** Its first registration. Absent: it was enrolled, and never heard. */
  readonly firstSeen?: number;
  /** Last Register, Update, or notification; coarse to `DeviceStore.heard`. Absent: never. */
  readonly lastSeen?: number;
  /** How long it listens after it was heard, ms: as a person set it, and as the server learnt it (queue mode). */
  readonly awakeTimes?: { readonly configured?: number; readonly learnt?: number };
  /** Its registration, without what only the protocol needs. Absent: not registered now. */
  readonly registration?: ListedRegistration;
  /** Until when it is taken to listen (queue mode); coarse to `DeviceStore.listening`. Absent: always, or not registered. */
  readonly awakeUntil?: number;
  /** How its last registration ended: it ran out, or the device de-registered. Absent: it is registered, or nobody knows. */
  readonly ended?: 'lost' | 'left';
}

/**
 * Each device is in one of these: it listens now; it is registered and sleeps; its registration ran out; it
 * de-registered; it is not registered, and nobody knows how that came.
 */
export const deviceStates = ['awake', 'asleep', 'lost', 'left', 'known'] as const;
export type DeviceState = (typeof deviceStates)[number];

/** @param now ms since the epoch */
export function deviceState(
  device: Pick<Device, 'awakeUntil' | 'ended'> & { readonly registration?: unknown },
  now: number,
): DeviceState {
  if (device.registration === undefined) return device.ended ?? 'known';
  return (device.awakeUntil ?? Number.POSITIVE_INFINITY) > now ? 'awake' : 'asleep';
}

/** What may be asked for of a state: `registered` is awake or asleep, `unregistered` all others. */
export const deviceStateFilters = ['registered', 'unregistered', ...deviceStates] as const;
export type DeviceStateFilter = (typeof deviceStateFilters)[number];

/** The texts that a filter compares, and that are counted. */
export const deviceTexts = ['carrier', 'manufacturer', 'model', 'firmware', 'node', 'tenant'] as const;
export type DeviceText = (typeof deviceTexts)[number];

/** Which devices are meant: those that match everything that is given. Of a list one value is enough; an empty list matches none. */
export interface DeviceFilter extends Readonly<Partial<Record<DeviceText, readonly string[]>>> {
  /** Case-insensitive: a part of the endpoint, or the start of ICCID, IMSI, IMEI or serial number. */
  readonly search?: string;
  /** A part of the endpoint alone: for those who may not find out numbers digit by digit. */
  readonly endpointPart?: string;
  readonly states?: readonly DeviceStateFilter[];
  /** Of `carrier`, `manufacturer`, `model`, `firmware` (firmwareVersion), `node` (of the registration) and `tenant`: exact values; the empty text: none is known. */
  /** dBm, inclusive. */
  readonly signalMin?: number;
  readonly signalMax?: number;
  /** Last seen at or after, and before; ms since the epoch. What was never seen was not seen since then. */
  readonly seenSince?: number;
  readonly seenBefore?: number;
}

export const deviceSorts = [
  'endpoint',
  'lastSeen',
  'firstSeen',
  'model',
  'carrier',
  'signal',
  'firmware',
] as const;
export type DeviceSort = (typeof deviceSorts)[number];

export interface DeviceQuery {
  readonly filter?: DeviceFilter;
  /** ms since the epoch: what awake and asleep are told by. */
  readonly now: number;
  /** `endpoint` where absent, and where a cursor is given the order that it was made in. */
  readonly sort?: DeviceSort;
  readonly descending?: boolean;
  /** 1 to 1000. */
  readonly limit: number;
  /** Opaque, from `next` of a page in the same order. */
  readonly cursor?: string;
  /** So many are passed over: for a reader who jumps. Not beside a cursor. */
  readonly offset?: number;
}

export interface DevicePage {
  readonly items: readonly Device[];
  /** How many match, on all pages. */
  readonly total: number;
  /** Undefined on the last page. */
  readonly next?: string;
}

export interface DeviceFacet {
  /** Null: none is known. */
  readonly value: string | null;
  readonly count: number;
}

export interface DeviceFacets {
  readonly total: number;
  /** The most frequent first, at most 100 each. */
  readonly facets: Readonly<Partial<Record<DeviceText | 'state', readonly DeviceFacet[]>>>;
}

export interface DeviceCounts {
  readonly known: number;
  readonly registered: number;
  readonly awake: number;
  readonly asleep: number;
  readonly lost: number;
  readonly left: number;
}

/** A device that is known before it is heard. */
export interface EnrolledDevice extends Pick<DeviceAttributes, 'serialNumber' | 'iccid' | 'imei'> {
  readonly endpoint: string;
  /** Of an entry that is made by this; one that is known keeps its own. */
  readonly tenant?: string;
}

/**
 * The inventory: devices known, whether registered or not. An entry is made by `enrol`, or by the first
 * registration (RegistrationStore.register), and survives its end.
 */
export interface DeviceStore {
  get(endpoint: string): Promise<Device | undefined>;
  /**
   * Makes entries of devices that were never seen. Of those that are known already it sets what is not known of them,
   * and leaves the rest.
   */
  enrol(devices: readonly EnrolledDevice[]): Promise<void>;
  /**
   * In the order asked for; devices without such a value come last, in both directions, and those with the same
   * by endpoint. A page that goes on from a cursor begins behind the last device of the page before, wherever
   * that one would be now. The state of each item is one that was asked for, by `deviceState` at `query.now`.
   * Rejects with RequestError for a cursor that it did not make, or made for another order.
   */
  list(query: DeviceQuery): Promise<DevicePage>;
  /** How many match, by the values of each of `by`. */
  facets(by: readonly (DeviceText | 'state')[], filter: DeviceFilter, now: number): Promise<DeviceFacets>;
  /** Endpoints that match, in their order, behind `after`. */
  endpoints(
    filter: DeviceFilter,
    page: { readonly now: number; readonly after?: string; readonly limit: number },
  ): Promise<readonly string[]>;
  /** Sets what is given, keeps the rest. False where the device is not known. */
  setAttributes(endpoint: string, attributes: DeviceAttributes): Promise<boolean>;
  /** Sets what is given of `Device.awakeTimes`, with null for none; keeps the rest. False where the device is not known. */
  setAwakeTimes(
    endpoint: string,
    times: { readonly configured?: number | null; readonly learnt?: number | null },
  ): Promise<boolean>;
  /** Says whose it is; null: the operator's own. False where the device is not known. */
  setTenant(endpoint: string, tenant: string | null): Promise<boolean>;
  /** Whose these devices are, of those that are known; null: the operator's own. */
  tenants(endpoints: readonly string[]): Promise<ReadonlyMap<string, string | null>>;
  /**
   * Batched by the caller: when this node heard each of these devices last; never moves it back. Unknown ones are
   * passed over. Resolves with those that are registered and owned by another node: what is heard of them here is
   * theirs, or they are this node's to claim.
   */
  heard(times: ReadonlyMap<string, number>, node: string): Promise<readonly string[]>;
  /**
   * Batched by the caller: until when each of these devices is taken to listen. Passed over are those that are not
   * registered in queue mode. A Register or Update sets it to MAX_TRANSMIT_WAIT from then, until this says better.
   */
  listening(until: ReadonlyMap<string, number>): Promise<void>;
  /** Removes a device that is not registered, with its last values and history. False where it is registered or unknown. */
  remove(endpoint: string): Promise<boolean>;
  /** @param now ms since the epoch */
  counts(now: number): Promise<DeviceCounts>;
}
