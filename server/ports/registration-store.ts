import type { PeerAddress, PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import type { Link } from '../../protocol/lwm2m/link-format.ts';

/** EXCHANGE_LIFETIME of RFC 7252 §4.8.2, ms: so long a message with the same id and token is the same message. */
export const repetitionWindow = 247_000;

/** Who a device has proved to be, and where its session was reached then. */
export interface ReachedIdentity extends PeerIdentity {
  /** `host:port`; the address of the device is its session, which stays when this changes. */
  readonly transportAddress?: PeerAddress;
}

/** One registration of one endpoint, OMA-TS-LightweightM2M_Core §6.2. Times: ms since the epoch. */
export interface Registration {
  /** Unguessable; the last segment of the Location-Path. URL-safe. */
  readonly id: string;
  readonly endpoint: string;
  /** Where it was last heard. */
  readonly address: PeerAddress;
  readonly identity?: ReachedIdentity;
  /** Seconds. */
  readonly lifetime: number;
  /** `1.0`, `1.1`, `1.2`. */
  readonly version: string;
  /** As the client says it: `U`, `UQ` (1.0). */
  readonly binding: string;
  readonly queueMode: boolean;
  readonly smsNumber?: string;
  /** Alternate root path, `/` where there is none. */
  readonly rootPath: string;
  /** Objects and instances, root path stripped, as the client lists them (§6.2.1, CoRE link format). */
  readonly links: readonly Link[];
  /** Content formats that the client says it speaks (`ct` of the root link); empty where it does not say. */
  readonly contentFormats: readonly number[];
  /** Query parameters that this list does not know. */
  readonly additional: Readonly<Record<string, string>>;
  readonly registeredAt: number;
  readonly updatedAt: number;
  /** When it ends if nothing is heard: updatedAt + lifetime + grace. */
  readonly expiresAt: number;
  /** The server node that heard it last, and so owns it. */
  readonly node: string;
  /**
   * Of the ownership: rises by one whenever another node than before owns the endpoint, also across registrations.
   * Set by the store; what is given to it is passed over.
   */
  readonly fence?: number;
  /**
   * The CoAP message that asked for it: id and token. Of two nodes that got the same message, as a repetition that
   * took another way, the second one finds by it what the first one did.
   */
  readonly message?: string;
  /** Profile ids that it gave (1.2, §6.2.1): `6:27354b9a`, `oma:…`, `v:…`. Absent where it gave none. */
  readonly profiles?: readonly string[];
  /**
   * Another device was heard at `address` since: what is sent there goes to that one. Absent in lists, and again
   * once the device has spoken. A store that is asked by id or endpoint knows it.
   */
  readonly addressLost?: boolean;
}

/**
 * The device was heard at an address where another one was heard last: the registration of that one, which has
 * lost its address until it speaks again.
 */
export interface Displacement {
  readonly displaced?: Pick<Registration, 'id' | 'endpoint' | 'node'>;
}

/** What a Register did: see `RegistrationStore.register`. */
export interface Registered {
  readonly replaced: Registration | undefined;
  readonly repeated?: Registration;
  readonly fence: number;
}

/** Who owns a device: the node that heard it last, and the fencing number since it does. */
export interface Owner {
  readonly node: string;
  readonly fence: number;
}

/**
 * Who asks for a change: the identity of the secure session that it came by, null where it came without one. Undefined:
 * the server itself.
 */
export type Speaker = PeerIdentity | null | undefined;

/**
 * A registration is its device's alone: what comes from the session of another one does not find it, and what comes
 * without a session does not find one that was made by a secure one.
 */
export function isSpeakersOwn(
  registration: Pick<Registration, 'endpoint'> & { readonly identity?: unknown },
  speaker: Speaker,
): boolean {
  if (speaker === undefined) return true;
  if (speaker === null) return registration.identity === undefined;
  return speaker.endpoint === undefined || speaker.endpoint === registration.endpoint;
}

/** What an Update may change (§6.2.2); what is absent stays. */
export interface RegistrationUpdate {
  readonly id: string;
  readonly address: PeerAddress;
  readonly identity?: ReachedIdentity;
  readonly lifetime?: number;
  readonly binding?: string;
  readonly queueMode?: boolean;
  readonly smsNumber?: string;
  readonly links?: readonly Link[];
  readonly contentFormats?: readonly number[];
  readonly rootPath?: string;
  readonly profiles?: readonly string[];
  readonly updatedAt: number;
  readonly node: string;
}

/** The registration after an update, from the one before it. */
export function updatedRegistration(
  previous: Registration,
  update: RegistrationUpdate,
  expiresAt: number,
  fence: number,
): Registration {
  const { identity, lifetime, binding, queueMode, smsNumber, links, contentFormats, rootPath, profiles } =
    update;
  const registration: { -readonly [Member in keyof Registration]: Registration[Member] } = { ...previous };
  registration.address = update.address;
  registration.updatedAt = update.updatedAt;
  registration.node = update.node;
  registration.expiresAt = expiresAt;
  registration.fence = fence;
  if (identity !== undefined) registration.identity = identity;
  if (lifetime !== undefined) registration.lifetime = lifetime;
  if (binding !== undefined) registration.binding = binding;
  if (queueMode !== undefined) registration.queueMode = queueMode;
  if (smsNumber !== undefined) registration.smsNumber = smsNumber;
  if (links !== undefined) registration.links = links;
  if (contentFormats !== undefined) registration.contentFormats = contentFormats;
  if (rootPath !== undefined) registration.rootPath = rootPath;
  if (profiles !== undefined) registration.profiles = profiles;
  if (registration.addressLost !== undefined) delete registration.addressLost;
  return registration;
}

/**
 * Registrations. Register, update, deregister and expire are atomic per endpoint: one of two
 * concurrent calls sees the effect of the other. What it does to the device's inventory entry
 * (DeviceStore) and observations (ObservationStore) happens in the same transition.
 *
 * All methods reject with StoreUnavailableError where the store cannot answer.
 */
export interface RegistrationStore {
  /**
   * Replaces the older registration of that endpoint, and drops its observations.
   * `replaced` is that older one, with the node that owned the device before. `repeated` is there where the same
   * message (`message`, from the same address, within EXCHANGE_LIFETIME) had made a registration that is in force:
   * that one stays as it is, and nothing else happens.
   * The object is the store's from then on: it may set the fence on it, and nobody else changes it.
   * @param tenant whose the device is, where this makes its entry of the inventory; one that is known stays whose it is
   */
  register(registration: Registration, tenant?: string): Promise<Registered & Displacement>;
  /**
   * Changes what `update` says and sets the expiry anew (`graceMs` as at register: expiresAt − updatedAt − lifetime).
   * Undefined where no such registration exists (4.04), or it is not the speaker's own.
   */
  update(
    update: RegistrationUpdate,
    speaker?: Speaker,
  ): Promise<
    ({ readonly registration: Registration; readonly previous: Registration } & Displacement) | undefined
  >;
  /**
   * The device was heard at another address, or again at one that it had lost (a notification with a known
   * token): address, owner and nothing else. Undefined where no such registration exists.
   */
  move(
    id: string,
    address: PeerAddress,
    node: string,
  ): Promise<({ readonly previousNode: string; readonly fence: number } & Displacement) | undefined>;
  /**
   * This node owns the device from now on: it heard it at the address where it is, or the node that owned it is gone.
   * Undefined where no such registration exists, or its owner is not `from`, where that is given.
   */
  claim(
    id: string,
    node: string,
    from?: string,
  ): Promise<{ readonly registration: Registration; readonly previousNode: string } | undefined>;
  /**
   * Ends it by the device's wish; undefined where there is none, or it is not the speaker's own. Drops its
   * observations.
   */
  deregister(id: string, speaker?: Speaker): Promise<Registration | undefined>;
  /**
   * Ends up to `limit` registrations whose `expiresAt` is not after `now`, and returns them: each
   * expired registration is returned by exactly one call, ever. Drops their observations.
   */
  expire(now: number, limit: number): Promise<readonly Registration[]>;
  /** When the next one would expire; undefined where there is none. */
  nextExpiry(): Promise<number | undefined>;
  byId(id: string): Promise<Registration | undefined>;
  byEndpoint(endpoint: string): Promise<Registration | undefined>;
  /**
   * The device that was heard last at this address, by register, update or move. Undefined where that one
   * has left it: who was there before is not taken for it.
   */
  byAddress(address: PeerAddress): Promise<Registration | undefined>;
  count(): Promise<number>;
}
