import { type CipherSuite, cipherSuiteOf, needsEncryptThenMac } from '../crypto/cipher-suites.ts';
import { HandshakeError } from '../errors.ts';
import { AlertDescription } from '../messages/alert.ts';
import { DtlsVersion, NO_COMPRESSION, SignallingSuite } from '../messages/constants.ts';
import type { HelloExtensions } from '../messages/hello-extensions.ts';
import type { ClientHello } from '../messages/hello-messages.ts';
import { MAX_PLAINTEXT } from '../records/record.ts';
import type { ServerCredentials } from '../types.ts';
import type { ServerKeyExchange } from './key-exchange.ts';
import { selectServerKeyExchange } from './select.ts';

/** What is refused whatever the suite. @throws HandshakeError */
export function checkClientHello(hello: ClientHello): void {
  // Versions of DTLS count downwards (RFC 6347 §4.1).
  if (hello.version > DtlsVersion.DTLS_1_2) {
    throw new HandshakeError(
      'no_common_suite',
      AlertDescription.PROTOCOL_VERSION,
      'an older version of DTLS',
    );
  }
  if (!hello.compressionMethods.includes(NO_COMPRESSION)) {
    throw new HandshakeError(
      'malformed',
      AlertDescription.ILLEGAL_PARAMETER,
      'nothing but compression is offered',
    );
  }
  // RFC 5746 §3.6: it is not empty in a renegotiation alone.
  if ((hello.extensions.renegotiationInfo?.length ?? 0) > 0) {
    throw new HandshakeError(
      'malformed',
      AlertDescription.HANDSHAKE_FAILURE,
      'a renegotiation in a first hello',
    );
  }
  const { maxFragmentLength } = hello.extensions;
  if (maxFragmentLength !== undefined && (maxFragmentLength < 1 || maxFragmentLength > 4)) {
    throw new HandshakeError(
      'malformed',
      AlertDescription.ILLEGAL_PARAMETER,
      'an unknown length of fragments',
    );
  }
}

/** The best suite that both have, and how it is done. @throws HandshakeError where there is none. */
export function chooseSuite(
  hello: ClientHello,
  suites: readonly CipherSuite[],
  credentials: ServerCredentials,
  random: (bytes: number) => Uint8Array,
): { readonly suite: CipherSuite; readonly exchange: ServerKeyExchange } {
  const offered = new Set(hello.cipherSuites);
  for (const suite of suites) {
    if (!offered.has(suite.id)) continue;
    const exchange = selectServerKeyExchange(suite, hello, credentials, random);
    if (exchange !== undefined) return { suite, exchange };
  }
  const names = hello.cipherSuites.map((id) => cipherSuiteOf(id)?.name ?? `0x${id.toString(16)}`);
  throw new HandshakeError(
    'no_common_suite',
    AlertDescription.HANDSHAKE_FAILURE,
    `no cipher suite in common: ${names.slice(0, 16).join(', ')}`,
  );
}

/** The ServerHello's extensions: answers to those of the ClientHello, and no others (RFC 5246 §7.4.1.4). */
export function answerExtensions(
  hello: ClientHello,
  suite: CipherSuite,
  connectionId: Uint8Array | undefined,
  ofExchange: HelloExtensions,
): HelloExtensions {
  const { extensions, cipherSuites } = hello;
  const { maxFragmentLength } = extensions;
  const secureRenegotiation =
    extensions.renegotiationInfo !== undefined ||
    cipherSuites.includes(SignallingSuite.EMPTY_RENEGOTIATION_INFO);
  return {
    ...ofExchange,
    ...(maxFragmentLength !== undefined && { maxFragmentLength }),
    ...(extensions.encryptThenMac && needsEncryptThenMac(suite) && { encryptThenMac: true }),
    ...(extensions.extendedMasterSecret && { extendedMasterSecret: true }),
    ...(connectionId !== undefined && { connectionId }),
    ...(connectionId !== undefined && extensions.rrc && { rrc: true }),
    ...(secureRenegotiation && { renegotiationInfo: new Uint8Array(0) }),
  };
}

/** Bytes of plaintext in a record, by the code of RFC 6066 §4. */
export function maxPlaintextOf({ maxFragmentLength }: HelloExtensions): number {
  return maxFragmentLength === undefined ? MAX_PLAINTEXT : 2 ** (8 + maxFragmentLength);
}
