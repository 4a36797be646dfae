import { AeadProtection } from './aead-protection.ts';
import { CbcProtection } from './cbc-protection.ts';
import { CcmProtection } from './ccm-protection.ts';
import type { RecordProtection } from './protection.ts';

export type { RecordProtection } from './protection.ts';

import type { CipherSuite } from './cipher-suites.ts';

/** `keys` is one direction's flat key string of `deriveKeys`. */
export function createRecordProtection({ cipher }: CipherSuite, keys: Uint8Array): RecordProtection {
  if (cipher === 'cbc_sha256') return new CbcProtection(keys);
  return cipher === 'gcm' ? new AeadProtection(cipher, keys) : new CcmProtection(cipher, keys);
}
