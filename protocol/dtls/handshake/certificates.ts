import { decodeCertificateDetails } from '../certificates/extensions.ts';
import { encodeCertificateChain, encodeRawPublicKey } from '../messages/certificate-messages.ts';
import { CertificateType } from '../messages/constants.ts';
import type { HelloRandoms } from './key-exchange.ts';
import { printable } from './printable.ts';

/** The body of a Certificate message; without certificates that of a client that has none. */
export function encodeCertificate(type: CertificateType, certificates: readonly Uint8Array[]): Uint8Array {
  if (type === CertificateType.X509) return encodeCertificateChain(certificates);
  return encodeRawPublicKey(certificates[0] ?? new Uint8Array(0));
}

/** What a server signs in its ServerKeyExchange (RFC 8422 §5.4). */
export function signedParameters(randoms: HelloRandoms, parameters: Uint8Array): Uint8Array {
  return Buffer.concat([randoms.client, randoms.server, parameters]);
}

/** What a certificate calls its owner, for the log. */
export function subjectOf(certificate: Uint8Array): string {
  const { commonNames, uris, dnsNames } = decodeCertificateDetails(certificate);
  return printable(Buffer.from(commonNames[0] ?? uris[0] ?? dnsNames[0] ?? ''));
}
