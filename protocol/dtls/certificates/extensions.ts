import { DecodeError } from '../../errors.ts';
import { type DerElement, DerTag, derElement, derElements, derObjectIdentifier, derText } from './der.ts';

/** What is read of a certificate beside what node:crypto tells (RFC 5280 §4.1, §4.2.1). */
export interface CertificateDetails {
  /** Common names of the subject, as they come. */
  readonly commonNames: readonly string[];
  /** dNSName and uniformResourceIdentifier of the subject alternative name. */
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  /** cA of the basic constraints. */
  readonly authority: boolean;
  /** How many authorities may stand between this one and the end entity; undefined: any number. */
  readonly pathLength: number | undefined;
  /** Bits of the key usage as they stand there, 0x80 for digitalSignature; undefined where the extension is missing. */
  readonly keyUsage: number | undefined;
  /** Object identifiers of the extended key usage; undefined where it is missing. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** Object identifiers of critical extensions that are not understood: such a certificate is not to be used. */
  readonly unknownCritical: readonly string[];
}

export const KeyUsage = { DIGITAL_SIGNATURE: 0x80, KEY_CERT_SIGN: 0x04 } as const;

export const ExtendedKeyUsage = {
  ANY: '2.5.29.37.0',
  SERVER: '1.3.6.1.5.5.7.3.1',
  CLIENT: '1.3.6.1.5.5.7.3.2',
} as const;

const COMMON_NAME = '2.5.4.3';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
/** `[3]` of TBSCertificate. */
const EXTENSIONS = 0xa3;
/** `[0]` of TBSCertificate. */
const VERSION = 0xa0;
/** Choices of GeneralName. */
const DNS_NAME = 0x82;
const URI = 0x86;

/** @throws DecodeError */
export function decodeCertificateDetails(certificate: Uint8Array): CertificateDetails {
  const [tbs] = derElements(derElement(certificate, DerTag.SEQUENCE));
  if (tbs === undefined || tbs.tag !== DerTag.SEQUENCE) throw new DecodeError('no certificate');
  const fields = derElements(tbs.content);
  if (fields[0]?.tag === VERSION) fields.shift();
  // serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
  const subject = fields[4];
  if (subject === undefined) throw new DecodeError('a certificate without a subject');
  const extensions = extensionsOf(fields);
  const take = (id: string) => {
    const extension = extensions.get(id);
    extensions.delete(id);
    return extension?.value;
  };
  const constraints = basicConstraints(take(BASIC_CONSTRAINTS));
  const names = alternativeNames(take(SUBJECT_ALT_NAME));
  const usage = keyUsage(take(KEY_USAGE));
  const purposes = extendedKeyUsage(take(EXTENDED_KEY_USAGE));
  return {
    commonNames: commonNames(subject),
    ...names,
    ...constraints,
    keyUsage: usage,
    extendedKeyUsage: purposes,
    unknownCritical: [...extensions].filter(([, { critical }]) => critical).map(([id]) => id),
  };
}

interface X509Extension {
  readonly critical: boolean;
  readonly value: Uint8Array;
}

function extensionsOf(fields: readonly DerElement[]): Map<string, X509Extension> {
  const extensions = new Map<string, X509Extension>();
  const field = fields.find(({ tag }) => tag === EXTENSIONS);
  if (field === undefined) return extensions;
  for (const { content } of derElements(derElement(field.content, DerTag.SEQUENCE))) {
    const parts = derElements(content);
    const [id, value] = [parts[0], parts.at(-1)];
    if (id?.tag !== DerTag.OBJECT_IDENTIFIER || value?.tag !== DerTag.OCTET_STRING) {
      throw new DecodeError('a malformed extension of a certificate');
    }
    const name = derObjectIdentifier(id.content);
    // RFC 5280 §4.2: no more than one of a kind.
    if (extensions.has(name)) throw new DecodeError(`extension ${name} of a certificate comes twice`);
    const critical = parts[1]?.tag === DerTag.BOOLEAN && parts[1].content.some((byte) => byte !== 0);
    extensions.set(name, { critical, value: value.content });
  }
  return extensions;
}

function commonNames(subject: DerElement): string[] {
  const names: string[] = [];
  for (const set of derElements(subject.content)) {
    for (const attribute of derElements(set.content)) {
      const [type, value] = derElements(attribute.content);
      if (type === undefined || value === undefined) throw new DecodeError('a malformed name');
      const text = derObjectIdentifier(type.content) === COMMON_NAME ? derText(value) : undefined;
      if (text !== undefined) names.push(text);
    }
  }
  return names;
}

function alternativeNames(value: Uint8Array | undefined): { dnsNames: string[]; uris: string[] } {
  const dnsNames: string[] = [];
  const uris: string[] = [];
  if (value !== undefined) {
    for (const { tag, content } of derElements(derElement(value, DerTag.SEQUENCE))) {
      if (tag === DNS_NAME) dnsNames.push(Buffer.from(content).toString('latin1'));
      if (tag === URI) uris.push(Buffer.from(content).toString('latin1'));
    }
  }
  return { dnsNames, uris };
}

function basicConstraints(
  value: Uint8Array | undefined,
): Pick<CertificateDetails, 'authority' | 'pathLength'> {
  const parts = value === undefined ? [] : derElements(derElement(value, DerTag.SEQUENCE));
  const authority = parts.some(({ tag, content }) => tag === DerTag.BOOLEAN && content[0] === 0xff);
  const length = parts.find(({ tag }) => tag === DerTag.INTEGER);
  if (length === undefined) return { authority, pathLength: undefined };
  const pathLength = length.content.reduce((sum, byte) => sum * 256 + byte, 0);
  return { authority, pathLength };
}

function keyUsage(value: Uint8Array | undefined): number | undefined {
  if (value === undefined) return undefined;
  // The first byte tells how many bits are unused.
  return derElement(value, DerTag.BIT_STRING)[1] ?? 0;
}

function extendedKeyUsage(value: Uint8Array | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  return derElements(derElement(value, DerTag.SEQUENCE)).map(({ content }) => derObjectIdentifier(content));
}
