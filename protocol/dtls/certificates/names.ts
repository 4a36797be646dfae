import { createHash, type X509Certificate } from 'node:crypto';
import { decodeCertificateDetails } from './extensions.ts';

/**
 * What a device's certificate may mean by its endpoint name, in this order: the URIs and DNS names of its subject
 * alternative name, and its common names (OMA-TS-LightweightM2M_Transport §5.2.9.3).
 * @throws DecodeError
 */
export function endpointNames(certificate: X509Certificate): string[] {
  const { uris, dnsNames, commonNames } = decodeCertificateDetails(certificate.raw);
  return [...new Set([...uris, ...dnsNames, ...commonNames])];
}

/** The name of a raw public key: SHA-256 of its SubjectPublicKeyInfo, in hex. */
export function rawPublicKeyName(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('hex');
}

const IP_ADDRESS = /^\d+(\.\d+){3}$|:/;

/** Whether a server's certificate is for that host name or IP address (RFC 6125 §6; the common name where it has no other). */
export function isForHost(certificate: X509Certificate, host: string): boolean {
  const found = IP_ADDRESS.test(host) ? certificate.checkIP(host) : certificate.checkHost(host);
  return found !== undefined;
}
