import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';

/** One observation that the server holds on a device. */
export interface StoredObservation {
  /** Lower-case hex, random. */
  readonly token: string;
  readonly registrationId: string;
  readonly endpoint: string;
  /** Canonical LwM2M paths; more than one for a composite observation. */
  readonly paths: readonly string[];
  /** Made by FETCH (§6.4.4), which may name one path as well. */
  readonly composite?: boolean;
  /** Attributes that stood in the Observe request (1.2). */
  readonly attributes?: NotificationAttributes;
  /** Content-Format asked for; undefined where the device chose. */
  readonly contentFormat?: number;
  /** Who wanted it: the device's policy, or a caller of the API. */
  readonly origin: 'policy' | 'api';
  /** The device is being asked for it: it may not have it yet, and never get it where the node that asks is killed. */
  readonly pending?: boolean;
  /** ms since the epoch. */
  readonly createdAt: number;
}

/** An observation and where its device was last heard. */
export interface LocatedObservation extends StoredObservation {
  readonly address: PeerAddress;
  /** Another device was heard there since. */
  readonly addressLost?: boolean;
  readonly rootPath: string;
}

/** Observations survive a restart: a notification with a known token is understood by any node. */
export interface ObservationStore {
  /** False, and nothing stored, where the registration has ended meanwhile. Replaces one with the same token. */
  add(observation: StoredObservation): Promise<boolean>;
  /** The device has it: it is `pending` no longer. False where it was removed meanwhile, and then nothing is stored. */
  confirm(observation: StoredObservation): Promise<boolean>;
  byToken(token: string): Promise<LocatedObservation | undefined>;
  byRegistration(registrationId: string): Promise<readonly StoredObservation[]>;
  /** True where there was one. */
  remove(token: string): Promise<boolean>;
  count(): Promise<number>;
}
