import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { PeerAddress } from './datagram-port.ts';
import { type CoapOption, OptionNumber } from './message.ts';
import { findOption } from './options.ts';

const TIME_LENGTH = 6;
const MAC_LENGTH = 8;

/**
 * Echo values (RFC 9175 §2): proof that a request is fresh, and that who sent it is reached at its
 * address, without the server remembering anything. A value is the time at which it was made and an
 * HMAC over it and the peer's address (appendix A, method 3).
 */
export class EchoAuthority {
  readonly #clock: Clock;
  readonly #key: KeyObject;
  readonly #maxAge: number;

  /** `maxAge` in milliseconds of civil time; without `key` values live as long as this object. */
  constructor(clock: Clock, maxAge: number, key: Uint8Array = randomBytes(32)) {
    this.#clock = clock;
    this.#maxAge = maxAge;
    // Node hashes far faster with a key object than with bytes.
    this.#key = createSecretKey(key);
  }

  #mac(time: Uint8Array, peer: PeerAddress): Buffer {
    return createHmac('sha256', this.#key).update(time).update(peer).digest().subarray(0, MAC_LENGTH);
  }

  /** The option for a 4.01 that asks that peer to repeat its request. */
  challenge(peer: PeerAddress): CoapOption {
    const value = Buffer.alloc(TIME_LENGTH + MAC_LENGTH);
    value.writeUIntBE(Math.floor(this.#clock.wallTime()), 0, TIME_LENGTH);
    this.#mac(value.subarray(0, TIME_LENGTH), peer).copy(value, TIME_LENGTH);
    return { number: OptionNumber.ECHO, value };
  }

  /** Whether a request carries a value that was made for that peer, not longer ago than `maxAge`. */
  verify(options: readonly CoapOption[], peer: PeerAddress): boolean {
    const value = findOption(options, OptionNumber.ECHO)?.value;
    if (value === undefined || value.length !== TIME_LENGTH + MAC_LENGTH) return false;
    const bytes = Buffer.from(value);
    if (!timingSafeEqual(bytes.subarray(TIME_LENGTH), this.#mac(bytes.subarray(0, TIME_LENGTH), peer)))
      return false;
    const age = this.#clock.wallTime() - bytes.readUIntBE(0, TIME_LENGTH);
    return age >= -1 && age <= this.#maxAge;
  }
}
