import type { CipherSuite } from '../crypto/cipher-suites.ts';
import { needsEncryptThenMac } from '../crypto/cipher-suites.ts';
import type { HelloExtensions } from '../messages/hello-extensions.ts';
import type { ClientHello, ServerHello } from '../messages/hello-messages.ts';
import type { ClientCredentials, ServerCredentials } from '../types.ts';
import type { ClientKeyExchange, ServerKeyExchange } from './key-exchange.ts';
import { PskClientKeyExchange, PskServerKeyExchange } from './psk-key-exchange.ts';

/** How a server does that suite's key exchange with that client; undefined where it cannot, for want of credentials or of extensions. */
export function selectServerKeyExchange(
  suite: CipherSuite,
  hello: ClientHello,
  credentials: ServerCredentials,
  random: (bytes: number) => Uint8Array,
): ServerKeyExchange | undefined {
  if (needsEncryptThenMac(suite) && !hello.extensions.encryptThenMac) return undefined;
  if (suite.keyExchange === 'psk' && credentials.psk !== undefined) {
    return new PskServerKeyExchange(credentials.psk, random);
  }
  return undefined;
}

/** Whether a client with those credentials can use that suite. */
export function canOffer(suite: CipherSuite, credentials: ClientCredentials): boolean {
  return credentials.kind === 'psk' && suite.keyExchange === 'psk';
}

/** What a ClientHello says of the key exchanges that it offers: groups, signature algorithms, certificate types. */
export function offeredExtensions(
  _credentials: ClientCredentials,
  _suites: readonly CipherSuite[],
): HelloExtensions {
  return {};
}

/** How the client goes on with what the server has chosen. @throws HandshakeError where that cannot be. */
export function selectClientKeyExchange(
  suite: CipherSuite,
  _hello: ServerHello,
  credentials: ClientCredentials,
): ClientKeyExchange | undefined {
  if (suite.keyExchange === 'psk' && credentials.kind === 'psk') {
    return new PskClientKeyExchange(credentials.identity, credentials.key);
  }
  return undefined;
}
