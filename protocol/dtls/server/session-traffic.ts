import type { Clock } from '../../clock.ts';
import type { PeerAddress } from '../../coap/datagram-port.ts';
import { AlertDescription, AlertLevel, decodeAlert, encodeAlert } from '../messages/alert.ts';
import { ContentType, HandshakeType } from '../messages/constants.ts';
import { decodeHandshakeFragments } from '../messages/handshake-fragment.ts';
import { decodePathMessage, encodePathMessage, PathMessageType } from '../messages/return-routability.ts';
import { wellFormed } from '../messages/well-formed.ts';
import { type DtlsRecord, lengthOf, MAX_SEQUENCE } from '../records/record.ts';
import { Rejected } from '../records/secured-epoch.ts';
import type { DtlsStatistics } from '../types.ts';
import { PathCheck } from './path-check.ts';
import type { SequenceKeeping } from './sequence-keeping.ts';
import type { Session } from './session.ts';

export interface SessionTrafficOptions {
  readonly clock: Clock;
  readonly statistics: DtlsStatistics;
  readonly keeping: SequenceKeeping;
  random(bytes: number): Uint8Array;
  transmit(datagram: Uint8Array, address: PeerAddress): void;
  /** An authentic record has come. */
  onHeard(session: Session): void;
  onData(session: Session, data: Uint8Array): void;
  onMoved(session: Session, from: PeerAddress): void;
  /** The peer has ended the session, by close_notify or by a fatal alert, or nothing can be sent in it any more. */
  onEnded(session: Session, reason: 'peer' | 'fatal' | 'exhausted'): void;
}

/** What is received and sent in established sessions. */
export class SessionTraffic {
  readonly #options: SessionTrafficOptions;

  constructor(options: SessionTrafficOptions) {
    this.#options = options;
  }

  /**
   * Takes a record. False where the session's peer has not made it, or it was received before; whether
   * that is counted is for the caller to say, who may know somebody else that has.
   */
  receive(session: Session, record: DtlsRecord, source: PeerAddress, count: boolean): boolean {
    const { statistics } = this.#options;
    const { epoch } = session;
    const opened = epoch.open(record);
    if (typeof opened === 'number') {
      if (count) countRejected(statistics, opened);
      return false;
    }
    const newest = epoch.window.accept(record.sequence);
    const length = lengthOf(record);
    this.#options.onHeard(session);
    if (source !== session.address) {
      if (newest) this.#move(session, source, length);
    } else if (session.path?.heard(length, newest)) settlePath(session);
    else this.#challenge(session);
    const { type, content } = opened;
    if (type === ContentType.APPLICATION_DATA) {
      // It has got the end of the handshake.
      session.lastFlight = undefined;
      if (content.length > 0) this.#options.onData(session, content);
    } else if (type === ContentType.ALERT) this.#receiveAlert(session, content);
    else if (type === ContentType.HANDSHAKE) this.#receiveHandshake(session, content);
    else if (type === ContentType.RETURN_ROUTABILITY_CHECK) this.#receivePath(session, content, source);
    else statistics.dropped++;
    return true;
  }

  /** Whether it could be sent: with a number of its own, and no more than the address may get. */
  send(session: Session, type: number, content: Uint8Array): boolean {
    const { keeping, statistics, transmit } = this.#options;
    const { epoch, path } = session;
    const admitted = session.mayWrite && (path === undefined || path.admits(content.length + epoch.overhead));
    if (admitted) transmit(epoch.seal(type, content), session.address);
    else statistics.unsent++;
    keeping.written(session);
    // RFC 6347 §4.1: numbers do not wrap, and there is no renegotiation.
    if (epoch.nextSequence > MAX_SEQUENCE && !session.ended) this.#options.onEnded(session, 'exhausted');
    return admitted;
  }

  alert(session: Session, level: number, description: number): void {
    this.send(session, ContentType.ALERT, encodeAlert({ level, description }));
  }

  #receiveAlert(session: Session, content: Uint8Array): void {
    const alert = wellFormed(() => decodeAlert(content));
    if (alert === undefined) this.#options.statistics.dropped++;
    else if (alert.description === AlertDescription.CLOSE_NOTIFY) {
      // RFC 5246 §7.2.1: it is answered.
      this.alert(session, AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY);
      this.#options.onEnded(session, 'peer');
    } else if (alert.level === AlertLevel.FATAL) this.#options.onEnded(session, 'fatal');
  }

  /** The end of the handshake once more, or the wish for another one in the same session, which nobody gets (RFC 5746 §4.5). */
  #receiveHandshake(session: Session, content: Uint8Array): void {
    const { statistics, transmit } = this.#options;
    const type = wellFormed(() => decodeHandshakeFragments(content))?.[0]?.type;
    if (type === HandshakeType.FINISHED && session.lastFlight !== undefined && session.mayWrite) {
      statistics.retransmissions++;
      for (const datagram of session.lastFlight()) transmit(datagram, session.address);
    } else if (type === HandshakeType.CLIENT_HELLO) {
      this.alert(session, AlertLevel.WARNING, AlertDescription.NO_RENEGOTIATION);
    } else statistics.dropped++;
  }

  /** RFC 9146 §6: only by what is authentic, and newer than all before. */
  #move(session: Session, source: PeerAddress, received: number): void {
    // A peer without connection ids is found by its address: it has no other.
    if (!session.connectionIds) return;
    const { statistics, onMoved } = this.#options;
    const from = session.address;
    const { path } = session;
    session.address = source;
    path?.stop();
    // It may be back where it was.
    session.path = path?.former === source ? undefined : new PathCheck(received, path?.former ?? from);
    statistics.moved++;
    this.#challenge(session);
    onMoved(session, from);
  }

  /** Asks the peer whether it is there (RFC 9853 §5), unless it is being asked, or nobody wants to know. */
  #challenge(session: Session): void {
    const { path } = session;
    if (path === undefined || !session.returnRoutability) return;
    const { clock, random, onMoved } = this.#options;
    const send = (cookie: Uint8Array): void => {
      const challenge = encodePathMessage({ type: PathMessageType.PATH_CHALLENGE, cookie });
      this.send(session, ContentType.RETURN_ROUTABILITY_CHECK, challenge);
    };
    // RFC 9853 §5: where nobody answers the peer is not.
    path.challenge(clock, random, send, () => {
      const { address } = session;
      session.address = path.former;
      session.path = undefined;
      onMoved(session, address);
    });
  }

  /** RFC 9853 §5: an answer goes to where the challenge came from. */
  #receivePath(session: Session, content: Uint8Array, source: PeerAddress): void {
    const { statistics, transmit } = this.#options;
    const message = session.returnRoutability ? wellFormed(() => decodePathMessage(content)) : undefined;
    const { type, cookie } = message ?? {};
    if (cookie === undefined) statistics.dropped++;
    else if (type === PathMessageType.PATH_RESPONSE) {
      if (source === session.address && session.path?.answers(cookie)) settlePath(session);
    } else if (type === PathMessageType.PATH_CHALLENGE && session.mayWrite) {
      const response = encodePathMessage({ type: PathMessageType.PATH_RESPONSE, cookie });
      transmit(session.epoch.seal(ContentType.RETURN_ROUTABILITY_CHECK, response), source);
    }
  }
}

/** The peer is where it was heard. */
function settlePath(session: Session): void {
  session.path?.stop();
  session.path = undefined;
}

function countRejected(statistics: DtlsStatistics, rejected: Rejected): void {
  statistics.dropped++;
  if (rejected === Rejected.FORGED) statistics.forged++;
  else if (rejected === Rejected.REPLAYED) statistics.replayed++;
}
