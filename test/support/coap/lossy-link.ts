import type { Clock } from '../../../protocol/clock.ts';
import type {
  DatagramHandler,
  DatagramPort,
  PeerAddress,
  PeerIdentity,
} from '../../../protocol/coap/datagram-port.ts';

/** A small generator with a seed (mulberry32): the same run every time. Values from 0 to below 1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Random bytes in the form that an endpoint takes them, from a seed. */
export function seededBytes(seed: number): (bytes: number) => Uint8Array {
  const next = seededRandom(seed);
  return (bytes) => Uint8Array.from({ length: bytes }, () => Math.floor(next() * 256));
}

export interface LinkQuality {
  /** Probabilities from 0 to 1, for each datagram each way. */
  readonly loss?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  /** Milliseconds that a datagram travels. */
  readonly delay?: number;
  /** What a reordered or duplicated one takes longer, at most. */
  readonly jitter?: number;
  readonly seed?: number;
}

class LinkPort implements DatagramPort {
  readonly local: PeerAddress;
  readonly #link: LossyLink;
  handler: DatagramHandler | undefined;
  errorHandler: ((error: Error, peer: PeerAddress | undefined) => void) | undefined;
  closed = false;

  constructor(link: LossyLink, local: PeerAddress) {
    this.#link = link;
    this.local = local;
  }

  send(data: Uint8Array, peer: PeerAddress): void {
    if (!this.closed) this.#link.carry(data, this.local, peer);
  }

  onDatagram(handler: DatagramHandler): void {
    this.handler = handler;
  }

  onError(handler: (error: Error, peer: PeerAddress | undefined) => void): void {
    this.errorHandler = handler;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** A network between ports, in the time of a clock: it delays, loses, doubles and reorders by its seed. */
export class LossyLink {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #ports = new Map<PeerAddress, LinkPort>();
  quality: LinkQuality;
  /** Says which datagrams vanish, beside those that the quality loses. */
  filter: ((data: Uint8Array, from: PeerAddress, to: PeerAddress) => boolean) | undefined;
  /** Every datagram handed over, in order, lost ones included. */
  readonly log: { readonly data: Uint8Array; readonly from: PeerAddress; readonly to: PeerAddress }[] = [];
  recording = false;
  /** Ports whose radio is off: what comes for them is lost. */
  readonly deaf = new Set<PeerAddress>();
  /** Address that others see, by the one that a port has, and the other way round. */
  readonly #outside = new Map<PeerAddress, PeerAddress>();
  readonly #inside = new Map<PeerAddress, PeerAddress>();
  /** Who sends, as a secure transport would say. */
  readonly identities = new Map<PeerAddress, PeerIdentity>();

  constructor(clock: Clock, quality: LinkQuality = {}) {
    this.#clock = clock;
    this.quality = quality;
    this.#random = seededRandom(quality.seed ?? 1);
  }

  port(address: PeerAddress): DatagramPort {
    const port = new LinkPort(this, address);
    this.#ports.set(address, port);
    return port;
  }

  /** From now on the port at `inside` is seen at `outside`, and no longer where it was: what a NAT does. */
  masquerade(inside: PeerAddress, outside: PeerAddress): void {
    const former = this.#outside.get(inside);
    if (former !== undefined) this.#inside.delete(former);
    this.#outside.set(inside, outside);
    this.#inside.set(outside, inside);
  }

  carry(data: Uint8Array, sender: PeerAddress, to: PeerAddress): void {
    const from = this.#outside.get(sender) ?? sender;
    if (this.recording) this.log.push({ data: data.slice(), from, to });
    if (this.filter?.(data, from, to) === true) return;
    const { loss = 0, duplicate = 0, reorder = 0, delay = 10, jitter = 200 } = this.quality;
    // A copy: what was handed over may not change, but who changes it should be caught.
    const copy = data.slice();
    const late = () => (this.#random() < reorder ? this.#random() * jitter : 0);
    if (this.#random() >= loss) this.#deliver(copy, from, to, delay + late());
    if (this.#random() < duplicate) this.#deliver(copy.slice(), from, to, delay + this.#random() * jitter);
  }

  #deliver(data: Uint8Array, from: PeerAddress, to: PeerAddress, delay: number): void {
    this.#clock.setTimer(delay, () => {
      const at = this.#inside.get(to) ?? to;
      const port = this.#outside.has(to) || this.deaf.has(at) ? undefined : this.#ports.get(at);
      if (port !== undefined && !port.closed) port.handler?.(data, from, this.identities.get(from));
    });
  }
}
