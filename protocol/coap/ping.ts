import { RequestError, TimeoutError } from '../errors.ts';
import { encodeEmpty } from './codec.ts';
import { Deadline } from './deadlines.ts';
import { MessageType } from './message.ts';
import type { MessageLayer } from './message-layer.ts';
import { type Peer, Transmission, type TransmissionOwner } from './peer.ts';

/** An empty CON that any CoAP node answers with RST (RFC 7252 §4.3). */
export class Ping extends Deadline implements TransmissionOwner {
  readonly #layer: MessageLayer;
  readonly #timeout: number | undefined;
  readonly #done: (result: number | Error) => void;
  readonly #transmission: Transmission;
  readonly #startedAt: number;
  #ended = false;

  /** `done` is called once: with the milliseconds taken, or with why there are none. */
  constructor(
    layer: MessageLayer,
    peer: Peer,
    timeout: number | undefined,
    done: (result: number | Error) => void,
  ) {
    super();
    this.#layer = layer;
    this.#timeout = timeout;
    this.#done = done;
    this.#startedAt = layer.clock.now();
    this.#transmission = new Transmission(layer, this, peer, encodeEmpty(MessageType.CON, 0), true);
  }

  start(): void {
    if (this.#timeout !== undefined) this.#layer.deadlines.set(this, this.#timeout);
    if (!this.#layer.submit(this.#transmission)) {
      this.abandon(new RequestError(`too many requests wait for ${this.#transmission.peer.address}`));
    }
  }

  #end(result: number | Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#layer.deadlines.cancel(this);
    this.#layer.finish(this.#transmission);
    this.#done(result);
  }

  abandon(error: Error): void {
    this.#end(error);
  }

  reset(): void {
    this.#end(this.#layer.clock.now() - this.#startedAt);
  }

  /** Not what the RFC says, but it is there: some answer a ping with an ACK. */
  acknowledged(): void {
    this.reset();
  }

  respondedTo(): void {
    this.reset();
  }

  timedOut(): void {
    this.#end(new TimeoutError(`no answer from ${this.#transmission.peer.address}`));
  }

  override expire(): void {
    this.#layer.statistics.timeouts++;
    this.timedOut();
  }
}
