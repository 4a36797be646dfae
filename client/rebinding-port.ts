import type { Clock, Timer } from '../protocol/clock.ts';
import type { DatagramHandler, DatagramPort, PeerAddress } from '../protocol/coap/datagram-port.ts';

/**
 * A port that is another socket every so often, as seen from the outside a device behind carrier-grade NAT
 * is: its address changes without its doing, and what is sent to the former one is lost.
 */
export class RebindingPort implements DatagramPort {
  readonly #open: () => Promise<DatagramPort>;
  readonly #clock: Clock;
  readonly #every: number;
  #port: DatagramPort;
  #timer: Timer;
  #onDatagram: DatagramHandler | undefined;
  #onError: ((error: Error, peer: PeerAddress | undefined) => void) | undefined;
  #closed = false;
  #rebinding: Promise<void> = Promise.resolve();

  /** Begins on `first`; `open` gives each socket after it; `every` in ms. */
  constructor(options: {
    readonly first: DatagramPort;
    readonly open: () => Promise<DatagramPort>;
    readonly every: number;
    readonly clock: Clock;
  }) {
    this.#port = options.first;
    this.#open = options.open;
    this.#every = options.every;
    this.#clock = options.clock;
    this.#timer = this.#schedule();
  }

  get local(): PeerAddress {
    return this.#port.local;
  }

  send(data: Uint8Array, peer: PeerAddress): void {
    this.#port.send(data, peer);
  }

  onDatagram(handler: DatagramHandler): void {
    this.#onDatagram = handler;
    this.#port.onDatagram(handler);
  }

  onError(handler: (error: Error, peer: PeerAddress | undefined) => void): void {
    this.#onError = handler;
    this.#port.onError(handler);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    await this.#rebinding;
    await this.#port.close();
  }

  #schedule(): Timer {
    return this.#clock.setTimer(this.#every, () => {
      this.#rebinding = this.#rebind().catch((error: unknown) => {
        // The system has no socket to give now: the old one goes on.
        if (!(error instanceof Error && 'syscall' in error)) throw error;
        this.#onError?.(error, undefined);
      });
      this.#timer = this.#schedule();
    });
  }

  async #rebind(): Promise<void> {
    const next = await this.#open();
    if (this.#closed) {
      await next.close();
      return;
    }
    const former = this.#port;
    this.#port = next;
    if (this.#onDatagram !== undefined) next.onDatagram(this.#onDatagram);
    if (this.#onError !== undefined) next.onError(this.#onError);
    await former.close();
  }
}
