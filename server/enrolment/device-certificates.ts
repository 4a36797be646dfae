import { X509Certificate } from 'node:crypto';
import { verifyChain } from '../../protocol/dtls/certificates/chain.ts';
import { endpointNames } from '../../protocol/dtls/certificates/names.ts';
import { DecodeError } from '../../protocol/errors.ts';
import type { Credential } from '../ports/credential-store.ts';
import { fingerprintOf } from './public-keys.ts';

/** Names of one certificate that are looked up: a peer chooses how many it has. */
const MOST_NAMES = 8;

export interface CertificateRules {
  readonly authorities: readonly X509Certificate[];
  /** ms since the epoch */
  readonly now: number;
  /** The credential of this name, where it is good now. */
  readonly find: (name: string) => Promise<Credential | undefined>;
}

/**
 * The credential that a device proves by a chain of certificates, DER, its own first
 * (OMA-TS-LightweightM2M_Transport-V1_2 §5.2.8.3): one of its names is enrolled, and the certificate is either the very
 * one that was enrolled, or one that an authority of this server has issued.
 */
export async function certificateCredential(
  chain: readonly Uint8Array[],
  { authorities, now, find }: CertificateRules,
): Promise<Credential | undefined> {
  const [own] = chain;
  if (own === undefined) return undefined;
  let names: readonly string[];
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(own);
    names = endpointNames(leaf);
  } catch (error) {
    if (error instanceof DecodeError || isUnreadable(error)) return undefined;
    throw error;
  }
  const fingerprint = fingerprintOf(own);
  for (const name of names.slice(0, MOST_NAMES)) {
    const credential = await find(name);
    if (credential === undefined || credential.identity.kind !== 'x509') continue;
    const pinned = 'fingerprint' in credential ? credential.fingerprint : undefined;
    if (pinned === undefined) {
      const { problem } = verifyChain(chain, { anchors: authorities, now, purpose: 'client' });
      if (problem === undefined) return credential;
    } else if (pinned === fingerprint && isInTime(leaf, now)) return credential;
  }
  return undefined;
}

function isInTime({ validFromDate, validToDate }: X509Certificate, now: number): boolean {
  return validFromDate.getTime() <= now && now <= validToDate.getTime();
}

/** What OpenSSL says of bytes that are no certificate. */
function isUnreadable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL');
}
