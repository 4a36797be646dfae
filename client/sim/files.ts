import { DecodeError, RequestError } from '../../protocol/errors.ts';
import { decodeAlpha, encodeAlpha } from './alpha-coding.ts';
import { Ins } from './apdu.ts';
import type { CardSession } from './card-session.ts';
import { shownText } from './card-text.ts';

/** File ids: ETSI TS 102 221 §13, 3GPP TS 31.102 §4. */
export const FileId = {
  MF: 0x3f00,
  EF_ICCID: 0x2fe2,
  ADF_USIM: 0x7fff,
  DF_GSM: 0x7f20,
  EF_IMSI: 0x6f07,
  EF_SPN: 0x6f46,
  EF_LOCI: 0x6f7e,
  EF_AD: 0x6fad,
} as const;

/** The USIM application, ETSI TS 101 220: RID of 3GPP and application code 1002; cards add more bytes. */
export const usimAid = Uint8Array.of(0xa0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02);

/** Two digits a byte, the first in the low half, filled with F (ITU-T E.118; 3GPP TS 31.102 §4.2.2). */
function encodeSwappedBcd(digits: string, length: number): Uint8Array {
  if (!/^[0-9]*$/.test(digits) || digits.length > length * 2) {
    throw new RequestError(`not at most ${length * 2} digits: ${digits}`);
  }
  const padded = digits.padEnd(length * 2, 'F');
  return Uint8Array.from({ length }, (_, i) =>
    Number.parseInt(`${padded[i * 2 + 1] ?? 'F'}${padded[i * 2] ?? 'F'}`, 16),
  );
}

function decodeSwappedBcd(bytes: Uint8Array): string {
  let digits = '';
  let ended = false;
  for (const byte of bytes) {
    for (const nibble of [byte & 0x0f, byte >> 4]) {
      if (nibble === 0x0f) ended = true;
      else if (ended || nibble > 9) throw new DecodeError(`no BCD digit: ${nibble.toString(16)}`);
      else digits += nibble;
    }
  }
  return digits;
}

/** EF_ICCID, ETSI TS 102 221 §13.2: 10 bytes. */
export function encodeIccid(iccid: string): Uint8Array {
  return encodeSwappedBcd(iccid, 10);
}

/** @throws DecodeError */
export function decodeIccid(bytes: Uint8Array): string {
  if (bytes.length !== 10) throw new DecodeError(`EF_ICCID has 10 bytes, not ${bytes.length}`);
  return decodeSwappedBcd(bytes);
}

/** EF_IMSI, 3GPP TS 31.102 §4.2.2: a length, then parity and first digit in one byte, then digits. */
export function encodeImsi(imsi: string): Uint8Array {
  if (!/^[0-9]{6,15}$/.test(imsi)) throw new RequestError(`an IMSI has 6 to 15 digits: ${imsi}`);
  const parity = imsi.length % 2 === 1 ? 9 : 1;
  const body = encodeSwappedBcd(`${parity}${imsi}`, 8);
  return Uint8Array.of(Math.ceil((imsi.length + 1) / 2), ...body);
}

/** @throws DecodeError */
export function decodeImsi(bytes: Uint8Array): string {
  const length = bytes[0];
  if (length === undefined || length < 1 || length > 8 || bytes.length < 1 + length) {
    throw new DecodeError('EF_IMSI: its length byte does not fit');
  }
  const digits = decodeSwappedBcd(bytes.slice(1, 1 + length));
  const parity = digits[0];
  if (parity !== '9' && parity !== '1') throw new DecodeError('EF_IMSI: no parity digit');
  return digits.slice(1);
}

/** EF_SPN, 3GPP TS 31.102 §4.2.12: display condition, then the name in 16 bytes. */
export function encodeSpn(name: string): Uint8Array {
  return Uint8Array.of(0x01, ...encodeAlpha(name, 16));
}

/** @throws DecodeError */
export function decodeSpn(bytes: Uint8Array): string {
  if (bytes.length < 1) throw new DecodeError('EF_SPN is empty');
  return shownText(decodeAlpha(bytes.subarray(1)));
}

/** EF_AD, 3GPP TS 31.102 §4.2.18. */
export interface AdministrativeData {
  /** 0x00 normal operation, 0x80 type approval, 0x04 maintenance, … */
  readonly operationMode: number;
  /** Digits of the network code in the IMSI; undefined: the card does not say. */
  readonly mncLength: 2 | 3 | undefined;
}

/** @throws DecodeError */
export function decodeAdministrativeData(bytes: Uint8Array): AdministrativeData {
  const operationMode = bytes[0];
  if (operationMode === undefined || bytes.length < 3) {
    throw new DecodeError(`EF_AD has 3 bytes at least, not ${bytes.length}`);
  }
  const length = (bytes[3] ?? 0) & 0x0f;
  return { operationMode, mncLength: length === 2 || length === 3 ? length : undefined };
}

export function encodeAdministrativeData({ operationMode, mncLength }: AdministrativeData): Uint8Array {
  return Uint8Array.of(operationMode, 0, 0, ...(mncLength === undefined ? [] : [mncLength]));
}

/** Where the card was registered last: EF_LOCI, 3GPP TS 31.102 §4.2.17. */
export interface LastLocation {
  /** Undefined: none was given. */
  readonly tmsi: number | undefined;
  /** Undefined: the card was on no network yet. */
  readonly network: { readonly mcc: string; readonly mnc: string } | undefined;
  /** Location area code. */
  readonly areaCode: number;
  readonly status: 'updated' | 'not-updated' | 'network-not-allowed' | 'area-not-allowed';
}

const locationStatuses = ['updated', 'not-updated', 'network-not-allowed', 'area-not-allowed'] as const;
const noTmsi = 0xffff_ffff;

/** @throws DecodeError */
export function decodeLastLocation(bytes: Uint8Array): LastLocation {
  if (bytes.length !== 11) throw new DecodeError(`EF_LOCI has 11 bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const tmsi = view.getUint32(0);
  const status = locationStatuses[(bytes[10] ?? 0) & 0x07];
  if (status === undefined) throw new DecodeError('EF_LOCI with a status that is none');
  return {
    tmsi: tmsi === noTmsi ? undefined : tmsi,
    network: decodeNetworkCode(bytes.subarray(4, 7)),
    areaCode: view.getUint16(7),
    status,
  };
}

/** @throws RequestError no network code of 5 or 6 digits */
export function encodeLastLocation(location: LastLocation): Uint8Array {
  const bytes = new Uint8Array(11).fill(0xff);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, location.tmsi ?? noTmsi);
  if (location.network !== undefined) bytes.set(encodeNetworkCode(location.network), 4);
  view.setUint16(7, location.areaCode);
  bytes[10] = locationStatuses.indexOf(location.status);
  return bytes;
}

/** Country and network code in three bytes (3GPP TS 24.008 §10.5.1.3); undefined: FFFFFF. @throws DecodeError */
export function decodeNetworkCode(
  bytes: Uint8Array,
): { readonly mcc: string; readonly mnc: string } | undefined {
  const nibbles = [...bytes].flatMap((byte) => [byte & 0x0f, byte >> 4]);
  if (nibbles.length !== 6) throw new DecodeError('a network code has 3 bytes');
  if (nibbles.every((nibble) => nibble === 0x0f)) return undefined;
  const [m1, m2, m3, n3, n1, n2] = nibbles;
  const mcc = [m1, m2, m3];
  const mnc = n3 === 0x0f ? [n1, n2] : [n1, n2, n3];
  if (![...mcc, ...mnc].every((digit) => (digit ?? 0) <= 9)) {
    throw new DecodeError('a network code that is no number');
  }
  return { mcc: mcc.join(''), mnc: mnc.join('') };
}

/** @throws RequestError not three and two or three digits */
export function encodeNetworkCode({ mcc, mnc }: { readonly mcc: string; readonly mnc: string }): Uint8Array {
  if (!/^[0-9]{3}$/.test(mcc) || !/^[0-9]{2,3}$/.test(mnc)) {
    throw new RequestError(`no network code: ${mcc} ${mnc}`);
  }
  const [m1 = 0, m2 = 0, m3 = 0] = [...mcc].map(Number);
  const [n1 = 0, n2 = 0, n3 = 0x0f] = [...mnc].map(Number);
  return Uint8Array.of((m2 << 4) | m1, (n3 << 4) | m3, (n2 << 4) | n1);
}

/**
 * Selects a file by its path from the MF (ETSI TS 102 221 §11.1.1) and reads it whole. A path that begins with
 * ADF_USIM is one of the USIM, which is selected by its AID first: until then there is no 7FFF (§8.4.2).
 * @throws CardStatusError 6A82 the card has no such file, or no USIM; 6982 it wants its PIN first
 * @throws CardTransportError, DecodeError
 */
export function readFile(
  session: CardSession,
  what: string,
  ...path: readonly number[]
): Promise<Uint8Array> {
  return session.exclusive(async () => {
    if (path[0] === FileId.ADF_USIM) {
      const usim = { cla: 0, ins: Ins.SELECT, p1: 0x04, p2: 0x04, data: usimAid };
      await session.expectOk('select the USIM', usim);
    }
    const data = Uint8Array.from(path.flatMap((id) => [id >> 8, id & 0xff]));
    await session.expectOk(`select ${what}`, { cla: 0, ins: Ins.SELECT, p1: 0x08, p2: 0x04, data });
    const read = { cla: 0, ins: Ins.READ_BINARY, p1: 0, p2: 0, le: 256 };
    return (await session.expectOk(`read ${what}`, read)).data;
  });
}
