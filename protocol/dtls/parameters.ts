import { RequestError } from '../errors.ts';
import { type CipherSuite, cipherSuiteOf } from './crypto/cipher-suites.ts';

/** RFC 6347 §4.2.3 leaves the size of datagrams to us; RFC 8200 §5 promises 1280 bytes, 48 of which are headers. */
export const DEFAULT_PMTU = 1_232;
export const SMALLEST_PMTU = 256;

/** @throws RequestError where one is not spoken. */
export function suitesOf(ids: readonly number[]): CipherSuite[] {
  return ids.map((id) => {
    const suite = cipherSuiteOf(id);
    if (suite === undefined) throw new RequestError(`there is no cipher suite 0x${id.toString(16)} here`);
    return suite;
  });
}
