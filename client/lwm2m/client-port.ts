import type { Clock } from '../../protocol/clock.ts';
import type { DatagramHandler, DatagramPort, PeerAddress } from '../../protocol/coap/datagram-port.ts';

export interface ClientPortOptions {
  readonly port: DatagramPort;
  readonly clock: Clock;
  /** Milliseconds after the last datagram until the receiver goes to sleep; undefined: it never does. */
  readonly awakeTime: () => number | undefined;
  /** Whether something is under way that keeps it awake. */
  readonly busy: () => boolean;
}

/**
 * The client's door to the network. It is deaf to servers that are disabled (Server object, resource 4: the
 * client ignores all their messages), and to everybody while the client sleeps in queue mode: datagrams
 * that come then are lost, as where a radio is off. Sending wakes it.
 */
export class ClientPort implements DatagramPort {
  readonly #options: ClientPortOptions;
  readonly #ignored = new Set<PeerAddress>();
  #lastActive: number;
  #missed = 0;

  constructor(options: ClientPortOptions) {
    this.#options = options;
    this.#lastActive = options.clock.now();
  }

  get local(): PeerAddress {
    return this.#options.port.local;
  }

  get isAwake(): boolean {
    const time = this.#options.awakeTime();
    return time === undefined || this.#options.clock.now() - this.#lastActive <= time || this.#options.busy();
  }

  /** Datagrams that came while it slept. */
  get missed(): number {
    return this.#missed;
  }

  ignore(peer: PeerAddress): void {
    this.#ignored.add(peer);
  }

  heed(peer: PeerAddress): void {
    this.#ignored.delete(peer);
  }

  send(data: Uint8Array, peer: PeerAddress): void {
    if (this.#ignored.has(peer)) return;
    this.#lastActive = this.#options.clock.now();
    this.#options.port.send(data, peer);
  }

  onDatagram(handler: DatagramHandler): void {
    this.#options.port.onDatagram((data, peer, identity) => {
      if (this.#ignored.has(peer)) return;
      if (!this.isAwake) {
        this.#missed++;
        return;
      }
      this.#lastActive = this.#options.clock.now();
      handler(data, peer, identity);
    });
  }

  onError(handler: (error: Error, peer: PeerAddress | undefined) => void): void {
    this.#options.port.onError(handler);
  }

  close(): Promise<void> {
    return this.#options.port.close();
  }
}
