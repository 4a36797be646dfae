import { type IdentifierKind, imsiNetworkEnd } from '../../objects/identifiers.ts';

export { type IdentifierKind, identifierKindOf, isMasked } from '../../objects/identifiers.ts';

// The one place where identifiers become text. Who may not know them gets them masked from the server.

export const identifierNames: Readonly<Record<IdentifierKind, string>> = {
  iccid: 'ICCID',
  imsi: 'IMSI',
  imei: 'IMEI',
  msisdn: 'MSISDN',
  eid: 'EID',
};

/** The identifier as it is shown, in its groups, masked or not. */
export function identifierText(kind: IdentifierKind, value: string): string {
  return groups[kind](value);
}

const groups: Readonly<Record<IdentifierKind, (value: string) => string>> = {
  iccid: inFours,
  imsi: groupImsi,
  imei: groupImei,
  msisdn: (value) => value,
  eid: inFours,
};

/** `8901 4103 2111 1851 0720`: groups of four, as printed on a card (ITU-T E.118). */
function inFours(digits: string): string {
  return digits.replace(/(.{4})(?=.)/g, '$1 ');
}

/** `35 300000 000791 9`: type allocation code in two parts, serial number, check digit (3GPP TS 23.003 §6.2). */
function groupImei(imei: string): string {
  return imei.replace(/^(\d{2})(\d{6})([\d•]{6})([\d•]{1,2})$/, '$1 $2 $3 $4');
}

/** `310 410 123456789`: country, network, subscriber (ITU-T E.212). */
function groupImsi(imsi: string): string {
  if (!/^[\d•]{6,15}$/.test(imsi)) return imsi;
  const end = imsiNetworkEnd(imsi);
  return `${imsi.slice(0, 3)} ${imsi.slice(3, end)} ${imsi.slice(end)}`;
}
