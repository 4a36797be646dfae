import type { PeerAddress } from './datagram-port.ts';

/** What is on its way to a target. */
export interface TargetFollower {
  /** Goes to where the target is now; what it returns is called when all have gone there. */
  movedTo(address: PeerAddress): () => void;
  /** The target was heard just now. */
  heard(): void;
}

/**
 * Where a peer is, said once for all requests to it: whoever learns that it is reached elsewhere moves
 * the target, and what is under way goes on there (RFC 7252 knows no moving peer; carrier-grade NAT does).
 */
export class RequestTarget {
  #address: PeerAddress;
  readonly #followers = new Set<TargetFollower>();

  constructor(address: PeerAddress) {
    this.#address = address;
  }

  get address(): PeerAddress {
    return this.#address;
  }

  /** The peer is reached here now. Requests under way are sent again at once, in the order in which they were made. */
  moveTo(address: PeerAddress): void {
    if (address === this.#address) return;
    this.#address = address;
    for (const arrived of [...this.#followers].map((follower) => follower.movedTo(address))) arrived();
  }

  /**
   * The peer was heard just now, so it listens: what waits for a retransmission, perhaps for long, is sent
   * again at once. Only what was sent in vain already: an answer may be under way.
   */
  heard(): void {
    for (const follower of [...this.#followers]) follower.heard();
  }

  /** Has `follower` told, until it is taken off. */
  follow(follower: TargetFollower): void {
    this.#followers.add(follower);
  }

  unfollow(follower: TargetFollower): void {
    this.#followers.delete(follower);
  }
}
