import type { KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { DatagramPort, PeerAddress, PeerIdentity } from '../coap/datagram-port.ts';

/** Bytes of a session's id, which is the connection id that the server gives out (RFC 9146 §3) as well. */
export const SESSION_ID_LENGTH = 8;

/** Write sequence numbers are reserved in blocks of so many. */
export const SEQUENCE_BLOCK = 65_536;

/** What was received of an epoch (RFC 6347 §4.1.2.6). */
export interface ReplayState {
  /** The highest sequence number that was authenticated. */
  readonly highest: number;
  /** Which of the 64 numbers up to it were: the bit of weight 2^n of these 8 bytes (big-endian) is that of highest - n. */
  readonly seen: Uint8Array;
}

/** An established session of a server, as it is stored. Keys are in the clear here: whoever stores it seals it. */
export interface SessionState {
  readonly id: Uint8Array;
  /** Who it is, as the credential said. */
  readonly peer: PeerIdentity;
  /** Where it was heard last. */
  readonly address: PeerAddress;
  /** The cipher suite's number in the IANA registry. */
  readonly suite: number;
  /** Key, IV and MAC key one after the other, of what the client writes and of what the server writes. */
  readonly keys: DirectionKeys;
  /** The connection id that the peer wants to see, often empty; absent where no connection ids were negotiated. */
  readonly peerConnectionId?: Uint8Array;
  /** Whether the peer answers path challenges (RFC 9853). */
  readonly returnRoutability: boolean;
  /** The most bytes in one record where the peer has asked for less than 2^14 (RFC 6066 §4). */
  readonly maxPlaintext?: number;
  /** Milliseconds since the Unix epoch. */
  readonly establishedAt: number;
  /** Rises with each owner. */
  readonly fence: number;
  /** The next sequence number to write with; nothing at or above it was ever written. */
  readonly nextSequence: number;
  /** The first that is not reserved. */
  readonly reservedTo: number;
  /** Absent where the owner did not save it: such a session takes no data any more. */
  readonly window?: ReplayState;
}

export interface DirectionKeys {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/**
 * Keeps sessions beyond the life of a process. No AEAD nonce ever repeats: an owner writes only with sequence numbers
 * that are durably reserved, and whoever takes a session over begins behind them. Calls for one session are made one
 * after the other. A call that rejects is told by `onError`, and the session goes on with what it has reserved. States that are
 * given or returned belong to whoever gets them, who wipes their keys.
 */
export interface SessionKeeper {
  /**
   * A session was established here. It has `reservedTo` as its first block. Called again where it has rejected, with numbers far behind
   * those of before, for it may have been kept all the same. False: it was, and has another owner by now.
   */
  created(state: SessionState): Promise<boolean>;
  /**
   * Raises the mark to `upTo`, durably. False where the session is gone or has another owner (a higher fence): it is
   * then forgotten without a word.
   */
  reserve(id: Uint8Array, fence: number, upTo: number): Promise<boolean>;
  /** How the session is stored, whoever owns it; its window may be left out. Changes nothing: a record is authenticated by it first. */
  read(id: Uint8Array): Promise<SessionState | undefined>;
  /**
   * Makes this node the owner, if the session is still as it was read (`fence`): raises the fence, takes the window OUT
   * of the store, and reserves a block for the new owner, which begins at the former mark. Undefined where another was
   * faster, the session is gone, or `needsWindow` and none is stored: it then stays as it is.
   */
  takeOver(id: Uint8Array, fence: number, needsWindow: boolean): Promise<SessionState | undefined>;
  /** The session is over, and is not to be found again. Nothing happens where it has another owner by now. */
  ended(id: Uint8Array, fence: number): Promise<void>;
  /**
   * There is no room for the session in memory any more: it is saved, with its window, for whoever hears it next. Without this
   * method such a session ends.
   */
  evicted?(state: SessionState): Promise<void>;
}

/** Where records go whose session is not in this process. */
export interface ForeignRecords {
  /**
   * Asked with each datagram whose connection id is not known here, this node's own slot included (it may have been taken
   * over). True: its owner lives elsewhere and has been given the datagram, by `takeForeign` there. False: nobody
   * who lives has it; it is looked for in the keeper.
   */
  forward(id: Uint8Array, datagram: Uint8Array, source: PeerAddress): Promise<boolean>;
}

export interface PskCredential {
  readonly key: Uint8Array;
  readonly peer: PeerIdentity;
}

/** A key pair of one's own, with what others know it by. */
export interface OwnIdentity {
  readonly privateKey: KeyObject;
  /** DER, the own certificate first. */
  readonly certificateChain?: readonly Uint8Array[];
  /** SubjectPublicKeyInfo, DER: for raw public keys (RFC 7250). */
  readonly publicKey?: Uint8Array;
}

/**
 * Who may come in. Undefined: nobody by that name; the peer does not learn why. A rejection (the store does not answer)
 * ends the handshake without a word; the peer tries again.
 */
export interface ServerCredentials {
  psk?(identity: Uint8Array): Promise<PskCredential | undefined>;
  rawPublicKey?(publicKey: Uint8Array): Promise<PeerIdentity | undefined>;
  /** Checks the chain as well: signatures, validity, trust. */
  certificate?(chain: readonly Uint8Array[]): Promise<PeerIdentity | undefined>;
  /** What this server proves itself by; without it only suites with a pre-shared key are taken. */
  readonly identity?: OwnIdentity;
}

/** What a client proves itself by, and what it knows of its server. */
export type ClientCredentials =
  | { readonly kind: 'psk'; readonly identity: Uint8Array; readonly key: Uint8Array }
  | {
      readonly kind: 'rpk';
      readonly own: OwnIdentity;
      /** The server's SubjectPublicKeyInfo, DER. */
      readonly serverPublicKey: Uint8Array;
    }
  | {
      readonly kind: 'x509';
      readonly own: OwnIdentity;
      /** The server's certificate itself (LwM2M Security object, resource 4, DER). */
      readonly serverCertificate?: Uint8Array;
      /** Certificates, DER, of those who may have issued it. */
      readonly trusted?: readonly Uint8Array[];
      /** The name that it has to have (RFC 6066 §3, RFC 6125); sent as SNI. */
      readonly serverName?: string;
    };

/** Bounds. All are for one port. */
export interface DtlsLimits {
  /** Established sessions; above it the one least recently heard goes. */
  readonly sessions: number;
  /** Handshakes under way, each behind a valid cookie; above it the oldest goes. */
  readonly handshakes: number;
  /** ms from the first message of a handshake to its last. */
  readonly handshakeTime: number;
  /** Bytes of one handshake message. */
  readonly handshakeMessage: number;
  /** Sessions whose KeyObjects are kept; the keys of the others are raw bytes, from which they are made again. */
  readonly cachedKeys: number;
  /** Sessions that can be resumed (RFC 5246 §7.3), and for how long, ms. */
  readonly resumable: number;
  readonly resumableTime: number;
  /** Sessions that are being looked for elsewhere at once. */
  readonly lookups: number;
}

export interface DtlsServerOptions {
  /** Carries the records. */
  readonly port: DatagramPort;
  readonly clock: Clock;
  readonly credentials: ServerCredentials;
  /** The first byte of all session ids: the node's slot. 0 unless told. */
  readonly slot?: number;
  readonly keeper?: SessionKeeper;
  readonly foreign?: ForeignRecords;
  /** Numbers of cipher suites, best first; all that there are unless told. */
  readonly suites?: readonly number[];
  /** The most bytes in a datagram of a handshake, 256 at least; 1232 unless told (the IPv6 minimum less headers). */
  readonly pmtu?: number;
  readonly limits?: Partial<DtlsLimits>;
  /** Asked before a handshake begins, when the cookie is right: false drops it. For limits per source. */
  readonly admit?: (address: PeerAddress) => boolean;
  /** Whether connection ids are negotiated with peers that ask for it; true unless told. */
  readonly connectionIds?: boolean;
  /** Secure random bytes; node:crypto's unless told. */
  readonly random?: (bytes: number) => Uint8Array;
  readonly events?: DtlsServerEvents;
}

export interface DtlsServerEvents {
  onEstablished?(session: SessionInfo): void;
  /** Told for each session that was established or taken over, but not for those that are suspended. */
  onClosed?(session: SessionInfo, reason: CloseReason): void;
  onHandshakeFailed?(failure: HandshakeFailure): void;
  /** Heard from another address, by an authenticated record newer than all before. */
  onMoved?(session: SessionInfo, from: PeerAddress): void;
  /** Taken from the keeper: it was another process's. */
  onTakenOver?(session: SessionInfo): void;
  /** The keeper, the credentials or the forwarder have failed. */
  onError?(error: unknown): void;
}

/**
 * `peer`: close_notify or a fatal alert; `replaced`: by a newer one from the same place; `evicted`: no room; `fenced`: another
 * owner has it; `window-lost`: its former owner was killed; `exhausted`: no sequence numbers are left; `local`: by our own will.
 */
export type CloseReason = 'peer' | 'replaced' | 'evicted' | 'fenced' | 'window-lost' | 'exhausted' | 'local';

/** What may be told of a session: no keys. */
export interface SessionInfo {
  /** As datagrams carry it: `dtls:` and 16 hex digits. */
  readonly peer: PeerAddress;
  readonly address: PeerAddress;
  readonly identity: PeerIdentity;
  readonly suite: number;
  readonly resumed: boolean;
  /** Whether the peer's records carry the connection id. */
  readonly connectionId: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly establishedAt: number;
}

export interface HandshakeFailure {
  readonly address: PeerAddress;
  readonly reason: FailureReason;
  /** The PSK identity that was named, as text with what is not printable escaped; or a name out of a certificate. */
  readonly identity?: string;
  /** More for the log; never a secret. */
  readonly detail?: string;
}

export type FailureReason =
  | 'unknown_identity'
  | 'wrong_key'
  | 'bad_certificate'
  | 'no_common_suite'
  | 'malformed'
  | 'refused'
  | 'alert'
  | 'timeout'
  | 'replaced'
  | 'unavailable';

/** Counters since the start. */
export interface DtlsStatistics {
  datagramsIn: number;
  datagramsOut: number;
  /** Records that were dropped: malformed, of an unknown session or epoch, forged. */
  dropped: number;
  forged: number;
  replayed: number;
  cookiesSent: number;
  handshakesStarted: number;
  handshakesDone: number;
  handshakesResumed: number;
  handshakesFailed: number;
  retransmissions: number;
  moved: number;
  forwarded: number;
  takenOver: number;
  /** Datagrams that were not sent: no sequence number reserved, or too much for an address that has not answered yet. */
  unsent: number;
}

/**
 * DTLS 1.2 in the server role. Its peers are sessions, not transport addresses: `dtls:` and the session's id in hex. So a peer
 * whose address changes stays the same peer.
 */
export interface DtlsServerPort extends DatagramPort {
  readonly statistics: Readonly<DtlsStatistics>;
  readonly sessions: number;
  readonly handshakes: number;
  /** Where that session was heard last; undefined where there is none. */
  transportAddress(peer: PeerAddress): PeerAddress | undefined;
  session(peer: PeerAddress): SessionInfo | undefined;
  /** Takes what another node has received, as if it had come from `source` here. False: its session is not here. */
  takeForeign(datagram: Uint8Array, source: PeerAddress): boolean;
  /** Ends a session with close_notify. */
  closeSession(peer: PeerAddress): void;
  /**
   * Takes a session that is not in memory out of the keeper, to send to its peer. Whether it is here now; false where nobody
   * knows what it had received, or another owner was faster.
   */
  load(peer: PeerAddress): Promise<boolean>;
  /** As `suspend`, for one session; undefined where it is not here. Its records are looked for elsewhere from then on. */
  release(peer: PeerAddress): Promise<SessionState | undefined>;
  /**
   * Ends the sessions of those peers with close_notify, stored ones that are known here included, and lets none of them be
   * resumed. How many there were.
   */
  endSessions(where: (peer: PeerIdentity) => boolean): number;
  /**
   * Ends without a word to the peers, and gives all sessions with their windows, for the keeper: nothing is received or
   * sent any more, and no call to the keeper is under way.
   */
  suspend(): Promise<SessionState[]>;
}

export interface DtlsClientOptions {
  readonly port: DatagramPort;
  readonly clock: Clock;
  readonly suites?: readonly number[];
  readonly pmtu?: number;
  /** The connection id that servers are to use; empty unless told; null does without connection ids. */
  readonly connectionId?: Uint8Array | null;
  /** Whether path challenges are answered (RFC 9853), where connection ids are negotiated; true unless told. */
  readonly returnRoutability?: boolean;
  /** ms that a handshake may take. */
  readonly handshakeTime?: number;
  /** Datagrams that wait for a handshake, for each server. */
  readonly maxQueued?: number;
  readonly random?: (bytes: number) => Uint8Array;
  readonly events?: DtlsClientEvents;
}

export interface DtlsClientEvents {
  onEstablished?(peer: PeerAddress, session: { readonly suite: number; readonly resumed: boolean }): void;
  /** The handshake was in vain; the next `send` begins another one. */
  onFailed?(peer: PeerAddress, reason: FailureReason, detail: string): void;
  /** The server has ended the session, by an authenticated alert. */
  onClosed?(peer: PeerAddress): void;
}

/** Addresses are `host:port`; those that were never secured pass in the clear. */
export interface DtlsClientPort extends DatagramPort {
  /** From now on datagrams to that server and from it are protected; nothing in the clear is taken from it. */
  secure(peer: PeerAddress, credentials: ClientCredentials): void;
  /** Ends the session with close_notify; the address is in the clear again. */
  release(peer: PeerAddress): void;
  established(peer: PeerAddress): boolean;
  /** Sessions with their keys and windows, for a restart; nothing may be sent with them here afterwards. */
  suspend(): ClientSessionState[];
  /** Goes on with a session that was suspended. Its server has to be secured. False where it does not fit. */
  restore(state: ClientSessionState): boolean;
}

/** A session of a client, with what it takes to resume it. Keys are in the clear. */
export interface ClientSessionState {
  readonly peer: PeerAddress;
  readonly suite: number;
  readonly keys: DirectionKeys;
  /** What the server wants to see in records; absent where no connection ids were negotiated. */
  readonly serverConnectionId?: Uint8Array;
  readonly ownConnectionId?: Uint8Array;
  readonly returnRoutability: boolean;
  readonly nextSequence: number;
  readonly window: ReplayState;
  readonly resumption?: ClientResumption;
}

export interface ClientResumption {
  readonly sessionId: Uint8Array;
  readonly masterSecret: Uint8Array;
  readonly suite: number;
}
