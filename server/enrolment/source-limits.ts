import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { RecentMap } from '../lwm2m/recent-map.ts';

/** Failures that a source has at once, and then one more in so many ms. */
const BURST = 20;
const INTERVAL = 3_000;
/** Sources that are remembered. */
const SOURCES = 4_096;

interface Allowance {
  left: number;
  at: number;
}

/**
 * Who fails to prove who he is may try again, but not as fast as he likes: identities and keys are not to be guessed. A
 * source is an IPv4 address, or the /64 of an IPv6 one; it has answered from there (a valid cookie), so nobody can use up
 * another one's tries. Devices behind one NAT share them, and only failures cost any.
 */
export class SourceLimits {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #sources = new RecentMap<string, Allowance>(SOURCES);
  /** Handshakes that were not begun, since the start. */
  refused = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Whether a handshake may begin there. */
  admits(address: PeerAddress): boolean {
    const allowance = this.#sources.get(sourceOf(address));
    if (allowance === undefined || this.#fill(allowance) >= 1) return true;
    this.refused++;
    return false;
  }

  /** One from there was in vain. */
  failed(address: PeerAddress): void {
    const source = sourceOf(address);
    const allowance = this.#sources.get(source) ?? { left: BURST, at: this.#clock.now() };
    this.#fill(allowance);
    allowance.left = Math.max(0, allowance.left - 1);
    this.#sources.set(source, allowance);
  }

  #fill(allowance: Allowance): number {
    const now = this.#clock.now();
    allowance.left = Math.min(BURST, allowance.left + (now - allowance.at) / INTERVAL);
    allowance.at = now;
    return allowance.left;
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
