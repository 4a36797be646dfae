import type { PeerIdentity } from '../../coap/datagram-port.ts';
import { wipe } from '../crypto/constant-time.ts';
import { pskPremasterSecret } from '../crypto/key-schedule.ts';
import { HandshakeError } from '../errors.ts';
import { AlertDescription } from '../messages/alert.ts';
import type { HelloExtensions } from '../messages/hello-extensions.ts';
import {
  decodePskClientKeyExchange,
  decodePskServerKeyExchange,
  encodePskClientKeyExchange,
} from '../messages/key-exchange-messages.ts';
import type { ServerCredentials } from '../types.ts';
import type {
  AuthenticatedClient,
  ClientKeyExchange,
  HandshakeBody,
  ServerKeyExchange,
} from './key-exchange.ts';
import { printable } from './printable.ts';

/** Bytes of the longest PSK identity that is looked up; RFC 4279 §5.3 asks for 128. */
const LONGEST_IDENTITY = 1_024;
/** Of the key that stands for one that is not there. */
const KEY_LENGTH = 16;

export type PskLookup = NonNullable<ServerCredentials['psk']>;

/**
 * Finds the key for an identity. One that is unknown gets a random key, and the handshake goes on until the Finished does not
 * fit: nobody learns which identities there are (RFC 4279 §2).
 */
export class PskClient {
  readonly #lookup: PskLookup;
  readonly #random: (bytes: number) => Uint8Array;
  #named: string | undefined;
  #identity: PeerIdentity | undefined;

  constructor(lookup: PskLookup, random: (bytes: number) => Uint8Array) {
    this.#lookup = lookup;
    this.#random = random;
  }

  /** The premaster secret of that identity, with the other secret of ECDHE_PSK where there is one. */
  async premaster(identity: Uint8Array, other?: Uint8Array): Promise<Uint8Array> {
    this.#named = printable(identity);
    let key = this.#random(KEY_LENGTH);
    if (identity.length <= LONGEST_IDENTITY) {
      try {
        const credential = await this.#lookup(identity);
        this.#identity = credential?.peer;
        // A copy, for it is wiped; the slice of a Buffer is none.
        if (credential !== undefined) key = Uint8Array.from(credential.key);
      } catch (error) {
        throw new HandshakeError(
          'unavailable',
          undefined,
          `the credentials cannot be asked: ${String(error)}`,
        );
      }
    }
    const premaster = pskPremasterSecret(key, other);
    wipe(key);
    return premaster;
  }

  get named(): string | undefined {
    return this.#named;
  }

  authenticate(): AuthenticatedClient {
    const identity = this.#identity;
    return identity === undefined ? { identity, reason: 'unknown_identity' } : { identity };
  }
}

/** TLS_PSK_*: RFC 4279 §2. No hint is given. */
export class PskServerKeyExchange implements ServerKeyExchange {
  readonly helloExtensions: HelloExtensions = {};
  readonly asksForCertificate = false;
  readonly #client: PskClient;

  constructor(lookup: PskLookup, random: (bytes: number) => Uint8Array) {
    this.#client = new PskClient(lookup, random);
  }

  get named(): string | undefined {
    return this.#client.named;
  }

  serverFlight(): readonly HandshakeBody[] {
    return [];
  }

  clientCertificate(): boolean {
    throw noCertificates();
  }

  clientKeyExchange(body: Uint8Array): Promise<Uint8Array> {
    return this.#client.premaster(decodePskClientKeyExchange(body));
  }

  certificateVerify(): void {
    throw noCertificates();
  }

  authenticate(): Promise<AuthenticatedClient> {
    return Promise.resolve(this.#client.authenticate());
  }
}

/** The same for a client; a hint of the server's is passed over. */
export class PskClientKeyExchange implements ClientKeyExchange {
  readonly #identity: Uint8Array;
  readonly #key: Uint8Array;

  constructor(identity: Uint8Array, key: Uint8Array) {
    this.#identity = identity;
    this.#key = key;
  }

  serverCertificate(): void {
    throw noCertificates();
  }

  serverKeyExchange(body: Uint8Array): void {
    decodePskServerKeyExchange(body);
  }

  certificateRequest(): void {
    throw noCertificates();
  }

  serverDone(): void {
    // Nothing has to have come.
  }

  certificate(): undefined {
    return undefined;
  }

  clientKeyExchange(): { readonly body: Uint8Array; readonly premaster: Uint8Array } {
    return {
      body: encodePskClientKeyExchange(this.#identity),
      premaster: pskPremasterSecret(this.#key),
    };
  }

  certificateVerify(): undefined {
    return undefined;
  }
}

export function noCertificates(): HandshakeError {
  return new HandshakeError(
    'malformed',
    AlertDescription.UNEXPECTED_MESSAGE,
    'a message about certificates in a handshake with a pre-shared key',
  );
}
