import { chooseSignatureScheme, type SignatureScheme } from '../crypto/signatures.ts';
import { CertificateType } from '../messages/constants.ts';
import type { HelloExtensions } from '../messages/hello-extensions.ts';
import type { OwnIdentity, ServerCredentials } from '../types.ts';

/** How both sides of an ECDHE_ECDSA handshake prove who they are. */
export interface CertificateChoice {
  readonly server: CertificateType;
  readonly client: CertificateType;
  readonly scheme: SignatureScheme;
  /** For the ServerHello: what was asked is answered (RFC 7250 §4.2). */
  readonly answer: HelloExtensions;
}

/**
 * What fits the client's hello and this server's credentials; undefined where nothing does. A client that does not
 * say what certificates it takes takes X.509 (RFC 7250 §4.1), one that names no signature algorithms takes SHA-1
 * alone (RFC 5246 §7.4.1.4.1), which is not given.
 */
export function chooseCertificates(
  hello: HelloExtensions,
  credentials: ServerCredentials,
): CertificateChoice | undefined {
  const { identity } = credentials;
  if (identity === undefined) return undefined;
  const client = firstOf(hello.clientCertificateTypes, (type) =>
    type === CertificateType.RAW_PUBLIC_KEY
      ? credentials.rawPublicKey !== undefined
      : credentials.certificate !== undefined,
  );
  // A client that shows a raw public key seldom has anything to check a certificate with.
  const alike = (hello.serverCertificateTypes ?? []).filter((type) => type === client);
  const others = hello.serverCertificateTypes ?? [CertificateType.X509];
  const server = firstOf([...alike, ...others], (type) => ownCertificate(identity, type) !== undefined);
  const scheme = chooseSignatureScheme(identity.privateKey, hello.signatureAlgorithms ?? []);
  if (server === undefined || client === undefined || scheme === undefined) return undefined;
  const answer = {
    ...(hello.serverCertificateTypes !== undefined && { serverCertificateTypes: [server] }),
    ...(hello.clientCertificateTypes !== undefined && { clientCertificateTypes: [client] }),
  };
  return { server, client, scheme, answer };
}

/** The one that is offered first and will do. */
function firstOf(
  offered: readonly number[] | undefined,
  willDo: (type: CertificateType) => boolean,
): CertificateType | undefined {
  return (offered ?? [CertificateType.X509]).find(
    (type): type is CertificateType =>
      (type === CertificateType.X509 || type === CertificateType.RAW_PUBLIC_KEY) && willDo(type),
  );
}

/** What stands in the own Certificate message, by its kind; undefined where the identity has none of that. */
export function ownCertificate(
  identity: OwnIdentity,
  type: CertificateType,
): readonly Uint8Array[] | undefined {
  if (type === CertificateType.X509) return identity.certificateChain;
  return identity.publicKey === undefined ? undefined : [identity.publicKey];
}
