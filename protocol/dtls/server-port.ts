import { randomBytes } from 'node:crypto';
import type { DatagramHandler, PeerAddress, PeerIdentity } from '../coap/datagram-port.ts';
import { RequestError } from '../errors.ts';
import { cipherSuites } from './crypto/cipher-suites.ts';
import { HandshakeError } from './errors.ts';
import {
  type HandshakeOutcome,
  type OpeningHello,
  ServerHandshake,
  type ServerHandshakeContext,
} from './handshake/server-handshake.ts';
import { AlertDescription, AlertLevel, decodeAlert, encodeAlert } from './messages/alert.ts';
import { ContentType, DtlsVersion, HandshakeType } from './messages/constants.ts';
import { decodeHandshakeFragments, encodeHandshakeMessage } from './messages/handshake-fragment.ts';
import { decodeClientHello, encodeHelloVerifyRequest } from './messages/hello-messages.ts';
import { decodePathMessage, encodePathMessage, PathMessageType } from './messages/return-routability.ts';
import { wellFormed } from './messages/well-formed.ts';
import { DEFAULT_PMTU, SMALLEST_PMTU, suitesOf } from './parameters.ts';
import { KeyCache } from './records/key-cache.ts';
import { type DtlsRecord, plainRecord, readRecord } from './records/record.ts';
import { Rejected } from './records/secured-epoch.ts';
import { Cookies } from './server/cookies.ts';
import { PathCheck } from './server/path-check.ts';
import { ResumableSessions } from './server/resumable-sessions.ts';
import { SequenceKeeping } from './server/sequence-keeping.ts';
import { peerOf, Session } from './server/session.ts';
import { SessionLookups } from './server/session-lookups.ts';
import { SessionTable } from './server/session-table.ts';
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

export const defaultLimits: DtlsLimits = {
  sessions: 200_000,
  handshakes: 4_096,
  handshakeTime: 60_000,
  handshakeMessage: 8_192,
  cachedKeys: 8_192,
  resumable: 10_000,
  resumableTime: 24 * 3_600_000,
  lookups: 256,
};

/**
 * Opens a server for DTLS 1.2 (RFC 6347) on a port that carries its records.
 * @throws RequestError where an option cannot be.
 */
export function createDtlsServerPort(options: DtlsServerOptions): DtlsServerPort {
  return new ServerPort(options);
}

class ServerPort implements DtlsServerPort {
  readonly statistics: DtlsStatistics = {
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
  readonly #options: DtlsServerOptions;
  readonly #limits: DtlsLimits;
  readonly #random: (bytes: number) => Uint8Array;
  readonly #cookies: Cookies;
  readonly #keyCache: KeyCache;
  readonly #resumable: ResumableSessions;
  readonly #table = new SessionTable();
  readonly #keeping: SequenceKeeping;
  readonly #lookups: SessionLookups;
  readonly #context: ServerHandshakeContext;
  /** Handshakes under way, the oldest first; one for each address. */
  readonly #handshakes = new Map<PeerAddress, ServerHandshake>();
  readonly #handshakesById = new Map<PeerAddress, ServerHandshake>();
  #handler: DatagramHandler | undefined;
  #errorHandler: ((error: Error, peer: PeerAddress | undefined) => void) | undefined;
  #stopped = false;

  constructor(options: DtlsServerOptions) {
    const { port, clock, pmtu = DEFAULT_PMTU, slot = 0, suites } = options;
    if (!(pmtu >= SMALLEST_PMTU)) throw new RequestError(`a path of ${pmtu} bytes is too narrow for DTLS`);
    if (!(slot >= 0 && slot <= 255)) throw new RequestError(`${slot} is no slot`);
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#random = options.random ?? randomBytes;
    this.#cookies = new Cookies(clock, this.#random);
    this.#keyCache = new KeyCache(this.#limits.cachedKeys);
    this.#resumable = new ResumableSessions(clock, this.#limits.resumable, this.#limits.resumableTime);
    const onError = (error: unknown) => options.events?.onError?.(error);
    this.#keeping = new SequenceKeeping({
      keeper: options.keeper,
      clock,
      onError,
      onFenced: (session) => this.#forget(session, 'fenced'),
    });
    this.#lookups = new SessionLookups({
      keeper: options.keeper,
      foreign: options.foreign,
      clock,
      capacity: this.#limits.lookups,
      keyCache: this.#keyCache,
      onError,
      onForwarded: () => this.statistics.forwarded++,
      onForged: () => this.statistics.forged++,
      onTakenOver: (session) => this.#takeOver(session),
      onWindowLost: (session, source) => this.#windowLost(session, source),
      onDatagram: (datagram, source) => {
        if (!this.#stopped) this.#receive(datagram, source);
      },
    });
    this.#context = {
      clock,
      credentials: options.credentials,
      suites: suites === undefined ? cipherSuites : suitesOf(suites),
      pmtu,
      maxMessage: this.#limits.handshakeMessage,
      maxTime: this.#limits.handshakeTime,
      connectionIds: options.connectionIds ?? true,
      resumption: this.#resumable.enabled,
      keyCache: this.#keyCache,
      statistics: this.statistics,
      random: this.#random,
      send: (datagram, address) => this.#transmit(datagram, address),
      findResumable: (sessionId) => this.#resumable.find(sessionId),
      established: (handshake, outcome) => this.#established(handshake, outcome),
      failed: (_handshake, failure) => {
        this.statistics.handshakesFailed++;
        options.events?.onHandshakeFailed?.(failure);
      },
      over: (handshake) => this.#handshakeOver(handshake),
    };
    port.onDatagram((data, source) => {
      if (this.#stopped) return;
      this.statistics.datagramsIn++;
      this.#receive(data, source);
    });
    port.onError((error, address) => {
      this.#errorHandler?.(error, address === undefined ? undefined : this.#table.at(address)?.peer);
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
    if (session === undefined || this.#stopped) {
      this.statistics.unsent++;
      return;
    }
    if (data.length > session.maxPlaintext) {
      this.#errorHandler?.(
        new RequestError(`${data.length} bytes are more than the peer takes at once`),
        peer,
      );
      return;
    }
    this.#write(session, ContentType.APPLICATION_DATA, data);
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
    for (
      let record = readRecord(datagram, 0, SESSION_ID_LENGTH);
      record !== undefined;
      record = readRecord(datagram, record.end, SESSION_ID_LENGTH)
    ) {
      if (record.connectionId === undefined) continue;
      const peer = peerOf(record.connectionId);
      if (this.#table.get(peer) === undefined && !this.#handshakesById.has(peer)) return false;
      this.#receive(datagram, source);
      return true;
    }
    return false;
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
    for (const handshake of [...this.#handshakes.values()]) handshake.stop();
    this.#resumable.clear();
  }

  // ---- datagrams in

  #receive(datagram: Uint8Array, source: PeerAddress): void {
    for (let offset = 0; offset < datagram.length; ) {
      const record = readRecord(datagram, offset, SESSION_ID_LENGTH);
      if (record === undefined) {
        this.statistics.dropped++;
        return;
      }
      offset = record.end;
      if (record.connectionId !== undefined) {
        if (!this.#receiveById(record.connectionId, record, datagram, source)) return;
      } else if (record.epoch === 0) this.#receivePlain(record, datagram, source);
      else this.#receiveByAddress(record, datagram, source);
    }
  }

  /** False where the whole datagram is looked into later, or never. */
  #receiveById(id: Uint8Array, record: DtlsRecord, datagram: Uint8Array, source: PeerAddress): boolean {
    const peer = peerOf(id);
    const session = this.#table.get(peer);
    if (session !== undefined) {
      this.#open(session, record, datagram.length, source);
      return true;
    }
    const handshake = this.#handshakesById.get(peer);
    if (handshake !== undefined) {
      handshake.receiveSecured(record);
      return true;
    }
    if (this.#stopped || !this.#lookups.ask(peer, id, datagram, source)) this.statistics.dropped++;
    return false;
  }

  /** A protected record without connection id: the session at that address made it, or a handshake that is to replace it. */
  #receiveByAddress(record: DtlsRecord, datagram: Uint8Array, source: PeerAddress): void {
    const session = this.#table.at(source);
    const handshake = this.#handshakes.get(source);
    if (
      session !== undefined &&
      this.#open(session, record, datagram.length, source, handshake === undefined)
    )
      return;
    if (handshake !== undefined) handshake.receiveSecured(record);
    else if (session === undefined) this.statistics.dropped++;
  }

  #receivePlain(record: DtlsRecord, datagram: Uint8Array, source: PeerAddress): void {
    const isHello =
      record.type === ContentType.HANDSHAKE && record.fragment[0] === HandshakeType.CLIENT_HELLO;
    if (isHello) this.#receiveHello(record, datagram, source);
    else {
      const handshake = this.#handshakes.get(source);
      if (handshake === undefined || record.version !== DtlsVersion.DTLS_1_2) this.statistics.dropped++;
      else handshake.receivePlain(record);
    }
  }

  // ---- handshakes

  /** Nothing is kept for whoever has not shown, by the cookie, that it hears what is sent to its address (RFC 6347 §4.2.1). */
  #receiveHello(record: DtlsRecord, datagram: Uint8Array, source: PeerAddress): void {
    const opening = readHello(record);
    if (opening === undefined) {
      this.statistics.dropped++;
      return;
    }
    const { hello } = opening;
    if (!this.#cookies.verify(source, hello)) {
      this.#sendCookie(opening, datagram.length, source);
      return;
    }
    const former = this.#handshakes.get(source);
    if (former?.isOf(hello)) {
      former.repeat();
      return;
    }
    if (this.#options.admit?.(source) === false) {
      this.statistics.dropped++;
      return;
    }
    former?.stop();
    this.#begin(opening, source);
  }

  #sendCookie(opening: OpeningHello, received: number, source: PeerAddress): void {
    const cookie = this.#cookies.make(source, opening.hello);
    // §4.2.1: DTLS 1.0, whatever version will be chosen; the numbers are those of the hello.
    const body = encodeHelloVerifyRequest({ version: DtlsVersion.DTLS_1_0, cookie });
    const message = encodeHandshakeMessage(HandshakeType.HELLO_VERIFY_REQUEST, 0, body);
    const answer = plainRecord(ContentType.HANDSHAKE, opening.recordSequence, message);
    // More than was received is sent to nobody who has not shown that it is there.
    if (answer.length > received) {
      this.statistics.dropped++;
      return;
    }
    this.statistics.cookiesSent++;
    this.#transmit(answer, source);
  }

  #begin(opening: OpeningHello, source: PeerAddress): void {
    let handshake: ServerHandshake;
    try {
      handshake = new ServerHandshake(this.#context, source, this.#newId(), opening);
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error;
      this.#refuse(error, opening, source);
      return;
    }
    if (this.#handshakes.size >= this.#limits.handshakes) {
      const [oldest] = this.#handshakes.values();
      oldest?.stop();
    }
    this.statistics.handshakesStarted++;
    this.#handshakes.set(source, handshake);
    this.#handshakesById.set(peerOf(handshake.id), handshake);
    handshake.start();
  }

  #refuse(error: HandshakeError, { recordSequence }: OpeningHello, source: PeerAddress): void {
    this.statistics.handshakesFailed++;
    if (error.alert !== undefined) {
      const alert = encodeAlert({ level: AlertLevel.FATAL, description: error.alert });
      this.#transmit(plainRecord(ContentType.ALERT, recordSequence, alert), source);
    }
    this.#options.events?.onHandshakeFailed?.({
      address: source,
      reason: error.reason,
      detail: error.message,
    });
  }

  #newId(): Uint8Array {
    for (;;) {
      const id = Uint8Array.from(this.#random(SESSION_ID_LENGTH));
      id[0] = this.#options.slot ?? 0;
      const peer = peerOf(id);
      if (this.#table.get(peer) === undefined && !this.#handshakesById.has(peer)) return id;
    }
  }

  #handshakeOver(handshake: ServerHandshake): void {
    if (this.#handshakes.get(handshake.address) === handshake) this.#handshakes.delete(handshake.address);
    this.#handshakesById.delete(peerOf(handshake.id));
  }

  #established(handshake: ServerHandshake, outcome: HandshakeOutcome): void {
    const { address, id } = handshake;
    const session = new Session({
      ...outcome,
      id,
      address,
      establishedAt: this.#options.clock.wallTime(),
    });
    session.lastFlight = outcome.lastFlight;
    if (outcome.resumable !== undefined) {
      this.#resumable.add(outcome.resumable.sessionId, outcome.resumable.session);
    }
    this.statistics.handshakesDone++;
    if (outcome.resumed) this.statistics.handshakesResumed++;
    this.#replace(session);
    this.#add(session);
    this.#keeping.begin(session);
    this.#options.events?.onEstablished?.(session.info());
  }

  /** What was at that address goes only now, when the new one has proven who it is (RFC 6347 §4.2.8). */
  #replace(session: Session): void {
    const former = this.#table.at(session.address);
    if (former !== undefined) this.#end(former, 'replaced');
  }

  // ---- sessions

  #add(session: Session): void {
    if (this.#table.size >= this.#limits.sessions) {
      const { oldest } = this.#table;
      if (oldest !== undefined) this.#close(oldest, 'evicted');
    }
    this.#table.add(session);
  }

  /** True where the record was of that session. */
  #open(
    session: Session,
    record: DtlsRecord,
    received: number,
    source: PeerAddress,
    counted = true,
  ): boolean {
    const { epoch } = session;
    const opened = epoch.open(record);
    if (typeof opened === 'number') {
      if (counted) this.#countRejected(opened);
      return false;
    }
    const newest = epoch.window.accept(record.sequence);
    this.#table.touch(session);
    if (source !== session.address) {
      if (newest) this.#move(session, source, received);
    } else if (session.path?.heard(received)) this.#settlePath(session);
    const { type, content } = opened;
    if (type === ContentType.APPLICATION_DATA) {
      session.lastFlight = undefined;
      if (content.length > 0) this.#handler?.(content, session.peer, session.identity);
    } else if (type === ContentType.ALERT) this.#receiveAlert(session, content);
    else if (type === ContentType.HANDSHAKE) this.#receiveHandshake(session, content);
    else if (type === ContentType.RETURN_ROUTABILITY_CHECK) this.#receivePath(session, content, source);
    else this.statistics.dropped++;
    return true;
  }

  #countRejected(rejected: Rejected): void {
    this.statistics.dropped++;
    if (rejected === Rejected.FORGED) this.statistics.forged++;
    else if (rejected === Rejected.REPLAYED) this.statistics.replayed++;
  }

  #receiveAlert(session: Session, content: Uint8Array): void {
    const alert = wellFormed(() => decodeAlert(content));
    if (alert === undefined) this.statistics.dropped++;
    // RFC 5246 §7.2.1: close_notify is answered.
    else if (alert.description === AlertDescription.CLOSE_NOTIFY) this.#close(session, 'peer');
    else if (alert.level === AlertLevel.FATAL) this.#end(session, 'peer');
  }

  /** The end of the handshake once more, or the wish for another one in the same session, which nobody gets (RFC 5746 §4.5). */
  #receiveHandshake(session: Session, content: Uint8Array): void {
    const fragments = wellFormed(() => decodeHandshakeFragments(content));
    const type = fragments?.[0]?.type;
    if (type === HandshakeType.FINISHED && session.lastFlight !== undefined) {
      this.statistics.retransmissions++;
      if (!session.mayWrite) return;
      for (const datagram of session.lastFlight()) this.#transmit(datagram, session.address);
    } else if (type === HandshakeType.CLIENT_HELLO) {
      this.#writeAlert(session, AlertLevel.WARNING, AlertDescription.NO_RENEGOTIATION);
    } else this.statistics.dropped++;
  }

  /** Whether it could be written: with a number of its own, and no more than the address may get. */
  #write(session: Session, type: number, content: Uint8Array): boolean {
    if (!session.mayWrite) {
      this.statistics.unsent++;
      this.#keeping.written(session);
      return false;
    }
    const { epoch, path } = session;
    if (path !== undefined && !path.admits(content.length + epoch.overhead)) {
      this.statistics.unsent++;
      return false;
    }
    const record = epoch.seal(type, content);
    this.#keeping.written(session);
    this.#transmit(record, session.address);
    return true;
  }

  #writeAlert(session: Session, level: number, description: number): void {
    this.#write(session, ContentType.ALERT, encodeAlert({ level, description }));
  }

  #transmit(datagram: Uint8Array, address: PeerAddress): void {
    this.statistics.datagramsOut++;
    this.#options.port.send(datagram, address);
  }

  /** Ends it with a word to the peer. */
  #close(session: Session, reason: CloseReason): void {
    this.#writeAlert(session, AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY);
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

  // ---- addresses

  /** RFC 9146 §6: only by what is authentic, and newer than all before. */
  #move(session: Session, source: PeerAddress, received: number): void {
    // A peer without connection ids is found by its address: it has no other.
    if (!session.connectionIds) return;
    const from = session.address;
    session.address = source;
    session.path?.stop();
    session.path = new PathCheck(received);
    this.statistics.moved++;
    this.#challenge(session);
    this.#options.events?.onMoved?.(session.info(), from);
  }

  #challenge(session: Session): void {
    if (!session.returnRoutability) return;
    session.path?.challenge(this.#options.clock, this.#random, (cookie) => {
      const message = encodePathMessage({ type: PathMessageType.PATH_CHALLENGE, cookie });
      this.#write(session, ContentType.RETURN_ROUTABILITY_CHECK, message);
    });
  }

  #settlePath(session: Session): void {
    session.path?.stop();
    session.path = undefined;
  }

  /** RFC 9853 §5, §6: an answer goes to where the challenge came from. */
  #receivePath(session: Session, content: Uint8Array, source: PeerAddress): void {
    const message = session.returnRoutability ? wellFormed(() => decodePathMessage(content)) : undefined;
    if (message === undefined) {
      this.statistics.dropped++;
      return;
    }
    const { type, cookie } = message;
    if (type === PathMessageType.PATH_RESPONSE) {
      if (source === session.address && session.path?.answers(cookie)) this.#settlePath(session);
    } else if (type === PathMessageType.PATH_CHALLENGE && session.mayWrite) {
      const response = encodePathMessage({ type: PathMessageType.PATH_RESPONSE, cookie });
      this.#transmit(session.epoch.seal(ContentType.RETURN_ROUTABILITY_CHECK, response), source);
    }
  }

  // ---- sessions of others

  #takeOver(session: Session): void {
    this.statistics.takenOver++;
    this.#add(session);
    this.#options.events?.onTakenOver?.(session.info());
  }

  /**
   * Its former owner was killed, and with it the knowledge of what was received: what is authentic might be a replay. The peer is told so,
   * by an alert of its own session, and begins anew at once.
   */
  #windowLost(session: Session, source: PeerAddress): void {
    if (session.mayWrite) {
      const alert = encodeAlert({
        level: AlertLevel.FATAL,
        description: AlertDescription.INTERNAL_ERROR,
      });
      this.#transmit(session.epoch.seal(ContentType.ALERT, alert), source);
    }
    this.#end(session, 'window-lost');
  }
}

/** A ClientHello in one piece: those in several are not put together before there is a cookie. */
function readHello(record: DtlsRecord): OpeningHello | undefined {
  return wellFormed(() => {
    const [fragment, ...others] = decodeHandshakeFragments(record.fragment);
    if (fragment === undefined || others.length > 0 || fragment.fragment.length !== fragment.length) {
      return undefined;
    }
    return {
      hello: decodeClientHello(fragment.fragment),
      body: fragment.fragment,
      messageSeq: fragment.messageSeq,
      recordSequence: record.sequence,
    };
  });
}
