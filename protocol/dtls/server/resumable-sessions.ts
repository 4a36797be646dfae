import type { Clock } from '../../clock.ts';
import type { PeerIdentity } from '../../coap/datagram-port.ts';
import { wipe } from '../crypto/constant-time.ts';
import type { Resumable } from '../handshake/server-context.ts';

interface Entry extends Resumable {
  readonly endsAt: number;
}

/** Sessions that can be resumed, by the id that the ServerHello gave: a bounded number, for a bounded time. In memory only. */
export class ResumableSessions {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #lifetime: number;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, capacity: number, lifetime: number) {
    this.#clock = clock;
    this.#capacity = capacity;
    this.#lifetime = lifetime;
  }

  /** Whether any can be kept. */
  get enabled(): boolean {
    return this.#capacity > 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(sessionId: Uint8Array, session: Resumable): void {
    for (const [key, { endsAt }] of this.#entries) {
      // In the order of their ends.
      if (this.#entries.size < this.#capacity && endsAt > this.#clock.now()) break;
      this.#remove(key);
    }
    this.#entries.set(keyOf(sessionId), { ...session, endsAt: this.#clock.now() + this.#lifetime });
  }

  find(sessionId: Uint8Array): Resumable | undefined {
    if (sessionId.length === 0) return undefined;
    const entry = this.#entries.get(keyOf(sessionId));
    return entry !== undefined && entry.endsAt > this.#clock.now() ? entry : undefined;
  }

  remove(sessionId: Uint8Array): void {
    this.#remove(keyOf(sessionId));
  }

  removeWhere(where: (identity: PeerIdentity) => boolean): void {
    for (const [key, { identity }] of this.#entries) if (where(identity)) this.#remove(key);
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.#remove(key);
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) wipe(entry.masterSecret);
    this.#entries.delete(key);
  }
}

function keyOf(sessionId: Uint8Array): string {
  return Buffer.from(sessionId).toString('hex');
}
