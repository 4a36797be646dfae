import type { DatagramHandler, DatagramPort, PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import type { CoapEndpoint, StrayDatagram, StrayForwarder } from '../../../protocol/coap/exchange.ts';
import type { World } from './world.ts';

/**
 * One address that several endpoints share, as processes do by SO_REUSEPORT: all send from it, and what comes is
 * handed to the one that `route` names. They are joined by a bus that takes a millisecond each way.
 */
export class SharedPort {
  readonly #world: World;
  readonly #port: DatagramPort;
  readonly #handlers = new Map<number, DatagramHandler>();
  readonly #endpoints = new Map<number, CoapEndpoint>();
  /** Which of them gets what that peer sends. */
  route: (peer: PeerAddress) => number = () => 0;
  /** What went over the bus: `reply 0→1`, `response 0→1`. */
  readonly forwarded: string[] = [];
  /** While true the bus loses everything. */
  busDown = false;

  constructor(world: World, address: PeerAddress) {
    this.#world = world;
    this.#port = world.link.port(address);
    this.#port.onDatagram((data, peer, identity) =>
      this.#handlers.get(this.route(peer))?.(data, peer, identity),
    );
  }

  /** The port as the endpoint with that number has it. */
  port(number: number): DatagramPort {
    return {
      local: this.#port.local,
      send: (data, peer) => this.#port.send(data, peer),
      onDatagram: (handler) => {
        this.#handlers.set(number, handler);
      },
      onError: () => undefined,
      close: async () => {
        this.#handlers.delete(number);
        this.#endpoints.delete(number);
      },
    };
  }

  /** Takes part from now on: has what others get for it. */
  join(number: number, endpoint: CoapEndpoint): void {
    this.#endpoints.set(number, endpoint);
  }

  /** For the endpoint with that number: 4096 message ids for each, and tokens that begin with their number. */
  forwarder(self: number): StrayForwarder {
    return {
      reply: (messageId, stray) => {
        this.#carry('reply', self, messageId >> 12, stray, () => undefined);
      },
      response: (token, stray, done) => this.#carry('response', self, token[0] ?? -1, stray, done),
    };
  }

  #carry(kind: string, from: number, to: number, stray: StrayDatagram, done: (taken: boolean) => void): void {
    const { clock } = this.#world;
    if (this.busDown || !this.#endpoints.has(to)) {
      done(false);
      return;
    }
    this.forwarded.push(`${kind} ${from}→${to}`);
    clock.setTimer(1, () => {
      const taken = this.#endpoints.get(to)?.takeStray(stray) ?? false;
      clock.setTimer(1, () => done(taken));
    });
  }
}
