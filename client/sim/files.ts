import { DecodeError, RequestError } from '../../protocol/errors.ts';
import { Ins } from './apdu.ts';
import type { CardSession } from './card-session.ts';

/** File ids: ETSI TS 102 221 §13, 3GPP TS 31.102 §4. */
export const FileId = {
  MF: 0x3f00,
  EF_ICCID: 0x2fe2,
  ADF_USIM: 0x7fff,
  DF_GSM: 0x7f20,
  EF_IMSI: 0x6f07,
  EF_SPN: 0x6f46,
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

/** EF_SPN, 3GPP TS 31.102 §4.2.12: display condition, then the name in 16 bytes filled with FF. */
export function encodeSpn(name: string): Uint8Array {
  const bytes = new Uint8Array(17).fill(0xff);
  bytes[0] = 0x01;
  bytes.set(new TextEncoder().encode(name).slice(0, 16), 1);
  return bytes;
}

export function decodeSpn(bytes: Uint8Array): string {
  const end = bytes.indexOf(0xff, 1);
  return new TextDecoder().decode(bytes.slice(1, end < 0 ? bytes.length : end));
}

/** Selects a file by its path from the MF (ETSI TS 102 221 §11.1.1) and reads it whole. @throws CardStatusError */
export async function readFile(
  session: CardSession,
  what: string,
  ...path: readonly number[]
): Promise<Uint8Array> {
  const data = Uint8Array.from(path.flatMap((id) => [id >> 8, id & 0xff]));
  await session.expectOk(`select ${what}`, { cla: 0, ins: Ins.SELECT, p1: 0x08, p2: 0x04, data });
  return (await session.expectOk(`read ${what}`, { cla: 0, ins: Ins.READ_BINARY, p1: 0, p2: 0, le: 256 }))
    .data;
}
