import type { PeerIdentity } from '../../protocol/coap/datagram-port.ts';

/** Sessions of one identity that are kept at the most: who shakes hands again and again fills no store. */
export const MOST_SESSIONS_OF_IDENTITY = 8;

/** Who a session is with: identities are unique for each of the two kinds of accounts (LwM2M Core §6.1.1). */
export interface SessionHolder {
  readonly account: 'server' | 'bootstrap';
  readonly identity: Pick<PeerIdentity, 'kind' | 'name'>;
}

/** A DTLS session, from its handshake on. */
export interface NewSession extends SessionHolder {
  /** Session id, and connection id of the server (RFC 9146): 16 lower-case hex digits. */
  readonly id: string;
  /** The node that has it, and the number from which the fence rises. */
  readonly node: string;
  readonly fence: number;
  /** Write sequence numbers below it may be used by that node. */
  readonly reserved: number;
  /** Sealed: keys, parameters, the peer's address. */
  readonly state: Uint8Array;
}

/** Who has a session, and since which change of hands. */
export interface SessionPlace {
  readonly id: string;
  /** Empty: nobody; it was saved. */
  readonly node: string;
  /** Rises by one whenever the session is saved or taken: what was reserved before may not be used any more. */
  readonly fence: number;
}

/** As it lies in the store. Who reads it may authenticate a record by it, and nothing else. */
export interface StoredSession extends SessionHolder, SessionPlace {
  readonly state: Uint8Array;
  /** Whether it was saved with its receive window. */
  readonly hasWindow: boolean;
}

export interface TakenSession extends SessionHolder {
  readonly id: string;
  readonly fence: number;
  /** The first write sequence number that nobody can have used, and the first that is not reserved for the taker. */
  readonly writeFrom: number;
  readonly reserved: number;
  readonly state: Uint8Array;
  /** Which records were received (RFC 6347 §4.1.2.6); undefined where whoever had it ended without saving it. */
  readonly window: Uint8Array | undefined;
}

/** How long a record is kept if nothing is written of it: `at` is now, ms since the epoch. */
export interface Keeping {
  readonly at: number;
  /** ms */
  readonly keepFor: number;
}

/**
 * DTLS sessions, so that they outlive a process and can be taken over by another node. No AEAD nonce may ever repeat:
 * write sequence numbers are reserved before they are used, and who takes a session over starts behind all that was
 * reserved before. The receive window is in the store only while nobody has the session: taking it takes it out, so
 * that no record is accepted twice.
 *
 * All methods reject with StoreUnavailableError where the store cannot answer.
 */
export interface SessionStore {
  /**
   * Enters a session. Of the identity the newest MOST_SESSIONS_OF_IDENTITY are kept.
   * False: another has that id.
   */
  create(session: NewSession & Keeping): Promise<boolean>;
  /**
   * Reserves write sequence numbers below `upTo`; what was reserved stays so. Keeps the session for longer also where
   * nothing more is reserved. False: it is another one's by now, or gone, and must not be used any more.
   */
  reserve(id: string, fence: number, upTo: number, keeping: Keeping): Promise<boolean>;
  /**
   * Gives it up, with all that another node needs to go on with it; the fence rises. False as for `reserve`.
   */
  save(
    id: string,
    fence: number,
    saved: { readonly state: Uint8Array; readonly window: Uint8Array } & Keeping,
  ): Promise<boolean>;
  /**
   * Takes it over from whoever has had it since `fence`, with so many write sequence numbers: the fence rises, the
   * window leaves the store. Undefined: it has changed hands since, or is gone.
   */
  take(
    id: string,
    fence: number,
    by: { readonly node: string; readonly numbers: number } & Keeping,
  ): Promise<TakenSession | undefined>;
  /** Changes nothing. */
  read(id: string): Promise<StoredSession | undefined>;
  /** Those with this identity. */
  of(holder: SessionHolder): Promise<readonly SessionPlace[]>;
  /** Removes it; where a fence is given only if it still is this one. False: there is none such. */
  remove(id: string, fence?: number): Promise<boolean>;
  /** Removes up to `limit` of those whose time is over, where the engine does not by itself; how many. */
  trim(now: number, limit: number): Promise<number>;
}

/** One text for each holder. */
export function holderText({ account, identity: { kind, name } }: SessionHolder): string {
  return `${account} ${kind} ${name}`;
}
