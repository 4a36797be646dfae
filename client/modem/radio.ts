import type { Clock } from '../../protocol/clock.ts';
import type {
  DatagramHandler,
  DatagramPort,
  PeerAddress,
  PeerIdentity,
} from '../../protocol/coap/datagram-port.ts';

/** What went over the radio since the modem was made, with the headers of IP and UDP. */
export interface Traffic {
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Datagrams that wait for the modem's next look at its paging channel, at most. */
const mostWaiting = 16;
/** Of IPv4 and UDP; of IPv6 and UDP. */
const headers = { four: 28, six: 48 } as const;

/**
 * The modem's radio in front of its socket: off, no datagram goes out or comes in; asleep, none comes in
 * until it looks, or speaks itself.
 */
export class Radio implements DatagramPort {
  readonly #port: DatagramPort;
  readonly #clock: Clock;
  readonly #hears: (now: number, lastActive: number) => number;
  readonly #traffic = { packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0 };
  #largest = 0;
  #on = true;
  #lastActive: number;
  #waiting = 0;

  /** `hears` says when it hears what arrives at `now`, both on the monotonic clock; infinity: not at all. */
  constructor(
    port: DatagramPort,
    clock: Clock,
    hears: (now: number, lastActive: number) => number = (now) => now,
  ) {
    this.#port = port;
    this.#clock = clock;
    this.#hears = hears;
    this.#lastActive = clock.now();
  }

  get local(): PeerAddress {
    return this.#port.local;
  }

  get isOn(): boolean {
    return this.#on;
  }

  get traffic(): Traffic {
    return { ...this.#traffic };
  }

  /** Bytes of the largest packet since `forgetLargest`. */
  get largest(): number {
    return this.#largest;
  }

  forgetLargest(): void {
    this.#largest = 0;
  }

  turn(state: 'on' | 'off'): void {
    this.#on = state === 'on';
    this.#lastActive = this.#clock.now();
  }

  send(data: Uint8Array, peer: PeerAddress): void {
    this.#send(this.#port, data, peer);
  }

  onDatagram(handler: DatagramHandler): void {
    this.#listen(this.#port, handler);
  }

  onError(handler: (error: Error, peer: PeerAddress | undefined) => void): void {
    this.#port.onError(handler);
  }

  close(): Promise<void> {
    this.#on = false;
    return this.#port.close();
  }

  /**
   * Another socket behind the same radio: off, asleep and counted with it. It belongs to the caller, who closes it.
   */
  through(port: DatagramPort): DatagramPort {
    return {
      local: port.local,
      send: (data, peer) => this.#send(port, data, peer),
      onDatagram: (handler) => this.#listen(port, handler),
      onError: (handler) => port.onError(handler),
      close: () => port.close(),
    };
  }

  #send(port: DatagramPort, data: Uint8Array, peer: PeerAddress): void {
    if (!this.#on) return;
    this.#lastActive = this.#clock.now();
    this.#traffic.packetsOut++;
    this.#traffic.bytesOut += this.#sizeOf(data, peer);
    port.send(data, peer);
  }

  #listen(port: DatagramPort, handler: DatagramHandler): void {
    port.onDatagram((data, peer, identity) => {
      if (!this.#on) return;
      const now = this.#clock.now();
      const at = this.#hears(now, this.#lastActive);
      if (at <= now) this.#hear(handler, data, peer, identity);
      else if (at !== Number.POSITIVE_INFINITY && this.#waiting < mostWaiting) {
        this.#waiting++;
        const copy = data.slice();
        this.#clock.setTimer(at - now, () => {
          this.#waiting--;
          if (this.#on) this.#hear(handler, copy, peer, identity);
        });
      }
    });
  }

  #hear(
    handler: DatagramHandler,
    data: Uint8Array,
    peer: PeerAddress,
    identity: PeerIdentity | undefined,
  ): void {
    this.#lastActive = this.#clock.now();
    this.#traffic.packetsIn++;
    this.#traffic.bytesIn += this.#sizeOf(data, peer);
    handler(data, peer, identity);
  }

  #sizeOf(data: Uint8Array, peer: PeerAddress): number {
    const size = data.length + (peer.startsWith('[') ? headers.six : headers.four);
    if (size > this.#largest) this.#largest = size;
    return size;
  }
}
