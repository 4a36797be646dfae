import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../config.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Certificates of the authorities that sign those of devices, out of a PEM file; none where there is no file.
 * @throws ConfigError one line
 */
export function readAuthorities(path: string | undefined): readonly X509Certificate[] {
  if (path === undefined) return [];
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ConfigError(`SIMYARD_DEVICE_CA: '${path}' cannot be read (${reason})`);
  }
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw new ConfigError(`SIMYARD_DEVICE_CA: there is no certificate in '${path}'`);
  return found.map((pem, index) => {
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(pem);
    } catch {
      throw new ConfigError(`SIMYARD_DEVICE_CA: certificate ${index + 1} in '${path}' cannot be read`);
    }
    if (!certificate.ca) {
      throw new ConfigError(`SIMYARD_DEVICE_CA: certificate ${index + 1} in '${path}' is not an authority's`);
    }
    return certificate;
  });
}
