import type { ByteBudget } from './byte-budget.ts';
import type { PeerIdentity } from './datagram-port.ts';
import type { CoapMessage, CoapOption } from './message.ts';
import { OptionNumber } from './message.ts';
import type { MessageLayer } from './message-layer.ts';
import type { Peer } from './peer.ts';
import type { RandomPool } from './random-pool.ts';
import { formatToken } from './token.ts';

const TOKEN_LENGTH = 8;

/** An exchange as those see it who bring it its answer. */
export interface AwaitedAnswer {
  /** Token in hex that the answer will carry. */
  readonly key: string;
  /** Who will answer. */
  readonly peer: Peer;
  /** True where a message with that token is no answer. */
  refuses(message: CoapMessage): boolean;
  take(message: CoapMessage, peer: Peer, identity: PeerIdentity | undefined): void;
  /** Ends it with that error. */
  abandon(error: unknown): void;
}

/** The requests of ours that wait for an answer, by token. */
export class ClientRequests {
  readonly layer: MessageLayer;
  readonly budget: ByteBudget;
  readonly #random: RandomPool;
  readonly #tokenPrefix: Uint8Array;
  readonly #taken: (token: string) => boolean;
  readonly #exchanges = new Map<string, AwaitedAnswer>();
  #uploads = 0;

  /** `taken` says whether a token is in use elsewhere: by an observation. */
  constructor(
    layer: MessageLayer,
    budget: ByteBudget,
    random: RandomPool,
    tokenPrefix: Uint8Array,
    taken: (token: string) => boolean,
  ) {
    this.layer = layer;
    this.budget = budget;
    this.#random = random;
    this.#tokenPrefix = tokenPrefix;
    this.#taken = taken;
  }

  get size(): number {
    return this.#exchanges.size;
  }

  get(token: string): AwaitedAnswer | undefined {
    return this.#exchanges.get(token);
  }

  all(): AwaitedAnswer[] {
    return [...this.#exchanges.values()];
  }

  expect(exchange: AwaitedAnswer): void {
    this.#exchanges.set(exchange.key, exchange);
  }

  forget(exchange: AwaitedAnswer): void {
    if (this.#exchanges.get(exchange.key) === exchange) this.#exchanges.delete(exchange.key);
  }

  /** A token that nothing here uses: 8 bytes, random behind the prefix of this process (RFC 7252 §5.3.1). */
  freshToken(): Uint8Array {
    for (;;) {
      const token = new Uint8Array(TOKEN_LENGTH);
      token.set(this.#tokenPrefix);
      this.#random.fill(token, this.#tokenPrefix.length);
      const key = formatToken(token);
      if (!this.#exchanges.has(key) && !this.#taken(key)) return token;
    }
  }

  /** Counts a Block1 transfer, and tells it from others under way by a Request-Tag where there are any (RFC 9175 §3.3). */
  requestTag(): CoapOption | undefined {
    this.#uploads++;
    if (this.#uploads === 1) return undefined;
    const value = new Uint8Array(4);
    this.#random.fill(value);
    return { number: OptionNumber.REQUEST_TAG, value };
  }

  uploadEnded(): void {
    this.#uploads--;
  }
}
