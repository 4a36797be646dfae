import type { PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import type { DeviceSelector } from './observation-policy-store.ts';

/** One LwM2M server that a device is given: its instances of the Security and of the Server object. */
export interface BootstrapServerAccount {
  /** 1 to 65534; of another server each. */
  readonly shortServerId: number;
  /** `coaps://host:port` or `coap://host:port`; absent: this very server, as it is advertised. */
  readonly uri?: string;
  /** `psk`: identity and key are made for the device, and enrolled before it gets them. */
  readonly security: 'psk' | 'nosec';
  /** Seconds. */
  readonly lifetime: number;
  /** Transports, as in resource 7 of the Server object: `U`, `UQ`. */
  readonly binding: string;
  readonly notificationStoring: boolean;
  /** Seconds. */
  readonly defaultMinimumPeriod?: number;
  readonly defaultMaximumPeriod?: number;
  readonly disableTimeout?: number;
  /** Whether the device is to come back for a bootstrap when it cannot register there. */
  readonly bootstrapOnFailure?: boolean;
  readonly priority?: number;
}

/** A value that is written beside the accounts, as the API takes them: numbers, texts, booleans, hex for bytes. */
export interface BootstrapObjectValue {
  /** Of a resource or of a resource instance. */
  readonly path: string;
  readonly value: string | number | boolean;
}

/** An instance of the Access Control object, OMA-TS-LightweightM2M_Core §8. */
export interface BootstrapAccess {
  readonly objectId: number;
  /** 65535: the object itself, and the right to create instances of it. */
  readonly instanceId: number;
  /** Short server id; 65535: bootstrap servers alone. */
  readonly owner: number;
  /** Rights by short server id; 0 for those that are not named. */
  readonly rights: readonly { readonly shortServerId: number; readonly rights: number }[];
}

/** What devices are given by a bootstrap. Times: ms since the epoch. */
export interface BootstrapProfile {
  /** Lower-case letters, digits and hyphens. */
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  /** Which devices it is for, where none is assigned to a device by itself. */
  readonly devices: Pick<DeviceSelector, 'endpoint' | 'manufacturer' | 'model'>;
  /** Of several that fit a device, the one with the greatest; then the first by id. */
  readonly priority: number;
  /** Whether the Server and Access Control objects of the device are read before, for people to see. */
  readonly readFirst: boolean;
  /** Deleted first, in this order: `/`, an object, or an instance. A device keeps its bootstrap account and Device. */
  readonly remove: readonly string[];
  readonly servers: readonly BootstrapServerAccount[];
  readonly objects: readonly BootstrapObjectValue[];
  readonly access: readonly BootstrapAccess[];
  /** How often all is written once more to a device that finds it inconsistent (4.06 to Bootstrap-Finish). */
  readonly retries: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export const bootstrapStates = ['running', 'finished', 'failed', 'replaced'] as const;
/**
 * `replaced`: the device has begun anew meanwhile, here or at another node, and what was under way went no further.
 */
export type BootstrapState = (typeof bootstrapStates)[number];

export type BootstrapOperation =
  | 'request'
  | 'pack'
  | 'discover'
  | 'read'
  | 'credential'
  | 'delete'
  | 'write'
  | 'finish';

/** One thing that was done, or is being done. */
export interface BootstrapStep {
  readonly operation: BootstrapOperation;
  readonly path?: string;
  readonly startedAt: number;
  /** Absent: it is under way. */
  readonly endedAt?: number;
  /** The device's answer as a CoAP code, `2.04`; absent where it gave none. */
  readonly code?: string;
  /** What more there is to say, or why it failed. */
  readonly detail?: string;
}

/** One bootstrap of one device. */
export interface BootstrapSession {
  /** Begins with the bucket of the device, as a registration id does. */
  readonly id: string;
  readonly endpoint: string;
  readonly address: string;
  readonly identity?: PeerIdentity;
  /** Where it takes place. */
  readonly node: string;
  readonly kind: 'requests' | 'pack';
  /** Id and name of the profile, as it was then; absent where none was found. */
  readonly profile?: { readonly id: string; readonly name: string };
  readonly state: BootstrapState;
  /** Why it failed. */
  readonly reason?: string;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly steps: readonly BootstrapStep[];
}

export interface BootstrapAssignment {
  readonly endpoint: string;
  /** Id of the profile. */
  readonly profile: string;
}

/** How many sessions stay: of one device, and of all devices of a bucket. The oldest go. */
export interface BootstrapBounds {
  readonly ofDevice: number;
  readonly ofBucket: number;
}

/**
 * What devices are given by bootstraps, which device gets what, and how each bootstrap went. Devices need not be in the
 * inventory: they are assigned, and bootstrapped, before they are known; what is kept here stays when they are removed.
 */
export interface BootstrapStore {
  /** By id. */
  profiles(): Promise<readonly BootstrapProfile[]>;
  /** Replaces the one with the same id. */
  putProfile(profile: BootstrapProfile): Promise<void>;
  /** Assignments to it stay, and lead nowhere. False where there was none. */
  removeProfile(id: string): Promise<boolean>;
  /** The profile that was assigned to the device by itself. */
  assignment(endpoint: string): Promise<string | undefined>;
  /** Undefined: none any more. */
  assign(endpoint: string, profile: string | undefined): Promise<void>;
  /**
   * Of one profile, or all. Each that is there all the while comes once, in an order of the store's own.
   * @throws RequestError for a cursor that is not of this list
   */
  assignments(query: {
    readonly profile?: string;
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly items: readonly BootstrapAssignment[]; readonly next?: string }>;
  /**
   * Enters a session that begins. In the same step the one that is under way for this device becomes `replaced`, and is
   * returned as it is now.
   */
  begin(session: BootstrapSession, bounds: BootstrapBounds): Promise<BootstrapSession | undefined>;
  /** Replaces a session that is `running`. False where it is not any more, or gone: who runs it has to let go. */
  record(session: BootstrapSession): Promise<boolean>;
  session(id: string): Promise<BootstrapSession | undefined>;
  /**
   * Newest first.
   * @throws RequestError for a cursor that is not of this list
   */
  sessions(query: {
    readonly endpoint?: string;
    readonly states?: readonly BootstrapState[];
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly items: readonly BootstrapSession[]; readonly next?: string }>;
}
