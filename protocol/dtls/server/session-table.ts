import type { PeerAddress } from '../../coap/datagram-port.ts';
import type { Session } from './session.ts';

/** The sessions known, by id, and those whose records bear none by address; the one least recently heard is at hand. */
export class SessionTable {
  readonly #byPeer = new Map<PeerAddress, Session>();
  /**
   * By a number of the id's random bytes. Each record with a connection id is looked up here: to make an address of it would
   * cost more than all else of the look. Those few that share a number are a chain.
   */
  readonly #byNumber = new Map<number, Session>();
  /** Sessions without connection ids: one for each address. */
  readonly #byAddress = new Map<PeerAddress, Session>();
  /** The last session of each credential, by its kind and name. */
  readonly #byIdentity = {
    psk: new Map<string, Session>(),
    rpk: new Map<string, Session>(),
    x509: new Map<string, Session>(),
  };
  #newest: Session | undefined;
  #oldest: Session | undefined;

  get size(): number {
    return this.#byPeer.size;
  }

  get oldest(): Session | undefined {
    return this.#oldest;
  }

  get(peer: PeerAddress): Session | undefined {
    // Who is asked for has mostly just been heard.
    return this.#newest?.peer === peer ? this.#newest : this.#byPeer.get(peer);
  }

  /** The session with that id, which is a view of a record. */
  byId(id: Uint8Array): Session | undefined {
    let session = this.#byNumber.get(numberOf(id));
    while (session !== undefined && !isSameId(session.id, id)) session = session.sharingNumber;
    return session;
  }

  /** The session whose records come from that address without a connection id. */
  at(address: PeerAddress): Session | undefined {
    return this.#byAddress.get(address);
  }

  all(): IterableIterator<Session> {
    return this.#byPeer.values();
  }

  /**
   * The sessions that have no use any more once that one is there: the one whose records came from its address, and the former one of its
   * credential, if that is enrolled for one endpoint or came from the same address: the device has begun anew.
   */
  replacedBy({ address, identity }: Session): Session[] {
    const atAddress = this.#byAddress.get(address);
    const former = this.#byIdentity[identity.kind].get(identity.name);
    const isFormer = former?.address === address || identity.endpoint !== undefined;
    const replaced = new Set([atAddress, isFormer ? former : undefined]);
    return [...replaced].filter((session) => session !== undefined);
  }

  add(session: Session): void {
    const { kind, name } = session.identity;
    this.#byIdentity[kind].set(name, session);
    this.#byPeer.set(session.peer, session);
    const number = numberOf(session.id);
    session.sharingNumber = this.#byNumber.get(number);
    this.#byNumber.set(number, session);
    if (!session.connectionIds) this.#byAddress.set(session.address, session);
    this.#link(session);
  }

  remove(session: Session): void {
    if (!this.#byPeer.delete(session.peer)) return;
    this.#removeNumber(session);
    if (this.#byAddress.get(session.address) === session) this.#byAddress.delete(session.address);
    const { kind, name } = session.identity;
    if (this.#byIdentity[kind].get(name) === session) this.#byIdentity[kind].delete(name);
    this.#unlink(session);
  }

  /** It was heard just now. */
  touch(session: Session): void {
    if (this.#newest === session) return;
    this.#unlink(session);
    this.#link(session);
  }

  #removeNumber(session: Session): void {
    const number = numberOf(session.id);
    const { sharingNumber } = session;
    const first = this.#byNumber.get(number);
    if (first === session) {
      if (sharingNumber === undefined) this.#byNumber.delete(number);
      else this.#byNumber.set(number, sharingNumber);
    } else {
      let before = first;
      while (before !== undefined && before.sharingNumber !== session) before = before.sharingNumber;
      if (before !== undefined) before.sharingNumber = sharingNumber;
    }
    session.sharingNumber = undefined;
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

/** The last four bytes: a number that the engine keeps without an object. */
function numberOf(id: Uint8Array): number {
  const at = id.length - 4;
  return (
    ((id[at] as number) << 24) |
    ((id[at + 1] as number) << 16) |
    ((id[at + 2] as number) << 8) |
    (id[at + 3] as number)
  );
}

/** Not in constant time: ids are sent in the clear. */
function isSameId(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}
