import { X509Certificate } from 'node:crypto';
import { DecodeError } from '../../errors.ts';
import {
  type CertificateDetails,
  decodeCertificateDetails,
  ExtendedKeyUsage,
  KeyUsage,
} from './extensions.ts';

/** Certificates that are looked at in one chain: RFC 7925 §4.4.1 expects short ones. */
const LONGEST_CHAIN = 6;

export interface ChainRules {
  /** The authorities that are trusted, and no others. */
  readonly anchors: readonly X509Certificate[];
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** What the end entity uses its certificate for. */
  readonly purpose: 'client' | 'server';
}

export type ChainVerdict =
  | { readonly leaf: X509Certificate; readonly details: CertificateDetails; readonly problem?: undefined }
  | { readonly problem: string };

interface Parsed {
  readonly certificate: X509Certificate;
  readonly details: CertificateDetails;
}

/**
 * Whether a chain of certificates, DER, the end entity's first, leads to one of the anchors (RFC 5280 §6): each is
 * valid now, issued and signed by the next, which is an authority, may sign certificates, and is not further from the
 * end entity than its path length allows; the end entity may sign handshakes, and for that purpose. Critical
 * extensions that are not understood (name constraints among them) make a certificate useless. Revocation is by the
 * list of credentials: devices seldom have certificates with CRLs.
 */
export function verifyChain(chain: readonly Uint8Array[], rules: ChainRules): ChainVerdict {
  let parsed: Parsed[];
  try {
    parsed = chain.slice(0, LONGEST_CHAIN).map(parse);
  } catch (error) {
    if (error instanceof DecodeError) return { problem: error.message };
    throw error;
  }
  const [leaf] = parsed;
  if (leaf === undefined) return { problem: 'no certificate' };
  const problem = endEntityProblem(leaf, rules) ?? pathProblem(parsed, rules);
  return problem === undefined ? { leaf: leaf.certificate, details: leaf.details } : { problem };
}

/** @throws DecodeError where it is no certificate. */
function parse(der: Uint8Array): Parsed {
  const details = decodeCertificateDetails(der);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    throw new DecodeError('not a certificate');
  }
  return { certificate, details };
}

function endEntityProblem(leaf: Parsed, { now, purpose }: ChainRules): string | undefined {
  const { keyUsage, extendedKeyUsage } = leaf.details;
  if (keyUsage !== undefined && (keyUsage & KeyUsage.DIGITAL_SIGNATURE) === 0) {
    return 'its key may not sign';
  }
  const wanted = purpose === 'client' ? ExtendedKeyUsage.CLIENT : ExtendedKeyUsage.SERVER;
  if (
    extendedKeyUsage !== undefined &&
    !extendedKeyUsage.includes(wanted) &&
    !extendedKeyUsage.includes(ExtendedKeyUsage.ANY)
  ) {
    return `it is not for a ${purpose}`;
  }
  return certificateProblem(leaf, now);
}

/** What holds for each certificate on the path. */
function certificateProblem({ certificate, details }: Parsed, now: number): string | undefined {
  // Of a time that cannot be read nothing is true.
  if (!(now >= certificate.validFromDate.getTime())) return `it is not valid before ${certificate.validFrom}`;
  if (!(now <= certificate.validToDate.getTime())) return `it was valid until ${certificate.validTo}`;
  const [unknown] = details.unknownCritical;
  return unknown === undefined ? undefined : `its critical extension ${unknown} is not understood`;
}

function pathProblem(path: readonly Parsed[], { anchors, now }: ChainRules): string | undefined {
  const trusted = anchors.map((certificate) => ({
    certificate,
    details: decodeCertificateDetails(certificate.raw),
  }));
  let reason = 'no trusted authority has issued it';
  for (const [below, current] of path.entries()) {
    // An authority that was renewed is there twice: one that will do is enough.
    for (const anchor of trusted) {
      if (!isIssuedBy(current.certificate, anchor.certificate)) continue;
      const problem = authorityProblem(anchor, below, now);
      if (problem === undefined) return undefined;
      reason = problem;
    }
    const issuer = path[below + 1];
    if (issuer === undefined) break;
    if (!isIssuedBy(current.certificate, issuer.certificate)) return 'the chain is broken';
    const problem = authorityProblem(issuer, below, now);
    if (problem !== undefined) return problem;
  }
  return reason;
}

/** `below`: how many authorities stand between this one and the end entity. */
function authorityProblem(issuer: Parsed, below: number, now: number): string | undefined {
  const { authority, keyUsage, pathLength } = issuer.details;
  if (!authority) return 'its issuer is no authority';
  if (keyUsage !== undefined && (keyUsage & KeyUsage.KEY_CERT_SIGN) === 0) {
    return 'its issuer may not sign certificates';
  }
  if (pathLength !== undefined && below > pathLength) return 'the path is longer than an authority allows';
  const problem = certificateProblem(issuer, now);
  return problem === undefined ? undefined : `of its issuer: ${problem}`;
}

/** Hashes that nobody can find collisions of. */
const SOUND_SIGNATURE = /sha(256|384|512)|ed25519/i;

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (!certificate.checkIssued(issuer) || !SOUND_SIGNATURE.test(certificate.signatureAlgorithm ?? '')) {
    return false;
  }
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // The issuer's key is none, or of a kind that nobody here knows: whoever sends a chain chooses what is in it.
    return false;
  }
}
