import { createPrivateKey } from 'node:crypto';
import type { ClientCredentials } from '../protocol/dtls/types.ts';
import { RequestError } from '../protocol/errors.ts';
import { type SecurityAccount, SecurityMode } from './lwm2m/accounts.ts';

/**
 * What an account says of how the modem proves itself, and knows its server: keys and certificates as DER, the private
 * key as PKCS #8 (OMA-TS-LightweightM2M_Core §E.1). Undefined: it comes without security.
 * @throws RequestError what it holds is no key
 */
export function credentialsOfAccount(account: SecurityAccount): ClientCredentials | undefined {
  const { mode, publicKeyOrIdentity, serverPublicKey } = account;
  switch (mode) {
    case SecurityMode.NO_SEC:
      return undefined;
    case SecurityMode.PRE_SHARED_KEY:
      return { kind: 'psk', identity: publicKeyOrIdentity, key: account.secretKey };
    case SecurityMode.RAW_PUBLIC_KEY: {
      const own = { privateKey: privateKeyOf(account), publicKey: publicKeyOrIdentity };
      return { kind: 'rpk', own, serverPublicKey };
    }
    case SecurityMode.CERTIFICATE: {
      const own = { privateKey: privateKeyOf(account), certificateChain: [publicKeyOrIdentity] };
      return { kind: 'x509', own, serverCertificate: serverPublicKey };
    }
    default:
      throw new RequestError(`${account.uri}: security mode ${mode} is not supported`);
  }
}

function privateKeyOf({ uri, secretKey }: SecurityAccount) {
  try {
    return createPrivateKey({ key: Buffer.from(secretKey), format: 'der', type: 'pkcs8' });
  } catch {
    // What OpenSSL says may show a part of it.
    throw new RequestError(`${uri}: the private key of the account cannot be read`);
  }
}
