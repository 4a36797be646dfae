import type { PeerAddress } from '../protocol/coap/datagram-port.ts';
import type { ModemSettings } from './command-line.ts';
import { awaitFirst } from './server-address.ts';

type Servers = Pick<ModemSettings, 'servers' | 'bootstrap'>;

/**
 * Where the servers are that a modem begins with, as far as their names are known; undefined also for those that a
 * bootstrap will give it.
 */
export async function awaitServers(
  { servers, bootstrap }: Servers,
  onFailure: (reason: string) => void,
): Promise<readonly (PeerAddress | undefined)[]> {
  if (bootstrap === undefined) return awaitFirst(servers, onFailure);
  return [...(await awaitFirst([bootstrap], onFailure)), undefined];
}

/** `server coap://a:5683`, `servers coap://a:5683 and coap://b:5683`, `bootstrap server coap://a:5686`. */
export function serverNames({ servers, bootstrap }: Servers): string {
  if (bootstrap !== undefined) return `bootstrap server ${bootstrap.uri}`;
  const names = servers.map(({ uri }) => uri).join(' and ');
  return servers.length === 1 ? `server ${names}` : `servers ${names}`;
}
