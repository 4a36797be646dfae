import { RequestError } from '../errors.ts';
import { type CipherSuite, cipherSuiteOf } from './crypto/cipher-suites.ts';
import type { DtlsLimits } from './types.ts';

/** RFC 6347 §4.2.3 leaves the size of datagrams to us; RFC 8200 §5 promises 1280 bytes, 48 of which are headers. */
export const DEFAULT_PMTU = 1_232;
export const SMALLEST_PMTU = 256;

export const defaultLimits: DtlsLimits = {
  sessions: 200_000,
  handshakes: 4_096,
  handshakeTime: 120_000,
  handshakeMessage: 8_192,
  cachedKeys: 16_384,
  resumable: 10_000,
  resumableTime: 24 * 3_600_000,
  lookups: 256,
};

/** @throws RequestError where one is not spoken. */
export function suitesOf(ids: readonly number[]): CipherSuite[] {
  return ids.map((id) => {
    const suite = cipherSuiteOf(id);
    if (suite === undefined) throw new RequestError(`there is no cipher suite 0x${id.toString(16)} here`);
    return suite;
  });
}
