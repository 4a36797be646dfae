import { createSocket, type RemoteInfo, type SocketType } from 'node:dgram';
import { lookup as resolveName } from 'node:dns/promises';
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { RequestError } from '../errors.ts';
import type { DatagramHandler, DatagramPort, PeerAddress } from './datagram-port.ts';
import { ReadAhead } from './read-ahead.ts';

/** Datagrams that are held until there is somebody to receive them. */
const MAX_EARLY = 1_024;
const MAPPED_IPV4 = '::ffff:';

export interface UdpPortOptions {
  /** A numeric address: `127.0.0.1`, `::1`; `::` also takes IPv4. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Lets several processes share the port, each with its share of the peers (SO_REUSEPORT). */
  readonly reusePort?: boolean;
  /** Bytes that the kernel should hold for us in a burst; 4 MiB unless told. */
  readonly receiveBufferSize?: number;
}

export interface UdpPort extends DatagramPort {
  /** Bytes that the kernel granted: less than asked for where its limit (net.core.rmem_max) is lower. */
  readonly receiveBufferSize: number;
}

/** `host:port`, an IPv6 host in brackets. */
export function formatPeer(host: string, port: number): PeerAddress {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The numeric host and the port of a PeerAddress of a UDP port.
 * @throws RequestError where it is not one.
 */
export function parsePeer(peer: PeerAddress): { readonly host: string; readonly port: number } {
  const end = endOfIpv4(peer);
  if (end > 0) return { host: peer.slice(0, end), port: Number(peer.slice(end + 1)) };
  const colon = peer.lastIndexOf(':');
  const bracketed = peer.startsWith('[') && peer[colon - 1] === ']';
  const host = bracketed ? peer.slice(1, colon - 1) : peer.slice(0, Math.max(colon, 0));
  const digits = peer.slice(colon + 1);
  const port = Number(digits);
  if (
    !/^\d{1,5}$/.test(digits) ||
    port === 0 ||
    port > 65_535 ||
    !(bracketed ? isIPv6(host) : isIPv4(host))
  ) {
    throw new RequestError(`${JSON.stringify(peer)} is no numeric address with a port`);
  }
  return { host, port };
}

const DOT = 0x2e;
const COLON = 0x3a;
const ZERO = 0x30;

/**
 * Where the host ends of an IPv4 address with a port that is written as usual; 0 for anything else. By hand, for an
 * acknowledgement is mostly sent to another peer than the one before, and patterns would cost more than all else of it.
 */
function endOfIpv4(peer: PeerAddress): number {
  let end = 0;
  let dots = 0;
  let digits = 0;
  let value = 0;
  for (let at = 0; at < peer.length; at++) {
    const unit = peer.charCodeAt(at);
    const digit = unit - ZERO;
    if (digit >= 0 && digit <= 9) {
      // A leading zero is read as octal by some.
      if (digits > 0 && value === 0) return 0;
      value = value * 10 + digit;
      digits += 1;
      if (value > (end === 0 ? 255 : 65_535)) return 0;
      continue;
    }
    if (digits === 0 || end !== 0) return 0;
    if (unit === DOT && dots < 3) dots += 1;
    else if (unit === COLON && dots === 3) end = at;
    else return 0;
    digits = 0;
    value = 0;
  }
  return digits > 0 && value > 0 ? end : 0;
}

/**
 * Where a host of that name is reached: the first address that the system gives.
 * @throws the system's error where the name is unknown.
 */
export async function resolvePeer(host: string, port: number, family: 0 | 4 | 6 = 0): Promise<PeerAddress> {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0) return formatPeer(bare, port);
  const { address } = await resolveName(bare, { family });
  return formatPeer(address, port);
}

/**
 * Numeric addresses need no resolver: without this each datagram would wait for a turn of the event loop. They were
 * checked before, and the family shows by the colons of IPv6.
 */
function lookup(
  host: string,
  _options: unknown,
  callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  callback(null, host, host.includes(':') ? 6 : 4);
}

/**
 * Opens a UDP socket. A second one on the same port is refused by the system unless both ask for
 * `reusePort`: SO_REUSEADDR is never set.
 * @throws RequestError for a host that is not numeric; the system's error where it cannot be bound.
 */
export async function createUdpPort(options: UdpPortOptions): Promise<UdpPort> {
  const { host, port } = options;
  const version = isIP(host);
  if (version === 0) throw new RequestError(`${JSON.stringify(host)} is no numeric address`);
  const type: SocketType = version === 6 ? 'udp6' : 'udp4';
  const socket = createSocket({ type, reusePort: options.reusePort ?? false, lookup });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.removeListener('error', reject);
      resolve();
    });
  });
  socket.setRecvBufferSize(options.receiveBufferSize ?? 4 * 1024 * 1024);
  // Linux tells twice of what it was asked for, its own bookkeeping included (socket(7)).
  const granted = socket.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1);
  const bound = socket.address();
  const local = formatPeer(bound.address, bound.port);

  let errorHandler: ((error: Error, peer: PeerAddress | undefined) => void) | undefined;
  let closing: Promise<void> | undefined;
  // The peer last heard is the one that is mostly answered next.
  let lastPeer: PeerAddress = '';
  let lastHost = '';
  let lastPort = 0;

  const fail = (error: Error, peer: PeerAddress | undefined) => errorHandler?.(error, peer);
  socket.on('error', (error) => fail(error, undefined));

  const remember = (peer: PeerAddress, address: string, portNumber: number) => {
    lastPeer = peer;
    lastHost = address;
    lastPort = portNumber;
  };

  let receiver: DatagramHandler | undefined;
  // A socket that shares its port gets its part of the traffic from the moment on that it is bound.
  let early: { readonly data: Uint8Array; readonly from: RemoteInfo }[] = [];
  const take = (data: Uint8Array, from: RemoteInfo): void => {
    const { address } = from;
    // A forged source that no answer can go to (RFC 768 allows port 0 to those who want none).
    if (from.port === 0 || closing !== undefined) return;
    if (receiver === undefined) {
      if (early.length < MAX_EARLY) early.push({ data, from });
      return;
    }
    const peer =
      type === 'udp4'
        ? `${address}:${from.port}`
        : formatPeer(
            address.startsWith(MAPPED_IPV4) ? address.slice(MAPPED_IPV4.length) : address,
            from.port,
          );
    remember(peer, address, from.port);
    receiver(data, peer, undefined);
  };
  const ahead = new ReadAhead(take);
  socket.on('message', (data, from) => ahead.take(data, from));

  return {
    local,
    receiveBufferSize: granted,
    send(data, peer) {
      if (closing !== undefined) return;
      if (peer !== lastPeer) {
        try {
          const parsed = parsePeer(peer);
          remember(
            peer,
            type === 'udp6' && isIPv4(parsed.host) ? MAPPED_IPV4 + parsed.host : parsed.host,
            parsed.port,
          );
        } catch (error) {
          fail(error instanceof Error ? error : new Error(String(error)), peer);
          return;
        }
      }
      try {
        socket.send(data, lastPort, lastHost);
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)), peer);
      }
    },
    onDatagram(handler: DatagramHandler) {
      receiver = handler;
      const held = early;
      early = [];
      // Not from within this call: who sets the receiver may not be done with setting up.
      if (held.length > 0)
        setImmediate(() => {
          for (const { data, from } of held) take(data, from);
        });
    },
    onError(handler) {
      errorHandler = handler;
    },
    close() {
      ahead.clear();
      closing ??= new Promise((resolve) => socket.close(() => resolve()));
      return closing;
    },
  };
}
