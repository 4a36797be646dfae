import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Clock, systemClock } from '../../protocol/clock.ts';
import type { DatagramHandler, DatagramPort } from '../../protocol/coap/datagram-port.ts';
import { createDtlsClientPort } from '../../protocol/dtls/client-port.ts';

/** What connects one device with the server. */
export interface Link {
  send(data: Uint8Array): void;
  /** Sets the one receiver. */
  onData(handler: (data: Uint8Array) => void): void;
  close(): void;
}

/** Numeric addresses need no resolver. */
function lookup(
  host: string,
  _options: unknown,
  callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  callback(null, host, 4);
}

export interface UdpLinkOptions {
  /** IPv4, numeric. */
  readonly host: string;
  readonly port: number;
  /** The address that it comes from; the system chooses unless told. The port is always the system's choice. */
  readonly source?: string;
  /** A refused or unreachable server: CoAP sends again, so it is counted and no more. */
  onError(error: Error): void;
}

/** A connected UDP socket: the cheapest way to send, and nobody else's datagrams come in. */
export async function openUdpLink(options: UdpLinkOptions): Promise<Link> {
  const socket: Socket = createSocket({ type: 'udp4', lookup });
  // With a lookup that answers at once the events may come before these calls return.
  const listening = once(socket, 'listening');
  socket.bind({ address: options.source ?? '0.0.0.0', port: 0, exclusive: true });
  await listening;
  const connected = once(socket, 'connect');
  socket.connect(options.port, options.host);
  await connected;
  socket.on('error', options.onError);
  return {
    send: (data) => socket.send(data),
    onData: (handler) => socket.on('message', handler),
    close: () => socket.close(),
  };
}

export interface Losses {
  /** Share of datagrams that get lost in each direction, 0 to 1. */
  readonly loss: number;
  /** Share of those that arrive which arrive twice. */
  readonly duplicates: number;
  /** ms that each takes in each direction. */
  readonly delay: number;
  readonly random: () => number;
}

/** The same link, but lossy, doubling and slow: in both directions alike. */
export function lossyLink(link: Link, losses: Losses, clock: Clock = systemClock): Link {
  const { loss, duplicates, delay, random } = losses;
  let closed = false;
  const carry = (data: Uint8Array, deliver: (data: Uint8Array) => void): void => {
    if (random() < loss) return;
    for (let copies = random() < duplicates ? 2 : 1; copies > 0; copies--) {
      if (delay === 0) deliver(data);
      else clock.setTimer(delay, () => closed || deliver(data));
    }
  };
  return {
    send: (data) => carry(data, (datagram) => link.send(datagram)),
    onData: (handler) => link.onData((data) => carry(data, handler)),
    close() {
      closed = true;
      link.close();
    },
  };
}

export interface PskCredentials {
  readonly identity: string;
  readonly key: Uint8Array;
}

/** DTLS 1.2 with a pre-shared key over a link; the first datagram shakes hands. `onFailed` tells of a handshake in vain. */
export function dtlsLink(link: Link, psk: PskCredentials, onFailed: (reason: string) => void): Link {
  // One peer, whose name matters to nobody.
  const server = '127.0.0.1:5684';
  let receive: DatagramHandler = () => {};
  link.onData((data) => receive(data, server, undefined));
  const inner: DatagramPort = {
    local: '127.0.0.1:1',
    send: (data) => link.send(data),
    onDatagram(handler) {
      receive = handler;
    },
    onError() {
      // The link beneath tells its own.
    },
    async close() {
      link.close();
    },
  };
  const port = createDtlsClientPort({
    port: inner,
    clock: systemClock,
    suites: [0xc0a8],
    events: { onFailed: (_peer, reason, detail) => onFailed(`${reason}: ${detail}`) },
  });
  port.secure(server, { kind: 'psk', identity: new TextEncoder().encode(psk.identity), key: psk.key });
  return {
    send: (data) => port.send(data, server),
    onData: (handler) => port.onDatagram(handler),
    close() {
      // Leaves without a word, as a device does that loses its power.
      port.suspend();
      void port.close();
    },
  };
}
