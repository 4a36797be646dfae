import { hostname } from 'node:os';
import type { FastifyInstance, FastifyListenOptions } from 'fastify';
import type { Logger } from 'pino';
import type { PeerAddress } from '../protocol/coap/datagram-port.ts';
import type { CoapEndpoint } from '../protocol/coap/exchange.ts';
import { createUdpPort, type UdpPort } from '../protocol/coap/udp-port.ts';
import { type Config, ConfigError, isLoopback } from './config.ts';
import type { Stores } from './ports/stores.ts';

/** Bytes that the kernel should hold in a burst: some ten thousand small datagrams. */
const UDP_BUFFER = 4 * 1024 * 1024;

/**
 * The server's UDP socket; warns where the kernel grants less than a burst of registrations needs.
 * @throws ConfigError one line that names the setting, where the port cannot be had.
 */
export function openUdpPort(config: Config, log: Logger): Promise<UdpPort> {
  return openPort(config, config.coapPort, 'SIMYARD_COAP_PORT', log);
}

/**
 * The socket of the bootstrap server without security; undefined where it has none: keys go over it in the clear, so
 * that it opens on loopback alone.
 * @throws ConfigError as above
 */
export async function openBootstrapPort(config: Config, log: Logger): Promise<UdpPort | undefined> {
  if (config.bootstrapPort === undefined || !isLoopback(config.coapHost)) return undefined;
  return openPort(config, config.bootstrapPort, 'SIMYARD_BOOTSTRAP_PORT', log);
}

async function openPort(config: Config, port: number, setting: string, log: Logger): Promise<UdpPort> {
  try {
    const opened = await createUdpPort({
      host: config.coapHost,
      port,
      receiveBufferSize: UDP_BUFFER,
      reusePort: config.reusePort,
    });
    if (opened.receiveBufferSize < UDP_BUFFER) {
      log.warn(
        { granted: opened.receiveBufferSize, wanted: UDP_BUFFER },
        'the kernel limits the UDP receive buffer: a burst of registrations may lose datagrams; raise net.core.rmem_max',
      );
    }
    return opened;
  } catch (error) {
    throw explainListen(error, 'UDP', config.coapHost, port, setting);
  }
}

/** @throws ConfigError as above. Resolves with the address that people open. */
export function listen(api: FastifyInstance, config: Config): Promise<string> {
  return listenAt(api, config.httpHost, config.httpPort, 'SIMYARD_HTTP_PORT', config.reusePort);
}

/**
 * Where devices reach this node, as it tells others: nodes that share the address have the same. One that listens on
 * all addresses of its machine goes by the machine's name.
 */
export function coapUriOf(config: Pick<Config, 'coapAddress'>, local: PeerAddress): string {
  if (config.coapAddress !== undefined) return config.coapAddress;
  return `coap://${local.replace(/^(?:0\.0\.0\.0|\[::\])(?=:)/, hostname())}`;
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

function explainListen(
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
  endpoint: CoapEndpoint,
  httpAddress: string,
): void {
  log.info({ coap: endpoint.local, http: httpAddress, store: stores.description }, 'ready');
  if (!isLoopback(config.coapHost)) {
    log.warn(
      { host: config.coapHost },
      'CoAP listens beyond this machine without security: anyone who reaches it can register as any device',
    );
  }
}
