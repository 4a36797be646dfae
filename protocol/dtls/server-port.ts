import { randomBytes } from 'node:crypto';
import type { DatagramHandler, PeerAddress, PeerIdentity } from '../coap/datagram-port.ts';
import { RequestError } from '../errors.ts';
import { cipherSuites } from './crypto/cipher-suites.ts';
import type { HandshakeOutcome } from './handshake/server-context.ts';
import type { ServerHandshake } from './handshake/server-handshake.ts';
import { AlertDescription, AlertLevel, encodeAlert } from './messages/alert.ts';
import { ContentType } from './messages/constants.ts';
import { DEFAULT_PMTU, defaultLimits, SMALLEST_PMTU, suitesOf } from './parameters.ts';
import { KeyCache } from './records/key-cache.ts';
import { type DtlsRecord, readRecord } from './records/record.ts';
import { Handshakes } from './server/handshakes.ts';
import { ResumableSessions } from './server/resumable-sessions.ts';
import { SequenceKeeping } from './server/sequence-keeping.ts';
import { idOf, peerOf, Session } from './server/session.ts';
import { SessionLookups } from './server/session-lookups.ts';
import { SessionTable } from './server/session-table.ts';
import { SessionTraffic } from './server/session-traffic.ts';
import {
  type CloseReason,
  type DtlsLimits,
  type DtlsServerOptions,
  type DtlsServerPort,
  type DtlsStatistics,
  SESSION_ID_LENGTH,
  type SessionInfo,
  type SessionState,
} from './types.ts';

/**
 * Opens a server for DTLS 1.2 (RFC 6347) on a port that carries its records.
 * @throws RequestError where an option cannot be.
 */
export function createDtlsServerPort(options: DtlsServerOptions): DtlsServerPort {
  return new ServerPort(options);
}

class ServerPort implements DtlsServerPort {
  readonly statistics: DtlsStatistics = newStatistics();
  readonly #options: DtlsServerOptions;
  readonly #limits: DtlsLimits;
  readonly #random: (bytes: number) => Uint8Array;
  readonly #resumable: ResumableSessions;
  readonly #table = new SessionTable();
  readonly #keeping: SequenceKeeping;
  readonly #lookups: SessionLookups;
  readonly #handshakes: Handshakes;
  readonly #traffic: SessionTraffic;
  #handler: DatagramHandler | undefined;
  #errorHandler: ((error: Error, peer: PeerAddress | undefined) => void) | undefined;
  #stopped = false;

  constructor(options: DtlsServerOptions) {
    const { port, clock, keeper, pmtu = DEFAULT_PMTU, slot = 0, events = {} } = options;
    if (!(pmtu >= SMALLEST_PMTU)) throw new RequestError(`a path of ${pmtu} bytes is too narrow for DTLS`);
    if (!(slot >= 0 && slot <= 255)) throw new RequestError(`${slot} is no slot`);
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#random = options.random ?? randomBytes;
    const { statistics } = this;
    const limits = this.#limits;
    const keyCache = new KeyCache(limits.cachedKeys);
    const onError = (error: unknown) => events.onError?.(error);
    const transmit = (datagram: Uint8Array, address: PeerAddress) => this.#transmit(datagram, address);
    this.#resumable = new ResumableSessions(clock, limits.resumable, limits.resumableTime);
    this.#keeping = new SequenceKeeping({
      keeper,
      clock,
      onError,
      onFenced: (session) => this.#forget(session, 'fenced'),
    });
    this.#lookups = new SessionLookups({
      keeper,
      foreign: options.foreign,
      clock,
      capacity: limits.lookups,
      keyCache,
      evicted: (peer) => this.#keeping.evicted(peer),
      onError,
      onForwarded: () => statistics.forwarded++,
      onForged: () => statistics.forged++,
      onTakenOver: (session) => this.#takeOver(session),
      onWindowLost: (session, source) => this.#windowLost(session, source),
      onDatagram: (datagram, source) => {
        if (!this.#stopped) this.#receive(datagram, source);
      },
    });
    this.#handshakes = new Handshakes({
      context: {
        clock,
        credentials: options.credentials,
        suites: options.suites === undefined ? cipherSuites : suitesOf(options.suites),
        pmtu,
        maxMessage: limits.handshakeMessage,
        maxTime: limits.handshakeTime,
        connectionIds: options.connectionIds ?? true,
        resumption: this.#resumable.enabled,
        keyCache,
        statistics,
        random: this.#random,
        send: transmit,
        findResumable: (sessionId) => this.#resumable.find(sessionId),
        onError,
      },
      capacity: limits.handshakes,
      admit: options.admit,
      newId: () => this.#newId(),
      onEstablished: (handshake, outcome) => this.#established(handshake, outcome),
      onFailed: (failure) => events.onHandshakeFailed?.(failure),
    });
    this.#traffic = new SessionTraffic({
      clock,
      statistics,
      keeping: this.#keeping,
      random: this.#random,
      transmit,
      onHeard: (session) => this.#table.touch(session),
      onData: ({ peer, identity }, data) => this.#handler?.(data, peer, identity),
      onMoved: (session, from) => events.onMoved?.(session.info(), from),
      onEnded: (session, reason) => {
        // RFC 5246 §7.2.2: what a fatal alert has ended is not resumed.
        if (reason === 'fatal' && session.resumableAs !== undefined) {
          this.#resumable.remove(session.resumableAs);
        }
        this.#end(session, reason === 'exhausted' ? reason : 'peer');
      },
    });
    port.onDatagram((data, source) => {
      if (this.#stopped) return;
      statistics.datagramsIn++;
      this.#receive(data, source);
    });
    port.onError((error, address) => {
      const session = address === undefined ? undefined : this.#table.at(address);
      this.#errorHandler?.(error, session?.peer);
    });
  }

  get local(): PeerAddress {
    return this.#options.port.local;
  }

  get sessions(): number {
    return this.#table.size;
  }

  get handshakes(): number {
    return this.#handshakes.size;
  }

  // ---- for those above

  send(data: Uint8Array, peer: PeerAddress): void {
    const session = this.#table.get(peer);
    if (session === undefined || this.#stopped) this.statistics.unsent++;
    else if (data.length > session.maxPlaintext) {
      this.statistics.unsent++;
      const { maxPlaintext } = session;
      this.#errorHandler?.(
        new RequestError(`${data.length} bytes, and the peer takes ${maxPlaintext} at once`),
        peer,
      );
    } else this.#traffic.send(session, ContentType.APPLICATION_DATA, data);
  }

  onDatagram(handler: DatagramHandler): void {
    this.#handler = handler;
  }

  onError(handler: (error: Error, peer: PeerAddress | undefined) => void): void {
    this.#errorHandler = handler;
  }

  transportAddress(peer: PeerAddress): PeerAddress | undefined {
    return this.#table.get(peer)?.address;
  }

  session(peer: PeerAddress): SessionInfo | undefined {
    return this.#table.get(peer)?.info();
  }

  closeSession(peer: PeerAddress): void {
    const session = this.#table.get(peer);
    if (session !== undefined) this.#close(session, 'local');
  }

  endSessions(where: (peer: PeerIdentity) => boolean): number {
    this.#resumable.removeWhere(where);
    const ending = [...this.#table.all()].filter(({ identity }) => where(identity));
    for (const session of ending) this.#close(session, 'local');
    return ending.length;
  }

  takeForeign(datagram: Uint8Array, source: PeerAddress): boolean {
    if (this.#stopped) return false;
    for (let offset = 0; ; ) {
      const record = readRecord(datagram, offset, SESSION_ID_LENGTH);
      if (record === undefined) return false;
      if (record.connectionId !== undefined) {
        const peer = peerOf(record.connectionId);
        // What stands before it is somebody else's.
        const own = datagram.subarray(offset);
        if (this.#table.get(peer) !== undefined || this.#handshakes.of(peer) !== undefined) {
          this.#receive(own, source);
          return true;
        }
        if (this.#lookups.join(peer, own, source)) return true;
        // On its way into the store: it comes back for this. To say that it is not here would have it taken without its window.
        if (this.#keeping.evicted(peer) !== undefined) {
          this.#lookups.ask(peer, record.connectionId, own, source);
          return true;
        }
      }
      offset = record.end;
    }
  }

  async load(peer: PeerAddress): Promise<boolean> {
    const id = idOf(peer);
    if (id === undefined || this.#stopped) return false;
    if (this.#table.get(peer) === undefined) await this.#lookups.load(peer, id);
    return this.#table.get(peer) !== undefined && !this.#stopped;
  }

  async release(peer: PeerAddress): Promise<SessionState | undefined> {
    const session = this.#table.get(peer);
    if (session === undefined || this.#stopped) return undefined;
    session.ended = true;
    session.path?.stop();
    this.#table.remove(session);
    await session.keeping;
    const state = session.state();
    session.epoch.wipe();
    return state;
  }

  async suspend(): Promise<SessionState[]> {
    this.#stop();
    await this.#lookups.settled();
    await this.#keeping.settled();
    const states: SessionState[] = [];
    for (const session of [...this.#table.all()]) {
      states.push(session.state());
      this.#drop(session);
    }
    return states;
  }

  /** Says goodbye to all peers, unless they were suspended. */
  async close(): Promise<void> {
    if (!this.#stopped) {
      for (const session of [...this.#table.all()]) this.#close(session, 'local');
      this.#stop();
    }
    await this.#lookups.settled();
    await this.#keeping.settled();
    await this.#options.port.close();
  }

  #stop(): void {
    this.#stopped = true;
    this.#handshakes.stop();
    this.#resumable.clear();
    for (const { path } of this.#table.all()) path?.stop();
  }

  // ---- datagrams

  #receive(datagram: Uint8Array, source: PeerAddress): void {
    for (let offset = 0; offset < datagram.length; ) {
      const start = offset;
      const record = readRecord(datagram, start, SESSION_ID_LENGTH);
      if (record === undefined) {
        this.statistics.dropped++;
        return;
      }
      offset = record.end;
      if (record.connectionId !== undefined) {
        if (!this.#receiveById(record.connectionId, record, datagram, start, source)) return;
      } else if (record.epoch === 0) {
        if (!this.#handshakes.receive(record, source)) this.statistics.dropped++;
      } else this.#receiveByAddress(record, source);
    }
  }

  /** False where what the datagram has from `start` on is looked into later, or never. */
  #receiveById(
    id: Uint8Array,
    record: DtlsRecord,
    datagram: Uint8Array,
    start: number,
    source: PeerAddress,
  ): boolean {
    const session = this.#table.byId(id);
    if (session !== undefined) {
      this.#traffic.receive(session, record, source, true);
      return true;
    }
    const peer = peerOf(id);
    const handshake = this.#handshakes.of(peer);
    if (handshake !== undefined) {
      handshake.receiveSecured(record);
      return true;
    }
    const rest = datagram.subarray(start);
    if (this.#stopped || !this.#lookups.ask(peer, id, rest, source)) this.statistics.dropped++;
    return false;
  }

  /** Without connection id: the session at that address has made it, or a handshake that is to replace it. */
  #receiveByAddress(record: DtlsRecord, source: PeerAddress): void {
    const session = this.#table.at(source);
    const handshake = this.#handshakes.at(source);
    const count = handshake === undefined;
    if (session !== undefined && this.#traffic.receive(session, record, source, count)) return;
    if (handshake !== undefined) handshake.receiveSecured(record);
    else if (session === undefined) this.statistics.dropped++;
  }

  #transmit(datagram: Uint8Array, address: PeerAddress): void {
    this.statistics.datagramsOut++;
    this.#options.port.send(datagram, address);
  }

  // ---- the coming and going of sessions

  #newId(): Uint8Array {
    for (;;) {
      const id = Uint8Array.from(this.#random(SESSION_ID_LENGTH));
      id[0] = this.#options.slot ?? 0;
      if (this.#table.get(peerOf(id)) === undefined) return id;
    }
  }

  #established({ address, id }: ServerHandshake, outcome: HandshakeOutcome): void {
    const establishedAt = this.#options.clock.wallTime();
    const session = new Session({ ...outcome, id, address, establishedAt });
    session.lastFlight = outcome.lastFlight;
    session.resumableAs = outcome.sessionId;
    if (outcome.resumable !== undefined && outcome.sessionId !== undefined) {
      this.#resumable.add(outcome.sessionId, outcome.resumable);
    }
    this.statistics.handshakesDone++;
    if (outcome.resumed) this.statistics.handshakesResumed++;
    // What it replaces goes only now, when the new one has proven who it is (RFC 6347 §4.2.8).
    for (const former of this.#table.replacedBy(session)) this.#end(former, 'replaced');
    this.#add(session);
    this.#keeping.begin(session);
    this.#options.events?.onEstablished?.(session.info());
    for (const data of outcome.overtaken) this.#handler?.(data, session.peer, session.identity);
  }

  #takeOver(session: Session): void {
    this.statistics.takenOver++;
    this.#add(session);
    this.#options.events?.onTakenOver?.(session.info());
  }

  /**
   * Its former owner was killed, and with it the knowledge of what was received: what is authentic might be a replay. The peer is
   * told so, by an alert of its own session, and begins anew at once.
   */
  #windowLost(session: Session, source: PeerAddress): void {
    if (session.mayWrite) {
      const alert = encodeAlert({ level: AlertLevel.FATAL, description: AlertDescription.INTERNAL_ERROR });
      this.#transmit(session.epoch.seal(ContentType.ALERT, alert), source);
    }
    this.#end(session, 'window-lost');
  }

  #add(session: Session): void {
    const { oldest } = this.#table;
    if (oldest !== undefined && this.#table.size >= this.#limits.sessions) this.#evict(oldest);
    this.#table.add(session);
  }

  /** The keeper has it then, until it is heard again; without one it is over. */
  #evict(session: Session): void {
    if (this.#options.keeper?.evicted === undefined) this.#close(session, 'evicted');
    else {
      this.#keeping.evict(session);
      this.#forget(session, 'evicted');
    }
  }

  /** Ends it with a word to the peer. */
  #close(session: Session, reason: CloseReason): void {
    this.#traffic.alert(session, AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY);
    this.#end(session, reason);
  }

  #end(session: Session, reason: CloseReason): void {
    if (session.ended) return;
    this.#keeping.end(session);
    this.#forget(session, reason);
  }

  /** It is over here, whatever others do with it. */
  #forget(session: Session, reason: CloseReason): void {
    if (session.ended) return;
    const info = session.info();
    this.#drop(session);
    this.#options.events?.onClosed?.(info, reason);
  }

  #drop(session: Session): void {
    session.ended = true;
    session.path?.stop();
    this.#table.remove(session);
    session.epoch.wipe();
  }
}

function newStatistics(): DtlsStatistics {
  return {
    datagramsIn: 0,
    datagramsOut: 0,
    dropped: 0,
    forged: 0,
    replayed: 0,
    cookiesSent: 0,
    handshakesStarted: 0,
    handshakesDone: 0,
    handshakesResumed: 0,
    handshakesFailed: 0,
    retransmissions: 0,
    moved: 0,
    forwarded: 0,
    takenOver: 0,
    unsent: 0,
  };
}
