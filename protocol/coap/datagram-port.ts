/**
 * Where a datagram came from or goes to: opaque to CoAP, compared as a string. UDP ports use
 * `host:port`, with IPv6 hosts in brackets (`127.0.0.1:5683`, `[::1]:5683`).
 */
export type PeerAddress = string;

/**
 * Who sent a datagram, once a secure transport has authenticated it. Absent on plain UDP.
 * `name` is the PSK identity, the hex SHA-256 of the raw public key's SubjectPublicKeyInfo, or the
 * certificate's subject name, by `kind`.
 */
export interface PeerIdentity {
  readonly kind: 'psk' | 'rpk' | 'x509';
  readonly name: string;
  /**
   * The endpoint name that this identity is enrolled for, where the secure transport was told: what the peer registers,
   * updates and reports has to be this device's.
   */
  readonly endpoint?: string;
}

/**
 * Called for each datagram that arrives. `data` belongs to the receiver from then on: the port does
 * not reuse its memory.
 */
export type DatagramHandler = (
  data: Uint8Array,
  peer: PeerAddress,
  identity: PeerIdentity | undefined,
) => void;

/**
 * A socket as the protocol sees it: unreliable, unordered, message-preserving. UDP and DTLS are two
 * of them, and a simulated lossy link in the tests is a third.
 */
export interface DatagramPort {
  /** The address that peers would send to. */
  readonly local: PeerAddress;
  /**
   * Hands one datagram to the transport; `data` must not be changed afterwards. Best effort: it does
   * not throw for a peer that cannot be reached, since loss is what CoAP retransmits for. Transport
   * errors that name a peer (ICMP unreachable) go to `onError`.
   */
  send(data: Uint8Array, peer: PeerAddress): void;
  /** Sets the one receiver. Datagrams that arrive before there is one may be dropped. */
  onDatagram(handler: DatagramHandler): void;
  /** Sets the one listener for transport errors. `peer` is known only where the system names it. */
  onError(handler: (error: Error, peer: PeerAddress | undefined) => void): void;
  /** Idempotent; resolves when the transport is released. */
  close(): Promise<void>;
}
