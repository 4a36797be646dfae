import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';

/**
 * Which devices a policy is for: those that fit every member that is there; all devices where there is
 * none. Globs know `*` (any text) and `?` (one character).
 */
export interface DeviceSelector {
  /** Glob; upper and lower case differ, as in endpoint names. */
  readonly endpoint?: string;
  /** Glob without case, of the Device object's manufacturer. */
  readonly manufacturer?: string;
  /** Glob without case, of the Device object's model number. */
  readonly model?: string;
  /** An object that the device lists. */
  readonly object?: number;
}

/** What is to be observed of a device that a policy is for. */
export interface WantedObservation {
  /**
   * Templates: LwM2M paths in which an instance may be `*`, each that the device lists: `/3/0/9`,
   * `/42770/*\/2`, `/5`. More than one, or `composite`, is one composite observation.
   */
  readonly paths: readonly string[];
  readonly composite?: boolean;
  readonly attributes?: NotificationAttributes;
  /** Content-Format id; the best that the device speaks where absent. */
  readonly contentFormat?: number;
  /** These are not to be observed, whatever a weaker policy wants. */
  readonly exclude?: boolean;
}

/** Times: ms since the epoch. */
export interface ObservationPolicy {
  /** Lower-case letters, digits and hyphens. */
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly devices: DeviceSelector;
  readonly observations: readonly WantedObservation[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a person chose for one device; stronger than every policy. */
export interface ObservationChoice {
  /** Canonical paths, sorted; more than one, or `composite`, is one composite observation. */
  readonly paths: readonly string[];
  readonly composite: boolean;
  /** False: not to be observed, until somebody wants it again. */
  readonly wanted: boolean;
  readonly attributes?: NotificationAttributes;
  readonly contentFormat?: number;
  readonly chosenAt: number;
}

/** What is kept for one device. */
export interface DeviceObservationRecord {
  /** In the order in which they were chosen. */
  readonly choices: readonly ObservationChoice[];
  /**
   * Attributes that this server set by Write-Attributes and has not removed again, by canonical path: names,
   * with the values that were written.
   */
  readonly written: ReadonlyMap<string, NotificationAttributes>;
}

/**
 * Which paths are wanted with which attributes: of many devices by policies, of one by what a person
 * chose. A device's record survives its registrations; it goes with the device (DeviceStore.remove).
 */
export interface ObservationPolicyStore {
  /** By id. */
  policies(): Promise<readonly ObservationPolicy[]>;
  /** Replaces the one with the same id. */
  putPolicy(policy: ObservationPolicy): Promise<void>;
  /** False where there was none. */
  removePolicy(id: string): Promise<boolean>;
  /** Endpoints that have a record. */
  recorded(): Promise<readonly string[]>;
  record(endpoint: string): Promise<DeviceObservationRecord>;
  /** Replaces the choice for the same paths, composite or not. */
  choose(endpoint: string, choice: ObservationChoice): Promise<void>;
  /** False where there was none. */
  unchoose(endpoint: string, paths: readonly string[], composite: boolean): Promise<boolean>;
  /** Undefined: they were removed from the device. */
  setWritten(endpoint: string, path: string, attributes: NotificationAttributes | undefined): Promise<void>;
}
