import type { Clock } from '../clock.ts';
import { setMessageId } from './codec.ts';
import type { DatagramPort, PeerAddress } from './datagram-port.ts';
import { Deadlines } from './deadlines.ts';
import type { CoapStatistics, TracedMessage } from './exchange.ts';
import { type Lifetimes, lifetimesOf } from './lifetimes.ts';
import { type MessageIdSpace, messageIdMark } from './message-ids.ts';
import type { CoapParameters } from './parameters.ts';
import { Peer, type Transmission, type TransmissionDriver, TransmissionState } from './peer.ts';
import { PeerTable } from './peer-table.ts';
import type { RandomPool } from './random-pool.ts';

/** The outgoing half of the message layer: message ids, NSTART, retransmission (RFC 7252 §4.2, §4.4, §4.7). */
export class Outbox implements TransmissionDriver {
  readonly parameters: CoapParameters;
  readonly lifetimes: Lifetimes;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly statistics: CoapStatistics;
  readonly peers: PeerTable;
  traceListener: ((message: TracedMessage) => void) | undefined;
  /** Message ids of theirs that are remembered, of all peers. */
  protected seenEntries = 0;
  /** Separate responses that wait for their ACK. */
  #separate = 0;
  readonly #port: DatagramPort;
  readonly #random: RandomPool;
  readonly #idSpace: MessageIdSpace;

  constructor(
    port: DatagramPort,
    clock: Clock,
    parameters: CoapParameters,
    random: RandomPool,
    idSpace: MessageIdSpace,
    statistics: CoapStatistics,
  ) {
    this.#port = port;
    this.clock = clock;
    this.parameters = parameters;
    this.lifetimes = lifetimesOf(parameters);
    this.deadlines = new Deadlines(clock);
    this.peers = new PeerTable(parameters.maxPeers, (messageIds) => {
      this.seenEntries -= messageIds;
    });
    this.#random = random;
    this.#idSpace = idSpace;
    this.statistics = statistics;
  }

  /** What is known of a peer that we want to send to. */
  peerFor(address: PeerAddress): Peer {
    const now = this.clock.now();
    let peer = this.peers.get(address);
    if (peer === undefined) {
      peer = new Peer(address);
      if (!this.peers.add(peer, now)) this.peers.insert(peer, now);
    } else this.peers.touch(peer, now);
    return peer;
  }

  send(data: Uint8Array, address: PeerAddress, retransmission: number): void {
    this.statistics.datagramsOut++;
    this.statistics.bytesOut += data.length;
    this.traceListener?.({ direction: 'out', peer: address, data, retransmission });
    this.#port.send(data, address);
  }

  /** Whether a message of this process may have that id. */
  isOurs(messageId: number): boolean {
    const { first, count } = this.#idSpace;
    return messageId >= first && messageId < first + count;
  }

  /** The next of our message ids for that peer. */
  nextMessageId(peer: Peer): number {
    const { first, count } = this.#idSpace;
    const mark = messageIdMark(this.clock.wallTime(), this.lifetimes.messageIdPeriod, this.#idSpace);
    if (peer.nextId < mark) peer.nextId = mark;
    for (let i = 0; i < count; i++) {
      const messageId = first + (peer.nextId++ % count);
      if (peer.outgoing?.has(messageId) !== true) return messageId;
    }
    throw new RangeError('every message id is in use with this peer');
  }

  /** Whether another separate response may wait for its ACK. */
  get hasRoomForSeparate(): boolean {
    return this.#separate < this.parameters.maxSeparateResponses;
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
      this.#separate++;
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

  /**
   * As `submit` for what goes before all others: it continues an interaction that had its place and gave it back, or is
   * one notification that is wanted first. False as of `submit`, which what holds its place never meets.
   */
  submitNext(transmission: Transmission): boolean {
    const { peer } = transmission;
    if (peer.active < this.parameters.nstart || transmission.holdsPlace) return this.submit(transmission);
    transmission.state = TransmissionState.QUEUED;
    peer.queue ??= [];
    peer.queue.unshift(transmission);
    return true;
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
      this.#clearId(transmission.peer, transmission);
      if (!transmission.counted) this.#separate--;
    }
    transmission.state = TransmissionState.CLOSED;
  }

  /** Settles, and gives the place in NSTART to the next one. */
  finish(transmission: Transmission): void {
    this.settle(transmission);
    if (transmission.holdsPlace) this.releasePlace(transmission);
    else this.startQueued(transmission.peer);
  }

  releasePlace(transmission: Transmission): void {
    if (!transmission.holdsPlace) return;
    transmission.holdsPlace = false;
    const { peer } = transmission;
    peer.active--;
    this.startQueued(peer);
  }

  /** Sends what waits for NSTART, as far as there is room. */
  startQueued(peer: Peer): void {
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
    transmission.sentAt = this.clock.now();
    peer.outgoing ??= new Map();
    peer.outgoing.set(transmission.messageId, transmission);
    this.#startWaiting(transmission);
    transmission.owner.sent?.();
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
    if (transmission.retransmissions >= this.parameters.maxRetransmit || this.#isTooOld(transmission)) {
      this.statistics.timeouts++;
      this.finish(transmission);
      transmission.owner.timedOut(transmission);
      return;
    }
    transmission.retransmissions++;
    transmission.interval *= 2;
    this.deadlines.set(transmission, transmission.interval);
    const { peer } = transmission;
    const newer = transmission.owner.renew?.(transmission);
    if (newer !== undefined) {
      this.#clearId(peer, transmission);
      transmission.data = newer;
      transmission.messageId = this.nextMessageId(peer);
      setMessageId(newer, transmission.messageId);
    }
    peer.outgoing ??= new Map();
    const holder = peer.outgoing.get(transmission.messageId);
    // Another that has moved in has this id now: see moveTransmission.
    if (holder !== undefined && holder !== transmission) return;
    peer.outgoing.set(transmission.messageId, transmission);
    this.#sendAgain(transmission, transmission.retransmissions);
  }

  /**
   * One message of ours goes on at the peer's new address. It keeps its id: a peer that got it where it was
   * before recognises the duplicate, and does nothing twice. Ids at the new address go on above those of the
   * old one, for it is the same peer that remembers them.
   *
   * Where a message to somebody else has the same id there, the one that has moved in goes first: its peer
   * was heard at that address just now, so the other's has most likely left it. The other is neither sent nor
   * answered until the id is free, and meanwhile may move on to where its own peer is.
   *
   * `startQueued` is to follow for both peers, once all that goes along has moved.
   */
  moveTransmission(transmission: Transmission, to: Peer): void {
    const from = transmission.peer;
    to.nextId = Math.max(to.nextId, from.nextId);
    transmission.peer = to;
    if (transmission.state === TransmissionState.QUEUED) {
      const queue = from.queue as Transmission[];
      queue.splice(queue.indexOf(transmission), 1);
      to.queue ??= [];
      to.queue.push(transmission);
    }
    if (transmission.holdsPlace) {
      from.active--;
      to.active++;
    }
    if (transmission.state === TransmissionState.SENT) {
      this.#clearId(from, transmission);
      to.outgoing ??= new Map();
      to.outgoing.set(transmission.messageId, transmission);
      if (transmission.confirmable) {
        this.#startWaiting(transmission);
        this.#sendAgain(transmission, 1);
      }
    }
  }

  /**
   * Sends again now what was sent again in vain before, and begins its waits anew; not for longer than a peer
   * must remember it.
   */
  sendSooner(transmission: Transmission): void {
    const { state, confirmable, retransmissions, peer } = transmission;
    if (state !== TransmissionState.SENT || !confirmable || retransmissions === 0) return;
    if (peer.outgoing?.get(transmission.messageId) !== transmission || this.#isTooOld(transmission)) return;
    this.#startWaiting(transmission);
    this.#sendAgain(transmission, retransmissions);
  }

  /**
   * The peer shows that it has that message, though it does not acknowledge it yet: nothing of it is on the way
   * any more that NSTART would have to wait for (§4.7). Its waits begin anew, not for longer than a peer must
   * remember it.
   */
  arrived(transmission: Transmission): void {
    if (transmission.state !== TransmissionState.SENT || !transmission.confirmable) return;
    this.#startWaiting(transmission);
    this.releasePlace(transmission);
  }

  /** A peer need not remember a message for longer than EXCHANGE_LIFETIME, MAX_LATENCY of which the last copy may travel. */
  #isTooOld({ sentAt }: Transmission): boolean {
    return this.clock.now() - sentAt > this.lifetimes.exchangeLifetime - this.parameters.maxLatency;
  }

  /** The id is free where this message had it; one that has moved in since keeps it. */
  #clearId(peer: Peer, transmission: Transmission): void {
    const { outgoing } = peer;
    if (outgoing?.get(transmission.messageId) === transmission) outgoing.delete(transmission.messageId);
  }

  #sendAgain(transmission: Transmission, times: number): void {
    this.statistics.retransmissions++;
    this.send(transmission.data, transmission.peer.address, times);
  }
}
