import type { PeerAddress } from '../../coap/datagram-port.ts';
import { HandshakeError } from '../errors.ts';
import type { HandshakeOutcome, OpeningHello, ServerHandshakeContext } from '../handshake/server-context.ts';
import { ServerHandshake } from '../handshake/server-handshake.ts';
import { AlertLevel, encodeAlert } from '../messages/alert.ts';
import { ContentType, DtlsVersion, HandshakeType } from '../messages/constants.ts';
import { decodeHandshakeFragments, encodeHandshakeMessage } from '../messages/handshake-fragment.ts';
import { decodeClientHello, encodeHelloVerifyRequest } from '../messages/hello-messages.ts';
import { wellFormed } from '../messages/well-formed.ts';
import { type DtlsRecord, lengthOf, MAX_SEQUENCE, plainRecord } from '../records/record.ts';
import type { HandshakeFailure } from '../types.ts';
import { Cookies } from './cookies.ts';
import { DoneHandshakes } from './done-handshakes.ts';
import { networkOf } from './network.ts';
import { peerOf } from './session.ts';

/** The highest message_seq of a hello: a client counts those that got no cookie, or the wrong one, and the numbers of a handshake must not run out. */
const LAST_HELLO = 1_023;
/** What part of all handshakes may be those of one network: who has but one drives nobody else out. */
const SHARE = 1 / 4;
/** The same of its record: the numbers of epoch 0 go on from it. */
const LAST_HELLO_RECORD = MAX_SEQUENCE - 65_536;
/** Handshakes that are looked at before one is driven out. */
const MOST_LOOKS = 64;

export interface HandshakesOptions {
  readonly context: ServerHandshakeContext;
  /** Handshakes under way at once; above it the oldest goes. */
  readonly capacity: number;
  readonly admit: ((address: PeerAddress) => boolean) | undefined;
  /** An id that no session has. */
  readonly newId: () => Uint8Array;
  readonly onEstablished: (handshake: ServerHandshake, outcome: HandshakeOutcome) => void;
  readonly onFailed: (failure: HandshakeFailure) => void;
}

/**
 * The handshakes of a server. Nothing is kept for whoever has not shown, by a cookie, that it hears what is sent to its address
 * (RFC 6347 §4.2.1); and an established session at that address is not touched before the new one is.
 */
export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #context: ServerHandshakeContext;
  readonly #cookies: Cookies;
  /** The oldest first; one for each address. */
  readonly #byAddress = new Map<PeerAddress, ServerHandshake>();
  readonly #byPeer = new Map<PeerAddress, ServerHandshake>();
  /** The oldest first. */
  readonly #byNetwork = new Map<string, Set<ServerHandshake>>();
  readonly #done: DoneHandshakes;

  constructor(options: HandshakesOptions) {
    const { context } = options;
    this.#options = options;
    this.#cookies = new Cookies(context.clock, context.random);
    this.#done = new DoneHandshakes(context.clock);
    this.#context = context;
  }

  get size(): number {
    return this.#byAddress.size;
  }

  at(address: PeerAddress): ServerHandshake | undefined {
    return this.#byAddress.get(address);
  }

  /** The one whose session is to have that id. */
  of(peer: PeerAddress): ServerHandshake | undefined {
    return this.#byPeer.get(peer);
  }

  /** Calls all of them off. */
  stop(): void {
    for (const handshake of [...this.#byAddress.values()]) handshake.stop();
  }

  /** A record of epoch 0. False where it is dropped. */
  receive(record: DtlsRecord, source: PeerAddress): boolean {
    if (record.type === ContentType.HANDSHAKE && record.fragment[0] === HandshakeType.CLIENT_HELLO) {
      return this.#receiveHello(record, source);
    }
    const handshake = this.#byAddress.get(source);
    if (handshake === undefined || record.version !== DtlsVersion.DTLS_1_2) return false;
    handshake.receivePlain(record);
    return true;
  }

  #receiveHello(record: DtlsRecord, source: PeerAddress): boolean {
    // RFC 6347 §4.2.1: of the version that is to be chosen the record knows nothing.
    const { version } = record;
    if (version !== DtlsVersion.DTLS_1_2 && version !== DtlsVersion.DTLS_1_0) return false;
    const opening = readHello(record);
    if (opening === undefined) return false;
    const { hello } = opening;
    if (!this.#cookies.verify(source, hello)) return this.#sendCookie(opening, lengthOf(record), source);
    const former = this.#byAddress.get(source);
    if (former?.isOf(hello)) {
      former.repeat();
      return true;
    }
    if (this.#done.has(source, hello.random)) return false;
    if (this.#options.admit?.(source) === false) return false;
    former?.stop();
    this.#begin(opening, source);
    return true;
  }

  #sendCookie(opening: OpeningHello, received: number, source: PeerAddress): boolean {
    const cookie = this.#cookies.make(source, opening.hello);
    // §4.2.1: DTLS 1.0, whatever version will be chosen; the number is that of the hello.
    const body = encodeHelloVerifyRequest({ version: DtlsVersion.DTLS_1_0, cookie });
    const message = encodeHandshakeMessage(HandshakeType.HELLO_VERIFY_REQUEST, 0, body);
    const answer = plainRecord(ContentType.HANDSHAKE, opening.recordSequence, message);
    // Nobody gets more than it has sent before it has shown that it is there.
    if (answer.length > received) return false;
    this.#context.statistics.cookiesSent++;
    this.#context.send(answer, source);
    return true;
  }

  #begin(opening: OpeningHello, source: PeerAddress): void {
    let handshake: ServerHandshake;
    try {
      handshake = new ServerHandshake(
        this.#context,
        {
          established: (outcome) => {
            this.#done.add(source, handshake.clientRandom);
            this.#options.onEstablished(handshake, outcome);
          },
          failed: (failure) => this.#failed(failure),
          over: () => this.#over(handshake),
        },
        source,
        this.#newId(),
        opening,
      );
    } catch (error) {
      if (error instanceof HandshakeError) this.#refuse(error, opening, source);
      else this.#context.onError(error);
      return;
    }
    const { capacity } = this.#options;
    const network = networkOf(source);
    const neighbours = this.#byNetwork.get(network)?.size ?? 0;
    if (neighbours >= capacity * SHARE) this.#driveOut(this.#byNetwork.get(network)?.values());
    else if (this.#byAddress.size >= capacity) this.#driveOut(this.#byAddress.values());
    this.#context.statistics.handshakesStarted++;
    this.#byAddress.set(source, handshake);
    const ofNetwork = this.#byNetwork.get(network);
    if (ofNetwork === undefined) this.#byNetwork.set(network, new Set([handshake]));
    else ofNetwork.add(handshake);
    this.#byPeer.set(peerOf(handshake.id), handshake);
    try {
      handshake.start();
    } catch (error) {
      // A peer may have found it: it is not to end more than its own handshake.
      handshake.stop();
      this.#context.onError(error);
    }
  }

  /** Ends the oldest whose client has said nothing after its hello, or else the oldest: of that one the client would hear nothing. */
  #driveOut(handshakes: Iterable<ServerHandshake> = []): void {
    let oldest: ServerHandshake | undefined;
    let looks = 0;
    for (const handshake of handshakes) {
      oldest ??= handshake;
      if (!handshake.answered || looks++ === MOST_LOOKS) {
        oldest = handshake;
        break;
      }
    }
    oldest?.stop();
  }

  #newId(): Uint8Array {
    for (;;) {
      const id = this.#options.newId();
      if (!this.#byPeer.has(peerOf(id))) return id;
    }
  }

  #refuse(error: HandshakeError, { recordSequence }: OpeningHello, source: PeerAddress): void {
    if (error.alert !== undefined) {
      const alert = encodeAlert({ level: AlertLevel.FATAL, description: error.alert });
      this.#context.send(plainRecord(ContentType.ALERT, recordSequence, alert), source);
    }
    this.#failed({ address: source, reason: error.reason, detail: error.message });
  }

  #failed(failure: HandshakeFailure): void {
    this.#context.statistics.handshakesFailed++;
    this.#options.onFailed(failure);
  }

  #over(handshake: ServerHandshake): void {
    const { address, id } = handshake;
    if (this.#byAddress.get(address) === handshake) this.#byAddress.delete(address);
    this.#byPeer.delete(peerOf(id));
    const network = networkOf(address);
    const ofNetwork = this.#byNetwork.get(network);
    ofNetwork?.delete(handshake);
    if (ofNetwork?.size === 0) this.#byNetwork.delete(network);
  }
}

/** A ClientHello in one piece: those in several would have to be kept before there is a cookie. */
function readHello(record: DtlsRecord): OpeningHello | undefined {
  return wellFormed(() => {
    const [fragment, ...others] = decodeHandshakeFragments(record.fragment);
    if (fragment === undefined || others.length > 0 || fragment.fragment.length !== fragment.length) {
      return undefined;
    }
    if (fragment.messageSeq > LAST_HELLO || record.sequence > LAST_HELLO_RECORD) return undefined;
    return {
      hello: decodeClientHello(fragment.fragment),
      body: fragment.fragment,
      messageSeq: fragment.messageSeq,
      recordSequence: record.sequence,
    };
  });
}
