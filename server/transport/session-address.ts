import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { isSecureAddress } from '../enrolment/speakers.ts';
import { flowPeerOf, isFlowAddress } from '../gateway/flow-address.ts';
import type { ReachedIdentity } from '../ports/registration-store.ts';

const PREFIX = 'dtls:';

/** The id of a session, 16 hex digits. */
export function sessionIdOf(peer: PeerAddress): string {
  return peer.slice(PREFIX.length);
}

export function sessionAddressOf(id: string): PeerAddress {
  return `${PREFIX}${id}`;
}

/** The address of a device as people are shown it: `host:port`, as far as it is known. */
export function shownAddress(device: {
  readonly address: PeerAddress;
  readonly identity?: ReachedIdentity | undefined;
  readonly transportAddress?: PeerAddress;
}): PeerAddress {
  const { address, identity, transportAddress = identity?.transportAddress } = device;
  if (isFlowAddress(address)) return flowPeerOf(address);
  return isSecureAddress(address) ? (transportAddress ?? address) : address;
}
