import { AeadProtection } from './aead-protection.ts';
import { CbcProtection } from './cbc-protection.ts';
import type { RecordProtection } from './protection.ts';

export type { RecordProtection } from './protection.ts';

import type { CipherSuite } from './cipher-suites.ts';

/** `keys` is one direction's flat key string of `deriveKeys`. */
export function createRecordProtection(suite: CipherSuite, keys: Uint8Array): RecordProtection {
  return suite.cipher === 'cbc_sha256' ? new CbcProtection(keys) : new AeadProtection(suite.cipher, keys);
}
