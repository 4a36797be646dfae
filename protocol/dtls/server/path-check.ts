import type { Clock, Timer } from '../../clock.ts';
import type { PeerAddress } from '../../coap/datagram-port.ts';
import { equalBytes } from '../crypto/constant-time.ts';

/** How much more than it has sent is sent to an address that has shown nothing yet (as RFC 9000 §8.1, RFC 9853 §5). */
const AMPLIFICATION = 3;
/** ms until a challenge is sent again, doubling, and how often it is sent. */
const FIRST_TIMEOUT = 1_000;
const CHALLENGES = 4;
/** RFC 9853 §4. */
const COOKIE_LENGTH = 8;

/**
 * Whether a peer is where its last record came from. The record was authentic, but anybody can send on what was overheard, from any address:
 * until the peer has answered from there, little is sent to it (RFC 9146 §6).
 */
export class PathCheck {
  #received: number;
  #sent = 0;
  #cookie: Uint8Array | undefined;
  #timer: Timer | undefined;

  /** Where the peer has shown last that it is. */
  readonly former: PeerAddress;

  /** `received`: bytes of the datagram by which the new address became known. */
  constructor(received: number, former: PeerAddress) {
    this.#received = received;
    this.former = former;
  }

  /**
   * Something authentic came from the address. Without challenges it is an answer, if anything was sent there before and it is newer than all
   * else.
   */
  heard(bytes: number, newest: boolean): boolean {
    this.#received += bytes;
    return this.#cookie === undefined && this.#sent > 0 && newest;
  }

  /** Whether so many bytes may be sent; if so, they count as sent. */
  admits(bytes: number): boolean {
    if (this.#sent + bytes > AMPLIFICATION * this.#received) return false;
    this.#sent += bytes;
    return true;
  }

  /** Sends challenges (RFC 9853 §5) until there is an answer, a few times; then it is `unanswered`. */
  challenge(
    clock: Clock,
    random: (bytes: number) => Uint8Array,
    send: (cookie: Uint8Array) => void,
    unanswered: () => void,
  ): void {
    if (this.#timer !== undefined) return;
    const cookie = random(COOKIE_LENGTH);
    this.#cookie = cookie;
    const next = (times: number, timeout: number): void => {
      this.#timer = undefined;
      if (times === CHALLENGES) {
        unanswered();
        return;
      }
      send(cookie);
      this.#timer = clock.setTimer(timeout, () => next(times + 1, 2 * timeout));
    };
    next(0, FIRST_TIMEOUT);
  }

  /** Whether that is what the last challenge asked for. */
  answers(cookie: Uint8Array): boolean {
    return this.#cookie !== undefined && equalBytes(this.#cookie, cookie);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
