// The one place where subscriber identifiers become text: who may see how much of them is decided here.

export type IdentifierKind = 'iccid' | 'imsi' | 'imei';

/** How much a reader gets to see: `none` hides nothing, `subscriber` leaves what names the issuer or the model. */
export type IdentifierMask = 'none' | 'subscriber';

export const identifierNames: Readonly<Record<IdentifierKind, string>> = {
  iccid: 'ICCID',
  imsi: 'IMSI',
  imei: 'IMEI',
};

/** The identifier as it is shown, in its groups. */
export function identifierText(kind: IdentifierKind, value: string, mask: IdentifierMask = 'none'): string {
  return groups[kind](mask === 'none' ? value : masked(kind, value));
}

/** Which identifier a resource holds, by the title that its definition gives it. */
export function identifierKindOf(title: string | undefined): IdentifierKind | undefined {
  const name = /\b(ICCID|IMSI|IMEI)\b/.exec(title ?? '')?.[1];
  return name === undefined ? undefined : (name.toLowerCase() as IdentifierKind);
}

/**
 * Issuer of an ICCID (ITU-T E.118: up to seven digits), country and network of an IMSI, type allocation
 * code of an IMEI: that much says whose it is, or what, and nothing about which.
 */
function masked(kind: IdentifierKind, value: string): string {
  const shown = kind === 'iccid' ? 7 : kind === 'imei' ? 8 : networkEnd(value);
  return value.slice(0, shown) + '•'.repeat(Math.max(0, value.length - shown));
}

const groups: Readonly<Record<IdentifierKind, (value: string) => string>> = {
  iccid: groupIccid,
  imsi: groupImsi,
  imei: groupImei,
};

/** Countries of three-digit network codes (ITU-T E.212 Annex A as assigned): the Americas, mostly. */
const threeDigitNetworkCodes = new Set(
  [
    302, 310, 311, 312, 313, 314, 316, 334, 338, 342, 344, 346, 348, 352, 354, 356, 358, 360, 365, 366, 376,
    708, 722, 732, 750,
  ].map(String),
);

/** `8901 4103 2111 1851 0720`: groups of four, as printed on a card (ITU-T E.118). */
function groupIccid(iccid: string): string {
  return iccid.replace(/(.{4})(?=.)/g, '$1 ');
}

/** `35 300000 000791 9`: type allocation code in two parts, serial number, check digit (3GPP TS 23.003 §6.2). */
function groupImei(imei: string): string {
  return imei.replace(/^(\d{2})(\d{6})([\d•]{6})([\d•]{1,2})$/, '$1 $2 $3 $4');
}

/** `310 410 123456789`: country, network, subscriber (ITU-T E.212). */
function groupImsi(imsi: string): string {
  if (!/^[\d•]{6,15}$/.test(imsi)) return imsi;
  const end = networkEnd(imsi);
  return `${imsi.slice(0, 3)} ${imsi.slice(3, end)} ${imsi.slice(end)}`;
}

function networkEnd(imsi: string): number {
  return threeDigitNetworkCodes.has(imsi.slice(0, 3)) ? 6 : 5;
}
