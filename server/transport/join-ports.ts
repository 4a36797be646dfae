import type { DatagramPort, PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { isSecureAddress } from '../enrolment/speakers.ts';

/** A port of the server: its peers are UDP addresses and DTLS sessions. */
export interface ServerPort extends DatagramPort {
  /** Where a peer is reached now, `host:port`; of a session that is not here its own name. */
  transportAddress(peer: PeerAddress): PeerAddress;
}

/** What is needed of the DTLS port. */
export interface SecuredPort extends DatagramPort {
  transportAddress(peer: PeerAddress): PeerAddress | undefined;
}

/**
 * UDP and DTLS as one port, so that one CoAP endpoint serves both: addresses that begin with `dtls:` are sessions, all
 * others are those of UDP. `local` is that of UDP where it is there.
 */
export function joinPorts(udp: DatagramPort | undefined, dtls: SecuredPort | undefined): ServerPort {
  const ports = [udp, dtls].filter((port) => port !== undefined);
  const [first] = ports;
  if (first === undefined) throw new RangeError('neither UDP nor DTLS is open');
  return {
    local: first.local,
    send(data, peer) {
      // A device of a transport that is closed now is not reached: loss, as anywhere.
      if (isSecureAddress(peer)) dtls?.send(data, peer);
      else udp?.send(data, peer);
    },
    onDatagram(handler) {
      for (const port of ports) port.onDatagram(handler);
    },
    onError(handler) {
      for (const port of ports) port.onError(handler);
    },
    transportAddress: (peer) => (isSecureAddress(peer) ? dtls?.transportAddress(peer) : undefined) ?? peer,
    async close() {
      await Promise.all(ports.map((port) => port.close()));
    },
  };
}
