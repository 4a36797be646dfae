import type { Clock } from '../../protocol/clock.ts';
import type { SessionStore, StoredSession } from '../ports/session-store.ts';

/** Ids that are remembered, at the most: whoever makes ids up must not fill memory. */
const MOST_REMEMBERED = 16_384;
/** How long it is taken for granted that a node has a session, ms. */
const PLACE_TIME = 30_000;
/** How long it is taken for granted that nobody has heard of an id, ms: a session is in the store just after its handshake. */
const MISS_TIME = 2_000;
/** How long what was read may be used by who asks right after, ms. */
const READ_TIME = 1_000;
/** Looks into the store that ids which nobody knows may cost each second. */
const LOOKS_A_SECOND = 2_000;

/** More ids are to be looked up than the store bears: what named this one is lost, and comes again. */
export class TooManyLooksError extends Error {
  override readonly name = 'TooManyLooksError';
}

/** One for all: there is one for each datagram of a flood. */
const tooManyLooks = new TooManyLooksError('datagrams name more connection ids than can be looked up');

interface Remembered {
  readonly until: number;
  /** Undefined: nobody has heard of it. */
  readonly node: string | undefined;
  readonly read?: StoredSession;
}

export interface SessionPlacesOptions {
  readonly store: Pick<SessionStore, 'read'>;
  readonly clock: Clock;
}

/**
 * Who has the sessions that are not in this process, as the store says. What was found is remembered for a while, also
 * that nothing was: an id that is made up costs one look, and no more looks are made each second than the store bears.
 */
export class SessionPlaces {
  readonly #options: SessionPlacesOptions;
  readonly #remembered = new Map<string, Remembered>();
  readonly #looking = new Map<string, Promise<StoredSession | undefined>>();
  #looks = 0;
  #second = Number.NEGATIVE_INFINITY;

  constructor(options: SessionPlacesOptions) {
    this.#options = options;
  }

  /** The node that is taken to have it, without a look. Null: nobody has heard of it. */
  known(id: string): string | null | undefined {
    const found = this.#recall(id);
    return found === undefined ? undefined : (found.node ?? null);
  }

  /** What was read of it just now; null: there is none; undefined: nothing was read. */
  justRead(id: string): StoredSession | null | undefined {
    const found = this.#recall(id);
    if (found === undefined) return undefined;
    if (found.node === undefined) return null;
    const { read } = found;
    return read !== undefined && this.#options.clock.now() < found.until - PLACE_TIME + READ_TIME
      ? read
      : undefined;
  }

  /**
   * Looks it up. Undefined where nobody has heard of it: nobody is to think so only because too much is looked up now.
   * @param whoever what a peer has named is looked up within bounds, what is ours always
   * @throws TooManyLooksError, StoreUnavailableError
   */
  look(id: string, whoever: 'peer' | 'own' = 'peer'): Promise<StoredSession | undefined> {
    const underWay = this.#looking.get(id);
    if (underWay !== undefined) return underWay;
    const now = this.#options.clock.now();
    if (now - this.#second >= 1_000) {
      this.#second = now;
      this.#looks = 0;
    }
    if (whoever === 'peer') {
      if (this.#looks >= LOOKS_A_SECOND) return Promise.reject(tooManyLooks);
      this.#looks++;
    }
    const looking = this.#options.store
      .read(id)
      .then((stored) => {
        const until = this.#options.clock.now() + (stored === undefined ? MISS_TIME : PLACE_TIME);
        this.#remember(id, { until, node: stored?.node, ...(stored === undefined ? {} : { read: stored }) });
        return stored;
      })
      .finally(() => this.#looking.delete(id));
    this.#looking.set(id, looking);
    return looking;
  }

  /** Looks up an id that a peer has named, unless that was done just now. @throws as `look` */
  async lookOnce(id: string): Promise<void> {
    if (this.justRead(id) === undefined) await this.look(id);
  }

  /** What was known of it is not so any more. */
  forget(id: string): void {
    this.#remembered.delete(id);
  }

  #recall(id: string): Remembered | undefined {
    const found = this.#remembered.get(id);
    if (found === undefined || this.#options.clock.now() < found.until) return found;
    this.#remembered.delete(id);
    return undefined;
  }

  #remember(id: string, place: Remembered): void {
    this.#remembered.delete(id);
    this.#remembered.set(id, place);
    if (this.#remembered.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}
