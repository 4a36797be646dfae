import type { KeyObject } from 'node:crypto';
import { rawPublicKeyName } from '../certificates/names.ts';
import { certificateKey, rawPublicKey } from '../certificates/public-key.ts';
import { createKeyShare, type KeyShare, type NamedGroup } from '../crypto/ecdhe.ts';
import { signatureSchemes, signData, verifyData } from '../crypto/signatures.ts';
import { HandshakeError } from '../errors.ts';
import { AlertDescription } from '../messages/alert.ts';
import {
  decodeCertificateChain,
  decodeCertificateVerify,
  decodeRawPublicKey,
  encodeCertificateRequest,
} from '../messages/certificate-messages.ts';
import { CertificateType, ClientCertificateType, HandshakeType } from '../messages/constants.ts';
import type { HelloExtensions } from '../messages/hello-extensions.ts';
import {
  decodeEcdheClientKeyExchange,
  encodeEcdhParameters,
  encodeSignedServerKeyExchange,
} from '../messages/key-exchange-messages.ts';
import type { OwnIdentity, ServerCredentials } from '../types.ts';
import { type CertificateChoice, ownCertificate } from './certificate-choice.ts';
import { encodeCertificate, signedParameters, subjectOf } from './certificates.ts';
import type { AuthenticatedClient, HandshakeBody, HelloRandoms, ServerKeyExchange } from './key-exchange.ts';
import type { Transcript } from './transcript.ts';

/**
 * TLS_ECDHE_ECDSA_* with X.509 or raw public keys (RFC 8422 §2.2, RFC 7250). The client has to prove itself too; who
 * has no certificate does not come in.
 */
export class EcdheEcdsaServerKeyExchange implements ServerKeyExchange {
  readonly helloExtensions: HelloExtensions;
  readonly asksForCertificate = true;
  readonly #credentials: ServerCredentials;
  readonly #identity: OwnIdentity;
  readonly #choice: CertificateChoice;
  readonly #share: KeyShare;
  /** The client's: a chain, or one raw public key. */
  #certificates: readonly Uint8Array[] = [];
  #key: KeyObject | undefined;
  /** What it calls itself, for the log. */
  #named: string | undefined;
  #verified = false;

  constructor(
    credentials: ServerCredentials,
    identity: OwnIdentity,
    choice: CertificateChoice,
    group: NamedGroup,
    helloExtensions: HelloExtensions,
  ) {
    this.#credentials = credentials;
    this.#identity = identity;
    this.#choice = choice;
    this.#share = createKeyShare(group);
    this.helloExtensions = helloExtensions;
  }

  get named(): string | undefined {
    return this.#named;
  }

  serverFlight(randoms: HelloRandoms): readonly HandshakeBody[] {
    const { group, publicKey } = this.#share;
    const { scheme, server } = this.#choice;
    const parameters = { group, publicKey };
    const data = signedParameters(randoms, encodeEcdhParameters(parameters));
    const signature = signData(scheme, this.#identity.privateKey, data);
    return [
      {
        type: HandshakeType.CERTIFICATE,
        body: encodeCertificate(server, ownCertificate(this.#identity, server) ?? []),
      },
      {
        type: HandshakeType.SERVER_KEY_EXCHANGE,
        body: encodeSignedServerKeyExchange({ parameters, signed: { algorithm: scheme, signature } }),
      },
      {
        type: HandshakeType.CERTIFICATE_REQUEST,
        body: encodeCertificateRequest({
          certificateTypes: [ClientCertificateType.ECDSA_SIGN],
          signatureAlgorithms: signatureSchemes,
          authorities: [],
        }),
      },
    ];
  }

  clientCertificate(body: Uint8Array): boolean {
    const isRaw = this.#choice.client === CertificateType.RAW_PUBLIC_KEY;
    this.#certificates = isRaw ? [decodeRawPublicKey(body)] : decodeCertificateChain(body);
    const [own] = this.#certificates;
    if (own === undefined || own.length === 0) {
      throw new HandshakeError(
        'bad_certificate',
        AlertDescription.HANDSHAKE_FAILURE,
        'the client has sent no certificate',
      );
    }
    this.#key = isRaw ? rawPublicKey(own) : certificateKey(own);
    this.#named = isRaw ? rawPublicKeyName(own) : subjectOf(own);
    return true;
  }

  clientKeyExchange(body: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(this.#share.secret(decodeEcdheClientKeyExchange(body)));
  }

  certificateVerify(body: Uint8Array, transcript: Transcript): void {
    const { algorithm, signature } = decodeCertificateVerify(body);
    if (this.#key === undefined || !verifyData(algorithm, this.#key, transcript.bytes(), signature)) {
      throw new HandshakeError(
        'wrong_key',
        AlertDescription.DECRYPT_ERROR,
        'the client has not signed with the key of its certificate',
      );
    }
    this.#verified = true;
  }

  async authenticate(): Promise<AuthenticatedClient> {
    const [own] = this.#certificates;
    const isRaw = this.#choice.client === CertificateType.RAW_PUBLIC_KEY;
    if (own === undefined || !this.#verified) return { identity: undefined, reason: 'wrong_key' };
    const { rawPublicKey: findKey, certificate } = this.#credentials;
    try {
      const identity = isRaw ? await findKey?.(own) : await certificate?.(this.#certificates);
      if (identity !== undefined) return { identity };
    } catch (error) {
      const message = `the credentials cannot be asked: ${String(error)}`;
      throw new HandshakeError('unavailable', undefined, message);
    }
    return { identity: undefined, reason: isRaw ? 'unknown_identity' : 'bad_certificate' };
  }
}
