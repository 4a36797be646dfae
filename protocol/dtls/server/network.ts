import type { PeerAddress } from '../../coap/datagram-port.ts';

/** Hextets of an IPv6 address that say whose network it is: one subscriber has the rest (RFC 6177 §2). */
const PREFIX = 4;

/** What a peer cannot choose of its address as it likes: the IPv4 address, or the first 64 bits of the IPv6 address. */
export function networkOf(address: PeerAddress): string {
  const host = address.slice(0, address.lastIndexOf(':'));
  if (!host.startsWith('[')) return host;
  const [before = '', after] = host.slice(1, -1).split('%', 1)[0]?.split('::') ?? [];
  const hextets = before === '' ? [] : before.split(':');
  const behind = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? 0 : Math.max(0, 8 - hextets.length - behind.length);
  const all = [...hextets, ...Array.from({ length: zeros }, () => '0'), ...behind];
  const prefix = all.slice(0, PREFIX).map((hextet) => Number.parseInt(hextet, 16).toString(16));
  return prefix.join(':');
}
