import type { BlockBody, BlockSnapshots } from './block-snapshots.ts';
import { encodeMessage } from './codec.ts';
import type { PeerAddress } from './datagram-port.ts';
import type { ObservationEnd, Observer, OutgoingResponse } from './exchange.ts';
import { type CoapMessage, isSuccess, MessageType, OptionNumber } from './message.ts';
import type { MessageLayer } from './message-layer.ts';
import { type Block, uintOption } from './options.ts';
import { type Peer, Transmission, type TransmissionOwner } from './peer.ts';
import { formatToken } from './token.ts';

/** RFC 7641 §4.5: at least so often a notification must be confirmable. */
const LONGEST_UNCONFIRMED = 24 * 60 * 60 * 1000;
/** Milliseconds of civil time per step of a first sequence number: it goes round in 37 hours. */
const SEQUENCE_STEP = 8;
const SEQUENCE_MASK = 0xffffff;

interface Waiting {
  readonly response: OutgoingResponse;
  readonly keep: boolean;
  readonly first: boolean;
  readonly done: ((delivered: boolean) => void) | undefined;
}

/** The server side of one observation (RFC 7641 §4): one confirmable notification at a time. */
export class ObserverEntry implements Observer, TransmissionOwner {
  readonly token: Uint8Array;
  readonly key: string;
  holder: Peer;
  readonly #observers: Observers;
  readonly #onEnd: (reason: ObservationEnd) => void;
  /** The request's Block2, and what its further blocks will be asked for by. */
  readonly #block: Block | undefined;
  readonly #bodyKeys: readonly string[];
  /** Of the confirmable notification that is under way, where it has more than one block: stays until its ACK. */
  #body: BlockBody | undefined;
  #sequence: number;
  #lastConfirmable: number;
  #lastUnconfirmedId = -1;
  #ended = false;
  #current: Waiting | undefined;
  #transmission: Transmission | undefined;
  #waiting: Waiting[] | undefined;

  constructor(
    observers: Observers,
    peer: Peer,
    request: CoapMessage,
    block: Block | undefined,
    bodyKeys: readonly string[],
    sequence: number,
    onEnd: (reason: ObservationEnd) => void,
  ) {
    this.#observers = observers;
    this.holder = peer;
    this.token = request.token;
    this.key = formatToken(request.token);
    this.#block = block;
    this.#bodyKeys = bodyKeys;
    this.#sequence = sequence;
    this.#onEnd = onEnd;
    this.#lastConfirmable = observers.layer.clock.now();
  }

  get peer(): PeerAddress {
    return this.holder.address;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get body(): BlockBody | undefined {
    return this.#body;
  }

  /** Whether the further blocks of its notifications may be asked for by one of these. */
  isReadBy(keys: readonly string[]): boolean {
    return this.#bodyKeys.some((key) => keys.includes(key));
  }

  /** The peer has asked for a further block of the notification that is under way. */
  beingRead(): void {
    if (this.#transmission !== undefined) this.#observers.layer.arrived(this.#transmission);
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** The value of the Observe option of the next response (RFC 7641 §4.4). */
  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) & SEQUENCE_MASK;
    return this.#sequence;
  }

  notify(
    response: OutgoingResponse,
    options: { readonly confirmable?: boolean; readonly keep?: boolean; readonly first?: boolean } = {},
    done?: (delivered: boolean) => void,
  ): void {
    if (this.#ended) {
      done?.(false);
      return;
    }
    const { layer } = this.#observers;
    const now = layer.clock.now();
    if (options.confirmable === false && now - this.#lastConfirmable < LONGEST_UNCONFIRMED) {
      const messageId = layer.nextMessageId(this.holder);
      this.#lastUnconfirmedId = messageId;
      layer.send(this.#encode(MessageType.NON, messageId, response), this.holder.address, 0);
      if (!isSuccess(response.code)) this.finish('error-response');
      done?.(true);
      return;
    }
    const waiting: Waiting = { response, keep: options.keep === true, first: options.first === true, done };
    if (this.#current === undefined) {
      this.#send(waiting, now);
      return;
    }
    this.#waiting ??= [];
    const superseded = waiting.keep ? -1 : this.#waiting.findIndex((other) => !other.keep);
    const stale = superseded < 0 ? undefined : this.#waiting.splice(superseded, 1)[0];
    if (this.#waiting.length >= layer.parameters.maxQueuedPerPeer) {
      layer.statistics.refused++;
      done?.(false);
    } else this.#waiting.push(waiting);
    stale?.done?.(false);
  }

  #encode(type: MessageType, messageId: number, response: OutgoingResponse): Uint8Array {
    const { snapshots } = this.#observers;
    const first = snapshots.begin(response, this.#block);
    const { body } = first;
    // Outdated by this one, unless this is complete in itself: the peer may be reading them.
    if (body !== undefined) snapshots.forgetNotified(this.holder, this.#bodyKeys);
    if (type === MessageType.CON) this.#body = body;
    else if (body !== undefined) snapshots.keepNotified(this.holder, this.#bodyKeys, body);
    const options = isSuccess(response.code)
      ? [uintOption(OptionNumber.OBSERVE, this.nextSequence()), ...first.options]
      : first.options;
    return encodeMessage({
      type,
      code: first.code,
      messageId,
      token: this.token,
      options,
      payload: first.payload,
    });
  }

  #send(waiting: Waiting, now: number): void {
    const { layer } = this.#observers;
    const data = this.#encode(MessageType.CON, 0, waiting.response);
    this.#current = waiting;
    this.#lastConfirmable = now;
    this.#transmission = new Transmission(layer, this, this.holder, data, true);
    const isTaken = waiting.first ? layer.submitNext(this.#transmission) : layer.submit(this.#transmission);
    if (!isTaken) this.#settled(false);
  }

  #settled(delivered: boolean): void {
    const current = this.#current;
    const body = this.#body;
    this.#current = undefined;
    this.#transmission = undefined;
    this.#body = undefined;
    // A peer may acknowledge the first block, and ask for the others afterwards.
    if (delivered && body !== undefined && body.next < body.length) {
      this.#observers.snapshots.keepNotified(this.holder, this.#bodyKeys, body);
    }
    if (current !== undefined && !isSuccess(current.response.code)) this.finish('error-response');
    current?.done?.(delivered);
    if (this.#ended || this.#current !== undefined) return;
    const next = this.#waiting?.shift();
    if (next === undefined) this.#waiting = undefined;
    else this.#send(next, this.#observers.layer.clock.now());
  }

  // ---- what the message layer tells

  acknowledged(transmission: Transmission): void {
    this.#observers.layer.releasePlace(transmission);
    this.#settled(true);
  }

  respondedTo(transmission: Transmission): void {
    this.#observers.layer.finish(transmission);
    this.#settled(true);
  }

  reset(): void {
    this.finish('reset');
  }

  timedOut(): void {
    this.finish('timeout');
  }

  /** RFC 7641 §4.5.2: what is due for retransmission gives way to a newer state, with its count and wait kept. */
  renew(): Uint8Array | undefined {
    const current = this.#current;
    const next = this.#waiting?.[0];
    if (current === undefined || current.keep || next === undefined || next.keep) return undefined;
    if (!isSuccess(current.response.code)) return undefined;
    this.#waiting?.shift();
    this.#current = next;
    const data = this.#encode(MessageType.CON, 0, next.response);
    current.done?.(false);
    return data;
  }

  /** True where that was the id of our latest NON notification, which the peer has now reset. */
  sentUnconfirmed(messageId: number): boolean {
    return this.#lastUnconfirmedId === messageId;
  }

  end(): void {
    this.#stop(undefined);
  }

  finish(reason: ObservationEnd): void {
    this.#stop(reason);
  }

  #stop(reason: ObservationEnd | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#observers.remove(this);
    if (this.#transmission !== undefined) this.#observers.layer.finish(this.#transmission);
    const waiting = this.#current === undefined ? [] : [this.#current];
    if (this.#waiting !== undefined) waiting.push(...this.#waiting);
    this.#current = undefined;
    this.#transmission = undefined;
    this.#body = undefined;
    this.#waiting = undefined;
    for (const { done } of waiting) done?.(false);
    if (reason !== undefined) this.#onEnd(reason);
  }
}

/** All observers of this endpoint, by peer and token; bounded. */
export class Observers {
  readonly layer: MessageLayer;
  readonly snapshots: BlockSnapshots;
  readonly #byPeer = new Map<Peer, Map<string, ObserverEntry>>();
  #size = 0;

  constructor(layer: MessageLayer, snapshots: BlockSnapshots) {
    this.layer = layer;
    this.snapshots = snapshots;
  }

  get size(): number {
    return this.#size;
  }

  get(peer: Peer, token: Uint8Array): ObserverEntry | undefined {
    return this.#byPeer.get(peer)?.get(formatToken(token));
  }

  /** Those with a notification under way whose further blocks may be asked for by one of these keys. */
  notifying(peer: Peer, keys: readonly string[]): ObserverEntry[] {
    const own = this.#byPeer.get(peer);
    if (own === undefined) return [];
    return [...own.values()].filter((entry) => entry.body !== undefined && entry.isReadBy(keys));
  }

  /** Whether that peer may observe something more; what it observes already, it may again. */
  hasRoom(peer: Peer, token: Uint8Array): boolean {
    const own = this.#byPeer.get(peer);
    if (own?.has(formatToken(token)) === true) return true;
    const { maxObservers, maxObserversPerPeer } = this.layer.parameters;
    return this.#size < maxObservers && (own?.size ?? 0) < maxObserversPerPeer;
  }

  add(
    peer: Peer,
    request: CoapMessage,
    block: Block | undefined,
    bodyKeys: readonly string[],
    onEnd: (reason: ObservationEnd) => void,
  ): ObserverEntry {
    const previous = this.get(peer, request.token);
    // A first number from the clock is newer than those of a previous run of this process.
    const sequence =
      previous?.sequence ?? Math.floor(this.layer.clock.wallTime() / SEQUENCE_STEP) & SEQUENCE_MASK;
    previous?.finish('replaced');
    const entry = new ObserverEntry(this, peer, request, block, bodyKeys, sequence, onEnd);
    let own = this.#byPeer.get(peer);
    if (own === undefined) {
      own = new Map();
      this.#byPeer.set(peer, own);
      peer.holds++;
    }
    own.set(entry.key, entry);
    this.#size++;
    return entry;
  }

  remove(entry: ObserverEntry): void {
    const own = this.#byPeer.get(entry.holder);
    if (own?.get(entry.key) !== entry) return;
    own.delete(entry.key);
    this.#size--;
    if (own.size === 0) {
      this.#byPeer.delete(entry.holder);
      entry.holder.holds--;
    }
  }

  /** Ends all that a peer observes. */
  finishAll(peer: Peer, reason: ObservationEnd): void {
    const own = this.#byPeer.get(peer);
    if (own !== undefined) for (const entry of [...own.values()]) entry.finish(reason);
  }

  /** RST for a NON notification (RFC 7641 §4.5). */
  resetOfPast(peer: Peer, messageId: number): void {
    const own = this.#byPeer.get(peer);
    if (own === undefined) return;
    for (const entry of own.values()) {
      if (entry.sentUnconfirmed(messageId)) {
        entry.finish('reset');
        return;
      }
    }
  }

  close(): void {
    for (const own of [...this.#byPeer.values()])
      for (const entry of [...own.values()]) entry.finish('closed');
  }
}
