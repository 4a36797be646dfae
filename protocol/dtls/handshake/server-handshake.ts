import type { PeerAddress } from '../../coap/datagram-port.ts';
import { DecodeError } from '../../errors.ts';
import { type CipherSuite, needsEncryptThenMac } from '../crypto/cipher-suites.ts';
import { equalBytes, wipe } from '../crypto/constant-time.ts';
import { deriveKeys, extendedMasterSecret, finishedData, masterSecret } from '../crypto/key-schedule.ts';
import { HandshakeError } from '../errors.ts';
import { AlertDescription } from '../messages/alert.ts';
import { ContentType, DtlsVersion, HandshakeType, NO_COMPRESSION } from '../messages/constants.ts';
import { decodeHandshakeFragments, encodeHandshakeMessage } from '../messages/handshake-fragment.ts';
import { type ClientHello, encodeServerHello } from '../messages/hello-messages.ts';
import { copyRecord, type DtlsRecord } from '../records/record.ts';
import { Rejected, SecuredEpoch } from '../records/secured-epoch.ts';
import type { FailureReason } from '../types.ts';
import { endingAlert } from './ending-alert.ts';
import { changeCipherSpec, type FlightMessage, HandshakeWriter } from './flight.ts';
import type { ServerKeyExchange } from './key-exchange.ts';
import { answerExtensions, checkClientHello, chooseSuite, maxPlaintextOf } from './negotiation.ts';
import { type HandshakeMessage, Reassembly } from './reassembly.ts';
import { Retransmission } from './retransmission.ts';
import { HandshakeSender } from './sender.ts';
import type {
  OpeningHello,
  Resumable,
  ServerHandshakeContext,
  ServerHandshakeEvents,
} from './server-context.ts';

const SESSION_ID_LENGTH = 16;
const RANDOM_LENGTH = 32;
/** ms between two answers to the same hello: clients wait longer (RFC 6347 §4.2.4.1). */
const REPEAT_PAUSE = 250;
/** Protected records that came before the keys were there. */
const MOST_EARLY = 4;
/** Bytes of one of them: a Finished, or a message of CoAP. */
const LONGEST_EARLY = 1_280;
/** Protected records that do not fit the keys. More would be guesses at the key, which a handshake must not have at will. */
const MOST_MISFITS = 4;
/** ms that a handshake is kept after its client was told that its key does not fit: the record may have been forged. */
const PATIENCE_AFTER_FORGERY = 5_000;

type State = 'certificate' | 'key-exchange' | 'certificate-verify' | 'finished' | 'over';

/** A server's side of one handshake (RFC 5246 §7.3, RFC 6347 §4.2), from the ClientHello with a valid cookie on. */
export class ServerHandshake {
  readonly address: PeerAddress;
  /** Of the session that is to be: its connection id. */
  readonly id: Uint8Array;
  readonly #context: ServerHandshakeContext;
  readonly #events: ServerHandshakeEvents;
  readonly #hello: ClientHello;
  readonly #suite: CipherSuite;
  readonly #exchange: ServerKeyExchange | undefined;
  readonly #resumed: Resumable | undefined;
  readonly #serverRandom: Uint8Array;
  readonly #sessionId: Uint8Array;
  readonly #connectionIds: boolean;
  readonly #reassembly: Reassembly;
  readonly #sender: HandshakeSender;
  readonly #retransmission: Retransmission;
  #deadline: number;
  #state: State;
  #verifyFollows = false;
  #epoch: SecuredEpoch | undefined;
  #master: Uint8Array | undefined;
  #early: DtlsRecord[] = [];
  #overtaken: Uint8Array[] = [];
  #running = false;
  #alerted: string | undefined;
  #reported = false;
  #repeatedAt = Number.NEGATIVE_INFINITY;
  #misfits = 0;
  #answered = false;

  /** @throws HandshakeError where it cannot even begin. */
  constructor(
    context: ServerHandshakeContext,
    events: ServerHandshakeEvents,
    address: PeerAddress,
    id: Uint8Array,
    opening: OpeningHello,
  ) {
    const { hello, messageSeq, recordSequence } = opening;
    checkClientHello(hello);
    this.#context = context;
    this.#events = events;
    this.address = address;
    this.id = id;
    this.#hello = hello;
    this.#resumed = this.#findResumable();
    if (this.#resumed === undefined) {
      const { suite, exchange } = chooseSuite(hello, context.suites, context.credentials, context.random);
      this.#suite = suite;
      this.#exchange = exchange;
    } else {
      const { suite } = this.#resumed;
      this.#suite = context.suites.find((one) => one.id === suite) as CipherSuite;
    }
    this.#serverRandom = context.random(RANDOM_LENGTH);
    this.#connectionIds = context.connectionIds && hello.extensions.connectionId !== undefined;
    const canBeResumed = context.resumption && hello.extensions.extendedMasterSecret === true;
    this.#sessionId =
      this.#resumed !== undefined ? hello.sessionId : context.random(canBeResumed ? SESSION_ID_LENGTH : 0);
    this.#reassembly = new Reassembly(context.maxMessage, messageSeq + 1);
    const writer = new HandshakeWriter(context.pmtu, recordSequence);
    writer.maxPlaintext = maxPlaintextOf(hello.extensions);
    this.#sender = new HandshakeSender(writer, messageSeq, (datagram) => context.send(datagram, address));
    this.#retransmission = new Retransmission(context.clock, () => this.#timeout());
    this.#deadline = context.clock.now() + context.maxTime;
    this.#state = this.#exchange?.asksForCertificate ? 'certificate' : 'key-exchange';
    this.#sender.transcript.add(encodeHandshakeMessage(HandshakeType.CLIENT_HELLO, messageSeq, opening.body));
  }

  get over(): boolean {
    return this.#state === 'over';
  }

  /** Whether that hello is the one that began this handshake, sent again. */
  isOf({ random, cookie }: ClientHello): boolean {
    return equalBytes(random, this.#hello.random) && equalBytes(cookie, this.#hello.cookie);
  }

  /** Whether the client has said anything after its hello. */
  get answered(): boolean {
    return this.#answered;
  }

  get clientRandom(): Uint8Array {
    return this.#hello.random;
  }

  /** Sends the first flight. */
  start(): void {
    const flight: FlightMessage[] = [this.#serverHello()];
    if (this.#resumed !== undefined) {
      this.#master = new Uint8Array(this.#resumed.masterSecret);
      this.#deriveKeys();
      this.#state = 'finished';
      flight.push(changeCipherSpec(), this.#sender.finished(this.#master, 'server'));
    } else {
      const randoms = { client: this.#hello.random, server: this.#serverRandom };
      for (const { type, body } of this.#exchange?.serverFlight(randoms) ?? []) {
        flight.push(this.#sender.message(type, body));
      }
      flight.push(this.#sender.message(HandshakeType.SERVER_HELLO_DONE, new Uint8Array(0)));
    }
    this.#sender.send(flight);
    this.#retransmission.start();
  }

  /**
   * The client has sent its hello again: it has not got the answer. Whoever overhears a hello can send it again too, from the client's
   * address, and as often as he likes.
   */
  repeat(): void {
    const now = this.#context.clock.now();
    if (this.over || now - this.#repeatedAt < REPEAT_PAUSE) return;
    this.#repeatedAt = now;
    this.#context.statistics.retransmissions++;
    this.#sender.repeat();
  }

  /** A record of epoch 0 from the client's address. */
  receivePlain(record: DtlsRecord): void {
    if (this.over) return;
    if (record.type === ContentType.HANDSHAKE) this.#take(record.fragment, 0);
    else if (record.type === ContentType.ALERT) this.#alert(record.fragment, 0);
    // ChangeCipherSpec says nothing: records tell their epoch.
  }

  /** A record of epoch 1. */
  receiveSecured(record: DtlsRecord): void {
    if (this.over) return;
    const epoch = this.#epoch;
    if (epoch === undefined) {
      if (this.#early.length < MOST_EARLY && record.fragment.length <= LONGEST_EARLY) {
        this.#early.push(copyRecord(record));
      } else this.#context.statistics.dropped++;
      return;
    }
    const opened = epoch.open(record);
    if (typeof opened === 'number') {
      if (opened === Rejected.FORGED) this.#context.statistics.forged++;
      // Only what was made with another key looks so, or what was forged to have it look so.
      if (opened === Rejected.FORGED && this.#state === 'finished') this.#misfit();
      else this.#context.statistics.dropped++;
      return;
    }
    epoch.window.accept(record.sequence);
    if (opened.type === ContentType.HANDSHAKE) this.#take(opened.content, 1);
    else if (opened.type === ContentType.ALERT) this.#alert(opened.content, 1);
    else if (opened.type === ContentType.APPLICATION_DATA) this.#keepForLater(opened.content);
  }

  /**
   * What has overtaken the client's Finished waits until that was verified. In a resumption the client is through by then: its Finished may
   * be lost, and is asked for again now, not when the flight's time has come.
   */
  #keepForLater(data: Uint8Array): void {
    if (this.#overtaken.length < MOST_EARLY) this.#overtaken.push(data);
    if (this.#resumed !== undefined) this.repeat();
  }

  /** Calls it off without a word. */
  stop(): void {
    if (this.over) return;
    this.#end();
  }

  #findResumable(): Resumable | undefined {
    const hello = this.#hello;
    const context = this.#context;
    // RFC 7627 §5.3: without the extension there is a whole handshake.
    if (!hello.extensions.extendedMasterSecret) return undefined;
    const found = context.findResumable(hello.sessionId);
    const suite = context.suites.find(({ id }) => id === found?.suite);
    return suite !== undefined &&
      hello.cipherSuites.includes(suite.id) &&
      (!needsEncryptThenMac(suite) || hello.extensions.encryptThenMac)
      ? found
      : undefined;
  }

  #serverHello(): FlightMessage {
    const connectionId = this.#connectionIds ? this.id : undefined;
    return this.#sender.message(
      HandshakeType.SERVER_HELLO,
      encodeServerHello({
        version: DtlsVersion.DTLS_1_2,
        random: this.#serverRandom,
        sessionId: this.#sessionId,
        cipherSuite: this.#suite.id,
        compressionMethod: NO_COMPRESSION,
        extensions: answerExtensions(
          this.#hello,
          this.#suite,
          connectionId,
          this.#exchange?.helloExtensions ?? {},
        ),
      }),
    );
  }

  #take(content: Uint8Array, epoch: 0 | 1): void {
    try {
      for (const fragment of decodeHandshakeFragments(content)) {
        // Finished alone is protected, and nothing else of a first handshake is.
        if ((fragment.type === HandshakeType.FINISHED) === (epoch === 1)) this.#reassembly.add(fragment);
        else this.#context.statistics.dropped++;
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#context.statistics.dropped++;
      return;
    }
    void this.#run();
  }

  /** Takes what is complete, in order, one message after the other: some have to wait for a lookup. */
  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#reassembly.take(); next !== undefined; next = this.#reassembly.take()) {
        await this.#receive(next);
        if (this.over) return;
      }
    } catch (error) {
      if (this.over) return;
      if (error instanceof HandshakeError) this.#fail(error);
      else if (error instanceof DecodeError) {
        this.#fail(new HandshakeError('malformed', AlertDescription.DECODE_ERROR, error.message));
      } else {
        this.#context.onError(error);
        this.#fail(
          new HandshakeError('unavailable', AlertDescription.INTERNAL_ERROR, 'a fault of this server'),
        );
      }
    } finally {
      this.#running = false;
    }
  }

  async #receive({ type, body, whole }: HandshakeMessage): Promise<void> {
    const exchange = this.#exchange;
    this.#alerted = undefined;
    this.#answered = true;
    if (type === HandshakeType.FINISHED && this.#state === 'finished') {
      await this.#finish(body, whole);
    } else if (exchange === undefined) {
      throw unexpected(type);
    } else if (type === HandshakeType.CERTIFICATE && this.#state === 'certificate') {
      this.#verifyFollows = exchange.clientCertificate(body);
      this.#sender.transcript.add(whole);
      this.#state = 'key-exchange';
    } else if (type === HandshakeType.CLIENT_KEY_EXCHANGE && this.#state === 'key-exchange') {
      const premaster = await exchange.clientKeyExchange(body);
      this.#sender.transcript.add(whole);
      if (this.over) {
        wipe(premaster);
        return;
      }
      this.#master = this.#masterSecret(premaster);
      wipe(premaster);
      this.#deriveKeys();
      this.#state = this.#verifyFollows ? 'certificate-verify' : 'finished';
      const early = this.#early;
      this.#early = [];
      for (const record of early) this.receiveSecured(record);
    } else if (type === HandshakeType.CERTIFICATE_VERIFY && this.#state === 'certificate-verify') {
      exchange.certificateVerify(body, this.#sender.transcript);
      this.#sender.transcript.add(whole);
      this.#state = 'finished';
    } else throw unexpected(type);
  }

  #masterSecret(premaster: Uint8Array): Uint8Array {
    return this.#hello.extensions.extendedMasterSecret
      ? extendedMasterSecret(premaster, this.#sender.transcript.hash())
      : masterSecret(premaster, this.#hello.random, this.#serverRandom);
  }

  #deriveKeys(): void {
    const master = this.#master as Uint8Array;
    this.#epoch = new SecuredEpoch(
      {
        suite: this.#suite.id,
        keys: deriveKeys(this.#suite, master, this.#hello.random, this.#serverRandom),
        role: 'server',
        ownConnectionId: this.#connectionIds ? this.id : undefined,
        peerConnectionId: this.#connectionIds ? copied(this.#hello.extensions.connectionId) : undefined,
      },
      this.#context.keyCache,
    );
    this.#sender.writer.secured = this.#epoch;
  }

  async #finish(body: Uint8Array, whole: Uint8Array): Promise<void> {
    const epoch = this.#epoch as SecuredEpoch;
    const master = this.#master as Uint8Array;
    const fits = equalBytes(finishedData(master, 'client', this.#sender.transcript.hash()), body);
    const client = await this.#exchange?.authenticate();
    if (this.over) return;
    const identity = this.#resumed?.identity ?? client?.identity;
    if (!fits || identity === undefined) {
      throw new HandshakeError(
        client?.reason ?? 'wrong_key',
        AlertDescription.DECRYPT_ERROR,
        fits ? 'the credential is not known' : 'the Finished does not fit',
      );
    }
    this.#sender.transcript.add(whole);
    const { extensions } = this.#hello;
    const resumed = this.#resumed !== undefined;
    const sessionId = this.#sessionId.length === 0 ? undefined : new Uint8Array(this.#sessionId);
    const resumable =
      resumed || sessionId === undefined
        ? undefined
        : { masterSecret: new Uint8Array(master), suite: this.#suite.id, identity };
    const lastFlight = resumed
      ? undefined
      : this.#sender.sendLast([changeCipherSpec(), this.#sender.finished(master, 'server')]);
    this.#events.established({
      identity,
      epoch,
      resumed,
      returnRoutability: this.#connectionIds && extensions.rrc === true,
      connectionIds: this.#connectionIds,
      maxPlaintext: this.#sender.writer.maxPlaintext,
      lastFlight,
      overtaken: this.#overtaken,
      sessionId,
      resumable,
    });
    // The session goes on with the keys.
    this.#epoch = undefined;
    this.#end();
  }

  /**
   * A protected record does not fit the keys. The client is told at once, for it waits; but anybody can send such a record, so a fitting
   * one is still taken for a while, if there are not many.
   */
  #misfit(): void {
    if (++this.#misfits === MOST_MISFITS) this.#end();
    if (this.#reported) return;
    this.#reported = true;
    this.#sendAlert(AlertDescription.DECRYPT_ERROR);
    this.#deadline = Math.min(this.#deadline, this.#context.clock.now() + PATIENCE_AFTER_FORGERY);
    this.#retransmission.within(PATIENCE_AFTER_FORGERY);
    const found = this.#exchange?.authenticate() ?? Promise.resolve(undefined);
    found.then(
      (client) => this.#report(client?.reason ?? 'wrong_key', 'the Finished was made with another key'),
      () => this.#report('unavailable', 'the credentials cannot be asked'),
    );
  }

  #report(reason: FailureReason, detail: string): void {
    const identity = this.#exchange?.named ?? this.#resumed?.identity.name;
    this.#events.failed({
      address: this.address,
      reason,
      detail,
      ...(identity !== undefined && { identity }),
    });
  }

  #alert(content: Uint8Array, epoch: 0 | 1): void {
    const alert = endingAlert(content);
    if (alert === undefined) return;
    const text = `the client has sent ${alert}`;
    if (epoch === 1) this.#fail(new HandshakeError('alert', undefined, text));
    // Anybody can send such an alert: it counts if nothing else comes until the flight would be sent again.
    else this.#alerted = text;
  }

  #timeout(): void {
    if (this.over) return;
    if (this.#alerted !== undefined) {
      this.#fail(new HandshakeError('alert', undefined, this.#alerted));
    } else if (this.#context.clock.now() >= this.#deadline) {
      this.#fail(new HandshakeError('timeout', undefined, 'the client fell silent'));
    } else {
      // Who was told that its key does not fit gets nothing more.
      if (!this.#reported) {
        this.#context.statistics.retransmissions++;
        this.#sender.repeat();
      }
      this.#retransmission.again();
    }
  }

  #fail(error: HandshakeError): void {
    if (error.alert !== undefined) this.#sendAlert(error.alert);
    const reported = this.#reported;
    this.#reported = true;
    this.#end();
    if (!reported) this.#report(error.reason, error.message);
  }

  /** In epoch 1 once this side has said ChangeCipherSpec: in a resumption. */
  #sendAlert(description: number): void {
    const epoch = this.#resumed !== undefined && this.#epoch !== undefined ? 1 : 0;
    this.#sender.alert(epoch, description);
  }

  #end(): void {
    this.#state = 'over';
    this.#retransmission.stop();
    this.#reassembly.clear();
    this.#early = [];
    this.#epoch?.wipe();
    if (this.#master !== undefined) wipe(this.#master);
    this.#master = undefined;
    this.#events.over();
  }
}

/** So that a session does not hold on to the datagram of its hello. */
function copied(id: Uint8Array | undefined): Uint8Array | undefined {
  return id && new Uint8Array(id);
}

function unexpected(type: number): HandshakeError {
  return new HandshakeError(
    'malformed',
    AlertDescription.UNEXPECTED_MESSAGE,
    `a handshake message of type ${type} out of turn`,
  );
}
