import type { Clock } from '../../clock.ts';
import type { PeerAddress, PeerIdentity } from '../../coap/datagram-port.ts';
import { wipe } from '../crypto/constant-time.ts';
import type { HandshakeError } from '../errors.ts';
import {
  ClientHandshake,
  type ClientHandshakeContext,
  type ClientHandshakeOutcome,
} from '../handshake/client-handshake.ts';
import type { RepeatFlight } from '../handshake/flight.ts';
import { AlertDescription, AlertLevel, decodeAlert, encodeAlert } from '../messages/alert.ts';
import { ContentType, HandshakeType } from '../messages/constants.ts';
import { decodeHandshakeFragments } from '../messages/handshake-fragment.ts';
import { decodePathMessage, encodePathMessage, PathMessageType } from '../messages/return-routability.ts';
import { wellFormed } from '../messages/well-formed.ts';
import { type DtlsRecord, MAX_SEQUENCE } from '../records/record.ts';
import { SecuredEpoch } from '../records/secured-epoch.ts';
import type { ClientCredentials, ClientResumption, ClientSessionState, DtlsClientEvents } from '../types.ts';

/** A session that has not been answered for so long, ms, after so many datagrams, may be lost: another one is tried beside it. */
const SILENCE = 20_000;
const UNANSWERED = 4;
/** ms between such trials: doubles up to an hour, for whoever speaks without being answered. */
const FIRST_TRIAL_PAUSE = 30_000;
const LONGEST_TRIAL_PAUSE = 3_600_000;
/** When a session is ended by the server within so many ms of something that was sent, another one is begun at once. */
const EXPECTING = 10_000;

interface ClientSession {
  readonly epoch: SecuredEpoch;
  readonly returnRoutability: boolean;
  readonly serverConnectionId: Uint8Array | undefined;
  lastFlight: RepeatFlight | undefined;
}

export interface SecuredServerOptions {
  readonly context: ClientHandshakeContext;
  readonly peer: PeerAddress;
  readonly credentials: ClientCredentials;
  /** As whom the server is known to those above. */
  readonly identity: PeerIdentity;
  readonly maxQueued: number;
  readonly events: DtlsClientEvents;
  readonly onData: (data: Uint8Array, peer: PeerAddress, identity: PeerIdentity) => void;
}

/** One server of a client: its session, the handshake that makes one, and what waits for it. */
export class SecuredServer {
  readonly #options: SecuredServerOptions;
  #session: ClientSession | undefined;
  #handshake: ClientHandshake | undefined;
  #resumption: ClientResumption | undefined;
  #queue: Uint8Array[] = [];
  #lastSent = Number.NEGATIVE_INFINITY;
  #unanswered = 0;
  #unansweredSince = 0;
  #trialPause = FIRST_TRIAL_PAUSE;
  #nextTrial = 0;
  #stopped = false;

  constructor(options: SecuredServerOptions) {
    this.#options = options;
  }

  get established(): boolean {
    return this.#session !== undefined;
  }

  send(data: Uint8Array): void {
    if (this.#stopped) return;
    const session = this.#session;
    if (session === undefined) {
      // The oldest waits no longer: CoAP sends it again.
      if (this.#queue.length >= this.#options.maxQueued) this.#queue.shift();
      this.#queue.push(data);
      this.#begin();
      return;
    }
    this.#write(session, ContentType.APPLICATION_DATA, data);
    this.#watch(data);
  }

  receive(record: DtlsRecord): void {
    if (this.#stopped) return;
    if (record.epoch === 0) this.#handshake?.receivePlain(record);
    else if (this.#session === undefined || !this.#open(this.#session, record)) {
      this.#handshake?.receiveSecured(record);
    }
  }

  /** Ends the session with close_notify, for good. */
  stop(): void {
    const session = this.#session;
    if (session !== undefined && !this.#stopped) {
      this.#alert(session, AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY);
    }
    this.#stopped = true;
    this.#handshake?.stop();
    this.#handshake = undefined;
    this.#queue = [];
    this.#drop();
    this.#forgetResumption();
  }

  /** Ends without a word; undefined where there is no session. */
  suspend(): ClientSessionState | undefined {
    const session = this.#session;
    this.#stopped = true;
    this.#handshake?.stop();
    if (session === undefined) return undefined;
    const { epoch, serverConnectionId, returnRoutability } = session;
    const resumption = this.#resumption;
    const state: ClientSessionState = {
      peer: this.#options.peer,
      suite: epoch.suite,
      keys: { client: new Uint8Array(epoch.keys.client), server: new Uint8Array(epoch.keys.server) },
      ...(serverConnectionId !== undefined && {
        serverConnectionId,
        ownConnectionId: epoch.ownConnectionId ?? new Uint8Array(0),
      }),
      returnRoutability,
      nextSequence: epoch.nextSequence,
      window: epoch.window.state(),
      ...(resumption !== undefined && {
        resumption: { ...resumption, masterSecret: new Uint8Array(resumption.masterSecret) },
      }),
    };
    this.#drop();
    this.#forgetResumption();
    return state;
  }

  restore(state: ClientSessionState): void {
    this.#handshake?.stop();
    this.#handshake = undefined;
    this.#drop();
    this.#forgetResumption();
    const { suite, serverConnectionId, ownConnectionId, returnRoutability, resumption } = state;
    const keys = { client: new Uint8Array(state.keys.client), server: new Uint8Array(state.keys.server) };
    const epoch = new SecuredEpoch(
      { suite, keys, role: 'client', ownConnectionId, peerConnectionId: serverConnectionId },
      this.#options.context.keyCache,
    );
    epoch.resume(state.nextSequence, state.window);
    this.#session = { epoch, returnRoutability, serverConnectionId, lastFlight: undefined };
    this.#resumption = resumption && {
      ...resumption,
      masterSecret: new Uint8Array(resumption.masterSecret),
    };
    this.#flush();
  }

  get #clock(): Clock {
    return this.#options.context.clock;
  }

  #begin(): void {
    if (this.#handshake !== undefined || this.#stopped) return;
    this.#start(this.#clock.now() + this.#options.context.maxTime);
  }

  #start(deadline: number): void {
    const { context, peer, credentials } = this.#options;
    const events = {
      established: (outcome: ClientHandshakeOutcome) => {
        this.#handshake = undefined;
        this.#established(outcome);
      },
      failed: (error: HandshakeError) => {
        this.#handshake = undefined;
        this.#failed(error, deadline);
      },
    };
    const handshake = new ClientHandshake(context, peer, credentials, this.#resumption, events, deadline);
    this.#handshake = handshake;
    handshake.start();
  }

  #failed({ reason, message }: HandshakeError, deadline: number): void {
    // Whatever it was: the next one does without.
    this.#forgetResumption();
    if (reason === 'timeout' && this.#clock.now() < deadline) {
      this.#start(deadline);
      return;
    }
    this.#queue = [];
    this.#options.events.onFailed?.(this.#options.peer, reason, message);
  }

  #established(outcome: ClientHandshakeOutcome): void {
    const { peer, events } = this.#options;
    const { epoch, returnRoutability, serverConnectionId, lastFlight, resumption, resumed } = outcome;
    this.#drop();
    this.#forgetResumption();
    this.#resumption = resumption;
    this.#session = { epoch, returnRoutability, serverConnectionId, lastFlight };
    this.#unanswered = 0;
    events.onEstablished?.(peer, { suite: epoch.suite, resumed });
    this.#flush();
  }

  #flush(): void {
    const waiting = this.#queue;
    this.#queue = [];
    for (const data of waiting) this.send(data);
  }

  /** Whether the record was of that session. */
  #open(session: ClientSession, record: DtlsRecord): boolean {
    const opened = session.epoch.open(record);
    if (typeof opened === 'number') return false;
    session.epoch.window.accept(record.sequence);
    this.#unanswered = 0;
    // If another one was being tried: this one was not lost.
    this.#queue = [];
    this.#trialPause = FIRST_TRIAL_PAUSE;
    const { type, content } = opened;
    if (type === ContentType.APPLICATION_DATA) {
      session.lastFlight = undefined;
      const { onData, peer, identity } = this.#options;
      if (content.length > 0) onData(content, peer, identity);
    } else if (type === ContentType.ALERT) this.#receiveAlert(session, content);
    else if (type === ContentType.HANDSHAKE) this.#receiveHandshake(session, content);
    else if (type === ContentType.RETURN_ROUTABILITY_CHECK) this.#receivePath(session, content);
    return true;
  }

  #receiveAlert(session: ClientSession, content: Uint8Array): void {
    const alert = wellFormed(() => decodeAlert(content));
    if (alert === undefined) return;
    const closing = alert.description === AlertDescription.CLOSE_NOTIFY;
    if (!closing && alert.level !== AlertLevel.FATAL) return;
    if (closing) this.#alert(session, AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY);
    // RFC 5246 §7.2.2: after a fatal alert it must not be resumed.
    else this.#forgetResumption();
    this.#drop();
    this.#options.events.onClosed?.(this.#options.peer);
    // What was sent just now was not taken, and CoAP will send it again: the session is there by then.
    if (!closing && this.#clock.now() - this.#lastSent < EXPECTING) this.#begin();
  }

  #receiveHandshake(session: ClientSession, content: Uint8Array): void {
    const type = wellFormed(() => decodeHandshakeFragments(content))?.[0]?.type;
    if (type === HandshakeType.FINISHED && session.lastFlight !== undefined) {
      for (const datagram of session.lastFlight()) this.#transmit(datagram);
    } else if (type === HandshakeType.HELLO_REQUEST) {
      // RFC 5746 §4.5
      this.#alert(session, AlertLevel.WARNING, AlertDescription.NO_RENEGOTIATION);
    }
  }

  /** RFC 9853 §5. */
  #receivePath(session: ClientSession, content: Uint8Array): void {
    const message = session.returnRoutability ? wellFormed(() => decodePathMessage(content)) : undefined;
    if (message?.type !== PathMessageType.PATH_CHALLENGE) return;
    const response = encodePathMessage({ type: PathMessageType.PATH_RESPONSE, cookie: message.cookie });
    this.#write(session, ContentType.RETURN_ROUTABILITY_CHECK, response);
  }

  #alert(session: ClientSession, level: number, description: number): void {
    this.#write(session, ContentType.ALERT, encodeAlert({ level, description }));
  }

  #write({ epoch }: ClientSession, type: number, content: Uint8Array): void {
    if (epoch.nextSequence <= MAX_SEQUENCE) this.#transmit(epoch.seal(type, content));
  }

  #transmit(datagram: Uint8Array): void {
    this.#options.context.send(datagram, this.#options.peer);
  }

  /** A server that has lost its sessions says nothing to their records. What is sent last goes through the new one as well. */
  #watch(data: Uint8Array): void {
    const now = this.#clock.now();
    this.#lastSent = now;
    if (this.#unanswered++ === 0) this.#unansweredSince = now;
    if (this.#unanswered < UNANSWERED || now - this.#unansweredSince < SILENCE) return;
    if (this.#handshake !== undefined || now < this.#nextTrial) return;
    this.#nextTrial = now + this.#trialPause;
    this.#trialPause = Math.min(2 * this.#trialPause, LONGEST_TRIAL_PAUSE);
    this.#queue = [data];
    this.#begin();
  }

  #drop(): void {
    this.#session?.epoch.wipe();
    this.#session = undefined;
  }

  #forgetResumption(): void {
    if (this.#resumption !== undefined) wipe(this.#resumption.masterSecret);
    this.#resumption = undefined;
  }
}
