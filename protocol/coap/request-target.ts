import type { PeerAddress } from './datagram-port.ts';

/** Goes to where the target is now; what it returns is called when all have gone there. */
export type TargetFollower = (address: PeerAddress) => () => void;

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
    for (const arrived of [...this.#followers].map((follower) => follower(address))) arrived();
  }

  /** Has `follower` told of each move, until it is taken off. */
  follow(follower: TargetFollower): void {
    this.#followers.add(follower);
  }

  unfollow(follower: TargetFollower): void {
    this.#followers.delete(follower);
  }
}
