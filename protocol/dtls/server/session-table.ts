import type { PeerAddress } from '../../coap/datagram-port.ts';
import type { Session } from './session.ts';

/** The sessions known, by id, and those whose records bear none by address; the one least recently heard is at hand. */
export class SessionTable {
  readonly #byPeer = new Map<PeerAddress, Session>();
  /** Sessions without connection ids: one for each address. */
  readonly #byAddress = new Map<PeerAddress, Session>();
  #newest: Session | undefined;
  #oldest: Session | undefined;

  get size(): number {
    return this.#byPeer.size;
  }

  get oldest(): Session | undefined {
    return this.#oldest;
  }

  get(peer: PeerAddress): Session | undefined {
    return this.#byPeer.get(peer);
  }

  /** The session whose records come from that address without a connection id. */
  at(address: PeerAddress): Session | undefined {
    return this.#byAddress.get(address);
  }

  all(): IterableIterator<Session> {
    return this.#byPeer.values();
  }

  add(session: Session): void {
    this.#byPeer.set(session.peer, session);
    if (!session.connectionIds) this.#byAddress.set(session.address, session);
    this.#link(session);
  }

  remove(session: Session): void {
    if (!this.#byPeer.delete(session.peer)) return;
    if (this.#byAddress.get(session.address) === session) this.#byAddress.delete(session.address);
    this.#unlink(session);
  }

  /** It was heard just now. */
  touch(session: Session): void {
    if (this.#newest === session) return;
    this.#unlink(session);
    this.#link(session);
  }

  #link(session: Session): void {
    session.older = this.#newest;
    session.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = session;
    this.#newest = session;
    this.#oldest ??= session;
  }

  #unlink(session: Session): void {
    if (session.older !== undefined) session.older.newer = session.newer;
    else this.#oldest = session.newer;
    if (session.newer !== undefined) session.newer.older = session.older;
    else this.#newest = session.older;
    session.older = undefined;
    session.newer = undefined;
  }
}
