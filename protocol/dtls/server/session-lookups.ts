import type { Clock } from '../../clock.ts';
import type { PeerAddress } from '../../coap/datagram-port.ts';
import { equalBytes, wipe } from '../crypto/constant-time.ts';
import type { KeyCache } from '../records/key-cache.ts';
import { readRecord } from '../records/record.ts';
import { type ForeignRecords, SESSION_ID_LENGTH, type SessionKeeper, type SessionState } from '../types.ts';
import { Session } from './session.ts';

/** Datagrams of one session that wait while it is looked for. */
const MOST_WAITING = 8;
/** Ids that nobody knows are not looked for again for a while, ms; so many are remembered. */
const UNKNOWN_FOR = 2_000;
const MOST_UNKNOWN = 4_096;

interface Waiting {
  readonly datagram: Uint8Array;
  readonly source: PeerAddress;
}

interface Search {
  readonly waiting: Waiting[];
  /** It is being taken over: others may know by now that it is this node's. */
  taking: boolean;
  readonly done: Promise<void>;
}

export interface SessionLookupsOptions {
  readonly keeper: SessionKeeper | undefined;
  readonly foreign: ForeignRecords | undefined;
  readonly clock: Clock;
  readonly capacity: number;
  readonly keyCache: KeyCache;
  /** Resolves when the session is in the store, if it is just on its way there out of this process. */
  readonly evicted: (peer: PeerAddress) => Promise<void> | undefined;
  readonly onError: (error: unknown) => void;
  readonly onForwarded: () => void;
  /** A forged or replayed record named a stored session. */
  readonly onForged: () => void;
  /** It is this node's now; the datagrams for it follow by `onDatagram`. */
  readonly onTakenOver: (session: Session) => void;
  /** It is this node's, but nobody knows what it had received. `source` is where an authentic record came from. */
  readonly onWindowLost: (session: Session, source: PeerAddress) => void;
  readonly onDatagram: (datagram: Uint8Array, source: PeerAddress) => void;
}

/**
 * Looks for sessions that are not in memory: at other nodes, then in the store. Anybody can write anything into a record, so there are
 * bounds to what is looked for at once, and nothing is taken over before a record was authenticated with the stored keys.
 */
export class SessionLookups {
  readonly #options: SessionLookupsOptions;
  readonly #searches = new Map<PeerAddress, Search>();
  readonly #unknown = new Map<PeerAddress, number>();

  constructor(options: SessionLookupsOptions) {
    this.#options = options;
  }

  /**
   * Takes a stored session over without having heard from it: what it had received has to be known. What came of it is told by
   * `onTakenOver`.
   */
  async load(peer: PeerAddress, id: Uint8Array): Promise<void> {
    const { keeper } = this.#options;
    if (keeper === undefined) return;
    // Whoever is looking for it already finds more.
    const search = this.#searches.get(peer);
    if (search !== undefined) return search.done;
    await this.#track(peer, [], async () => {
      await this.#options.evicted(peer);
      const state = await keeper.read(id);
      if (state === undefined) return;
      wipeKeys(state);
      this.#taking(peer);
      const taken = await keeper.takeOver(id, state.fence, true);
      if (taken?.window === undefined) return;
      this.#takenOver(Session.from(taken, this.#options.keyCache), peer);
    });
  }

  /** A datagram whose first record with a connection id names a session that is not here. False where it is dropped. */
  ask(peer: PeerAddress, id: Uint8Array, datagram: Uint8Array, source: PeerAddress): boolean {
    const { keeper, foreign, capacity, clock } = this.#options;
    if (keeper === undefined && foreign === undefined) return false;
    const unknownUntil = this.#unknown.get(peer);
    if (unknownUntil !== undefined && clock.now() < unknownUntil) return false;
    const waiting = this.#searches.get(peer)?.waiting;
    if (waiting !== undefined) {
      if (waiting.length >= MOST_WAITING) return false;
      waiting.push({ datagram, source });
      return true;
    }
    if (this.#searches.size >= capacity) return false;
    const first = [{ datagram, source }];
    void this.#track(peer, first, () => this.#search(peer, new Uint8Array(id), first));
    return true;
  }

  #track(peer: PeerAddress, waiting: Waiting[], look: () => Promise<void>): Promise<void> {
    const done = look()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => this.#searches.delete(peer));
    this.#searches.set(peer, { waiting, taking: false, done });
    return done;
  }

  /** A datagram that another node has for a session which is being taken over here: it waits for that. False: none is. */
  join(peer: PeerAddress, datagram: Uint8Array, source: PeerAddress): boolean {
    const search = this.#searches.get(peer);
    if (search?.taking !== true) return false;
    if (search.waiting.length < MOST_WAITING) search.waiting.push({ datagram, source });
    return true;
  }

  #taking(peer: PeerAddress): void {
    const search = this.#searches.get(peer);
    if (search !== undefined) search.taking = true;
  }

  async settled(): Promise<void> {
    while (this.#searches.size > 0) await Promise.all([...this.#searches.values()].map(({ done }) => done));
  }

  async #search(peer: PeerAddress, id: Uint8Array, waiting: Waiting[]): Promise<void> {
    await this.#options.evicted(peer);
    if (await this.#forward(id, waiting)) return;
    const { keeper } = this.#options;
    const state = await keeper?.read(id);
    if (keeper === undefined || state === undefined) {
      this.#remember(peer);
      return;
    }
    const authentic = this.#authentic(state, waiting);
    if (authentic === undefined) {
      this.#options.onForged();
      return;
    }
    this.#taking(peer);
    const taken = await keeper.takeOver(id, state.fence, false);
    if (taken === undefined) return;
    const session = Session.from(taken, this.#options.keyCache);
    if (taken.window === undefined) {
      this.#options.onWindowLost(session, authentic.source);
      return;
    }
    this.#takenOver(session, peer);
  }

  /** From now on its datagrams go there, those that wait first. */
  #takenOver(session: Session, peer: PeerAddress): void {
    const { onTakenOver, onDatagram } = this.#options;
    const waiting = this.#searches.get(peer)?.waiting ?? [];
    onTakenOver(session);
    for (const { datagram, source } of waiting) onDatagram(datagram, source);
  }

  /** Whether the session has an owner elsewhere, who was given all that waits. */
  async #forward(id: Uint8Array, waiting: readonly Waiting[]): Promise<boolean> {
    const { foreign, onForwarded } = this.#options;
    if (foreign === undefined) return false;
    // What comes meanwhile is in the list as well.
    for (let at = 0; at < waiting.length; at++) {
      const { datagram, source } = waiting[at] as Waiting;
      if (!(await foreign.forward(id, datagram, source))) return false;
      onForwarded();
    }
    return true;
  }

  /** The first datagram that holds a record which the peer of that session has made. The state's keys are wiped. */
  #authentic(state: SessionState, waiting: readonly Waiting[]): Waiting | undefined {
    const { keyCache } = this.#options;
    const session = Session.from(state, keyCache);
    try {
      return waiting.find(({ datagram }) => {
        for (
          let record = readRecord(datagram, 0, SESSION_ID_LENGTH);
          record !== undefined;
          record = readRecord(datagram, record.end, SESSION_ID_LENGTH)
        ) {
          const named = record.connectionId !== undefined && equalBytes(record.connectionId, state.id);
          if (named && typeof session.epoch.open(record) !== 'number') return true;
        }
        return false;
      });
    } finally {
      session.epoch.wipe();
    }
  }

  #remember(peer: PeerAddress): void {
    const { clock } = this.#options;
    for (const [key, until] of this.#unknown) {
      if (this.#unknown.size < MOST_UNKNOWN && until > clock.now()) break;
      this.#unknown.delete(key);
    }
    this.#unknown.set(peer, clock.now() + UNKNOWN_FOR);
  }
}

function wipeKeys({ keys }: SessionState): void {
  wipe(keys.client, keys.server);
}
