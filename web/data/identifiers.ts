// The one place where subscriber identifiers become text, so that masking them is one change.

/** Countries of three-digit network codes (ITU-T E.212 Annex A as assigned): the Americas, mostly. */
const threeDigitNetworkCodes = new Set(
  [
    302, 310, 311, 312, 313, 314, 316, 334, 338, 342, 344, 346, 348, 352, 354, 356, 358, 360, 365, 366, 376,
    708, 722, 732, 750,
  ].map(String),
);

/** `8901 4103 2111 1851 0720`: groups of four, as printed on a card (ITU-T E.118). */
export function formatIccid(iccid: string): string {
  return iccid.replace(/(.{4})(?=.)/g, '$1 ');
}

/** `35 300000 000791 9`: type allocation code in two parts, serial number, check digit (3GPP TS 23.003 §6.2). */
export function formatImei(imei: string): string {
  return imei.replace(/^(\d{2})(\d{6})(\d{6})(\d{1,2})$/, '$1 $2 $3 $4');
}

/** `310 410 123456789`: country, network, subscriber (ITU-T E.212). */
export function formatImsi(imsi: string): string {
  if (!/^\d{6,15}$/.test(imsi)) return imsi;
  const country = imsi.slice(0, 3);
  const networkEnd = threeDigitNetworkCodes.has(country) ? 6 : 5;
  return `${country} ${imsi.slice(3, networkEnd)} ${imsi.slice(networkEnd)}`;
}
