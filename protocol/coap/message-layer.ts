import type { Clock } from '../clock.ts';
import { DecodeError } from '../errors.ts';
import { decodeMessage, encodeEmpty, readHeader, setMessageId } from './codec.ts';
import type { DatagramPort, PeerAddress, PeerIdentity } from './datagram-port.ts';
import { Deadline, Deadlines } from './deadlines.ts';
import { type Seen, SeenReply } from './deduplication.ts';
import type { CoapStatistics, TracedMessage } from './exchange.ts';
import { type Lifetimes, lifetimesOf } from './lifetimes.ts';
import { type CoapMessage, Code, MessageType } from './message.ts';
import { initialMessageIdIndex, type MessageIdSpace } from './message-ids.ts';
import type { CoapParameters } from './parameters.ts';
import { Peer, type Transmission, type TransmissionDriver, TransmissionState } from './peer.ts';
import { PeerTable } from './peer-table.ts';
import type { RandomPool } from './random-pool.ts';

/** Who takes the messages that the message layer has found to be new. */
export interface MessageReceiver {
  onRequest(peer: Peer, message: CoapMessage, identity: PeerIdentity | undefined, seen: Seen): void;
  /** A response that came by itself, in a CON or NON. */
  onResponse(peer: Peer, message: CoapMessage, identity: PeerIdentity | undefined, seen: Seen): void;
  /** At that address is somebody else now: nothing of what is known or under way concerns him. */
  onNewIdentity(peer: Peer): void;
  /** RST for something that is no Transmission any more: a NON notification. */
  onResetOfPast(peer: Peer, messageId: number): void;
}

class Sweep extends Deadline {
  readonly #run: () => void;
  constructor(run: () => void) {
    super();
    this.#run = run;
  }
  override expire(): void {
    this.#run();
  }
}

/** The message layer of RFC 7252 §4: reliability, duplicates, rejection, and what is bounded per peer. */
export class MessageLayer implements TransmissionDriver {
  readonly parameters: CoapParameters;
  readonly lifetimes: Lifetimes;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly statistics: CoapStatistics;
  readonly peers: PeerTable;
  traceListener: ((message: TracedMessage) => void) | undefined;
  readonly #port: DatagramPort;
  readonly #random: RandomPool;
  readonly #receiver: MessageReceiver;
  readonly #idSpace: MessageIdSpace;
  readonly #sweep: Sweep;
  #closed = false;
  /** Message ids remembered of all peers. */
  #seenEntries = 0;

  constructor(
    port: DatagramPort,
    clock: Clock,
    parameters: CoapParameters,
    random: RandomPool,
    idSpace: MessageIdSpace,
    statistics: CoapStatistics,
    receiver: MessageReceiver,
  ) {
    this.#port = port;
    this.clock = clock;
    this.parameters = parameters;
    this.lifetimes = lifetimesOf(parameters);
    this.deadlines = new Deadlines(clock);
    this.peers = new PeerTable(parameters.maxPeers, (peer) => {
      this.#seenEntries -= peer.seen?.size ?? 0;
    });
    this.#random = random;
    this.#idSpace = idSpace;
    this.statistics = statistics;
    this.#receiver = receiver;
    const period = this.lifetimes.exchangeLifetime / 4;
    this.#sweep = new Sweep(() => {
      const now = this.clock.now();
      this.peers.sweep(now - this.lifetimes.exchangeLifetime, now);
      this.deadlines.set(this.#sweep, period, now);
    });
    this.deadlines.set(this.#sweep, period);
  }

  close(): void {
    this.#closed = true;
    this.deadlines.close();
    this.peers.clear();
  }

  /** What is known of a peer that we want to send to. */
  peerFor(address: PeerAddress): Peer {
    const now = this.clock.now();
    let peer = this.peers.get(address);
    if (peer === undefined) {
      peer = this.#newPeer(address);
      if (!this.peers.add(peer, now)) this.peers.insert(peer, now);
    } else this.peers.touch(peer, now);
    return peer;
  }

  #newPeer(address: PeerAddress): Peer {
    return new Peer(
      address,
      initialMessageIdIndex(this.clock.wallTime(), this.lifetimes.exchangeLifetime, this.#idSpace),
    );
  }

  // ---- in

  receive(data: Uint8Array, address: PeerAddress, identity: PeerIdentity | undefined): void {
    if (this.#closed) return;
    const { statistics } = this;
    statistics.datagramsIn++;
    statistics.bytesIn += data.length;
    this.traceListener?.({ direction: 'in', peer: address, data, retransmission: 0 });
    let message: CoapMessage;
    try {
      message = decodeMessage(data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#malformed(data, address);
      return;
    }
    const { type, code } = message;
    if (type === MessageType.ACK || type === MessageType.RST) {
      this.#reply(message, address, identity);
      return;
    }
    const codeClass = code >> 5;
    if (codeClass === 1 || codeClass === 6 || codeClass === 7) {
      // §4.2, §4.3: reserved code classes are rejected like malformed messages.
      this.#malformed(data, address);
      return;
    }
    if (code === Code.EMPTY) {
      // A ping (§4.3); an empty NON means nothing.
      if (type === MessageType.CON) this.send(encodeEmpty(MessageType.RST, message.messageId), address, 0);
      return;
    }
    const now = this.clock.now();
    let peer = this.peers.get(address);
    if (peer === undefined) {
      peer = this.#newPeer(address);
      if (!this.peers.add(peer, now)) {
        statistics.refused++;
        return;
      }
      peer.identity = identity;
    } else {
      this.peers.touch(peer, now);
      if (peer.identity !== identity) this.#identify(peer, identity);
    }
    const ring = peer.ring(this.parameters.maxDeduplicationPerPeer);
    const known = ring.find(message.messageId, now);
    if (known !== undefined) {
      statistics.duplicates++;
      if (type === MessageType.CON) this.#repeat(peer, known);
      return;
    }
    const lifetime = type === MessageType.CON ? this.lifetimes.exchangeLifetime : this.lifetimes.nonLifetime;
    const size = ring.size;
    const mayGrow = this.#seenEntries < this.parameters.maxDeduplication;
    const seen = ring.insert(message.messageId, now + lifetime, now, mayGrow);
    this.#seenEntries += ring.size - size;
    if (seen === undefined) {
      statistics.refused++;
      return;
    }
    if (codeClass === 0) this.#receiver.onRequest(peer, message, identity, seen);
    else this.#receiver.onResponse(peer, message, identity, seen);
  }

  /**
   * An address may pass from one authenticated node to another, as behind a NAT. What the first one
   * was answered, or is being sent in blocks, is not for the second.
   */
  #identify(peer: Peer, identity: PeerIdentity | undefined): void {
    if (!peer.sameIdentity(identity)) {
      this.#seenEntries -= peer.seen?.size ?? 0;
      peer.seen = undefined;
      this.#receiver.onNewIdentity(peer);
    }
    peer.identity = identity;
  }

  #malformed(data: Uint8Array, address: PeerAddress): void {
    this.statistics.malformed++;
    const header = readHeader(data);
    if (header?.type === MessageType.CON)
      this.send(encodeEmpty(MessageType.RST, header.messageId), address, 0);
  }

  /** A duplicate gets what the first one got (§4.2). */
  #repeat(peer: Peer, seen: Seen): void {
    if (seen.reply === SeenReply.ACK)
      this.send(encodeEmpty(MessageType.ACK, seen.messageId), peer.address, 1);
    else if (seen.reply === SeenReply.RST)
      this.send(encodeEmpty(MessageType.RST, seen.messageId), peer.address, 1);
    else if (seen.reply === SeenReply.DATA && seen.data !== undefined) this.send(seen.data, peer.address, 1);
  }

  #reply(message: CoapMessage, address: PeerAddress, identity: PeerIdentity | undefined): void {
    const { type, code, messageId } = message;
    // §4.2: an ACK is empty or carries a response, an RST is empty.
    if (code !== Code.EMPTY && (type === MessageType.RST || code >> 5 < 2 || code >> 5 > 5)) {
      this.statistics.malformed++;
      return;
    }
    const peer = this.peers.get(address);
    if (peer === undefined) return;
    const transmission = peer.outgoing?.get(messageId);
    if (type === MessageType.RST) {
      if (transmission === undefined) this.#receiver.onResetOfPast(peer, messageId);
      else {
        this.finish(transmission);
        transmission.owner.reset(transmission);
      }
      return;
    }
    if (transmission === undefined || !transmission.confirmable) return;
    if (code === Code.EMPTY) {
      this.settle(transmission);
      transmission.owner.acknowledged(transmission);
    } else transmission.owner.respondedTo(transmission, message, peer, identity);
  }

  // ---- out

  send(data: Uint8Array, address: PeerAddress, retransmission: number): void {
    this.statistics.datagramsOut++;
    this.statistics.bytesOut += data.length;
    this.traceListener?.({ direction: 'out', peer: address, data, retransmission });
    this.#port.send(data, address);
  }

  /** Answers a CON with an empty ACK, now and whenever it comes again. */
  acknowledge(peer: Peer, seen: Seen): void {
    seen.reply = SeenReply.ACK;
    this.send(encodeEmpty(MessageType.ACK, seen.messageId), peer.address, 0);
  }

  /** Takes a NON: nothing goes back, now or when it comes again. */
  silence(seen: Seen): void {
    seen.reply = SeenReply.SILENCE;
  }

  /** Answers a CON or NON with RST (§4.2, §4.3), now and whenever it comes again. */
  reject(peer: Peer, seen: Seen): void {
    seen.reply = SeenReply.RST;
    this.send(encodeEmpty(MessageType.RST, seen.messageId), peer.address, 0);
  }

  /** The next of our message ids for that peer. */
  nextMessageId(peer: Peer): number {
    const { first, count } = this.#idSpace;
    for (let i = 0; i < count; i++) {
      const messageId = first + peer.nextIdIndex;
      peer.nextIdIndex = peer.nextIdIndex + 1 === count ? 0 : peer.nextIdIndex + 1;
      if (peer.outgoing?.has(messageId) !== true) return messageId;
    }
    throw new RangeError('every message id is in use with this peer');
  }

  /** Sends, or queues for NSTART. False where the queue is full, or too much is unacknowledged. */
  submit(transmission: Transmission): boolean {
    const { peer } = transmission;
    const { nstart, maxQueuedPerPeer } = this.parameters;
    if (transmission.holdsPlace) {
      this.#start(transmission);
      return true;
    }
    if (!transmission.counted) {
      // A peer that asks and never acknowledges our answers would otherwise have us keep them all.
      if ((peer.outgoing?.size ?? 0) >= nstart + maxQueuedPerPeer || !this.#hasFreeId(peer)) {
        this.statistics.refused++;
        return false;
      }
      this.#start(transmission);
      return true;
    }
    if (peer.active < nstart && this.#hasFreeId(peer)) {
      this.#takePlace(transmission);
      this.#start(transmission);
      return true;
    }
    peer.queue ??= [];
    if (peer.queue.length >= maxQueuedPerPeer) {
      this.statistics.refused++;
      return false;
    }
    transmission.state = TransmissionState.QUEUED;
    peer.queue.push(transmission);
    return true;
  }

  /** As `submit` for what continues an interaction that had its place and gave it back: goes before all others. */
  submitNext(transmission: Transmission): void {
    const { peer } = transmission;
    if (peer.active < this.parameters.nstart || transmission.holdsPlace) {
      this.submit(transmission);
      return;
    }
    transmission.state = TransmissionState.QUEUED;
    peer.queue ??= [];
    peer.queue.unshift(transmission);
  }

  /** Passes the place of one transmission to the one that continues its interaction. */
  inheritPlace(from: Transmission, to: Transmission): void {
    to.holdsPlace = from.holdsPlace;
    from.holdsPlace = false;
  }

  /** No longer retransmitted nor named by ACK and RST; its place in NSTART stays. */
  settle(transmission: Transmission): void {
    this.deadlines.cancel(transmission);
    if (transmission.state === TransmissionState.QUEUED) {
      const queue = transmission.peer.queue as Transmission[];
      queue.splice(queue.indexOf(transmission), 1);
    } else if (transmission.state === TransmissionState.SENT) {
      transmission.peer.outgoing?.delete(transmission.messageId);
    }
    transmission.state = TransmissionState.CLOSED;
  }

  /** Settles, and gives the place in NSTART to the next one. */
  finish(transmission: Transmission): void {
    this.settle(transmission);
    if (transmission.holdsPlace) this.releasePlace(transmission);
    else this.#startQueued(transmission.peer);
  }

  releasePlace(transmission: Transmission): void {
    if (!transmission.holdsPlace) return;
    transmission.holdsPlace = false;
    const { peer } = transmission;
    peer.active--;
    this.#startQueued(peer);
  }

  #startQueued(peer: Peer): void {
    while (peer.queue !== undefined && peer.active < this.parameters.nstart && this.#hasFreeId(peer)) {
      const next = peer.queue.shift();
      if (next === undefined) {
        peer.queue = undefined;
        return;
      }
      this.#takePlace(next);
      this.#start(next);
    }
  }

  /** False where every message id of ours is in use with that peer: only a small part of the space can be. */
  #hasFreeId(peer: Peer): boolean {
    return (peer.outgoing?.size ?? 0) < this.#idSpace.count;
  }

  #takePlace(transmission: Transmission): void {
    transmission.holdsPlace = true;
    transmission.peer.active++;
  }

  #start(transmission: Transmission): void {
    const { peer } = transmission;
    transmission.messageId = this.nextMessageId(peer);
    setMessageId(transmission.data, transmission.messageId);
    transmission.state = TransmissionState.SENT;
    peer.outgoing ??= new Map();
    peer.outgoing.set(transmission.messageId, transmission);
    this.#startWaiting(transmission);
    this.send(transmission.data, peer.address, 0);
  }

  #startWaiting(transmission: Transmission): void {
    const { ackTimeout, ackRandomFactor } = this.parameters;
    transmission.retransmissions = 0;
    transmission.interval = transmission.confirmable
      ? ackTimeout * (1 + this.#random.fraction() * (ackRandomFactor - 1))
      : ackTimeout;
    this.deadlines.set(transmission, transmission.interval);
  }

  transmissionDue(transmission: Transmission): void {
    if (!transmission.confirmable) {
      // No answer is expected any more that NSTART would have to wait for (§4.7); a late one is still taken.
      this.releasePlace(transmission);
      return;
    }
    if (transmission.retransmissions >= this.parameters.maxRetransmit) {
      this.statistics.timeouts++;
      this.finish(transmission);
      transmission.owner.timedOut(transmission);
      return;
    }
    transmission.retransmissions++;
    transmission.interval *= 2;
    this.statistics.retransmissions++;
    const { peer } = transmission;
    const newer = transmission.owner.renew?.(transmission);
    if (newer !== undefined) {
      peer.outgoing?.delete(transmission.messageId);
      transmission.data = newer;
      transmission.messageId = this.nextMessageId(peer);
      setMessageId(newer, transmission.messageId);
      peer.outgoing ??= new Map();
      peer.outgoing.set(transmission.messageId, transmission);
    }
    this.deadlines.set(transmission, transmission.interval);
    this.send(transmission.data, peer.address, transmission.retransmissions);
  }

  /**
   * Moves all that is under way with one peer to its new address. It is the same node behind it, so
   * its message ids go on where they were, and what is under way is sent again under the id that it
   * has: a node that got it at the old address recognises the duplicate, and does nothing twice.
   */
  move(from: Peer, to: Peer): void {
    const now = this.clock.now();
    if (to.outgoing === undefined || to.outgoing.size === 0) to.nextIdIndex = from.nextIdIndex;
    to.identity = from.identity;
    if (from.seen !== undefined) {
      const ring = to.ring(this.parameters.maxDeduplicationPerPeer);
      const size = ring.size;
      ring.adopt(from.seen, now);
      this.#seenEntries += ring.size - size;
    }
    const queued = from.queue ?? [];
    from.queue = undefined;
    const sent = from.outgoing === undefined ? [] : [...from.outgoing.values()];
    from.outgoing?.clear();
    for (const transmission of sent) {
      transmission.peer = to;
      if (transmission.holdsPlace) {
        from.active--;
        to.active++;
      }
      to.outgoing ??= new Map();
      if (to.outgoing.has(transmission.messageId)) {
        transmission.data = transmission.data.slice();
        transmission.messageId = this.nextMessageId(to);
        setMessageId(transmission.data, transmission.messageId);
      }
      to.outgoing.set(transmission.messageId, transmission);
      if (transmission.confirmable) {
        this.#startWaiting(transmission);
        this.statistics.retransmissions++;
        this.send(transmission.data, to.address, 1);
      }
    }
    for (const transmission of queued) {
      transmission.peer = to;
      to.queue ??= [];
      to.queue.push(transmission);
    }
    this.#startQueued(to);
  }
}
