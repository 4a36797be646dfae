import type { PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import type { Secret } from './secret.ts';

/**
 * How a device proves that it is who it says, OMA-TS-LightweightM2M_Transport-V1_2 §5.2: by a pre-shared key and its
 * identity, by a raw public key, or by a certificate. `identity` is what a secure transport will have found out of it.
 */
export type Credential = PreSharedKey | PublicCredential;

interface CredentialOfDevice {
  /** The endpoint name that it may register. */
  readonly endpoint: string;
  /** ms since the epoch. */
  readonly storedAt: number;
}

export interface PreSharedKey extends CredentialOfDevice {
  readonly identity: PeerIdentity & { readonly kind: 'psk' };
  readonly key: Secret;
}

/** The hash of a raw public key, or the name in a certificate: nothing that has to be kept secret. */
export interface PublicCredential extends CredentialOfDevice {
  readonly identity: PeerIdentity & { readonly kind: 'rpk' | 'x509' };
}

/** A credential as people see it. */
export type CredentialSummary = Pick<Credential, 'identity' | 'endpoint' | 'storedAt'>;

/** `stored`, or the device that has this identity: one identity is one device's. */
export type PutCredential =
  | { readonly stored: true; readonly replaced: boolean }
  | { readonly stored: false; readonly endpoint: string };

/**
 * Credentials of devices. A device may have several, as while its key is changed. They are given before the device is
 * known, and stay when it is removed from the inventory.
 */
export interface CredentialStore {
  /** Replaces the one of the same identity, where it is the same device's; leaves it where it is another one's. */
  put(credential: Credential): Promise<PutCredential>;
  /** Those of a device, by kind and name. */
  get(endpoint: string): Promise<readonly Credential[]>;
  find(identity: PeerIdentity): Promise<Credential | undefined>;
  /** False where there was none. */
  remove(identity: PeerIdentity): Promise<boolean>;
  /**
   * Without their keys. Each that is there all the while comes once, in an order of the store's own.
   * @throws RequestError for a cursor that is not of this list
   */
  list(query: {
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly items: readonly CredentialSummary[]; readonly next?: string }>;
}

/** By kind and name. */
export function compareIdentities(a: PeerIdentity, b: PeerIdentity): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  return a.name === b.name ? 0 : a.name < b.name ? -1 : 1;
}
