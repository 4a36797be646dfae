import type { Clock } from '../../clock.ts';
import type { PeerAddress } from '../../coap/datagram-port.ts';
import { MAX_SEQUENCE } from '../records/record.ts';
import { SEQUENCE_BLOCK, type SessionKeeper } from '../types.ts';
import type { Session } from './session.ts';

/** So many numbers before its reserve ends, a session asks for more. */
const ASK_AHEAD = SEQUENCE_BLOCK / 4;
/**
 * So many numbers are left out when a session is to be kept that may have been before: another owner may have had it meanwhile, have written
 * behind the block that was asked for, and have ended it, so that nothing in the keeper tells of that.
 */
const LEFT_OUT = 2 ** 28;
/** ms before a keeper that has failed is asked again. */
const PAUSE = 5_000;

export interface SequenceKeepingOptions {
  readonly keeper: SessionKeeper | undefined;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  /** The session has another owner, or is gone from the store. */
  readonly onFenced: (session: Session) => void;
}

/**
 * Has sessions kept, and their write sequence numbers reserved before they are used. Calls for one session follow each other.
 */
export class SequenceKeeping {
  readonly #options: SequenceKeepingOptions;
  readonly #pending = new Set<Promise<void>>();
  readonly #evicting = new Map<PeerAddress, Promise<void>>();

  constructor(options: SequenceKeepingOptions) {
    this.#options = options;
  }

  /** A session that was established here. */
  begin(session: Session): void {
    const { keeper } = this.#options;
    session.reservedTo = keeper === undefined ? MAX_SEQUENCE + 1 : SEQUENCE_BLOCK;
    if (keeper !== undefined) this.#create(session, keeper);
  }

  /** To be called when something is written: sees to it that there are numbers for what comes. */
  written(session: Session): void {
    const { keeper, clock } = this.#options;
    if (keeper === undefined || session.keeping !== undefined) return;
    if (session.stored && session.reservedTo - session.epoch.nextSequence > ASK_AHEAD) return;
    if (clock.now() < session.askAgainAt) return;
    if (session.stored) this.#reserve(session, keeper);
    else this.#create(session, keeper);
  }

  /** The session is over. */
  end(session: Session): void {
    const { keeper } = this.#options;
    if (keeper === undefined) return;
    const before = session.keeping ?? Promise.resolve();
    this.#track(
      session,
      before.then(() => keeper.ended(session.id, session.fence)),
      session.askAgainAt,
    );
  }

  /** There is no room for it in memory: it is saved, or else over. */
  evict(session: Session): void {
    const { keeper } = this.#options;
    if (keeper?.evicted === undefined) return;
    const state = session.state();
    const before = session.keeping ?? Promise.resolve();
    this.#track(
      session,
      before.then(() => keeper.evicted?.({ ...state, reservedTo: session.reservedTo })),
    );
    const { peer, keeping } = session;
    if (keeping === undefined) return;
    this.#evicting.set(peer, keeping);
    void keeping.finally(() => {
      if (this.#evicting.get(peer) === keeping) this.#evicting.delete(peer);
    });
  }

  /** Resolves when the session is saved, if it is being evicted: before that nobody is to look for it. */
  evicted(peer: PeerAddress): Promise<void> | undefined {
    return this.#evicting.get(peer);
  }

  /** Resolves when no call is under way. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #create(session: Session, keeper: SessionKeeper): void {
    const { epoch } = session;
    const from = session.creations++ * LEFT_OUT;
    if (from > 0) {
      if (from > MAX_SEQUENCE) return;
      epoch.nextSequence = Math.max(epoch.nextSequence, from);
      session.reservedTo = Math.max(session.reservedTo, Math.min(from + SEQUENCE_BLOCK, MAX_SEQUENCE + 1));
    }
    this.#track(
      session,
      keeper.created(session.state()).then((created) => {
        if (created) session.stored = true;
        else if (!session.ended) this.#options.onFenced(session);
      }),
    );
  }

  #reserve(session: Session, keeper: SessionKeeper): void {
    const upTo = Math.min(session.reservedTo + SEQUENCE_BLOCK, MAX_SEQUENCE + 1);
    if (upTo === session.reservedTo) return;
    this.#track(
      session,
      keeper.reserve(session.id, session.fence, upTo).then((granted) => {
        if (granted) session.reservedTo = upTo;
        else if (!session.ended) this.#options.onFenced(session);
      }),
    );
  }

  #track(session: Session, call: Promise<void>, askAgainAt = this.#options.clock.now() + PAUSE): void {
    const tracked = call
      .catch((error: unknown) => {
        session.askAgainAt = askAgainAt;
        this.#options.onError(error);
      })
      .finally(() => {
        if (session.keeping === tracked) session.keeping = undefined;
        this.#pending.delete(tracked);
      });
    session.keeping = tracked;
    this.#pending.add(tracked);
  }
}
