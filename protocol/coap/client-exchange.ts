import { BusyError, DecodeError, TimeoutError } from '../errors.ts';
import { BlockDownload, withoutBlocks } from './block-download.ts';
import { BlockUpload } from './block-upload.ts';
import type { AwaitedAnswer, ClientRequests } from './client-requests.ts';
import { encodeMessage } from './codec.ts';
import { unrecognisedCritical } from './critical-options.ts';
import type { PeerAddress, PeerIdentity } from './datagram-port.ts';
import { Deadline } from './deadlines.ts';
import { RepresentationChangedError, ResetError } from './errors.ts';
import type { IncomingResponse, OutgoingRequest } from './exchange.ts';
import { type CoapMessage, type CoapOption, Code, MessageType, OptionNumber } from './message.ts';
import { blockOf, blockOption, findOption, hasOption, uintOption } from './options.ts';
import { type Peer, Transmission, type TransmissionOwner } from './peer.ts';
import { RequestTarget, type TargetFollower } from './request-target.ts';
import { formatToken } from './token.ts';

const NO_BYTES = new Uint8Array(0);
/** How often a representation may change under a block-wise read before it is given up. */
const MAX_RESTARTS = 2;
/** As that, where the rest of a notification is read: what ends in vain is sent to us again. */
const MAX_RESUMED_RESTARTS = 8;

/** Who is told how an exchange ends: exactly one call. */
export interface ExchangeListener {
  completed(response: IncomingResponse): void;
  failed(error: unknown): void;
  /** The first message of the answer: further blocks may follow. */
  answering?(message: CoapMessage): void;
}

export interface ExchangeOptions {
  /** Value of the Observe option of the first request. */
  readonly observe?: 0 | 1;
  /** Token of the request itself; what reads further blocks of its answer has fresh ones (RFC 7641 §3.1, RFC 9175 §4.2). */
  readonly token?: Uint8Array;
  /** The first block of a notification: only the others are asked for. */
  readonly download?: BlockDownload;
}

class Deadlined extends Deadline {
  readonly #expired: () => void;
  constructor(expired: () => void) {
    super();
    this.#expired = expired;
  }
  override expire(): void {
    this.#expired();
  }
}

/**
 * One request of ours with all its blocks, from NSTART's queue to the whole answer. As a Deadline it is
 * the wait for a response that is no longer the message layer's: after an empty ACK, or for a NON.
 */
export class ClientExchange extends Deadline implements TransmissionOwner, AwaitedAnswer, TargetFollower {
  peer: Peer;
  /** Token in hex that its answer will carry. */
  key = '';
  readonly observe: 0 | 1 | undefined;
  readonly #requests: ClientRequests;
  readonly #request: OutgoingRequest;
  readonly #listener: ExchangeListener;
  #upload: BlockUpload | undefined;
  #requestTag: CoapOption | undefined;
  readonly #token: Uint8Array | undefined;
  /** Set where the rest of a notification is read. */
  readonly #resumed: boolean;
  /** The same block was asked for again, since it came of another representation. */
  #askedAgain = false;
  #download: BlockDownload | undefined;
  #restarts = 0;
  #echo: CoapOption | undefined;
  #transmission: Transmission | undefined;
  #overall: Deadlined | undefined;
  #aborted: (() => void) | undefined;
  readonly #target: RequestTarget | undefined;
  #answering = false;
  /** The peer has acknowledged something of it. */
  #acknowledged = false;
  #ended = false;

  constructor(
    requests: ClientRequests,
    to: PeerAddress | RequestTarget,
    request: OutgoingRequest,
    listener: ExchangeListener,
    options: ExchangeOptions = {},
  ) {
    super();
    this.#requests = requests;
    this.#target = to instanceof RequestTarget ? to : undefined;
    this.peer = requests.layer.peerFor(to instanceof RequestTarget ? to.address : to);
    this.#request = request;
    this.#listener = listener;
    this.observe = options.observe;
    this.#token = options.token;
    this.#download = options.download;
    this.#resumed = options.download !== undefined;
    if (options.download === undefined) this.#beginUpload();
  }

  /** A large payload goes in blocks, from the first one. */
  #beginUpload(): void {
    const { preferredBlockSize } = this.#requests.layer.parameters;
    const payload = this.#request.payload ?? NO_BYTES;
    if (payload.length <= preferredBlockSize) return;
    if (this.#upload === undefined) this.#requestTag = this.#requests.requestTag();
    this.#upload = new BlockUpload(payload, preferredBlockSize);
  }

  /**
   * The peer is reached there now: what is under way goes on there, as the same message. What is returned
   * lets those go that waited for its place, once all who move have moved.
   */
  movedTo(address: PeerAddress): () => void {
    const { layer } = this.#requests;
    const [from, to] = [this.peer, layer.peerFor(address)];
    if (this.#ended || from === to) return () => undefined;
    from.holds--;
    this.peer = to;
    to.holds++;
    if (this.#transmission !== undefined) layer.moveTransmission(this.#transmission, to);
    return () => {
      layer.startQueued(from);
      layer.startQueued(to);
    };
  }

  /** The peer listens now: what was sent in vain is sent again at once. */
  heard(): void {
    if (this.#transmission !== undefined) this.#requests.layer.sendSooner(this.#transmission);
  }

  start(): void {
    // What is known of a peer must last as long as an answer of its may come.
    this.peer.holds++;
    const { timeout, signal } = this.#request;
    if (signal?.aborted === true) {
      this.#fail(signal.reason);
      return;
    }
    if (timeout !== undefined) {
      this.#overall = new Deadlined(() => {
        this.#requests.layer.statistics.timeouts++;
        this.#fail(new TimeoutError(`no answer within ${timeout} ms`, this.#acknowledged));
      });
      this.#requests.layer.deadlines.set(this.#overall, timeout);
    }
    if (signal !== undefined) {
      this.#aborted = () => this.#fail(signal.reason);
      signal.addEventListener('abort', this.#aborted);
    }
    this.#target?.follow(this);
    this.#send();
  }

  #options(): readonly CoapOption[] {
    const { options = [] } = this.#request;
    const { preferredBlockSize } = this.#requests.layer.parameters;
    const all: CoapOption[] = [...options];
    if (!this.#answering && this.observe !== undefined)
      all.push(uintOption(OptionNumber.OBSERVE, this.observe));
    if (this.#echo !== undefined) all.push(this.#echo);
    if (this.#requestTag !== undefined) all.push(this.#requestTag);
    if (this.#download !== undefined) {
      all.push(blockOption(OptionNumber.BLOCK2, this.#download.wanted));
    } else {
      if (this.#upload !== undefined) {
        const { block } = this.#upload;
        all.push(blockOption(OptionNumber.BLOCK1, block));
        if (block.number === 0) all.push(uintOption(OptionNumber.SIZE1, this.#upload.total));
      }
      const wanted = this.#request.block2;
      if (wanted !== undefined) {
        all.push(blockOption(OptionNumber.BLOCK2, { ...wanted, more: false }));
      } else if (preferredBlockSize < 1_024 && this.#safe) {
        // Early negotiation (RFC 7959 §2.4).
        all.push(blockOption(OptionNumber.BLOCK2, { number: 0, more: false, size: preferredBlockSize }));
      }
    }
    return all;
  }

  #payload(): Uint8Array {
    if (this.#download !== undefined) {
      // A FETCH without its body would ask for something else (RFC 8132 §2); after Block1 the server has it.
      const { code, payload = NO_BYTES } = this.#request;
      const fits = payload.length <= this.#requests.layer.parameters.preferredBlockSize;
      return code === Code.FETCH && fits ? payload : NO_BYTES;
    }
    return this.#upload?.payload ?? this.#request.payload ?? NO_BYTES;
  }

  #send(): void {
    const { layer } = this.#requests;
    const previous = this.#transmission;
    const confirmable = this.#request.confirmable ?? true;
    const token = (this.#answering ? undefined : this.#token) ?? this.#requests.freshToken();
    this.#requests.forget(this);
    this.key = formatToken(token);
    this.#requests.expect(this);
    let data: Uint8Array;
    try {
      data = encodeMessage({
        type: confirmable ? MessageType.CON : MessageType.NON,
        code: this.#request.code,
        messageId: 0,
        token,
        options: this.#options(),
        payload: this.#payload(),
      });
    } catch (error) {
      this.#fail(error);
      return;
    }
    const transmission = new Transmission(layer, this, this.peer, data, true);
    this.#transmission = transmission;
    if (!confirmable) layer.deadlines.set(this, layer.parameters.separateResponseTimeout);
    if (previous === undefined) {
      if (!layer.submit(transmission)) {
        this.#fail(new BusyError(`too many requests wait for ${this.peer.address}`));
      }
      return;
    }
    layer.inheritPlace(previous, transmission);
    layer.submitNext(transmission);
  }

  // ---- what the message layer tells

  sent(): void {
    this.#request.onSent?.();
  }

  acknowledged(transmission: Transmission): void {
    const { layer } = this.#requests;
    this.#acknowledged = true;
    layer.releasePlace(transmission);
    layer.deadlines.set(this, layer.parameters.separateResponseTimeout);
  }

  respondedTo(
    _transmission: Transmission,
    message: CoapMessage,
    peer: Peer,
    identity: PeerIdentity | undefined,
  ): void {
    // §5.3.2: the token decides. §5.4.1: an unrecognised critical option voids the response; it is sent again.
    if (formatToken(message.token) !== this.key || unrecognisedCritical(message.options) !== undefined)
      return;
    this.take(message, peer, identity);
  }

  reset(): void {
    this.#fail(new ResetError(`${this.peer.address} answered with RST`));
  }

  timedOut(): void {
    this.#fail(new TimeoutError(`no answer from ${this.peer.address}`, this.#acknowledged));
  }

  override expire(): void {
    this.#requests.layer.statistics.timeouts++;
    this.timedOut();
  }

  // ---- answers

  /** Takes a response whose token is ours, piggybacked or separate. */
  take(message: CoapMessage, peer: Peer, identity: PeerIdentity | undefined): void {
    const { layer } = this.#requests;
    this.#acknowledged = true;
    if (this.#transmission !== undefined) layer.settle(this.#transmission);
    layer.deadlines.cancel(this);
    try {
      if (!this.#advance(message, peer, identity)) this.#send();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#fail(error);
    }
  }

  /** True where that was the end of it, false where a further request has to go out. */
  #advance(message: CoapMessage, peer: Peer, identity: PeerIdentity | undefined): boolean {
    const { code, options } = message;
    if (code === Code.UNAUTHORIZED && this.#echo === undefined) {
      // RFC 9175 §2.3: the server wants to know that we are there, now.
      this.#echo = findOption(options, OptionNumber.ECHO);
      if (this.#echo !== undefined) return false;
    }
    if (this.#upload !== undefined && this.#download === undefined) {
      const step = this.#upload.answered(code, blockOf(options, OptionNumber.BLOCK1));
      if (step === 'next') return false;
    }
    if (!this.#answering && !this.#resumed) {
      this.#answering = true;
      this.#listener.answering?.(message);
    }
    if (this.#request.block2 !== undefined) {
      this.#complete(message, options, message.payload, peer, identity);
      return true;
    }
    if (this.#request.wholeAnswer === false) {
      this.#complete(message, withoutBlocks(options), message.payload, peer, identity);
      return true;
    }
    const block = blockOf(options, OptionNumber.BLOCK2);
    if (this.#download === undefined) {
      if (block === undefined || (block.number === 0 && !block.more)) {
        this.#complete(message, withoutBlocks(options), message.payload, peer, identity);
        return true;
      }
      const { budget, layer } = this.#requests;
      this.#download = new BlockDownload(message, budget, layer.parameters.maxBodySize);
    } else if (block === undefined) {
      if (code >> 5 === 2) throw new DecodeError('a response without Block2 amid the blocks of another');
      this.#complete(message, options, message.payload, peer, identity);
      return true;
    }
    const download = this.#download;
    const step = download.append(message, block);
    if (step === 'complete') {
      this.#complete(download.first, download.options, download.take(), peer, identity);
      return true;
    }
    if (step === 'changed') this.#changed(download);
    else this.#askedAgain = false;
    return false;
  }

  /** @throws RepresentationChangedError where that was so too often. */
  #changed(download: BlockDownload): void {
    if (this.#resumed && this.#restarts === 0 && !this.#askedAgain) {
      // The server cannot tell what the block is of (RFC 7959 §2.6): another answer to the same request may
      // be under way, and it has given that one's. It still has ours, whose content nothing else may bring.
      this.#askedAgain = true;
      return;
    }
    download.clear();
    const most = this.#resumed ? MAX_RESUMED_RESTARTS : MAX_RESTARTS;
    if (this.#restarts++ >= most || !this.#safe) throw new RepresentationChangedError();
    // §2.6: what is new is read from its first block on, and not observed anew.
    this.#download = undefined;
    this.#beginUpload();
  }

  get #safe(): boolean {
    return this.#request.code === Code.GET || this.#request.code === Code.FETCH;
  }

  #complete(
    message: CoapMessage,
    options: readonly CoapOption[],
    payload: Uint8Array,
    peer: Peer,
    identity: PeerIdentity | undefined,
  ): void {
    this.#end();
    this.#listener.completed({ code: message.code, options, payload, peer: peer.address, identity });
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#end();
    this.#listener.failed(error);
  }

  /** Ends it from outside. */
  abandon(error: unknown): void {
    this.#fail(error);
  }

  #end(): void {
    this.#ended = true;
    this.peer.holds--;
    const { layer } = this.#requests;
    this.#requests.forget(this);
    this.#target?.unfollow(this);
    layer.deadlines.cancel(this);
    if (this.#overall !== undefined) layer.deadlines.cancel(this.#overall);
    if (this.#aborted !== undefined) this.#request.signal?.removeEventListener('abort', this.#aborted);
    this.#download?.clear();
    if (this.#upload !== undefined) this.#requests.uploadEnded();
    if (this.#transmission !== undefined) layer.finish(this.#transmission);
  }

  /** True where a response with an Observe option is no answer to this: it is a notification that was still under way. */
  refuses(message: CoapMessage): boolean {
    return this.observe === 1 && hasOption(message.options, OptionNumber.OBSERVE);
  }
}
