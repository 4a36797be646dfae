import type { Clock } from '../../clock.ts';
import type { PeerAddress } from '../../coap/datagram-port.ts';
import { DecodeError } from '../../errors.ts';
import { type CipherSuite, needsEncryptThenMac } from '../crypto/cipher-suites.ts';
import { equalBytes, wipe } from '../crypto/constant-time.ts';
import { deriveKeys, extendedMasterSecret, finishedData, masterSecret } from '../crypto/key-schedule.ts';
import { HandshakeError } from '../errors.ts';
import { AlertDescription } from '../messages/alert.ts';
import { ContentType, DtlsVersion, HandshakeType, NO_COMPRESSION } from '../messages/constants.ts';
import { decodeHandshakeFragments, type HandshakeFragment } from '../messages/handshake-fragment.ts';
import type { HelloExtensions } from '../messages/hello-extensions.ts';
import {
  type ClientHello,
  decodeEmptyBody,
  decodeHelloVerifyRequest,
  decodeServerHello,
  encodeClientHello,
  type ServerHello,
} from '../messages/hello-messages.ts';
import type { KeyCache } from '../records/key-cache.ts';
import type { DtlsRecord } from '../records/record.ts';
import { SecuredEpoch } from '../records/secured-epoch.ts';
import type { ClientCredentials, ClientResumption } from '../types.ts';
import { endingAlert } from './ending-alert.ts';
import { changeCipherSpec, type FlightMessage, HandshakeWriter, type RepeatFlight } from './flight.ts';
import type { ClientKeyExchange } from './key-exchange.ts';
import { type HandshakeMessage, Reassembly } from './reassembly.ts';
import { Retransmission } from './retransmission.ts';
import { canOffer, offeredExtensions, selectClientKeyExchange } from './select.ts';
import { HandshakeSender } from './sender.ts';

const RANDOM_LENGTH = 32;
/** Bytes of one message of the server's; certificates are the longest. */
const LONGEST_MESSAGE = 16_384;
/** Protected records that came before the keys were there. */
const MOST_EARLY = 4;
/** How often a client that has said all repeats it: a server that was restarted would be silent for ever. */
const MOST_REPEATS = 4;
/** HelloVerifyRequests that are answered. */
const MOST_COOKIES = 5;

/** What all handshakes of a client share. */
export interface ClientHandshakeContext {
  readonly clock: Clock;
  readonly suites: readonly CipherSuite[];
  readonly pmtu: number;
  /** ms that it may take until there is a session. */
  readonly maxTime: number;
  /** The connection id that this side wants to see; undefined where none are negotiated. */
  readonly connectionId: Uint8Array | undefined;
  /** Whether the return routability check is offered with them. */
  readonly returnRoutability: boolean;
  readonly keyCache: KeyCache;
  random(bytes: number): Uint8Array;
  send(datagram: Uint8Array, address: PeerAddress): void;
}

export interface ClientHandshakeOutcome {
  readonly epoch: SecuredEpoch;
  readonly resumed: boolean;
  readonly returnRoutability: boolean;
  /** Present where connection ids were negotiated. */
  readonly serverConnectionId: Uint8Array | undefined;
  readonly resumption: ClientResumption | undefined;
  /** What to send again when the server repeats its Finished. */
  readonly lastFlight: RepeatFlight | undefined;
}

export interface ClientHandshakeEvents {
  /** The server's Finished was verified. */
  established(outcome: ClientHandshakeOutcome): void;
  failed(error: HandshakeError): void;
}

type State = 'hello' | 'server-flight' | 'finished' | 'over';

/** A client's side of one handshake (RFC 5246 §7.3, RFC 6347 §4.2). */
export class ClientHandshake {
  readonly #context: ClientHandshakeContext;
  readonly #credentials: ClientCredentials;
  readonly #events: ClientHandshakeEvents;
  readonly #offered: ClientResumption | undefined;
  readonly #random: Uint8Array;
  readonly #suites: readonly CipherSuite[];
  readonly #extensions: HelloExtensions;
  readonly #retransmission: Retransmission;
  readonly #sender: HandshakeSender;
  readonly #deadline: number;
  #reassembly = new Reassembly(LONGEST_MESSAGE, 0);
  /** The one that was sent back. */
  #cookie: Uint8Array | undefined;
  #cookies = 0;
  #state: State = 'hello';
  #serverHello: ServerHello | undefined;
  #suite: CipherSuite | undefined;
  #resumed = false;
  #exchange: ClientKeyExchange | undefined;
  #master: Uint8Array | undefined;
  #epoch: SecuredEpoch | undefined;
  #early: DtlsRecord[] = [];
  #alerted: string | undefined;

  constructor(
    context: ClientHandshakeContext,
    address: PeerAddress,
    credentials: ClientCredentials,
    offered: ClientResumption | undefined,
    events: ClientHandshakeEvents,
    deadline: number,
  ) {
    this.#context = context;
    this.#credentials = credentials;
    this.#events = events;
    this.#suites = context.suites.filter((suite) => canOffer(suite, credentials));
    this.#offered = this.#suites.some(({ id }) => id === offered?.suite) ? offered : undefined;
    this.#random = Uint8Array.from(context.random(RANDOM_LENGTH));
    this.#extensions = this.#helloExtensions();
    const writer = new HandshakeWriter(context.pmtu, 0);
    this.#sender = new HandshakeSender(writer, 0, (datagram) => context.send(datagram, address));
    this.#retransmission = new Retransmission(context.clock, () => this.#timeout());
    this.#deadline = deadline;
  }

  start(): void {
    if (this.#suites.length === 0) {
      const error = new HandshakeError('no_common_suite', undefined, 'no cipher suite fits the credentials');
      this.#context.clock.setTimer(0, () => this.#fail(error));
      return;
    }
    this.#sendHello(new Uint8Array(0));
  }

  stop(): void {
    this.#end();
  }

  receivePlain(record: DtlsRecord): void {
    if (this.#state === 'over') return;
    if (record.type === ContentType.HANDSHAKE) this.#take(record.fragment, 0);
    else if (record.type === ContentType.ALERT) this.#alert(record.fragment, 0);
  }

  receiveSecured(record: DtlsRecord): void {
    if (this.#state === 'over') return;
    const epoch = this.#epoch;
    if (epoch === undefined) {
      if (this.#early.length < MOST_EARLY) this.#early.push(record);
      return;
    }
    const opened = epoch.open(record);
    if (typeof opened === 'number') return;
    epoch.window.accept(record.sequence);
    if (opened.type === ContentType.HANDSHAKE) this.#take(opened.content, 1);
    else if (opened.type === ContentType.ALERT) this.#alert(opened.content, 1);
  }

  #helloExtensions(): HelloExtensions {
    const { connectionId, returnRoutability } = this.#context;
    return {
      ...offeredExtensions(this.#credentials, this.#suites),
      ...(this.#suites.some(needsEncryptThenMac) && { encryptThenMac: true }),
      extendedMasterSecret: true,
      ...(connectionId !== undefined && { connectionId }),
      ...(connectionId !== undefined && returnRoutability && { rrc: true }),
      renegotiationInfo: new Uint8Array(0),
    };
  }

  #sendHello(cookie: Uint8Array): void {
    const hello: ClientHello = {
      version: DtlsVersion.DTLS_1_2,
      random: this.#random,
      sessionId: this.#offered?.sessionId ?? new Uint8Array(0),
      cookie,
      cipherSuites: this.#suites.map(({ id }) => id),
      compressionMethods: [NO_COMPRESSION],
      extensions: this.#extensions,
    };
    this.#sender.beginTranscript();
    // The ServerHello has the number of the hello that it answers, however many were refused before.
    this.#reassembly = new Reassembly(LONGEST_MESSAGE, this.#sender.nextMessage);
    this.#sender.send([this.#sender.message(HandshakeType.CLIENT_HELLO, encodeClientHello(hello))]);
    this.#retransmission.start();
  }

  #take(content: Uint8Array, epoch: 0 | 1): void {
    try {
      for (const fragment of decodeHandshakeFragments(content)) {
        if (fragment.type === HandshakeType.HELLO_VERIFY_REQUEST) this.#takeCookie(fragment);
        // RFC 5246 §7.4.1.1: it is in no transcript, and asks for what is under way.
        else if (fragment.type === HandshakeType.HELLO_REQUEST) continue;
        // What answers an earlier hello is no answer to this one.
        else if (this.#answersAnother(fragment)) continue;
        else if ((fragment.type === HandshakeType.FINISHED) === (epoch === 1)) this.#reassembly.add(fragment);
      }
      for (let next = this.#reassembly.take(); next !== undefined; next = this.#reassembly.take()) {
        this.#receive(next);
        if (this.#over) return;
      }
    } catch (error) {
      if (error instanceof HandshakeError) this.#fail(error);
      else if (error instanceof DecodeError) {
        this.#fail(new HandshakeError('malformed', AlertDescription.DECODE_ERROR, error.message));
      } else throw error;
    }
  }

  get #over(): boolean {
    return this.#state === 'over';
  }

  #answersAnother({ messageSeq, type }: HandshakeFragment): boolean {
    return (
      this.#state === 'hello' && messageSeq === this.#reassembly.next && type !== HandshakeType.SERVER_HELLO
    );
  }

  /**
   * RFC 6347 §4.2.1: the same hello again, with the cookie. Another cookie than the one that was sent back is taken only when the server
   * had time to answer that one: it may have been asked for twice.
   */
  #takeCookie({ fragment, length }: HandshakeFragment): void {
    if (this.#state !== 'hello' || fragment.length !== length || this.#cookies >= MOST_COOKIES) return;
    const { cookie } = decodeHelloVerifyRequest(fragment);
    const sent = this.#cookie;
    if (sent !== undefined && (this.#sender.repeats === 0 || equalBytes(sent, cookie))) return;
    this.#cookie = cookie;
    this.#cookies++;
    this.#alerted = undefined;
    this.#sendHello(cookie);
  }

  #receive({ type, body, whole }: HandshakeMessage): void {
    this.#alerted = undefined;
    if (this.#state === 'hello' && type === HandshakeType.SERVER_HELLO) {
      this.#sender.transcript.add(whole);
      this.#takeServerHello(decodeServerHello(body));
    } else if (this.#state === 'server-flight') {
      this.#sender.transcript.add(whole);
      this.#takeServerFlight(type, body);
    } else if (this.#state === 'finished' && type === HandshakeType.FINISHED) {
      this.#takeFinished(body, whole);
    } else throw unexpected(type);
  }

  #takeServerHello(hello: ServerHello): void {
    const { sessionId, cipherSuite, extensions } = hello;
    const suite = this.#suites.find(({ id }) => id === cipherSuite);
    if (hello.version !== DtlsVersion.DTLS_1_2) {
      throw new HandshakeError('no_common_suite', AlertDescription.PROTOCOL_VERSION, 'another version');
    }
    if (suite === undefined || hello.compressionMethod !== NO_COMPRESSION)
      throw illegal('what was not offered');
    for (const [name, value] of Object.entries(extensions)) {
      if (value !== undefined && this.#extensions[name as keyof HelloExtensions] === undefined) {
        throw new HandshakeError(
          'malformed',
          AlertDescription.UNSUPPORTED_EXTENSION,
          `the extension ${name}, which was not offered`,
        );
      }
    }
    // RFC 5746 §3.4.
    if ((extensions.renegotiationInfo?.length ?? 0) > 0) {
      throw new HandshakeError('malformed', AlertDescription.HANDSHAKE_FAILURE, 'a renegotiation');
    }
    if (needsEncryptThenMac(suite) && !extensions.encryptThenMac) throw illegal('CBC with MAC-then-encrypt');
    this.#serverHello = hello;
    this.#suite = suite;
    const offered = this.#offered;
    if (offered !== undefined && sessionId.length > 0 && equalBytes(sessionId, offered.sessionId)) {
      // RFC 7627 §5.3.
      if (suite.id !== offered.suite || !extensions.extendedMasterSecret) throw illegal('another session');
      this.#resumed = true;
      this.#master = new Uint8Array(offered.masterSecret);
      this.#state = 'finished';
      this.#deriveKeys();
      return;
    }
    const wallTime = () => this.#context.clock.wallTime();
    this.#exchange = selectClientKeyExchange(suite, hello, this.#credentials, wallTime);
    if (this.#exchange === undefined) throw illegal('what does not fit the credentials');
    this.#state = 'server-flight';
  }

  #takeServerFlight(type: number, body: Uint8Array): void {
    const exchange = this.#exchange as ClientKeyExchange;
    if (type === HandshakeType.CERTIFICATE) exchange.serverCertificate(body);
    else if (type === HandshakeType.SERVER_KEY_EXCHANGE) exchange.serverKeyExchange(body, this.#randoms());
    else if (type === HandshakeType.CERTIFICATE_REQUEST) exchange.certificateRequest(body);
    else if (type === HandshakeType.SERVER_HELLO_DONE) {
      decodeEmptyBody(body);
      exchange.serverDone();
      this.#answer(exchange);
    } else throw unexpected(type);
  }

  /** Certificate, ClientKeyExchange, CertificateVerify, ChangeCipherSpec, Finished. */
  #answer(exchange: ClientKeyExchange): void {
    const flight: FlightMessage[] = [];
    const certificate = exchange.certificate();
    if (certificate !== undefined) flight.push(this.#sender.message(HandshakeType.CERTIFICATE, certificate));
    const { body, premaster } = exchange.clientKeyExchange();
    flight.push(this.#sender.message(HandshakeType.CLIENT_KEY_EXCHANGE, body));
    const { client, server } = this.#randoms();
    this.#master = this.#serverHello?.extensions.extendedMasterSecret
      ? extendedMasterSecret(premaster, this.#sender.transcript.hash())
      : masterSecret(premaster, client, server);
    wipe(premaster);
    const signature = exchange.certificateVerify(this.#sender.transcript);
    if (signature !== undefined)
      flight.push(this.#sender.message(HandshakeType.CERTIFICATE_VERIFY, signature));
    this.#sender.writer.secured = this.#newEpoch();
    flight.push(changeCipherSpec(), this.#sender.finished(this.#master, 'client'));
    this.#state = 'finished';
    this.#sender.send(flight);
    this.#retransmission.start();
    this.#epoch = this.#sender.writer.secured;
    this.#openEarly();
  }

  #randoms(): { readonly client: Uint8Array; readonly server: Uint8Array } {
    return { client: this.#random, server: (this.#serverHello as ServerHello).random };
  }

  #deriveKeys(): void {
    this.#epoch = this.#newEpoch();
    this.#sender.writer.secured = this.#epoch;
    this.#openEarly();
  }

  #newEpoch(): SecuredEpoch {
    const { client, server } = this.#randoms();
    const suite = this.#suite as CipherSuite;
    const serverConnectionId = this.#serverHello?.extensions.connectionId;
    return new SecuredEpoch(
      {
        suite: suite.id,
        keys: deriveKeys(suite, this.#master as Uint8Array, client, server),
        role: 'client',
        ownConnectionId: serverConnectionId === undefined ? undefined : this.#context.connectionId,
        peerConnectionId: serverConnectionId,
      },
      this.#context.keyCache,
    );
  }

  #openEarly(): void {
    const early = this.#early;
    this.#early = [];
    for (const record of early) this.receiveSecured(record);
  }

  #takeFinished(body: Uint8Array, whole: Uint8Array): void {
    const master = this.#master as Uint8Array;
    if (!equalBytes(finishedData(master, 'server', this.#sender.transcript.hash()), body)) {
      throw new HandshakeError('wrong_key', AlertDescription.DECRYPT_ERROR, 'the Finished does not fit');
    }
    this.#sender.transcript.add(whole);
    const hello = this.#serverHello as ServerHello;
    const epoch = this.#epoch as SecuredEpoch;
    const lastFlight = this.#resumed
      ? this.#sender.sendLast([changeCipherSpec(), this.#sender.finished(master, 'client')])
      : undefined;
    const { sessionId, cipherSuite, extensions } = hello;
    const resumable = sessionId.length > 0 && extensions.extendedMasterSecret;
    // The session goes on with the keys.
    this.#epoch = undefined;
    const outcome = {
      epoch,
      resumed: this.#resumed,
      returnRoutability: extensions.rrc === true,
      serverConnectionId: extensions.connectionId && new Uint8Array(extensions.connectionId),
      resumption: resumable
        ? { sessionId, masterSecret: new Uint8Array(master), suite: cipherSuite }
        : undefined,
      lastFlight,
    };
    this.#end();
    this.#events.established(outcome);
  }

  #alert(content: Uint8Array, epoch: 0 | 1): void {
    const alert = endingAlert(content);
    if (alert === undefined) return;
    const text = `the server has sent ${alert}`;
    if (epoch === 1) this.#fail(new HandshakeError('alert', undefined, text));
    // Anybody can send such an alert: it counts if nothing else comes until the flight would be sent again.
    else this.#alerted = text;
  }

  #timeout(): void {
    if (this.#over) return;
    if (this.#alerted !== undefined) {
      this.#fail(new HandshakeError('alert', undefined, this.#alerted));
    } else if (this.#context.clock.now() >= this.#deadline) {
      this.#fail(new HandshakeError('timeout', undefined, 'the server does not answer'));
    } else if (this.#state === 'finished' && !this.#resumed && this.#sender.repeats === MOST_REPEATS) {
      this.#fail(new HandshakeError('timeout', undefined, 'the server has forgotten the handshake'));
    } else {
      this.#sender.repeat();
      this.#retransmission.again();
    }
  }

  #fail(error: HandshakeError): void {
    if (this.#over) return;
    if (error.alert !== undefined) {
      // Protected once this side has said ChangeCipherSpec.
      this.#sender.alert(this.#state === 'finished' && !this.#resumed ? 1 : 0, error.alert);
    }
    this.#end();
    this.#events.failed(error);
  }

  #end(): void {
    this.#state = 'over';
    this.#retransmission.stop();
    this.#reassembly.clear();
    this.#early = [];
    this.#epoch?.wipe();
    this.#epoch = undefined;
    if (this.#master !== undefined) wipe(this.#master);
    this.#master = undefined;
  }
}

function unexpected(type: number): HandshakeError {
  return new HandshakeError(
    'malformed',
    AlertDescription.UNEXPECTED_MESSAGE,
    `a handshake message of type ${type} out of turn`,
  );
}

function illegal(what: string): HandshakeError {
  return new HandshakeError('malformed', AlertDescription.ILLEGAL_PARAMETER, `the server has chosen ${what}`);
}
