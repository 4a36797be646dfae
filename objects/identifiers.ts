// What names a subscriber, a card or a piece of equipment, and how much of it may be shown to whom.

export const identifierKinds = ['iccid', 'imsi', 'imei', 'msisdn', 'eid'] as const;
export type IdentifierKind = (typeof identifierKinds)[number];

const titles: Readonly<Record<string, IdentifierKind>> = {
  ICCID: 'iccid',
  IMSI: 'imsi',
  IMEI: 'imei',
  MSISDN: 'msisdn',
  EID: 'eid',
  'eUICC ID': 'eid',
};

/** Which identifier a resource holds, by the title that its definition gives it. */
export function identifierKindOf(title: string | undefined): IdentifierKind | undefined {
  const name = /\b(ICCID|IMSI|IMEI|MSISDN|EID|eUICC ID)\b/.exec(title ?? '')?.[1];
  return name === undefined ? undefined : titles[name];
}

/** Whether a resource holds what lets somebody in, by the title that its definition gives it: of it nothing is shown. */
export function isSecretTitle(title: string | undefined): boolean {
  return /\b(Secret|Password|Passphrase|PIN|PUK|(Private|Secret|WEP|Encryption|Authentication) Keys?)\b/i.test(
    title ?? '',
  );
}

/** Stands for what is not shown. */
export const maskCharacter = '•';

/** Something of it is not shown. */
export function isMasked(value: string): boolean {
  return value.includes(maskCharacter);
}

/**
 * What is left for who may not know which: the issuer of an ICCID (ITU-T E.118: up to seven digits), country and
 * network of an IMSI (ITU-T E.212), type allocation code of an IMEI (3GPP TS 23.003 §6.2), country of an MSISDN
 * (ITU-T E.164: up to three digits), country and manufacturer of an EID (GSMA SGP.02: eight digits). Of a text that is
 * no longer than that nothing is.
 */
export function maskIdentifier(kind: IdentifierKind, value: string): string {
  const shown = shownOf(kind, value);
  if (value.length <= shown) return maskCharacter.repeat(value.length);
  return value.slice(0, shown) + maskCharacter.repeat(value.length - shown);
}

function shownOf(kind: IdentifierKind, value: string): number {
  switch (kind) {
    case 'iccid':
      return 7;
    case 'imei':
    case 'eid':
      return 8;
    case 'imsi':
      return imsiNetworkEnd(value);
    case 'msisdn':
      return value.startsWith('+') ? 4 : 3;
  }
}

/** Countries of three-digit network codes (ITU-T E.212 Annex A as assigned): the Americas, mostly. */
const threeDigitNetworkCodes = new Set(
  [
    302, 310, 311, 312, 313, 314, 316, 334, 338, 342, 344, 346, 348, 352, 354, 356, 358, 360, 365, 366, 376,
    708, 722, 732, 750,
  ].map(String),
);

/** Where the subscriber's own number begins in an IMSI: behind country and network. */
export function imsiNetworkEnd(imsi: string): number {
  return threeDigitNetworkCodes.has(imsi.slice(0, 3)) ? 6 : 5;
}
