import type { PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import type { Secret } from './secret.ts';

/** For which of LwM2M's two kinds of accounts (Security object, resource 1; OMA-TS-LightweightM2M_Core-V1_2 §E.1). */
export const credentialAccounts = ['server', 'bootstrap'] as const;
export type CredentialAccount = (typeof credentialAccounts)[number];

export const credentialStates = ['active', 'revoked'] as const;
export type CredentialState = (typeof credentialStates)[number];

/**
 * How a device proves that it is who it says, OMA-TS-LightweightM2M_Transport-V1_2 §5.2: by a pre-shared key and its
 * identity, by a raw public key, or by a certificate. `identity` is what a secure transport will have found out of it.
 */
export type Credential = PreSharedKey | RawPublicKey | CertificateName;

/** What is printed on the device or stands in the delivery note: known before it was ever heard. */
export interface EnrolmentAttributes {
  readonly serialNumber?: string;
  readonly mac?: string;
  readonly imei?: string;
  readonly iccid?: string;
}

interface CredentialOfDevice {
  readonly account: CredentialAccount;
  /** The endpoint name that it may register. */
  readonly endpoint: string;
  /** A revoked one stays: its identity is nobody else's until it is removed. */
  readonly state: CredentialState;
  /** ms since the epoch, as all times here. */
  readonly createdAt: number;
  /** When it, its key, or its state was changed last. */
  readonly changedAt: number;
  /** Absent: of no tenant. */
  readonly tenant?: string;
  readonly attributes?: EnrolmentAttributes;
  /** The device is to use another one by now: this one is good until then. */
  readonly validUntil?: number;
  /** When the device proved itself by it, coarse; absent: never. */
  readonly usedAt?: number;
}

export interface PreSharedKey extends CredentialOfDevice {
  readonly identity: Identity & { readonly kind: 'psk' };
  readonly key: Secret;
}

/** The hash of a raw public key: nothing that has to be kept secret. */
export interface RawPublicKey extends CredentialOfDevice {
  readonly identity: Identity & { readonly kind: 'rpk' };
}

/** The name in a certificate. */
export interface CertificateName extends CredentialOfDevice {
  readonly identity: Identity & { readonly kind: 'x509' };
  /** SHA-256 of the one certificate that is meant, hex. Absent: each that an authority of this server has signed. */
  readonly fingerprint?: string;
}

/** Kind and name are unique in an account. */
export type Identity = Pick<PeerIdentity, 'kind' | 'name'>;

type WithoutKey<T> = T extends unknown ? Omit<T, 'key'> : never;

/** A credential as people see it. */
export type CredentialSummary = WithoutKey<Credential>;

/** `stored`, or the device that has this identity: one identity is one device's. */
export type PutCredential =
  | { readonly stored: true; readonly replaced: boolean }
  | { readonly stored: false; readonly endpoint: string };

/** What is changed; what is absent stays. */
export interface CredentialChange {
  readonly state?: CredentialState;
  /** Null: without an end. */
  readonly validUntil?: number | null;
  readonly usedAt?: number;
  readonly changedAt?: number;
  readonly tenant?: string | null;
}

/** Those that match all that is given. */
export interface CredentialFilter {
  readonly account?: CredentialAccount;
  readonly kind?: Identity['kind'];
  readonly state?: CredentialState;
  readonly tenant?: string;
  /** Case-insensitive: a part of the endpoint or of the identity, or the start of a number that was imported. */
  readonly search?: string;
}

/**
 * Credentials of devices. A device may have several: one for each account, and two while its key is changed. They are
 * given before the device is known, and stay when it is removed from the inventory.
 */
export interface CredentialStore {
  /**
   * Replaces the one of the same account and identity, where it is the same device's and `mode` is not `add`; leaves
   * it where it is another one's.
   */
  put(credential: Credential, mode?: 'add' | 'replace'): Promise<PutCredential>;
  /** Those of a device, by account, kind and name. */
  get(endpoint: string): Promise<readonly Credential[]>;
  find(account: CredentialAccount, identity: Identity): Promise<Credential | undefined>;
  /** The credential afterwards; undefined where there is none. */
  change(
    account: CredentialAccount,
    identity: Identity,
    change: CredentialChange,
  ): Promise<CredentialSummary | undefined>;
  /** False where there was none. */
  remove(account: CredentialAccount, identity: Identity): Promise<boolean>;
  /**
   * Without their keys. Each that is there all the while comes once, in an order of the store's own.
   * @throws RequestError for a cursor that is not of this list
   */
  list(query: {
    readonly filter?: CredentialFilter;
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly items: readonly CredentialSummary[]; readonly next?: string }>;
}

/** By account, kind and name. */
export function compareCredentials(
  a: Pick<Credential, 'account' | 'identity'>,
  b: Pick<Credential, 'account' | 'identity'>,
): number {
  return (
    compare(a.account, b.account) ||
    compare(a.identity.kind, b.identity.kind) ||
    compare(a.identity.name, b.identity.name)
  );
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Whether it proves anything now. @param now ms since the epoch */
export function isValid(
  { state, validUntil }: Pick<Credential, 'state' | 'validUntil'>,
  now: number,
): boolean {
  return state === 'active' && (validUntil === undefined || validUntil > now);
}

/** Whether a credential is one of those that are asked for. */
export function matchesCredential(credential: CredentialSummary, filter: CredentialFilter): boolean {
  const { account, kind, state, tenant, search } = filter;
  if (account !== undefined && credential.account !== account) return false;
  if (kind !== undefined && credential.identity.kind !== kind) return false;
  if (state !== undefined && credential.state !== state) return false;
  if (tenant !== undefined && credential.tenant !== tenant) return false;
  if (search === undefined || search === '') return true;
  const wanted = search.toLowerCase();
  const numbers = Object.values(credential.attributes ?? {}) as readonly string[];
  return (
    credential.endpoint.toLowerCase().includes(wanted) ||
    credential.identity.name.toLowerCase().includes(wanted) ||
    numbers.some((number) => number.toLowerCase().startsWith(wanted))
  );
}

/** The credential with what is changed. */
export function changedCredential<T extends CredentialSummary>(credential: T, change: CredentialChange): T {
  const { validUntil, tenant, ...rest } = change;
  const changed: Record<string, unknown> = { ...credential };
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) changed[name] = value;
  for (const [name, value] of Object.entries({ validUntil, tenant })) {
    if (value === null) delete changed[name];
    else if (value !== undefined) changed[name] = value;
  }
  return changed as unknown as T;
}

/** The credential without its key. */
export function summaryOf(credential: Credential): CredentialSummary {
  if (!('key' in credential)) return credential;
  const { key: _, ...summary } = credential;
  return summary;
}
