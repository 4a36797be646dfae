import type { KeyObject } from 'node:crypto';
import { serverCertificateKey } from '../certificates/server-trust.ts';
import type { KeyShare } from '../crypto/ecdhe.ts';
import { chooseSignatureScheme, type SignatureScheme, signData, verifyData } from '../crypto/signatures.ts';
import { HandshakeError } from '../errors.ts';
import { AlertDescription } from '../messages/alert.ts';
import {
  decodeCertificateChain,
  decodeCertificateRequest,
  decodeRawPublicKey,
  encodeCertificateVerify,
} from '../messages/certificate-messages.ts';
import { CertificateType } from '../messages/constants.ts';
import {
  decodeSignedServerKeyExchange,
  encodeEcdheClientKeyExchange,
  encodeEcdhParameters,
} from '../messages/key-exchange-messages.ts';
import type { ClientCredentials } from '../types.ts';
import { ownCertificate } from './certificate-choice.ts';
import { encodeCertificate, signedParameters } from './certificates.ts';
import { answerKeyShare } from './groups.ts';
import type { ClientKeyExchange, HelloRandoms } from './key-exchange.ts';
import type { Transcript } from './transcript.ts';

export type CertificateCredentials = Exclude<ClientCredentials, { kind: 'psk' }>;

/** TLS_ECDHE_ECDSA_* for a client. Its server is known by its key, its certificate, or who has issued that. */
export class EcdheEcdsaClientKeyExchange implements ClientKeyExchange {
  readonly #credentials: CertificateCredentials;
  /** What the server sends, and what it wants of us. */
  readonly #types: { readonly server: CertificateType; readonly client: CertificateType };
  readonly #wallTime: () => number;
  #serverKey: KeyObject | undefined;
  #answer: { readonly share: KeyShare; readonly secret: Uint8Array } | undefined;
  #asked = false;
  #scheme: SignatureScheme | undefined;

  constructor(
    credentials: CertificateCredentials,
    types: { readonly server: CertificateType; readonly client: CertificateType },
    wallTime: () => number,
  ) {
    this.#credentials = credentials;
    this.#types = types;
    this.#wallTime = wallTime;
  }

  serverCertificate(body: Uint8Array): void {
    const isRaw = this.#types.server === CertificateType.RAW_PUBLIC_KEY;
    const certificates = isRaw ? [decodeRawPublicKey(body)] : decodeCertificateChain(body);
    this.#serverKey = serverCertificateKey(certificates, this.#credentials, this.#wallTime());
  }

  serverKeyExchange(body: Uint8Array, randoms: HelloRandoms): void {
    const { parameters, signed } = decodeSignedServerKeyExchange(body);
    const key = this.#serverKey;
    if (key === undefined) throw missing('a Certificate');
    const data = signedParameters(randoms, encodeEcdhParameters(parameters));
    if (!verifyData(signed.algorithm, key, data, signed.signature)) {
      throw new HandshakeError(
        'wrong_key',
        AlertDescription.DECRYPT_ERROR,
        'the server has not signed with the key of its certificate',
      );
    }
    this.#answer = answerKeyShare(parameters);
  }

  certificateRequest(body: Uint8Array): void {
    const { signatureAlgorithms } = decodeCertificateRequest(body);
    this.#asked = true;
    this.#scheme = chooseSignatureScheme(this.#credentials.own.privateKey, signatureAlgorithms);
  }

  serverDone(): void {
    this.#needAnswer();
  }

  certificate(): Uint8Array | undefined {
    if (!this.#asked) return undefined;
    // Who cannot sign as is asked has nothing to show (RFC 5246 §7.4.6).
    const certificates =
      this.#scheme === undefined ? [] : (ownCertificate(this.#credentials.own, this.#types.client) ?? []);
    if (certificates.length === 0) this.#scheme = undefined;
    return encodeCertificate(this.#types.client, certificates);
  }

  clientKeyExchange(): { readonly body: Uint8Array; readonly premaster: Uint8Array } {
    const { share, secret } = this.#needAnswer();
    return { body: encodeEcdheClientKeyExchange(share.publicKey), premaster: secret };
  }

  certificateVerify(transcript: Transcript): Uint8Array | undefined {
    if (this.#scheme === undefined) return undefined;
    const signature = signData(this.#scheme, this.#credentials.own.privateKey, transcript.bytes());
    return encodeCertificateVerify({ algorithm: this.#scheme, signature });
  }

  #needAnswer(): { readonly share: KeyShare; readonly secret: Uint8Array } {
    if (this.#answer === undefined) throw missing('a ServerKeyExchange');
    return this.#answer;
  }
}

function missing(what: string): HandshakeError {
  return new HandshakeError(
    'malformed',
    AlertDescription.UNEXPECTED_MESSAGE,
    `the server has left out ${what}`,
  );
}
