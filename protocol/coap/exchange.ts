import type { PeerAddress, PeerIdentity } from './datagram-port.ts';
import type { CoapOption, Code } from './message.ts';
import type { Block } from './options.ts';
import type { RequestTarget } from './request-target.ts';

/** A request that we send. Block-wise transfer, token and message id are the endpoint's business. */
export interface OutgoingRequest {
  readonly code: Code;
  /** Any order; the endpoint sorts. Block1, Block2, Size1 and Observe are set by the endpoint. */
  readonly options?: readonly CoapOption[];
  readonly payload?: Uint8Array;
  /** Default true. */
  readonly confirmable?: boolean;
  /**
   * Milliseconds from the call until it is rejected with TimeoutError, waiting for NSTART and all
   * blocks included. Without it only the parameters of RFC 7252 §4.8 end an exchange.
   */
  readonly timeout?: number;
  /** Rejects with its reason, and stops retransmitting. */
  readonly signal?: AbortSignal;
  /** Called when a message of it goes out: until then the peer cannot have had anything of it. */
  readonly onSent?: () => void;
  /**
   * Asks for just this block of the representation (RFC 7959 §2.4): the answer is given as it came, its
   * Block2 option among its options, so that a large body can be streamed, or gone on with after an
   * interruption. `more` has no meaning here.
   */
  readonly block2?: Block;
  /**
   * False: the first message of the answer is all of it, and what it says of further blocks is passed over. For a
   * request that is not to be made a second time: each further block would be fetched by a request of the same
   * method (RFC 7959 §2.4), which a server that does not know the transfer carries out again. Default true.
   */
  readonly wholeAnswer?: boolean;
}

/** The whole answer to a request of ours, reassembled. Any response code: a 4.04 does not reject. */
export interface IncomingResponse {
  readonly code: Code;
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
  /** Where the answer came from. */
  readonly peer: PeerAddress;
  readonly identity: PeerIdentity | undefined;
}

/** An answer that we give. Block-wise transfer is the endpoint's business. */
export interface OutgoingResponse {
  readonly code: Code;
  readonly options?: readonly CoapOption[];
  readonly payload?: Uint8Array;
}

/**
 * A whole request of a peer: deduplicated, reassembled, its critical options known.
 *
 * Answer it once, now or later: within ACK_DELAY the answer is piggybacked, after it the endpoint has
 * acknowledged by itself and sends a separate response (RFC 7252 §5.2.2). A second answer throws.
 */
export interface IncomingRequest {
  readonly code: Code;
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
  readonly confirmable: boolean;
  /** Of the message that completed the request. */
  readonly messageId: number;
  readonly token: Uint8Array;
  readonly peer: PeerAddress;
  readonly identity: PeerIdentity | undefined;
  /** 0 register, 1 deregister (RFC 7641 §2), undefined where the request has no Observe option. */
  readonly observe: number | undefined;
  /**
   * Answers the request. To accept an Observe registration, call `acceptObserve` first: the endpoint
   * then adds the Observe option to the answer.
   */
  respond(response: OutgoingResponse): void;
  /**
   * Makes the peer an observer of what it asked for, until it deregisters (Observe 1, RST, a new GET
   * with the same token and Observe 0 replaces it), or a confirmable notification times out.
   * @throws RequestError where `observe` is not 0 or the code is not GET or FETCH.
   */
  acceptObserve(onEnd: (reason: ObservationEnd) => void): Observer;
}

/** Why an observer is no longer one. */
export type ObservationEnd = 'deregistered' | 'reset' | 'replaced' | 'timeout' | 'error-response' | 'closed';

/** The server side of one observation: who is told. */
export interface Observer {
  readonly peer: PeerAddress;
  readonly token: Uint8Array;
  /**
   * Sends a notification. Confirmable ones to one observer go out one at a time: a newer one
   * supersedes those that still wait (RFC 7641 §4.5.2) unless `keep` is set, which queues it. `first`:
   * of what waits for its turn with the peer (NSTART) it goes next.
   * `done` is called once: with `true` when acknowledged (or sent, when not confirmable), with
   * `false` when superseded, reset, timed out or ended.
   */
  notify(
    response: OutgoingResponse,
    options?: { readonly confirmable?: boolean; readonly keep?: boolean; readonly first?: boolean },
    done?: (delivered: boolean) => void,
  ): void;
  /** Forgets the observer without telling it. */
  end(): void;
}

/** Handles requests. Whatever it throws is a bug of ours: the peer gets 5.00, and `onFault` hears of it. */
export type RequestHandler = (request: IncomingRequest) => void;

/**
 * One whole notification of something that we observe. Exactly one of `accept`, `reject` and `ignore`
 * decides what the peer gets for a confirmable one; until then it gets nothing, and a duplicate of it
 * is dropped (and, once decided, answered as the first was).
 */
export interface IncomingNotification {
  readonly code: Code;
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
  readonly confirmable: boolean;
  readonly messageId: number;
  readonly peer: PeerAddress;
  readonly identity: PeerIdentity | undefined;
  /** False when an older one overtook it (RFC 7641 §3.4). Absent Observe option: the last one of the observation. */
  readonly fresh: boolean;
  /** The Observe option's value; undefined on the final, non-notification response that ends an observation. */
  readonly observe: number | undefined;
  /** ACK (nothing for a NON). */
  accept(): void;
  /** RST: the peer forgets the observation (RFC 7641 §3.6). */
  reject(): void;
  /** Silence: the peer sends it again. A duplicate that comes later is delivered anew. */
  ignore(): void;
}

/** What an observation must remember to be taken up again after a restart. JSON-safe but for the token. */
export interface ObservationKey {
  /** 1 to 8 bytes, as lower-case hex. */
  readonly token: string;
  /** Where the observed resource is; follows the peer when `followPeer` is set and it moves. */
  readonly peer: PeerAddress;
  /** The request that made it: needed for the further blocks of a block-wise notification. */
  readonly request: OutgoingRequest;
}

/** One thing that we observe, the client side. */
export interface Observation extends ObservationKey {
  /** Forgets it here: the next notification is answered with RST (passive cancellation, RFC 7641 §3.6). */
  forget(): void;
  /** Sends a GET with Observe 1 and the same token (active cancellation), and forgets it. */
  cancel(options?: {
    readonly timeout?: number;
    readonly signal?: AbortSignal;
    /** Where the peer is, if not at `peer`. */
    readonly to?: PeerAddress | RequestTarget;
  }): Promise<IncomingResponse>;
  /** The peer is reached there now: the rest of a block-wise notification is read there. */
  moveTo(peer: PeerAddress): void;
}

/**
 * Whether notifications are followed to another address: never, to any, or to where the predicate says that the
 * observed peer may be. What comes from elsewhere is then answered with RST.
 */
export type FollowPeer = boolean | ((peer: PeerAddress, identity: PeerIdentity | undefined) => boolean);

export type NotificationHandler = (notification: IncomingNotification) => void;

/**
 * Finds who observes with a token that the endpoint does not hold, as after a restart. Calls `done`
 * once, now or later: with what is to be taken up again, with 'unknown' (a definite miss: RST), or
 * with 'unavailable' (nobody can tell now: silence). Notifications of that token wait meanwhile,
 * bounded in number.
 */
export type ObservationResolver = (
  token: string,
  peer: PeerAddress,
  identity: PeerIdentity | undefined,
  done: (found: ResolvedObservation | 'unknown' | 'unavailable') => void,
) => void;

export interface ResolvedObservation {
  readonly key: ObservationKey;
  /** To any address where absent: who lived through a restart of ours may have moved meanwhile. */
  readonly followPeer?: FollowPeer;
  readonly onNotification: NotificationHandler;
}

/** A datagram that came to a process which shares its port with others, and is for one of those. */
export interface StrayDatagram {
  readonly data: Uint8Array;
  readonly peer: PeerAddress;
  readonly identity: PeerIdentity | undefined;
}

/**
 * The way to the other processes that share our port: the system hands datagrams out by addresses, and hands
 * them out anew when a peer's address changes, and when a process joins or leaves. What is for another
 * process, that one takes by `CoapEndpoint.takeStray`.
 */
export interface StrayForwarder {
  /**
   * An ACK or RST whose message id is not of our part. Best effort: where it gets lost, what it answers is
   * sent again, and so is it.
   */
  reply(messageId: number, stray: StrayDatagram): void;
  /**
   * A response whose token does not begin with our prefix. Calls `done` once, now or later, with what
   * `takeStray` gave there; false where nobody has that prefix, or it cannot be reached.
   */
  response(token: Uint8Array, stray: StrayDatagram, done: (taken: boolean) => void): void;
}

/** One message that went over the wire, for traces. Only made while somebody listens. */
export interface TracedMessage {
  readonly direction: 'in' | 'out';
  readonly peer: PeerAddress;
  readonly data: Uint8Array;
  /** How often it had been sent before: 0 for the first time. */
  readonly retransmission: number;
}

/**
 * One CoAP endpoint: both roles on one DatagramPort. Made by `createCoapEndpoint` in endpoint.ts.
 *
 * All methods may be called from anywhere, also from within handlers. Handlers are called
 * synchronously from the datagram that completes their message; no promise is made per datagram.
 */
export interface CoapEndpoint {
  readonly local: PeerAddress;
  /**
   * Sends a request and resolves with the whole answer, whatever its code.
   * @throws TimeoutError no answer; ResetError the peer answered RST; DecodeError the answer's blocks
   *   do not fit together or exceed `maxBodySize`; RequestError too many queued for that peer; the
   *   signal's reason; EndpointClosedError.
   *
   * A RequestTarget may move while the request is under way. Then the same message, with its id, token and
   * block, is sent again to the new address at once: a peer that had it answers from its own memory of
   * duplicates (RFC 7252 §4.5), and nothing is carried out twice. For that it is sent no longer than the
   * peer must remember it.
   */
  request(peer: PeerAddress | RequestTarget, request: OutgoingRequest): Promise<IncomingResponse>;
  /**
   * Registers as an observer (RFC 7641 §3.1). Resolves with the first answer; `observation` is
   * undefined when the peer declined (no Observe option, or an error code). Later notifications go to
   * `onNotification`. `token` as hex where the caller makes its own (1 to 8 bytes, unused): an LwM2M
   * server stores it before the request goes out. With `followPeer`, a notification with this token
   * is taken from any address and moves the observation there; for that the token must be random.
   */
  observe(
    peer: PeerAddress | RequestTarget,
    request: OutgoingRequest,
    options: {
      readonly onNotification: NotificationHandler;
      readonly token?: string;
      readonly followPeer?: FollowPeer;
    },
  ): Promise<{ readonly response: IncomingResponse; readonly observation: Observation | undefined }>;
  /** Takes an observation up again without telling the peer. Replaces one with the same token. */
  restoreObservation(
    key: ObservationKey,
    onNotification: NotificationHandler,
    options?: { readonly followPeer?: FollowPeer },
  ): Observation;
  /** Observations held now, by token in hex. */
  observation(token: string): Observation | undefined;
  /** CoAP ping: an empty CON that the peer answers with RST (RFC 7252 §4.3). Resolves with the time taken, in ms. */
  ping(peer: PeerAddress, options?: { readonly timeout?: number }): Promise<number>;
  /**
   * Takes a datagram that came to another process which shares the port: see StrayForwarder. False where it is no
   * concern of this one, neither an answer that something here waits for nor a duplicate of what was taken here.
   */
  takeStray(stray: StrayDatagram): boolean;
  /** Sets, or with undefined removes, the listener for every message in and out. */
  trace(listener: ((message: TracedMessage) => void) | undefined): void;
  /** Counters since the start; for metrics. */
  readonly statistics: Readonly<CoapStatistics>;
  /** Idempotent. Outstanding requests reject with EndpointClosedError; closes the port. */
  close(): Promise<void>;
}

/** Counters, all since the start, and gauges. */
export interface CoapStatistics {
  datagramsIn: number;
  datagramsOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Datagrams that were no CoAP message (RFC 7252 §3, §4.2, §4.3). */
  malformed: number;
  duplicates: number;
  retransmissions: number;
  timeouts: number;
  /** Dropped because a bound of CoapParameters was reached. */
  refused: number;
  /** Separate responses that were sent once and not again, because too many waited for their ACK. */
  sentOnce: number;
  /** Datagrams that went on to another process that shares the port, and those that came from one. */
  forwarded: number;
  adopted: number;
  /** Gauges. */
  outstanding: number;
  observations: number;
  observers: number;
  peers: number;
  blockTransfers: number;
}
