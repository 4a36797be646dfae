import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerAddress } from '../protocol/coap/datagram-port.ts';
import { parsePeer, resolvePeer } from '../protocol/coap/udp-port.ts';

/** Where a server is said to be. */
export interface NamedHost {
  readonly host: string;
  readonly port: number;
}

/**
 * Finds the server: its IPv4 address where it has one, for a server that is bound to 127.0.0.1 is
 * `localhost` to most people, and to many systems that is ::1.
 * @throws the resolver's error
 */
export async function resolveServer(server: NamedHost): Promise<PeerAddress> {
  try {
    return await resolvePeer(server.host, server.port, 4);
  } catch (error) {
    if (!isUnknownName(error)) throw error;
    return resolvePeer(server.host, server.port, 6);
  }
}

/** Between attempts to resolve the servers' names, ms. */
const resolveAgain = 3_000;

/**
 * As `resolveServer`, again and again until one of the servers is found: a modem may be started before the
 * network that knows the names. Undefined for those that are not known yet.
 */
export async function awaitFirst(
  servers: readonly NamedHost[],
  onFailure: (reason: string) => void,
): Promise<readonly (PeerAddress | undefined)[]> {
  for (;;) {
    const found = await Promise.all(
      servers.map(async (server) => {
        try {
          return await resolveServer(server);
        } catch (error) {
          if (!isUnknownName(error)) throw error;
          onFailure(error.message);
          return undefined;
        }
      }),
    );
    if (found.some((address) => address !== undefined)) return found;
    await sleep(resolveAgain);
  }
}

/** The address to bind to, so that the servers are reached and nobody else can reach a modem of this machine's own. */
export function localHostFor(servers: readonly (PeerAddress | undefined)[]): string {
  const hosts = servers.map((server) => (server === undefined ? undefined : parsePeer(server).host));
  if (hosts.every((host) => host?.startsWith('127.') === true)) return '127.0.0.1';
  if (hosts.every((host) => host === '::1')) return '::1';
  return hosts.some((host) => host !== undefined && isIPv6(host)) ? '::' : '0.0.0.0';
}

function isUnknownName(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && error.syscall === 'getaddrinfo';
}
