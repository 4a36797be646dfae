import { RequestError } from '../errors.ts';
import type { BlockSnapshots } from './block-snapshots.ts';
import { encodeEmpty, encodeMessage } from './codec.ts';
import type { PeerAddress, PeerIdentity } from './datagram-port.ts';
import { Deadline } from './deadlines.ts';
import { type Seen, SeenReply } from './deduplication.ts';
import type { IncomingRequest, ObservationEnd, Observer, OutgoingResponse } from './exchange.ts';
import { type CoapMessage, type CoapOption, Code, isSuccess, MessageType, OptionNumber } from './message.ts';
import type { MessageLayer } from './message-layer.ts';
import type { ObserverEntry, Observers } from './observers.ts';
import { type Block, uintOf, uintOption } from './options.ts';
import { type Peer, Transmission, type TransmissionOwner } from './peer.ts';

const NO_BYTES = new Uint8Array(0);

/** What is particular to a request that is part of a block-wise transfer. */
export interface BlockContext {
  /** The Block1 option that the answer carries. */
  readonly answer: CoapOption | undefined;
  /** The Block2 option of the request. */
  readonly asked: Block | undefined;
}

/** What an exchange needs of the server role that it belongs to. */
export interface ServerContext {
  readonly layer: MessageLayer;
  readonly observers: Observers;
  readonly snapshots: BlockSnapshots;
  /** What the further blocks of the answer may be asked for by. */
  bodyKeys(message: CoapMessage, payload: Uint8Array): readonly string[];
}

/** One request of a peer, from its message to our answer. As a Deadline it is the wait before an empty ACK. */
export class ServerExchange extends Deadline implements IncomingRequest, TransmissionOwner {
  readonly code: Code;
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
  readonly confirmable: boolean;
  readonly token: Uint8Array;
  readonly identity: PeerIdentity | undefined;
  readonly observe: number | undefined;
  readonly #server: ServerContext;
  readonly #message: CoapMessage;
  readonly #from: Peer;
  readonly #seen: Seen;
  readonly #generation: number;
  readonly #blocks: BlockContext | undefined;
  #observer: ObserverEntry | undefined;
  #acknowledged = false;
  #answered = false;

  constructor(
    server: ServerContext,
    message: CoapMessage,
    payload: Uint8Array,
    from: Peer,
    identity: PeerIdentity | undefined,
    seen: Seen,
    observe: number | undefined,
    blocks: BlockContext | undefined,
  ) {
    super();
    this.#server = server;
    this.#message = message;
    this.code = message.code;
    this.options = message.options;
    this.payload = payload;
    this.confirmable = message.type === MessageType.CON;
    this.token = message.token;
    this.#from = from;
    this.identity = identity;
    this.observe = observe;
    this.#seen = seen;
    this.#generation = seen.generation;
    this.#blocks = blocks;
  }

  get messageId(): number {
    return this.#message.messageId;
  }

  get peer(): PeerAddress {
    return this.#from.address;
  }

  get answered(): boolean {
    return this.#answered;
  }

  /** Whether the deduplication entry is still this message's. */
  get #known(): boolean {
    return this.#seen.generation === this.#generation;
  }

  acceptObserve(onEnd: (reason: ObservationEnd) => void): Observer {
    if (this.observe !== 0 || (this.code !== Code.GET && this.code !== Code.FETCH)) {
      throw new RequestError('only a GET or FETCH with Observe 0 makes an observer');
    }
    if (this.#observer !== undefined) throw new RequestError('this request has its observer already');
    this.#observer = this.#server.observers.add(
      this.#from,
      this.#message,
      this.#blocks?.asked,
      this.#server.bodyKeys(this.#message, this.payload),
      onEnd,
    );
    return this.#observer;
  }

  respond(response: OutgoingResponse): void {
    if (this.#answered) throw new RequestError('this request was answered before');
    this.#answered = true;
    try {
      this.#respond(response);
    } catch (error) {
      // What cannot be encoded is no answer: the peer can still be given one.
      this.#answered = false;
      throw error;
    }
  }

  #respond(response: OutgoingResponse): void {
    const { layer } = this.#server;
    layer.deadlines.cancel(this);
    const suppressed = (this.#noResponse() >> ((response.code >> 5) - 1)) & 1;
    let observed: CoapOption | undefined;
    if (this.#observer !== undefined && !this.#observer.ended) {
      if (isSuccess(response.code))
        observed = uintOption(OptionNumber.OBSERVE, this.#observer.nextSequence());
      else this.#observer.finish('error-response');
    }
    if (suppressed === 1) {
      if (this.confirmable && !this.#acknowledged) this.#acknowledge();
      else if (this.#known) this.#seen.reply = SeenReply.SILENCE;
      return;
    }
    const asked = this.#blocks?.asked;
    const length = response.payload?.length ?? 0;
    const { code, options, payload } =
      asked !== undefined || length > layer.parameters.preferredBlockSize
        ? this.#server.snapshots.first(
            this.#from,
            this.#server.bodyKeys(this.#message, this.payload),
            response,
            asked,
          )
        : { code: response.code, options: response.options ?? [], payload: response.payload ?? NO_BYTES };
    const answer = this.#blocks?.answer;
    if (observed === undefined && answer === undefined) this.#send(code, options, payload);
    else {
      const all = [...options];
      if (observed !== undefined) all.push(observed);
      if (answer !== undefined) all.push(answer);
      this.#send(code, all, payload);
    }
  }

  /** The classes of responses that the client does not want to have (RFC 7967 §2). */
  #noResponse(): number {
    const { options } = this;
    // Its number is among the highest: most often the last option says that it is not there.
    const last = options[options.length - 1];
    if (last === undefined || last.number < OptionNumber.NO_RESPONSE) return 0;
    return uintOf(options, OptionNumber.NO_RESPONSE, 1) ?? 0;
  }

  #send(code: Code, options: readonly CoapOption[], payload: Uint8Array): void {
    const { layer } = this.#server;
    const { token } = this;
    if (!this.confirmable) {
      if (this.#known) this.#seen.reply = SeenReply.SILENCE;
      this.#sendOnce(this.#from, code, options, payload);
    } else if (!this.#acknowledged) {
      const { messageId } = this.#message;
      const data = encodeMessage({ type: MessageType.ACK, code, messageId, token, options, payload });
      if (this.#known) this.#from.seen?.answered(this.#seen, data);
      layer.send(data, this.#from.address, 0);
    } else if (!layer.hasRoomForSeparate) {
      layer.statistics.sentOnce++;
      this.#sendOnce(this.#remembered(), code, options, payload);
    } else {
      const data = encodeMessage({ type: MessageType.CON, code, messageId: 0, token, options, payload });
      // Not counted by NSTART: that bounds what we ask of a peer, and this answers what it asked of us.
      const separate = new Transmission(layer, this, this.#remembered(), data, false);
      if (!layer.submit(separate)) this.#observer?.finish('timeout');
    }
  }

  /** Who asked: the handler may have taken longer than an idle peer is remembered. */
  #remembered(): Peer {
    return this.#server.layer.peerFor(this.#from.address);
  }

  #sendOnce(to: Peer, code: Code, options: readonly CoapOption[], payload: Uint8Array): void {
    const { layer } = this.#server;
    const { token } = this;
    const messageId = layer.nextMessageId(to);
    const data = encodeMessage({ type: MessageType.NON, code, messageId, token, options, payload });
    layer.send(data, to.address, 0);
  }

  #acknowledge(): void {
    this.#acknowledged = true;
    if (this.#known) this.#server.layer.acknowledge(this.#from, this.#seen);
    else
      this.#server.layer.send(encodeEmpty(MessageType.ACK, this.#message.messageId), this.#from.address, 0);
  }

  /** ACK_DELAY is over: the client stops sending it again, and waits for a separate response (RFC 7252 §5.2.2). */
  override expire(): void {
    if (!this.#answered) this.#acknowledge();
  }

  // ---- what the message layer tells of a separate response

  acknowledged(transmission: Transmission): void {
    this.#server.layer.finish(transmission);
  }

  respondedTo(transmission: Transmission): void {
    this.#server.layer.finish(transmission);
  }

  reset(): void {
    // The client has forgotten its request (RFC 7252 §5.2.2); what it would have observed, too (RFC 7641 §4.5).
    this.#observer?.finish('reset');
  }

  timedOut(): void {
    this.#observer?.finish('timeout');
  }
}
