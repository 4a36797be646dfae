import { hostname } from 'node:os';
import type { FastifyInstance, FastifyListenOptions } from 'fastify';
import type { Logger } from 'pino';
import type { PeerAddress } from '../protocol/coap/datagram-port.ts';
import { type Config, ConfigError, isLoopback } from './config.ts';
import type { Stores } from './ports/stores.ts';

/**
 * Resolves with the address that people open.
 * @throws ConfigError one line that names the setting, where the port cannot be had.
 */
export function listen(api: FastifyInstance, config: Config): Promise<string> {
  return listenAt(api, config.httpHost, config.httpPort, 'SIMYARD_HTTP_PORT', config.reusePort);
}

/**
 * Where devices reach this node, as it tells others: nodes that share the address have the same. One that listens on
 * all addresses of its machine goes by the machine's name. Undefined where the socket is not open.
 * @param address of the settings
 */
export function coapUriOf(
  scheme: 'coap' | 'coaps',
  address: string | undefined,
  socket: { readonly local: PeerAddress } | undefined,
): string | undefined {
  if (socket === undefined) return undefined;
  return address ?? `${scheme}://${socket.local.replace(/^(?:0\.0\.0\.0|\[::\])(?=:)/, hostname())}`;
}

/** The address of the settings for DTLS: where only that without security is told, its host has DTLS as well. */
export function coapsAddressOf(
  { coapAddress, coapsAddress }: Pick<Config, 'coapAddress' | 'coapsAddress'>,
  socket: { readonly local: PeerAddress } | undefined,
): string | undefined {
  if (coapsAddress !== undefined || coapAddress === undefined || socket === undefined) return coapsAddress;
  const port = socket.local.slice(socket.local.lastIndexOf(':'));
  return `${coapAddress.replace(/^coap:/, 'coaps:').replace(/:\d+$/, '')}${port}`;
}

/** @throws ConfigError as above, which names this setting. Resolves with the address that people open. */
export async function listenAt(
  api: FastifyInstance,
  host: string,
  port: number,
  setting: string,
  reusePort = false,
): Promise<string> {
  // Handed to the system as they are (net.Server.listen); Fastify's type does not list all of them.
  const options: FastifyListenOptions & { readonly reusePort: boolean } = { host, port, reusePort };
  try {
    return await api.listen(options);
  } catch (error) {
    throw explainListen(error, 'TCP', host, port, setting);
  }
}

/** What the system says of a port that cannot be had, as one line that names the setting. */
export function explainListen(
  error: unknown,
  protocol: string,
  host: string,
  port: number,
  setting: string,
): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new ConfigError(`${protocol} port ${port} on ${host} is taken; set ${setting} to another one`);
  }
  if (code === 'EACCES') {
    return new ConfigError(
      `${protocol} port ${port} on ${host} needs more rights; set ${setting} to one above 1023`,
    );
  }
  if (code === 'EADDRNOTAVAIL') return new ConfigError(`${host} is no address of this machine`);
  return error;
}

/** Says where the server listens, and what is open to whom. */
export function announce(
  config: Config,
  log: Logger,
  stores: Stores,
  addresses: {
    readonly coap: PeerAddress | undefined;
    readonly coaps: PeerAddress | undefined;
    readonly http: string;
  },
): void {
  log.info({ ...addresses, store: stores.description }, 'ready');
  if (addresses.coap !== undefined && !isLoopback(config.coapHost)) {
    log.warn(
      { host: config.coapHost },
      'CoAP listens beyond this machine without security: anyone who reaches it can register as any device',
    );
  }
}
