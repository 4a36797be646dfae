import type { DatagramPort, PeerAddress } from './datagram-port.ts';

/** Which way a datagram goes, as this side sees it. */
export const Direction = { IN: 0, OUT: 1 } as const;
export type Direction = (typeof Direction)[keyof typeof Direction];

/**
 * Called with each datagram, incoming ones before they are received, outgoing ones before they leave. `data` may be
 * read until the call returns, and must not be changed.
 */
export type DatagramTap = (direction: Direction, data: Uint8Array, peer: PeerAddress) => void;

/**
 * The same port, with everything that passes shown to `tap`. Above a secure transport it shows plain CoAP.
 */
export function tapPort(port: DatagramPort, tap: DatagramTap): DatagramPort {
  return {
    get local() {
      return port.local;
    },
    send(data, peer) {
      tap(Direction.OUT, data, peer);
      port.send(data, peer);
    },
    onDatagram(handler) {
      port.onDatagram((data, peer, identity) => {
        tap(Direction.IN, data, peer);
        handler(data, peer, identity);
      });
    },
    onError: (handler) => port.onError(handler),
    close: () => port.close(),
  };
}
