import { encodeTlv } from '../ber-tlv.ts';
import { fromHex } from '../hex.ts';

/** The specification that the card follows: GSMA SGP.22 v2.2.2. */
const svn = fromHex('020202');
/** Subject key identifier of the GSMA's test certificate issuer on NIST P-256 (GSMA SGP.26 annex). */
const testIssuer = fromHex('F54172BDF98A95D65CBEB88A38A1C11D800A85C3');
/** Free memory that is told of, bytes. */
const freeNonVolatile = 290_000;
const freeVolatile = 16_384;

const issuers = [encodeTlv(0xa9, encodeTlv(0x04, testIssuer)), encodeTlv(0xaa, encodeTlv(0x04, testIssuer))];

/** EUICCInfo1, GSMA SGP.22 §5.7.8. */
export function euiccInfo1(): readonly Uint8Array[] {
  return [encodeTlv(0x82, svn), ...issuers];
}

/** EUICCInfo2, GSMA SGP.22 §5.7.8, its fields in the order of the ASN.1. */
export function euiccInfo2(profiles: number): readonly Uint8Array[] {
  return [
    // profileVersion: SIMalliance profile package 2.3.1.
    encodeTlv(0x81, fromHex('020301')),
    encodeTlv(0x82, svn),
    // euiccFirmwareVer
    encodeTlv(0x83, fromHex('010000')),
    // extCardResource: installed applications, free memory of both kinds (ETSI TS 102 226 §8.2.1.7).
    encodeTlv(
      0x84,
      encodeTlv(0x81, Uint8Array.of(profiles)),
      encodeTlv(0x82, unsigned32(freeNonVolatile)),
      encodeTlv(0x83, unsigned32(freeVolatile)),
    ),
    // uiccCapability, a BIT STRING: usimSupport (1), akaMilenage (4).
    encodeTlv(0x85, fromHex('0348')),
    // ts102241Version, globalplatformVersion
    encodeTlv(0x86, fromHex('0D0000')),
    encodeTlv(0x87, fromHex('020300')),
    // rspCapability, a BIT STRING: additionalProfile (0).
    encodeTlv(0x88, fromHex('0780')),
    ...issuers,
    // euiccCategory: basicEuicc.
    encodeTlv(0x8b, Uint8Array.of(1)),
    // ppVersion, sasAcreditationNumber
    encodeTlv(0x04, fromHex('010000')),
    encodeTlv(0x0c, new TextEncoder().encode('SY-VI-UP-0001')),
  ];
}

function unsigned32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff);
}
