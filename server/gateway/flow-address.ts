import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';

// A leaf: whoever must tell such devices from those that speak CoAP may import it.

const PREFIX = 'flow:';

/** The address of a device behind the gateway, from where its packets come: another space than that of CoAP peers. */
export function flowAddressOf(peer: PeerAddress): PeerAddress {
  return `${PREFIX}${peer}`;
}

/** Whether a device is reached by the gateway, and knows no CoAP. */
export function isFlowAddress(address: PeerAddress): boolean {
  return address.startsWith(PREFIX);
}

/** `host:port` of such an address. */
export function flowPeerOf(address: PeerAddress): PeerAddress {
  return address.slice(PREFIX.length);
}
