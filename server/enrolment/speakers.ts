import type { PeerAddress, PeerIdentity } from '../../protocol/coap/datagram-port.ts';

/** Whether it names a secure session, and not a place in the network: see protocol/dtls. */
export function isSecureAddress(address: PeerAddress): boolean {
  return address.startsWith('dtls:');
}

/**
 * Whether what comes from there may be the device's: by a session it has to be one that is enrolled for it, and
 * without one it must not have spoken by a session itself.
 */
export function maySpeakFor(
  { endpoint, isSecure }: { readonly endpoint: string; readonly isSecure: boolean },
  identity: PeerIdentity | undefined,
): boolean {
  if (identity === undefined) return !isSecure;
  return identity.endpoint === undefined || identity.endpoint === endpoint;
}
