import type { DatagramHandler, DatagramPort, PeerAddress } from '../../protocol/coap/datagram-port.ts';

/** The modem's radio in front of its socket: off, no datagram goes out or comes in. */
export class Radio implements DatagramPort {
  readonly #port: DatagramPort;
  #on = true;

  constructor(port: DatagramPort) {
    this.#port = port;
  }

  get local(): PeerAddress {
    return this.#port.local;
  }

  get isOn(): boolean {
    return this.#on;
  }

  turn(state: 'on' | 'off'): void {
    this.#on = state === 'on';
  }

  send(data: Uint8Array, peer: PeerAddress): void {
    if (this.#on) this.#port.send(data, peer);
  }

  onDatagram(handler: DatagramHandler): void {
    this.#port.onDatagram((data, peer, identity) => {
      if (this.#on) handler(data, peer, identity);
    });
  }

  onError(handler: (error: Error, peer: PeerAddress | undefined) => void): void {
    this.#port.onError(handler);
  }

  close(): Promise<void> {
    return this.#port.close();
  }
}
