import { wipe } from '../crypto/constant-time.ts';
import { createKeyShare, type KeyShare, type NamedGroup } from '../crypto/ecdhe.ts';
import { pskPremasterSecret } from '../crypto/key-schedule.ts';
import { HandshakeError } from '../errors.ts';
import { AlertDescription } from '../messages/alert.ts';
import { HandshakeType } from '../messages/constants.ts';
import type { HelloExtensions } from '../messages/hello-extensions.ts';
import {
  decodeEcdhePskClientKeyExchange,
  decodeEcdhePskServerKeyExchange,
  encodeEcdhePskClientKeyExchange,
  encodeEcdhePskServerKeyExchange,
} from '../messages/key-exchange-messages.ts';
import { answerKeyShare } from './groups.ts';
import type {
  AuthenticatedClient,
  ClientKeyExchange,
  HandshakeBody,
  ServerKeyExchange,
} from './key-exchange.ts';
import { noCertificates, PskClient, type PskLookup } from './psk-key-exchange.ts';

const NO_HINT = new Uint8Array(0);

/** TLS_ECDHE_PSK_*, RFC 5489: who records it cannot read it later, though he gets the key. */
export class EcdhePskServerKeyExchange implements ServerKeyExchange {
  readonly helloExtensions: HelloExtensions;
  readonly asksForCertificate = false;
  readonly #client: PskClient;
  readonly #share: KeyShare;

  constructor(
    lookup: PskLookup,
    random: (bytes: number) => Uint8Array,
    group: NamedGroup,
    helloExtensions: HelloExtensions,
  ) {
    this.#client = new PskClient(lookup, random);
    this.#share = createKeyShare(group);
    this.helloExtensions = helloExtensions;
  }

  get named(): string | undefined {
    return this.#client.named;
  }

  serverFlight(): readonly HandshakeBody[] {
    const { group, publicKey } = this.#share;
    const body = encodeEcdhePskServerKeyExchange({ hint: NO_HINT, parameters: { group, publicKey } });
    return [{ type: HandshakeType.SERVER_KEY_EXCHANGE, body }];
  }

  clientCertificate(): boolean {
    throw noCertificates();
  }

  async clientKeyExchange(body: Uint8Array): Promise<Uint8Array> {
    const { identity, publicKey } = decodeEcdhePskClientKeyExchange(body);
    const secret = this.#share.secret(publicKey);
    try {
      return await this.#client.premaster(identity, secret);
    } finally {
      wipe(secret);
    }
  }

  certificateVerify(): void {
    throw noCertificates();
  }

  authenticate(): Promise<AuthenticatedClient> {
    return Promise.resolve(this.#client.authenticate());
  }
}

/** The same for a client; a hint of the server's is passed over. */
export class EcdhePskClientKeyExchange implements ClientKeyExchange {
  readonly #identity: Uint8Array;
  readonly #key: Uint8Array;
  #answer: { readonly share: KeyShare; readonly secret: Uint8Array } | undefined;

  constructor(identity: Uint8Array, key: Uint8Array) {
    this.#identity = identity;
    this.#key = key;
  }

  serverCertificate(): void {
    throw noCertificates();
  }

  serverKeyExchange(body: Uint8Array): void {
    this.#answer = answerKeyShare(decodeEcdhePskServerKeyExchange(body).parameters);
  }

  certificateRequest(): void {
    throw noCertificates();
  }

  serverDone(): void {
    this.#needAnswer();
  }

  certificate(): undefined {
    return undefined;
  }

  clientKeyExchange(): { readonly body: Uint8Array; readonly premaster: Uint8Array } {
    const { share, secret } = this.#needAnswer();
    const premaster = pskPremasterSecret(this.#key, secret);
    wipe(secret);
    return {
      body: encodeEcdhePskClientKeyExchange({ identity: this.#identity, publicKey: share.publicKey }),
      premaster,
    };
  }

  certificateVerify(): undefined {
    return undefined;
  }

  #needAnswer(): { readonly share: KeyShare; readonly secret: Uint8Array } {
    if (this.#answer !== undefined) return this.#answer;
    throw new HandshakeError(
      'malformed',
      AlertDescription.UNEXPECTED_MESSAGE,
      'ServerHelloDone without a ServerKeyExchange',
    );
  }
}
