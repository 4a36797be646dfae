import type { PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import { type CipherSuite, cipherSuiteOf } from '../../../protocol/dtls/crypto/cipher-suites.ts';
import { deriveKeys, finishedData, masterSecret } from '../../../protocol/dtls/crypto/key-schedule.ts';
import { Transcript } from '../../../protocol/dtls/handshake/transcript.ts';
import {
  ContentType,
  DtlsVersion,
  HandshakeType,
  NO_COMPRESSION,
} from '../../../protocol/dtls/messages/constants.ts';
import {
  decodeHandshakeFragments,
  encodeHandshakeMessage,
} from '../../../protocol/dtls/messages/handshake-fragment.ts';
import type { HelloExtensions } from '../../../protocol/dtls/messages/hello-extensions.ts';
import {
  decodeHelloVerifyRequest,
  decodeServerHello,
  encodeClientHello,
  type ServerHello,
} from '../../../protocol/dtls/messages/hello-messages.ts';
import { KeyCache } from '../../../protocol/dtls/records/key-cache.ts';
import { plainRecord } from '../../../protocol/dtls/records/record.ts';
import { SecuredEpoch } from '../../../protocol/dtls/records/secured-epoch.ts';
import { type DtlsWorld, SERVER } from './dtls-world.ts';
import { recordsOf } from './wire.ts';

/**
 * A client that says what a test has it say, in whatever order, with keys of whatever secret: for what no client
 * that follows the protocol does. Without extended master secret and connection ids.
 */
export class ScriptedClient {
  readonly world: DtlsWorld;
  readonly address: PeerAddress;
  readonly suite: CipherSuite;
  readonly random = new Uint8Array(32).fill(7);
  readonly transcript = new Transcript();
  /** Handshake messages that the server has sent in the clear, by type. */
  readonly heard = new Map<number, Uint8Array>();
  /** Everything that it was sent. */
  readonly datagrams: Uint8Array[] = [];
  extensions: HelloExtensions = {};
  cookie: Uint8Array = new Uint8Array(0);
  sequence = 0;
  messageSeq = 0;
  epoch: SecuredEpoch | undefined;
  #master: Uint8Array = new Uint8Array(0);
  readonly #send: (datagram: Uint8Array) => void;

  constructor(world: DtlsWorld, address: PeerAddress, suite = 0xc0a8) {
    this.world = world;
    this.address = address;
    this.suite = cipherSuiteOf(suite) as CipherSuite;
    const port = world.link.port(address);
    port.onDatagram((datagram) => this.#receive(datagram));
    this.#send = (datagram) => port.send(datagram, SERVER);
  }

  get serverHello(): ServerHello {
    return decodeServerHello(this.heard.get(HandshakeType.SERVER_HELLO) as Uint8Array);
  }

  /** Sends what no flight stands for. */
  send(datagram: Uint8Array): void {
    this.#send(datagram);
  }

  /** Greets twice, with the cookie the second time, and takes the server's flight. */
  async greet(): Promise<void> {
    this.sayHello();
    await this.world.clock.run(100);
    this.sayHello();
    await this.world.clock.run(100);
  }

  sayHello(): void {
    const body = encodeClientHello({
      version: DtlsVersion.DTLS_1_2,
      random: this.random,
      sessionId: new Uint8Array(0),
      cookie: this.cookie,
      cipherSuites: [this.suite.id],
      compressionMethods: [NO_COMPRESSION],
      extensions: this.extensions,
    });
    this.say(HandshakeType.CLIENT_HELLO, body);
  }

  /** Sends one handshake message, in the clear. */
  say(type: number, body: Uint8Array): void {
    const message = this.message(type, body);
    this.#send(plainRecord(ContentType.HANDSHAKE, this.sequence++, message));
  }

  /** A handshake message with its header; it is part of the transcript from then on. */
  message(type: number, body: Uint8Array): Uint8Array {
    const message = encodeHandshakeMessage(type, this.messageSeq++, body);
    const isFirstHello = type === HandshakeType.CLIENT_HELLO && this.cookie.length === 0;
    if (!isFirstHello) this.transcript.add(message);
    return message;
  }

  /** From now on there are keys of that premaster secret. */
  secure(premaster: Uint8Array): void {
    this.#master = masterSecret(premaster, this.random, this.serverHello.random);
    const keys = deriveKeys(this.suite, this.#master, this.random, this.serverHello.random);
    this.epoch = new SecuredEpoch(
      { suite: this.suite.id, keys, role: 'client', ownConnectionId: undefined, peerConnectionId: undefined },
      new KeyCache(10),
    );
  }

  sayChangeCipherSpec(): void {
    this.#send(plainRecord(ContentType.CHANGE_CIPHER_SPEC, this.sequence++, Uint8Array.of(1)));
  }

  /** Sends ChangeCipherSpec and the Finished that fits the transcript. */
  finish(): void {
    this.sayChangeCipherSpec();
    const body = finishedData(this.#master, 'client', this.transcript.hash());
    this.saySecured(ContentType.HANDSHAKE, this.message(HandshakeType.FINISHED, body));
  }

  /** Sends a protected record of any type. */
  saySecured(type: number, content: Uint8Array): void {
    this.#send((this.epoch as SecuredEpoch).seal(type, content));
  }

  #receive(datagram: Uint8Array): void {
    this.datagrams.push(Uint8Array.from(datagram));
    for (const { type, epoch, fragment } of recordsOf(datagram)) {
      if (type !== ContentType.HANDSHAKE || epoch !== 0) continue;
      for (const one of decodeHandshakeFragments(fragment)) {
        if (one.type === HandshakeType.HELLO_VERIFY_REQUEST) {
          this.cookie = decodeHelloVerifyRequest(one.fragment).cookie.slice();
        } else if (!this.heard.has(one.type)) {
          this.transcript.add(encodeHandshakeMessage(one.type, one.messageSeq, one.fragment));
        }
        this.heard.set(one.type, Uint8Array.from(one.fragment));
      }
    }
  }
}
