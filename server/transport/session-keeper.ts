import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { SEQUENCE_BLOCK, type SessionKeeper, type SessionState } from '../../protocol/dtls/types.ts';
import type { Keeping, SessionHolder, SessionStore, TakenSession } from '../ports/session-store.ts';
import type { Sealer } from '../secrets/sealer.ts';
import { sessionAddressOf, sessionIdOf } from './session-address.ts';
import {
  decodeSessionState,
  decodeWindow,
  encodeSessionState,
  encodeWindow,
  type StoredState,
} from './session-codec.ts';
import type { SessionPlaces } from './session-places.ts';

/** So many are saved at once when the server ends. */
const SAVED_AT_ONCE = 256;
/** A session that is heard is written anew when so much of its time is over. */
const RENEW_AFTER = 1 / 8;

export interface StoredSessionsOptions {
  readonly store: SessionStore;
  readonly sealer: Sealer;
  /** Name of this node. */
  readonly node: string;
  readonly account: SessionHolder['account'];
  /** How long a session is kept of which nothing is heard, ms. */
  readonly keepFor: number;
  readonly clock: Clock;
  /** What has been read of sessions just now, by whoever looked where they are. */
  readonly places?: Pick<SessionPlaces, 'justRead' | 'forget'>;
}

interface Held {
  readonly fence: number;
  readonly upTo: number;
  /** `Clock.now` when the store was told last. */
  readonly writtenAt: number;
}

/** The sessions of a DTLS port in the store, sealed: this node is the one that has them from `created` or `takeOver` on. */
export class StoredSessions implements SessionKeeper {
  readonly #options: StoredSessionsOptions;
  /** By their addresses: that is what a session is heard by. */
  readonly #held = new Map<PeerAddress, Held>();
  /** Those that the store may have, though it did not say so. */
  readonly #uncertain = new Set<string>();

  constructor(options: StoredSessionsOptions) {
    this.#options = options;
  }

  async created(state: SessionState): Promise<boolean> {
    const { store, node, account } = this.#options;
    const id = idText(state.id);
    const wasUncertain = this.#uncertain.has(id);
    this.#uncertain.add(id);
    const created = await store.create({
      ...{ id, account, identity: state.peer, node, fence: state.fence, reserved: state.reservedTo },
      ...{ state: this.#sealed(id, state), ...this.#keeping() },
    });
    // 56 random bits: whoever sees this has a broken source of randomness.
    if (!created && !wasUncertain) throw new Error(`there is a session ${id} already`);
    const isOurs = created || (await this.reserve(state.id, state.fence, state.reservedTo));
    this.#uncertain.delete(id);
    if (created) this.#hold(id, state.fence, state.reservedTo);
    return isOurs;
  }

  async reserve(id: Uint8Array, fence: number, upTo: number): Promise<boolean> {
    const name = idText(id);
    const reserved = await this.#options.store.reserve(name, fence, upTo, this.#keeping());
    if (reserved) this.#hold(name, fence, upTo);
    else this.#drop(name);
    return reserved;
  }

  async read(id: Uint8Array): Promise<SessionState | undefined> {
    const { store, account, places } = this.#options;
    const name = idText(id);
    const known = places?.justRead(name);
    const stored = known === undefined ? await store.read(name) : (known ?? undefined);
    if (stored === undefined || stored.account !== account) return undefined;
    // Nothing is written by what was read: the numbers come with `takeOver`.
    return {
      ...this.#opened(name, stored.state),
      id: Uint8Array.from(id),
      fence: stored.fence,
      nextSequence: 0,
      reservedTo: 0,
    };
  }

  async takeOver(id: Uint8Array, fence: number, needsWindow: boolean): Promise<SessionState | undefined> {
    const { store, node, places } = this.#options;
    const name = idText(id);
    places?.forget(name);
    // With the same fence it has a window still when it is taken.
    if (needsWindow && (await store.read(name))?.hasWindow !== true) return undefined;
    const by = { node, numbers: SEQUENCE_BLOCK, ...this.#keeping() };
    const taken = await store.take(name, fence, by);
    if (taken === undefined) return undefined;
    this.#hold(name, taken.fence, taken.reserved);
    return { ...this.#opened(name, taken.state), id: Uint8Array.from(id), ...numbersOf(taken) };
  }

  async ended(id: Uint8Array, fence: number): Promise<void> {
    const name = idText(id);
    this.#drop(name);
    this.#uncertain.delete(name);
    await this.#options.store.remove(name, fence);
  }

  async evicted(state: SessionState): Promise<void> {
    await this.#save(state);
  }

  /** Gives sessions up, with their windows. Resolves with how many could be. */
  async save(states: readonly SessionState[]): Promise<number> {
    let saved = 0;
    for (let at = 0; at < states.length; at += SAVED_AT_ONCE) {
      const some = states.slice(at, at + SAVED_AT_ONCE);
      const done = await Promise.all(some.map((state) => this.#save(state)));
      saved += done.filter(Boolean).length;
    }
    return saved;
  }

  async #save(state: SessionState): Promise<boolean> {
    const id = idText(state.id);
    this.#drop(id);
    this.#uncertain.delete(id);
    // It was lost before, and is good for nothing but a new handshake.
    if (state.window === undefined) return false;
    return this.#options.store.save(id, state.fence, {
      state: this.#sealed(id, state),
      window: encodeWindow(state.window),
      ...this.#keeping(),
    });
  }

  /**
   * Something was heard of it: it is kept for longer. Undefined where the store need not be told of it now; false where it is not
   * this node's any more.
   */
  heard(peer: PeerAddress): Promise<boolean> | undefined {
    const held = this.#held.get(peer);
    const { clock, keepFor, store } = this.#options;
    if (held === undefined || clock.now() - held.writtenAt < keepFor * RENEW_AFTER) return undefined;
    const id = sessionIdOf(peer);
    this.#hold(id, held.fence, held.upTo);
    return store.reserve(id, held.fence, held.upTo, this.#keeping());
  }

  /** Those of which nothing was heard for so long that the store has them no more. */
  forgetOld(): void {
    const { clock, keepFor } = this.#options;
    const before = clock.now() - keepFor;
    for (const [peer, { writtenAt }] of this.#held) if (writtenAt < before) this.#held.delete(peer);
  }

  #hold(id: string, fence: number, upTo: number): void {
    this.#held.set(sessionAddressOf(id), { fence, upTo, writtenAt: this.#options.clock.now() });
  }

  #drop(id: string): void {
    this.#held.delete(sessionAddressOf(id));
  }

  #keeping(): Keeping {
    const { clock, keepFor } = this.#options;
    return { at: clock.wallTime(), keepFor };
  }

  #sealed(id: string, state: StoredState): Uint8Array {
    const encoded = encodeSessionState(state);
    const sealed = this.#options.sealer.seal(encoded, placeOf(id));
    encoded.fill(0);
    return sealed;
  }

  #opened(id: string, sealed: Uint8Array): StoredState {
    const opened = this.#options.sealer.open(sealed, placeOf(id));
    try {
      return decodeSessionState(opened);
    } finally {
      opened.fill(0);
    }
  }
}

function placeOf(id: string): string {
  return `DTLS session ${id}`;
}

function idText(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex');
}

function numbersOf({ fence, writeFrom, reserved, window }: TakenSession) {
  return {
    fence,
    nextSequence: writeFrom,
    reservedTo: reserved,
    ...(window === undefined ? {} : { window: decodeWindow(window) }),
  };
}
