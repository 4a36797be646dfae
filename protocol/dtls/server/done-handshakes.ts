import type { Clock } from '../../clock.ts';
import type { PeerAddress } from '../../coap/datagram-port.ts';
import { equalBytes } from '../crypto/constant-time.ts';

/** ms that a datagram may be on its way longer than the rest of its handshake. */
const MEMORY = 30_000;
const CAPACITY = 4_096;

interface Done {
  readonly random: Uint8Array;
  readonly until: number;
}

/** The handshakes of late, by which a hello that was doubled on its way is recognised: it begins no other one. Bounded. */
export class DoneHandshakes {
  readonly #clock: Clock;
  readonly #byAddress = new Map<PeerAddress, Done>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(address: PeerAddress, random: Uint8Array): void {
    const now = this.#clock.now();
    for (const [key, { until }] of this.#byAddress) {
      if (until > now && this.#byAddress.size < CAPACITY) break;
      this.#byAddress.delete(key);
    }
    // The newest last.
    this.#byAddress.delete(address);
    this.#byAddress.set(address, { random: new Uint8Array(random), until: now + MEMORY });
  }

  has(address: PeerAddress, random: Uint8Array): boolean {
    const done = this.#byAddress.get(address);
    return done !== undefined && done.until > this.#clock.now() && equalBytes(done.random, random);
  }
}
