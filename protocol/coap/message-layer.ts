import type { Clock } from '../clock.ts';
import { DecodeError } from '../errors.ts';
import { ByteBudget } from './byte-budget.ts';
import { decodeMessage, encodeEmpty, readHeader } from './codec.ts';
import type { DatagramPort, PeerAddress, PeerIdentity } from './datagram-port.ts';
import { Deadline } from './deadlines.ts';
import { fingerprint, type Seen, SeenReply } from './deduplication.ts';
import type { CoapStatistics } from './exchange.ts';
import { type CoapMessage, Code, MessageType } from './message.ts';
import type { MessageIdSpace } from './message-ids.ts';
import { Outbox } from './outbox.ts';
import type { CoapParameters } from './parameters.ts';
import { Peer } from './peer.ts';
import type { RandomPool } from './random-pool.ts';

/** Who takes the messages that the message layer has found to be new. */
export interface MessageReceiver {
  onRequest(peer: Peer, message: CoapMessage, identity: PeerIdentity | undefined, seen: Seen): void;
  /** A response that came by itself, in a CON or NON. */
  onResponse(
    peer: Peer,
    message: CoapMessage,
    identity: PeerIdentity | undefined,
    seen: Seen,
    data: Uint8Array,
  ): void;
  /** An ACK or RST with a message id that is not of our part: it answers another process that shares our port. */
  onForeignReply(
    messageId: number,
    data: Uint8Array,
    address: PeerAddress,
    identity: PeerIdentity | undefined,
  ): void;
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

/** The message layer of RFC 7252 §4: what comes in is checked, told from duplicates, and handed on once. */
export class MessageLayer extends Outbox {
  readonly #receiver: MessageReceiver;
  readonly #sweep: Sweep;
  /** For the answers that are kept for duplicates. */
  readonly #kept: ByteBudget;
  #closed = false;

  constructor(
    port: DatagramPort,
    clock: Clock,
    parameters: CoapParameters,
    random: RandomPool,
    idSpace: MessageIdSpace,
    statistics: CoapStatistics,
    receiver: MessageReceiver,
  ) {
    super(port, clock, parameters, random, idSpace, statistics);
    this.#receiver = receiver;
    this.#kept = new ByteBudget(parameters.maxDeduplicationMemory);
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

  // ---- in

  receive(data: Uint8Array, address: PeerAddress, identity: PeerIdentity | undefined): void {
    if (this.#closed) return;
    this.statistics.datagramsIn++;
    this.statistics.bytesIn += data.length;
    this.#take(data, address, identity);
  }

  /** As `receive`, for what another process that shares the port has received. */
  receiveForwarded(data: Uint8Array, address: PeerAddress, identity: PeerIdentity | undefined): void {
    if (this.#closed) return;
    this.statistics.adopted++;
    this.#take(data, address, identity);
  }

  /** Whether that peer has sent that response here within its lifetime. */
  remembers(address: PeerAddress, messageId: number, data: Uint8Array): boolean {
    const { seen } = this.peers.get(address) ?? {};
    return seen?.find(messageId, this.clock.now(), fingerprint(data)) !== undefined;
  }

  #take(data: Uint8Array, address: PeerAddress, identity: PeerIdentity | undefined): void {
    const { statistics } = this;
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
      this.#reply(message, data, address, identity);
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
      peer = new Peer(address);
      if (!this.peers.add(peer, now)) {
        statistics.refused++;
        return;
      }
      peer.identity = identity;
    } else {
      this.peers.touch(peer, now);
      if (peer.identity !== identity) this.#identify(peer, identity);
    }
    const ring = peer.ring(this.parameters.maxDeduplicationPerPeer, this.#kept);
    const print = codeClass === 0 ? 0 : fingerprint(data);
    const known = ring.find(message.messageId, now, print);
    if (known !== undefined) {
      statistics.duplicates++;
      if (type === MessageType.CON) this.#repeat(peer, known);
      return;
    }
    const lifetime = type === MessageType.CON ? this.lifetimes.exchangeLifetime : this.lifetimes.nonLifetime;
    const size = ring.size;
    const mayGrow = this.seenEntries < this.parameters.maxDeduplication;
    const seen = ring.insert(message.messageId, now + lifetime, now, mayGrow);
    this.seenEntries += ring.size - size;
    if (seen === undefined) {
      statistics.refused++;
      return;
    }
    seen.print = print;
    if (codeClass === 0) this.#receiver.onRequest(peer, message, identity, seen);
    else this.#receiver.onResponse(peer, message, identity, seen, data);
  }

  /**
   * An address may pass from one authenticated node to another, as behind a NAT. What the first one
   * was answered, or is being sent in blocks, is not for the second.
   */
  #identify(peer: Peer, identity: PeerIdentity | undefined): void {
    if (!peer.sameIdentity(identity)) {
      this.seenEntries -= peer.forgetSeen();
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

  #reply(
    message: CoapMessage,
    data: Uint8Array,
    address: PeerAddress,
    identity: PeerIdentity | undefined,
  ): void {
    const { type, code, messageId } = message;
    // §4.2: an ACK is empty or carries a response, an RST is empty.
    if (code !== Code.EMPTY && (type === MessageType.RST || code >> 5 < 2 || code >> 5 > 5)) {
      this.statistics.malformed++;
      return;
    }
    if (!this.isOurs(messageId)) {
      this.#receiver.onForeignReply(messageId, data, address, identity);
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
}
