import type { DatagramHandler, DatagramPort, PeerAddress } from '../../../protocol/coap/datagram-port.ts';

/** A port into which datagrams can be put at once, without the network. */
export class TapPort implements DatagramPort {
  readonly #inner: DatagramPort;
  #handler: DatagramHandler | undefined;
  /** Called with all that goes out; false holds it back. */
  onSend: (data: Uint8Array, peer: PeerAddress) => boolean = () => true;

  constructor(inner: DatagramPort) {
    this.#inner = inner;
  }

  get local(): PeerAddress {
    return this.#inner.local;
  }

  deliver(data: Uint8Array, from: PeerAddress): void {
    this.#handler?.(data, from, undefined);
  }

  send(data: Uint8Array, peer: PeerAddress): void {
    if (this.onSend(data, peer)) this.#inner.send(data, peer);
  }

  onDatagram(handler: DatagramHandler): void {
    this.#handler = handler;
    this.#inner.onDatagram(handler);
  }

  onError(handler: (error: Error, peer: PeerAddress | undefined) => void): void {
    this.#inner.onError(handler);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
