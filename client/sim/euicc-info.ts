import { DecodeError } from '../../protocol/errors.ts';
import { decodeTlvs, findTlv, type Tlv } from './ber-tlv.ts';
import { cardText } from './card-text.ts';
import { toHex } from './hex.ts';

/** What an eUICC is and can do, GSMA SGP.22 §5.7.8 (EUICCInfo2). Versions are as `2.2.2`. */
export interface EuiccInfo2 {
  /** Of the profile packages that it takes (SIMalliance). */
  readonly profileVersion: string;
  /** Of SGP.22 that it follows. */
  readonly specificationVersion: string;
  readonly firmwareVersion: string;
  /** Extended card resources, ETSI TS 102 226 §8.2.1.7.2. */
  readonly resources: {
    readonly installedApplications: number | undefined;
    /** Bytes. */
    readonly freeNonVolatileMemory: number | undefined;
    /** Bytes. */
    readonly freeVolatileMemory: number | undefined;
  };
  readonly globalPlatformVersion: string | undefined;
  readonly javaCardVersion: string | undefined;
  /** Key identifiers of the certificate issuers that it trusts, hex. */
  readonly verificationKeys: readonly string[];
  /** Of those that have signed its own certificate, hex. */
  readonly signingKeys: readonly string[];
  /** 0 other, 1 basic, 2 medium, 3 contactless. */
  readonly category: number | undefined;
  readonly protectionProfileVersion: string;
  readonly accreditation: string;
}

/** The value of an EUICCInfo2 (tag BF22). @throws DecodeError */
export function decodeEuiccInfo2(bytes: Uint8Array): EuiccInfo2 {
  const tlvs = decodeTlvs(bytes);
  const value = (tag: number): Uint8Array | undefined => tlvs.find((tlv) => tlv.tag === tag)?.value;
  const needed = (tag: number, name: string): Uint8Array => {
    const found = value(tag);
    if (found === undefined) throw new DecodeError(`EUICCInfo2 without ${name}`);
    return found;
  };
  const resources = needed(0x84, 'extCardResource');
  const amount = (tag: number): number | undefined => wholeNumber(findTlv(resources, tag));
  return {
    profileVersion: version(needed(0x81, 'profileVersion')),
    specificationVersion: version(needed(0x82, 'svn')),
    firmwareVersion: version(needed(0x83, 'euiccFirmwareVer')),
    resources: {
      installedApplications: amount(0x81),
      freeNonVolatileMemory: amount(0x82),
      freeVolatileMemory: amount(0x83),
    },
    javaCardVersion: optionalVersion(value(0x86)),
    globalPlatformVersion: optionalVersion(value(0x87)),
    verificationKeys: keyIds(value(0xa9)),
    signingKeys: keyIds(value(0xaa)),
    category: wholeNumber(value(0x8b)),
    protectionProfileVersion: version(needed(0x04, 'ppVersion')),
    accreditation: cardText(value(0x0c)),
  };
}

/** VersionType: three bytes. */
function version(bytes: Uint8Array): string {
  if (bytes.length !== 3) throw new DecodeError(`a version has 3 bytes, not ${bytes.length}`);
  return bytes.join('.');
}

function optionalVersion(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : version(bytes);
}

/** Up to six bytes, unsigned, as a number. */
function wholeNumber(bytes: Uint8Array | undefined): number | undefined {
  if (bytes === undefined) return undefined;
  if (bytes.length < 1 || bytes.length > 6) throw new DecodeError(`a number of ${bytes.length} bytes`);
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

function keyIds(list: Uint8Array | undefined): readonly string[] {
  const tlvs: readonly Tlv[] = list === undefined ? [] : decodeTlvs(list);
  return tlvs.filter(({ tag }) => tag === 0x04).map(({ value }) => toHex(value));
}
