import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../clock.ts';
import { RequestError } from '../errors.ts';
import { BlockReassembly } from './block-reassembly.ts';
import { BlockSnapshots } from './block-snapshots.ts';
import { BlockTransfers } from './block-transfers.ts';
import { ByteBudget } from './byte-budget.ts';
import { ClientExchange } from './client-exchange.ts';
import { ClientRequests } from './client-requests.ts';
import { unrecognisedCritical } from './critical-options.ts';
import type { DatagramPort, PeerAddress, PeerIdentity } from './datagram-port.ts';
import type { Seen } from './deduplication.ts';
import { EndpointClosedError, ResetError } from './errors.ts';
import type {
  CoapEndpoint,
  CoapStatistics,
  FollowPeer,
  IncomingResponse,
  NotificationHandler,
  Observation,
  ObservationKey,
  ObservationResolver,
  OutgoingRequest,
  RequestHandler,
  StrayDatagram,
  StrayForwarder,
  TracedMessage,
} from './exchange.ts';
import { type CoapMessage, Code, isSuccess, MessageType, OptionNumber } from './message.ts';
import { ALL_MESSAGE_IDS, type MessageIdSpace } from './message-ids.ts';
import { MessageLayer, type MessageReceiver } from './message-layer.ts';
import { ObservationLookups } from './observation-lookups.ts';
import { ObservationEntry, Observations } from './observations.ts';
import { Observers } from './observers.ts';
import { hasOption, observe as observeOf } from './options.ts';
import { type CoapParameters, defaultParameters } from './parameters.ts';
import type { Peer } from './peer.ts';
import { Ping } from './ping.ts';
import { RandomPool } from './random-pool.ts';
import { RequestTarget } from './request-target.ts';
import { ServerRequests } from './server-requests.ts';
import { decodeStray, Strays } from './strays.ts';
import { formatToken, parseToken } from './token.ts';

export interface CoapEndpointOptions {
  /** Owned by the endpoint from then on: closed with it. */
  readonly port: DatagramPort;
  /** Answers the requests of peers. Without one they get 4.04. */
  readonly handler?: RequestHandler;
  readonly clock?: Clock;
  /** What differs from `defaultParameters`. */
  readonly parameters?: Partial<CoapParameters>;
  /** Asked for tokens that nobody here holds. Without it such notifications are rejected. */
  readonly resolveObservation?: ObservationResolver;
  /** Unpredictable bytes, any number from one; the system's unless told. */
  readonly random?: (bytes: number) => Uint8Array;
  /** Hears of what a handler threw, which is a bug of ours. Without it the process ends with that error. */
  readonly onFault?: (error: unknown) => void;
  /** Hears of transport errors; `peer` where the system names it. Requests go on: loss is what CoAP is made for. */
  readonly onTransportError?: (error: Error, peer: PeerAddress | undefined) => void;
  /** 0 to 2 bytes that our tokens begin with: they name the process among those that share a port. */
  readonly tokenPrefix?: Uint8Array;
  /** The part of the message ids that is this process's; all unless told. */
  readonly messageIds?: MessageIdSpace;
  /** The way to the processes that share the port. Without it what is for them is treated as nobody's. */
  readonly strays?: StrayForwarder;
}

function crash(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

function notFound(request: Parameters<RequestHandler>[0]): void {
  request.respond({ code: Code.NOT_FOUND });
}

class Endpoint implements CoapEndpoint, MessageReceiver {
  readonly #port: DatagramPort;
  readonly #layer: MessageLayer;
  readonly #transfers: BlockTransfers;
  readonly #observers: Observers;
  readonly #server: ServerRequests;
  readonly #requests: ClientRequests;
  readonly #observations: Observations;
  readonly #lookups: ObservationLookups | undefined;
  readonly #strays: Strays | undefined;
  readonly #statistics: CoapStatistics = {
    datagramsIn: 0,
    datagramsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    malformed: 0,
    duplicates: 0,
    retransmissions: 0,
    timeouts: 0,
    refused: 0,
    sentOnce: 0,
    forwarded: 0,
    adopted: 0,
    outstanding: 0,
    observations: 0,
    observers: 0,
    peers: 0,
    blockTransfers: 0,
  };
  readonly #pings = new Set<Ping>();
  #closing: Promise<void> | undefined;

  constructor(options: CoapEndpointOptions) {
    const { port, onFault = crash, messageIds = ALL_MESSAGE_IDS, tokenPrefix = new Uint8Array(0) } = options;
    if (tokenPrefix.length > 2) throw new RequestError('a token prefix has at most 2 bytes');
    const { first, count } = messageIds;
    if (
      !(
        Number.isInteger(first) &&
        Number.isInteger(count) &&
        first >= 0 &&
        count > 0 &&
        first + count <= 65_536
      )
    ) {
      throw new RequestError(`message ids ${first} to ${first + count - 1} are no part of 0 to 65535`);
    }
    const parameters: CoapParameters = { ...defaultParameters, ...options.parameters };
    const random = new RandomPool(options.random ?? randomBytes);
    this.#port = port;
    this.#layer = new MessageLayer(
      port,
      options.clock ?? systemClock,
      parameters,
      random,
      messageIds,
      this.#statistics,
      this,
    );
    const budget = new ByteBudget(parameters.maxBlockMemory);
    this.#transfers = new BlockTransfers(
      this.#layer.deadlines,
      parameters.maxBlockTransfers,
      parameters.maxBlockTransfersPerPeer,
      parameters.blockTimeout,
    );
    const snapshots = new BlockSnapshots(this.#transfers, budget, parameters.preferredBlockSize);
    const reassembly = new BlockReassembly(
      this.#transfers,
      budget,
      parameters.maxBodySize,
      parameters.preferredBlockSize,
    );
    this.#observers = new Observers(this.#layer, snapshots);
    this.#server = new ServerRequests(
      this.#layer,
      this.#observers,
      snapshots,
      reassembly,
      options.handler ?? notFound,
      onFault,
    );
    this.#requests = new ClientRequests(
      this.#layer,
      budget,
      random,
      tokenPrefix,
      (token) => this.#observations.get(token) !== undefined,
    );
    this.#observations = new Observations(this.#layer, this.#requests, onFault);
    this.#lookups =
      options.resolveObservation === undefined
        ? undefined
        : new ObservationLookups(this.#layer, this.#observations, options.resolveObservation, onFault);
    this.#strays =
      options.strays === undefined
        ? undefined
        : new Strays(this.#layer, options.strays, tokenPrefix, onFault);
    port.onError((error, peer) => {
      // An address that is none will be none at the next attempt.
      if (error instanceof RequestError && peer !== undefined)
        this.#abandon(this.#layer.peers.get(peer), error);
      options.onTransportError?.(error, peer);
    });
    port.onDatagram((data, peer, identity) => this.#layer.receive(data, peer, identity));
  }

  get local(): PeerAddress {
    return this.#port.local;
  }

  get statistics(): Readonly<CoapStatistics> {
    const statistics = this.#statistics;
    statistics.outstanding = this.#requests.size;
    statistics.observations = this.#observations.size;
    statistics.observers = this.#observers.size;
    statistics.peers = this.#layer.peers.size;
    statistics.blockTransfers = this.#transfers.size;
    return statistics;
  }

  trace(listener: ((message: TracedMessage) => void) | undefined): void {
    this.#layer.traceListener = listener;
  }

  request(peer: PeerAddress | RequestTarget, request: OutgoingRequest): Promise<IncomingResponse> {
    return new Promise((completed, failed) => {
      this.#mustBeOpen();
      new ClientExchange(this.#requests, peer, request, { completed, failed }).start();
    });
  }

  observe(
    peer: PeerAddress | RequestTarget,
    request: OutgoingRequest,
    options: {
      readonly onNotification: NotificationHandler;
      readonly token?: string;
      readonly followPeer?: FollowPeer;
    },
  ): Promise<{ readonly response: IncomingResponse; readonly observation: Observation | undefined }> {
    return new Promise((resolve, reject) => {
      this.#mustBeOpen();
      const tokenBytes =
        options.token === undefined ? this.#requests.freshToken() : parseToken(options.token);
      const token = formatToken(tokenBytes);
      if (this.#requests.get(token) !== undefined || this.#observations.get(token) !== undefined) {
        throw new RequestError(`the token ${token} is in use`);
      }
      const entry = new ObservationEntry(
        this.#observations,
        token,
        peer instanceof RequestTarget ? peer.address : peer,
        request,
        options.followPeer ?? false,
        options.onNotification,
      );
      const exchange: ClientExchange = new ClientExchange(
        this.#requests,
        peer,
        request,
        {
          answering: (message) => {
            // RFC 7641 §3.1: only a success with the Observe option makes an observer of us.
            const sequence = isSuccess(message.code) ? observeOf(message.options) : undefined;
            if (sequence === undefined) return;
            entry.advance(sequence, this.#layer.clock.now());
            entry.peer = exchange.peer.address;
            this.#observations.add(entry);
          },
          completed: (response) => {
            const held = this.#observations.get(token) === entry;
            resolve({ response, observation: held ? entry : undefined });
          },
          failed: (error) => {
            entry.forget();
            reject(error);
          },
        },
        { observe: 0, token: tokenBytes },
      );
      exchange.start();
    });
  }

  restoreObservation(
    key: ObservationKey,
    onNotification: NotificationHandler,
    options: { readonly followPeer?: FollowPeer } = {},
  ): Observation {
    this.#mustBeOpen();
    return this.#observations.restore(key, onNotification, options.followPeer ?? false);
  }

  observation(token: string): Observation | undefined {
    return this.#observations.get(token);
  }

  takeStray({ data, peer, identity }: StrayDatagram): boolean {
    const message = this.#closing === undefined ? decodeStray(data) : undefined;
    if (message === undefined) return false;
    const { type, messageId, token } = message;
    const isConcern =
      type === MessageType.ACK || type === MessageType.RST
        ? this.#layer.isOurs(messageId)
        : this.#requests.get(formatToken(token)) !== undefined ||
          this.#layer.remembers(peer, messageId, data);
    if (isConcern) this.#layer.receiveForwarded(data, peer, identity);
    return isConcern;
  }

  ping(peer: PeerAddress, options: { readonly timeout?: number } = {}): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#mustBeOpen();
      const ping: Ping = new Ping(this.#layer, this.#layer.peerFor(peer), options.timeout, (result) => {
        this.#pings.delete(ping);
        if (typeof result === 'number') resolve(result);
        else reject(result);
      });
      this.#pings.add(ping);
      ping.start();
    });
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = this.#port.close();
      const error = new EndpointClosedError('the endpoint was closed');
      for (const exchange of this.#requests.all()) exchange.abandon(error);
      for (const ping of [...this.#pings]) ping.abandon(error);
      this.#observations.close();
      this.#observers.close();
      this.#transfers.clear();
      this.#layer.close();
    }
    return this.#closing;
  }

  #abandon(peer: Peer | undefined, error: Error): void {
    for (const exchange of this.#requests.all()) if (exchange.peer === peer) exchange.abandon(error);
  }

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw new EndpointClosedError('the endpoint is closed');
  }

  // ---- from the message layer

  onRequest(peer: Peer, message: CoapMessage, identity: PeerIdentity | undefined, seen: Seen): void {
    this.#server.take(peer, message, identity, seen);
  }

  onResponse(
    peer: Peer,
    message: CoapMessage,
    identity: PeerIdentity | undefined,
    seen: Seen,
    data: Uint8Array,
  ): void {
    if (unrecognisedCritical(message.options) !== undefined) {
      this.#layer.reject(peer, seen);
      return;
    }
    const token = formatToken(message.token);
    const exchange = this.#requests.get(token);
    if (exchange !== undefined) {
      if (exchange.peer !== peer) {
        // Perhaps its answer from an address that we do not know yet: RST would destroy it.
        peer.seen?.forget(seen);
      } else if (exchange.refuses(message)) this.#layer.reject(peer, seen);
      else {
        this.#observations.accept(peer, seen, message.type === MessageType.CON);
        exchange.take(message, peer, identity);
      }
      return;
    }
    const unclaimed = (): void => this.#takeUnasked(token, message, peer, identity, seen);
    // Before the store is asked: it knows the token of an observation whose first answer is still waited for.
    if (this.#observations.get(token) === undefined && this.#strays?.isForeign(message.token) === true) {
      this.#strays.response(message, data, peer, identity, seen, unclaimed);
    } else unclaimed();
  }

  /** A response that is no answer to a request under way: a notification, or nobody's. */
  #takeUnasked(
    token: string,
    message: CoapMessage,
    peer: Peer,
    identity: PeerIdentity | undefined,
    seen: Seen,
  ): void {
    const observation = this.#observations.get(token);
    if (observation !== undefined && this.#observations.take(observation, message, peer, identity, seen))
      return;
    if (observation === undefined && this.#lookups !== undefined && message.token.length > 0) {
      this.#lookups.take(token, message, peer, identity, seen);
      return;
    }
    // RFC 7252 §4.2, §4.3: a response that nobody waits for. A NON is rejected only where that ends an observation.
    if (message.type === MessageType.CON || hasOption(message.options, OptionNumber.OBSERVE)) {
      this.#layer.reject(peer, seen);
    } else this.#layer.silence(seen);
  }

  onForeignReply(
    messageId: number,
    data: Uint8Array,
    peer: PeerAddress,
    identity: PeerIdentity | undefined,
  ): void {
    this.#strays?.reply(messageId, { data, peer, identity });
  }

  onNewIdentity(peer: Peer): void {
    this.#abandon(peer, new ResetError(`somebody else is at ${peer.address} now`));
    this.#observers.finishAll(peer, 'reset');
    this.#transfers.removeAll(peer);
  }

  onResetOfPast(peer: Peer, messageId: number): void {
    this.#observers.resetOfPast(peer, messageId);
  }
}

/** Makes an endpoint on a port, which it receives on from now on. */
export function createCoapEndpoint(options: CoapEndpointOptions): CoapEndpoint {
  return new Endpoint(options);
}
