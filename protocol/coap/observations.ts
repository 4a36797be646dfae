import { DecodeError } from '../errors.ts';
import { BlockDownload, withoutBlocks } from './block-download.ts';
import { ClientExchange } from './client-exchange.ts';
import type { ClientRequests } from './client-requests.ts';
import type { PeerAddress, PeerIdentity } from './datagram-port.ts';
import type { Seen } from './deduplication.ts';
import { RepresentationChangedError } from './errors.ts';
import type {
  FollowPeer,
  IncomingNotification,
  IncomingResponse,
  NotificationHandler,
  Observation,
  ObservationKey,
  OutgoingRequest,
} from './exchange.ts';
import {
  type CoapMessage,
  type CoapOption,
  type Code,
  isSuccess,
  MessageType,
  OptionNumber,
} from './message.ts';
import type { MessageLayer } from './message-layer.ts';
import { type Block, blockOf, observe as observeOf } from './options.ts';
import type { Peer } from './peer.ts';
import { parseToken } from './token.ts';

/** RFC 7641 §3.4: after that time a lower sequence number is a newer one that went round. */
const REORDERING_WINDOW = 128_000;
const HALF_RANGE = 1 << 23;

type CancelOptions = NonNullable<Parameters<Observation['cancel']>[0]>;

/** The client side of one observation (RFC 7641 §3). */
export class ObservationEntry implements Observation {
  readonly token: string;
  readonly request: OutgoingRequest;
  readonly followPeer: FollowPeer;
  readonly onNotification: NotificationHandler;
  peer: PeerAddress;
  readonly #table: Observations;
  #sequence: number | undefined;
  #sequenceAt = 0;
  /** Reads the rest of a block-wise notification. */
  fetch: ClientExchange | undefined;
  /** Reads the newest of the unconfirmed ones that came meanwhile, after that. */
  next: (() => void) | undefined;

  constructor(
    table: Observations,
    token: string,
    peer: PeerAddress,
    request: OutgoingRequest,
    followPeer: FollowPeer,
    onNotification: NotificationHandler,
  ) {
    this.#table = table;
    this.token = token;
    this.peer = peer;
    this.request = request;
    this.followPeer = followPeer;
    this.onNotification = onNotification;
  }

  forget(): void {
    this.#table.remove(this);
  }

  cancel(options: CancelOptions = {}): Promise<IncomingResponse> {
    this.forget();
    return this.#table.cancel(this, options);
  }

  moveTo(peer: PeerAddress): void {
    this.peer = peer;
    this.fetch?.movedTo(peer)();
  }

  /** Whether a notification is newer than all before (RFC 7641 §3.4); if so it is the newest from now on. */
  advance(sequence: number, now: number): boolean {
    const last = this.#sequence;
    // The same number again is the newest one, delivered anew after it was ignored.
    const fresh =
      last === undefined ||
      last === sequence ||
      (last < sequence && sequence - last < HALF_RANGE) ||
      (last > sequence && last - sequence > HALF_RANGE) ||
      now > this.#sequenceAt + REORDERING_WINDOW;
    if (fresh) {
      this.#sequence = sequence;
      this.#sequenceAt = now;
    }
    return fresh;
  }
}

/** One whole notification, and what becomes of the message that it came in. */
class Notification implements IncomingNotification {
  readonly code: Code;
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
  readonly confirmable: boolean;
  readonly messageId: number;
  readonly identity: PeerIdentity | undefined;
  readonly fresh: boolean;
  readonly observe: number | undefined;
  readonly #table: Observations;
  readonly #entry: ObservationEntry;
  readonly #from: Peer;
  /** Whose ring the message is in: another than `from` where the peer moved while its blocks were read. */
  readonly #seenOf: Peer;
  readonly #seen: Seen;
  readonly #generation: number;
  #decided = false;

  constructor(
    table: Observations,
    entry: ObservationEntry,
    message: CoapMessage,
    options: readonly CoapOption[],
    payload: Uint8Array,
    from: Peer,
    seenOf: Peer,
    identity: PeerIdentity | undefined,
    seen: Seen,
    generation: number,
    observe: number | undefined,
    fresh: boolean,
  ) {
    this.code = message.code;
    this.options = options;
    this.payload = payload;
    this.confirmable = message.type === MessageType.CON;
    this.messageId = message.messageId;
    this.identity = identity;
    this.fresh = fresh;
    this.observe = observe;
    this.#table = table;
    this.#entry = entry;
    this.#from = from;
    this.#seenOf = seenOf;
    this.#seen = seen;
    this.#generation = generation;
  }

  get peer(): PeerAddress {
    return this.#from.address;
  }

  /** True the first time, and while the endpoint still knows the message. */
  #decide(): boolean {
    if (this.#decided) return false;
    this.#decided = true;
    if (this.observe === undefined) this.#entry.forget();
    return this.#seen.generation === this.#generation;
  }

  accept(): void {
    if (this.#decide()) this.#table.accept(this.#from, this.#seen, this.confirmable);
  }

  reject(): void {
    if (!this.#decide()) return;
    this.#entry.forget();
    this.#table.layer.reject(this.#from, this.#seen);
  }

  ignore(): void {
    if (this.#decided) return;
    this.#decided = true;
    if (this.#seen.generation === this.#generation) this.#seenOf.seen?.forget(this.#seen);
  }
}

function follows(followPeer: FollowPeer, peer: PeerAddress, identity: PeerIdentity | undefined): boolean {
  return typeof followPeer === 'boolean' ? followPeer : followPeer(peer, identity);
}

/** All that we observe, by token, and the way of a notification from its message to its handler. */
export class Observations {
  readonly layer: MessageLayer;
  readonly #requests: ClientRequests;
  readonly #onFault: (error: unknown) => void;
  readonly #entries = new Map<string, ObservationEntry>();

  constructor(layer: MessageLayer, requests: ClientRequests, onFault: (error: unknown) => void) {
    this.layer = layer;
    this.#requests = requests;
    this.#onFault = onFault;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(token: string): ObservationEntry | undefined {
    return this.#entries.get(token);
  }

  add(entry: ObservationEntry): void {
    this.#entries.get(entry.token)?.forget();
    this.#entries.set(entry.token, entry);
  }

  remove(entry: ObservationEntry): void {
    if (this.#entries.get(entry.token) === entry) this.#entries.delete(entry.token);
    this.#stopReading(entry);
  }

  #stopReading(entry: ObservationEntry): void {
    const { fetch } = entry;
    entry.fetch = undefined;
    entry.next = undefined;
    fetch?.abandon(undefined);
  }

  /** @throws RequestError where the key's token is none. */
  restore(
    key: ObservationKey,
    onNotification: NotificationHandler,
    followPeer: FollowPeer,
  ): ObservationEntry {
    const { token, peer, request } = key;
    parseToken(token);
    const entry = new ObservationEntry(this, token, peer, request, followPeer, onNotification);
    this.add(entry);
    return entry;
  }

  close(): void {
    for (const entry of [...this.#entries.values()]) this.remove(entry);
  }

  cancel(entry: ObservationEntry, { to = entry.peer, ...options }: CancelOptions): Promise<IncomingResponse> {
    return new Promise((resolve, reject) => {
      const { timeout: _timeout, signal: _signal, ...request } = entry.request;
      new ClientExchange(
        this.#requests,
        to,
        { ...request, ...options },
        { completed: resolve, failed: reject },
        { observe: 1, token: parseToken(entry.token) },
      ).start();
    });
  }

  accept(from: Peer, seen: Seen, confirmable: boolean): void {
    if (confirmable) this.layer.acknowledge(from, seen);
    else this.layer.silence(seen);
  }

  /** Takes a message with the token of an observation. False where it came from somebody else. */
  take(
    entry: ObservationEntry,
    message: CoapMessage,
    from: Peer,
    identity: PeerIdentity | undefined,
    seen: Seen,
  ): boolean {
    if (from.address !== entry.peer) {
      if (!follows(entry.followPeer, from.address, identity)) return false;
      entry.peer = from.address;
    }
    const { options } = message;
    // An error ends an observation whatever its options say (RFC 7641 §3.2).
    const observe = isSuccess(message.code) ? observeOf(options) : undefined;
    const fresh = observe === undefined || entry.advance(observe, this.layer.clock.now());
    const generation = seen.generation;
    try {
      const block = blockOf(options, OptionNumber.BLOCK2);
      if (block?.more === true) {
        this.#read(entry, message, block, from, identity, seen, observe, fresh);
        return true;
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.layer.statistics.malformed++;
      this.layer.reject(from, seen);
      entry.forget();
      return true;
    }
    // What is newer and here replaces what would only be fetched.
    if (fresh) this.#stopReading(entry);
    this.#deliver(
      entry,
      new Notification(
        this,
        entry,
        message,
        withoutBlocks(options),
        message.payload,
        from,
        from,
        identity,
        seen,
        generation,
        observe,
        fresh,
      ),
    );
    return true;
  }

  /**
   * Begins to read a block-wise notification, or lets it wait. A newer confirmable one replaces what is being
   * read, for its server has given that up. Newer unconfirmed ones may come faster than one is read: they wait
   * for the end of it, and only the newest is read then.
   * @throws DecodeError where its first block makes no sense.
   */
  #read(
    entry: ObservationEntry,
    message: CoapMessage,
    block: Block,
    from: Peer,
    identity: PeerIdentity | undefined,
    seen: Seen,
    observe: number | undefined,
    fresh: boolean,
  ): void {
    const { budget } = this.#requests;
    const download = new BlockDownload(message, budget, this.layer.parameters.maxBodySize);
    download.append(message, block);
    if (entry.fetch !== undefined && (message.type === MessageType.NON || !fresh)) {
      download.clear();
      if (!fresh) from.seen?.forget(seen);
      else {
        this.layer.silence(seen);
        entry.next = () => this.#read(entry, message, block, from, identity, seen, observe, fresh);
      }
      return;
    }
    this.#fetch(entry, message, download, from, identity, seen, observe, fresh);
  }

  /** Reads the other blocks (RFC 7959 §2.6); the message of the first one is acknowledged with the whole. */
  #fetch(
    entry: ObservationEntry,
    message: CoapMessage,
    download: BlockDownload,
    from: Peer,
    identity: PeerIdentity | undefined,
    seen: Seen,
    observe: number | undefined,
    fresh: boolean,
  ): void {
    const { generation } = seen;
    // Without its other blocks the notification is worth nothing: the peer sends it again.
    const drop = () => {
      if (seen.generation === generation) from.seen?.forget(seen);
    };
    this.#stopReading(entry);
    const ended = () => {
      if (entry.fetch !== exchange) return undefined;
      const { next } = entry;
      entry.fetch = undefined;
      entry.next = undefined;
      return next;
    };
    const { signal: _signal, ...request } = entry.request;
    const exchange: ClientExchange = new ClientExchange(
      this.#requests,
      from.address,
      request,
      {
        completed: (response) => {
          const next = ended();
          if (this.#entries.get(entry.token) !== entry || response.code !== message.code) {
            drop();
            next?.();
            return;
          }
          this.#deliver(
            entry,
            new Notification(
              this,
              entry,
              message,
              response.options,
              response.payload,
              exchange.peer,
              from,
              identity,
              seen,
              generation,
              observe,
              fresh,
            ),
          );
          if (this.#entries.get(entry.token) === entry) next?.();
        },
        failed: (error) => {
          const next = ended();
          // What it told is gone at the peer too, and to come again would not bring it back.
          if (error instanceof RepresentationChangedError && seen.generation === generation) {
            this.accept(from, seen, message.type === MessageType.CON);
          } else drop();
          next?.();
        },
      },
      { download },
    );
    entry.fetch = exchange;
    exchange.start();
  }

  #deliver(entry: ObservationEntry, notification: Notification): void {
    try {
      entry.onNotification(notification);
    } catch (error) {
      notification.ignore();
      this.#onFault(error);
    }
  }
}
