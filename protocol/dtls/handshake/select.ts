import type { CipherSuite } from '../crypto/cipher-suites.ts';
import { needsEncryptThenMac } from '../crypto/cipher-suites.ts';
import { signatureSchemes } from '../crypto/signatures.ts';
import { HandshakeError } from '../errors.ts';
import { AlertDescription } from '../messages/alert.ts';
import { CertificateType } from '../messages/constants.ts';
import type { HelloExtensions } from '../messages/hello-extensions.ts';
import type { ClientHello, ServerHello } from '../messages/hello-messages.ts';
import type { ClientCredentials, ServerCredentials } from '../types.ts';
import { chooseCertificates } from './certificate-choice.ts';
import { EcdheEcdsaClientKeyExchange } from './ecdhe-ecdsa-client.ts';
import { EcdheEcdsaServerKeyExchange } from './ecdhe-ecdsa-server.ts';
import { EcdhePskClientKeyExchange, EcdhePskServerKeyExchange } from './ecdhe-psk-key-exchange.ts';
import { chooseGroup, groupOffer, pointFormatAnswer } from './groups.ts';
import type { ClientKeyExchange, ServerKeyExchange } from './key-exchange.ts';
import { PskClientKeyExchange, PskServerKeyExchange } from './psk-key-exchange.ts';

/** How a server does that suite's key exchange with that client; undefined where it cannot, for want of credentials or of extensions. */
export function selectServerKeyExchange(
  suite: CipherSuite,
  hello: ClientHello,
  credentials: ServerCredentials,
  random: (bytes: number) => Uint8Array,
): ServerKeyExchange | undefined {
  const { extensions } = hello;
  if (needsEncryptThenMac(suite) && !extensions.encryptThenMac) return undefined;
  const { psk, identity } = credentials;
  if (suite.keyExchange === 'psk') {
    return psk === undefined ? undefined : new PskServerKeyExchange(psk, random);
  }
  const group = chooseGroup(extensions);
  if (group === undefined) return undefined;
  const points = pointFormatAnswer(extensions);
  if (suite.keyExchange === 'ecdhe_psk') {
    return psk === undefined ? undefined : new EcdhePskServerKeyExchange(psk, random, group, points);
  }
  const choice = chooseCertificates(extensions, credentials);
  if (identity === undefined || choice === undefined) return undefined;
  const answer = { ...points, ...choice.answer };
  return new EcdheEcdsaServerKeyExchange(credentials, identity, choice, group, answer);
}

/** Whether a client with those credentials can use that suite. */
export function canOffer(suite: CipherSuite, credentials: ClientCredentials): boolean {
  return (suite.keyExchange === 'ecdhe_ecdsa') === (credentials.kind !== 'psk');
}

/** The certificates that a client shows and takes: both of one kind. */
function certificateTypeOf(credentials: ClientCredentials): CertificateType {
  return credentials.kind === 'rpk' ? CertificateType.RAW_PUBLIC_KEY : CertificateType.X509;
}

/** What a ClientHello says of the key exchanges that it offers: groups, signature algorithms, certificate types. */
export function offeredExtensions(
  credentials: ClientCredentials,
  suites: readonly CipherSuite[],
): HelloExtensions {
  const groups = suites.some(({ keyExchange }) => keyExchange !== 'psk') ? groupOffer : {};
  if (credentials.kind === 'psk') return groups;
  const serverName = credentials.kind === 'x509' ? credentials.serverName : undefined;
  const certificateTypes = [certificateTypeOf(credentials)];
  return {
    ...groups,
    signatureAlgorithms: signatureSchemes,
    // X.509 is what is meant by saying nothing (RFC 7250 §4.1).
    ...(credentials.kind === 'rpk' && {
      clientCertificateTypes: certificateTypes,
      serverCertificateTypes: certificateTypes,
    }),
    // An address is no host name (RFC 6066 §3).
    ...(serverName !== undefined && /[a-z]/i.test(serverName) && !serverName.includes(':') && { serverName }),
  };
}

/** How the client goes on with what the server has chosen. @throws HandshakeError where that cannot be. */
export function selectClientKeyExchange(
  suite: CipherSuite,
  hello: ServerHello,
  credentials: ClientCredentials,
  wallTime: () => number,
): ClientKeyExchange | undefined {
  if (!canOffer(suite, credentials)) return undefined;
  if (credentials.kind === 'psk') {
    const { identity, key } = credentials;
    return suite.keyExchange === 'psk'
      ? new PskClientKeyExchange(identity, key)
      : new EcdhePskClientKeyExchange(identity, key);
  }
  const { serverCertificateTypes, clientCertificateTypes } = hello.extensions;
  const wanted = certificateTypeOf(credentials);
  for (const types of [serverCertificateTypes, clientCertificateTypes]) {
    if ((types?.[0] ?? CertificateType.X509) !== wanted) {
      throw new HandshakeError(
        'no_common_suite',
        AlertDescription.UNSUPPORTED_CERTIFICATE,
        'the server has chosen certificates that were not offered',
      );
    }
  }
  return new EcdheEcdsaClientKeyExchange(credentials, { server: wanted, client: wanted }, wallTime);
}
