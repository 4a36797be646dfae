import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { RecentMap } from '../lwm2m/recent-map.ts';

/** What a source has at once, and how many ms until it has one more. */
interface Budget {
  readonly burst: number;
  readonly interval: number;
}

/**
 * Failures to prove who one is. A key of 128 bits is not guessed at any rate; a whole fleet may be behind one address,
 * and some sixty devices with a wrong key there, which try every half minute, are not to lock out the others.
 */
const failures: Budget = { burst: 100, interval: 500 };
/** Handshakes that are begun and not gone through with: each costs the server a key pair and a signature. */
const begun: Budget = { burst: 1_000, interval: 10 };
/** Sources that are remembered. */
const SOURCES = 4_096;

interface Source {
  readonly failures: Allowance;
  readonly begun: Allowance;
}

/**
 * Who fails to prove who he is may try again, but not as fast as he likes: identities and keys are not to be guessed, and
 * handshakes not begun for nothing. A source is an IPv4 address, or the /64 of an IPv6 one; it has answered from there (a
 * valid cookie), so nobody can use up another one's tries. Devices behind one NAT share them, and a handshake that is gone
 * through with costs none.
 */
export class SourceLimits {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #sources = new RecentMap<string, Source>(SOURCES);
  /** Handshakes that were not begun, since the start. */
  refused = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Whether a handshake may begin there; if so, it counts as begun. */
  admits(address: PeerAddress): boolean {
    const source = this.#source(address);
    const now = this.#clock.now();
    if (source.failures.left(now) >= 1 && source.begun.take(now)) return true;
    this.refused++;
    return false;
  }

  /** One from there was in vain. */
  failed(address: PeerAddress): void {
    this.#source(address).failures.take(this.#clock.now());
  }

  /** One from there has proven who it is. */
  established(address: PeerAddress): void {
    this.#source(address).begun.giveBack();
  }

  #source(address: PeerAddress): Source {
    const name = sourceOf(address);
    const now = this.#clock.now();
    const source = this.#sources.get(name) ?? {
      failures: new Allowance(failures, now),
      begun: new Allowance(begun, now),
    };
    this.#sources.set(name, source);
    return source;
  }
}

class Allowance {
  readonly #budget: Budget;
  #left: number;
  #at: number;

  constructor(budget: Budget, now: number) {
    this.#budget = budget;
    this.#left = budget.burst;
    this.#at = now;
  }

  left(now: number): number {
    const { burst, interval } = this.#budget;
    this.#left = Math.min(burst, this.#left + (now - this.#at) / interval);
    this.#at = now;
    return this.#left;
  }

  /** False where there is no whole one. */
  take(now: number): boolean {
    if (this.left(now) < 1) return false;
    this.#left--;
    return true;
  }

  giveBack(): void {
    this.#left = Math.min(this.#budget.burst, this.#left + 1);
  }
}

/** The host of an address, or the network of it that one subscriber has. */
export function sourceOf(address: PeerAddress): string {
  const host = address.slice(0, address.lastIndexOf(':'));
  if (!host.startsWith('[')) return host;
  const [head = '', tail] = host.slice(1, -1).split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  const whole = [...groups, ...Array.from({ length: missing }, () => '0'), ...after];
  return whole
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
