import type { Logger } from 'pino';
import { createUdpPort, type UdpPort } from '../../protocol/coap/udp-port.ts';
import { explainListen } from '../listen.ts';

/** Bytes that the kernel should hold in a burst: some ten thousand small datagrams. */
const UDP_BUFFER = 4 * 1024 * 1024;

/** A UDP port, and the setting that it is told by. */
export interface SocketSetting {
  readonly port: number;
  readonly setting: string;
}

export interface SocketOptions {
  readonly host: string;
  /** Undefined: not opened. */
  readonly coap: SocketSetting | undefined;
  readonly coaps: SocketSetting | undefined;
  readonly reusePort: boolean;
}

/** The sockets of a server port: of CoAP as it is, and of CoAP over DTLS. */
export interface Sockets {
  readonly coap: UdpPort | undefined;
  readonly coaps: UdpPort | undefined;
}

/**
 * Opens both, or none; warns where the kernel grants less than a burst of registrations needs.
 * @throws ConfigError one line that names the setting, where a port cannot be had.
 */
export async function openSockets(
  { host, coap, coaps, reusePort }: SocketOptions,
  log: Logger,
): Promise<Sockets> {
  const open = async (given: SocketSetting | undefined): Promise<UdpPort | undefined> => {
    if (given === undefined) return undefined;
    const { port, setting } = given;
    try {
      return await createUdpPort({ host, port, receiveBufferSize: UDP_BUFFER, reusePort });
    } catch (error) {
      throw explainListen(error, 'UDP', host, port, setting);
    }
  };
  const first = await open(coap);
  try {
    const second = await open(coaps);
    const granted = Math.min(...[first, second].map((port) => port?.receiveBufferSize ?? UDP_BUFFER));
    if (granted < UDP_BUFFER) {
      log.warn(
        { granted, wanted: UDP_BUFFER },
        'the kernel limits the UDP receive buffer: a burst of registrations may lose datagrams; raise net.core.rmem_max',
      );
    }
    return { coap: first, coaps: second };
  } catch (error) {
    await first?.close();
    throw error;
  }
}
