import { type KeyObject, X509Certificate } from 'node:crypto';
import { equalBytes } from '../crypto/constant-time.ts';
import { HandshakeError } from '../errors.ts';
import { AlertDescription } from '../messages/alert.ts';
import type { ClientCredentials } from '../types.ts';
import { verifyChain } from './chain.ts';
import { isForHost } from './names.ts';
import { certificateKey, rawPublicKey } from './public-key.ts';

/**
 * The key of a server that is the one the client means: its raw public key, or its certificate, is the one that is
 * known, or a trusted authority has issued it for the server's name. Where a client knows the certificate and whom
 * to trust, both have to fit (LwM2M's certificate usage 1, "service certificate constraint"; the certificate alone is 3,
 * an authority alone 0 and 2).
 * @throws HandshakeError
 */
export function serverCertificateKey(
  certificates: readonly Uint8Array[],
  credentials: Exclude<ClientCredentials, { kind: 'psk' }>,
  now: number,
): KeyObject {
  const [own] = certificates;
  if (own === undefined || own.length === 0) throw bad(AlertDescription.BAD_CERTIFICATE, 'it has sent none');
  if (credentials.kind === 'rpk') {
    if (!equalBytes(own, credentials.serverPublicKey)) {
      throw bad(AlertDescription.BAD_CERTIFICATE, 'it has another public key');
    }
    return rawPublicKey(own);
  }
  const { serverCertificate, trusted, serverName } = credentials;
  if (serverCertificate === undefined && trusted === undefined) {
    throw bad(AlertDescription.UNKNOWN_CA, 'the client trusts nobody');
  }
  if (serverCertificate !== undefined && !equalBytes(own, serverCertificate)) {
    throw bad(AlertDescription.BAD_CERTIFICATE, 'it has another certificate');
  }
  if (trusted !== undefined) checkIssued(certificates, trusted, serverName, now);
  return certificateKey(own);
}

function checkIssued(
  chain: readonly Uint8Array[],
  trusted: readonly Uint8Array[],
  serverName: string | undefined,
  now: number,
): void {
  const anchors = trusted.map((der) => new X509Certificate(der));
  const verdict = verifyChain(chain, { anchors, now, purpose: 'server' });
  if (verdict.problem !== undefined) throw bad(AlertDescription.BAD_CERTIFICATE, verdict.problem);
  if (serverName !== undefined && !isForHost(verdict.leaf, serverName)) {
    throw bad(AlertDescription.BAD_CERTIFICATE, `it is not for ${serverName}`);
  }
}

function bad(alert: number, why: string): HandshakeError {
  return new HandshakeError('bad_certificate', alert, `the server's certificate: ${why}`);
}
