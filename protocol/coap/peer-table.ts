import type { PeerAddress } from './datagram-port.ts';
import type { Peer } from './peer.ts';

/** Looked at before a new peer is refused because all are busy. */
const EVICTION_ATTEMPTS = 16;

/** The peers known, least recently used first to go; bounded. */
export class PeerTable {
  readonly #peers = new Map<PeerAddress, Peer>();
  readonly #capacity: number;
  readonly #onForget: (messageIds: number) => void;
  #newest: Peer | undefined;
  #oldest: Peer | undefined;

  /** `onForget` is told how many remembered message ids go with a peer that is dropped. */
  constructor(capacity: number, onForget: (messageIds: number) => void) {
    this.#capacity = capacity;
    this.#onForget = onForget;
  }

  get size(): number {
    return this.#peers.size;
  }

  get(address: PeerAddress): Peer | undefined {
    return this.#peers.get(address);
  }

  /** Marks a peer as used now. */
  touch(peer: Peer, now: number): void {
    peer.lastUsed = now;
    if (this.#newest === peer) return;
    this.#unlink(peer);
    this.#link(peer);
  }

  /** Adds a peer, at the cost of an idle one where there is no room. False where all are busy. */
  add(peer: Peer, now: number): boolean {
    if (this.#peers.size >= this.#capacity && !this.#evict(now)) return false;
    this.insert(peer, now);
    return true;
  }

  /** Adds a peer whatever the bound: for requests of our own. */
  insert(peer: Peer, now: number): void {
    peer.lastUsed = now;
    this.#peers.set(peer.address, peer);
    this.#link(peer);
  }

  /** Drops the peers that were idle since before `before`. */
  sweep(before: number, now: number): void {
    for (let peer = this.#oldest; peer !== undefined && peer.lastUsed < before; peer = this.#oldest) {
      if (peer.busy(now)) {
        // Kept for what is under way with it, not for the duplicates of what is long over.
        if (peer.seen?.pending(now) === false) this.#forgetIds(peer);
        this.touch(peer, now);
      } else this.#remove(peer);
    }
  }

  clear(): void {
    this.#peers.clear();
    this.#newest = undefined;
    this.#oldest = undefined;
  }

  #evict(now: number): boolean {
    for (let i = 0; i < EVICTION_ATTEMPTS; i++) {
      const peer = this.#oldest;
      if (peer === undefined) return false;
      if (!peer.busy(now)) {
        this.#remove(peer);
        return true;
      }
      this.touch(peer, peer.lastUsed);
    }
    return false;
  }

  #remove(peer: Peer): void {
    this.#peers.delete(peer.address);
    this.#unlink(peer);
    this.#forgetIds(peer);
  }

  #forgetIds(peer: Peer): void {
    this.#onForget(peer.forgetSeen());
  }

  #link(peer: Peer): void {
    peer.older = this.#newest;
    peer.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = peer;
    this.#newest = peer;
    this.#oldest ??= peer;
  }

  #unlink(peer: Peer): void {
    if (peer.older !== undefined) peer.older.newer = peer.newer;
    else this.#oldest = peer.newer;
    if (peer.newer !== undefined) peer.newer.older = peer.older;
    else this.#newest = peer.older;
    peer.older = undefined;
    peer.newer = undefined;
  }
}
