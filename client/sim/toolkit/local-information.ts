import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { type ComprehensionTlv, encodeComprehensionTlv } from '../comprehension-tlv.ts';
import { decodeNetworkCode, encodeNetworkCode } from '../files.ts';
import type { DateTime, LocationInformation } from './data-objects.ts';
import { Tag } from './tags.ts';

/** ETSI TS 102 223 §8.20: an IMEI of 15 digits, coded as a mobile identity (3GPP TS 24.008 §10.5.1.4). @throws DecodeError */
export function decodeImei(tlv: ComprehensionTlv): string {
  return decodeMobileIdentity(tlv.value, 0x0a, 15);
}

/** @throws RequestError not 15 digits */
export function encodeImei(imei: string): Uint8Array {
  return encodeComprehensionTlv(Tag.IMEI, true, encodeMobileIdentity(imei, 0x0a, 15));
}

/** ETSI TS 102 223 §8.74: an IMEISV of 16 digits. @throws DecodeError */
export function decodeImeisv(tlv: ComprehensionTlv): string {
  return decodeMobileIdentity(tlv.value, 0x03, 16);
}

/** @throws RequestError not 16 digits */
export function encodeImeisv(imeisv: string): Uint8Array {
  return encodeComprehensionTlv(Tag.IMEISV, true, encodeMobileIdentity(imeisv, 0x03, 16));
}

/** The first digit shares its byte with the type of identity (2 IMEI, 3 IMEISV) and the bit of odd length. */
function encodeMobileIdentity(digits: string, type: number, count: number): Uint8Array {
  if (digits.length !== count || !/^[0-9]+$/.test(digits)) {
    throw new RequestError(`not ${count} digits: ${digits}`);
  }
  const nibbles = [type, ...[...digits].map(Number)];
  if (nibbles.length % 2 === 1) nibbles.push(0x0f);
  return Uint8Array.from({ length: nibbles.length / 2 }, (_, i) => {
    const low = nibbles[i * 2] ?? 0;
    return ((nibbles[i * 2 + 1] ?? 0) << 4) | low;
  });
}

function decodeMobileIdentity(bytes: Uint8Array, type: number, count: number): string {
  const nibbles = [...bytes].flatMap((byte) => [byte & 0x0f, byte >> 4]);
  const digits = nibbles.slice(1, 1 + count);
  const filler = nibbles.slice(1 + count);
  const fits = digits.length === count && digits.every((digit) => digit <= 9);
  if (nibbles[0] !== type || !fits || filler.length > 1 || filler.some((nibble) => nibble !== 0x0f)) {
    throw new DecodeError(`no mobile identity of ${count} digits`);
  }
  return digits.join('');
}

/** ETSI TS 102 223 §8.39. @throws DecodeError */
export function decodeDateTime(tlv: ComprehensionTlv): DateTime {
  if (tlv.value.length !== 7) throw new DecodeError(`date and time are 7 bytes, not ${tlv.value.length}`);
  const [year, month, day, hour, minute, second] = [...tlv.value.slice(0, 6)].map(swappedDecimal);
  const zone = tlv.value[6] ?? 0xff;
  const time = { year: 2000 + (year ?? 0), month: month ?? 0, day: day ?? 0 };
  const valid = inRange(time.month, 1, 12) && inRange(time.day, 1, 31);
  if (!valid || !inRange(hour, 0, 23) || !inRange(minute, 0, 59) || !inRange(second, 0, 59)) {
    throw new DecodeError('no date and time');
  }
  return {
    ...time,
    hour: hour ?? 0,
    minute: minute ?? 0,
    second: second ?? 0,
    zone: zone === 0xff ? undefined : decodeZone(zone),
  };
}

function inRange(value: number | undefined, least: number, most: number): boolean {
  return value !== undefined && value >= least && value <= most;
}

/** Quarters of an hour; bit 4 is the sign, in the half that holds the tens (3GPP TS 23.040 §9.2.3.11). */
function decodeZone(byte: number): number {
  const quarters = swappedDecimal(byte & ~0x08);
  return (byte & 0x08) === 0 ? quarters * 15 : quarters * -15;
}

function swappedDecimal(byte: number): number {
  const tens = byte & 0x0f;
  const units = byte >> 4;
  if (tens > 9 || units > 9) throw new DecodeError(`no decimal digits: ${byte.toString(16)}`);
  return tens * 10 + units;
}

/** @throws RequestError a year outside of 2000 to 2099 */
export function encodeDateTime(time: DateTime): Uint8Array {
  if (!inRange(time.year, 2000, 2099))
    throw new RequestError(`the year ${time.year} cannot be told to a card`);
  const swap = (value: number): number => ((value % 10) << 4) | Math.floor(value / 10);
  const quarters = Math.abs(Math.round((time.zone ?? 0) / 15));
  const zone = time.zone === undefined ? 0xff : swap(quarters) | (time.zone < 0 ? 0x08 : 0);
  const parts = [time.year - 2000, time.month, time.day, time.hour, time.minute, time.second].map(swap);
  return encodeComprehensionTlv(Tag.DATE_TIME, true, Uint8Array.of(...parts, zone));
}

/** @throws DecodeError */
export function decodeLocation(tlv: ComprehensionTlv): LocationInformation {
  const bytes = tlv.value;
  if (bytes.length !== 7 && bytes.length !== 9) throw new DecodeError(`location of ${bytes.length} bytes`);
  const network = decodeNetworkCode(bytes.subarray(0, 3));
  if (network === undefined) throw new DecodeError('location without network code');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wide = bytes.length === 9;
  return {
    ...network,
    areaCode: view.getUint16(3),
    cell: wide ? { id: view.getUint32(5) >>> 4, bits: 28 } : { id: view.getUint16(5), bits: 16 },
  };
}

/** @throws RequestError no network code of 5 or 6 digits */
export function encodeLocation(location: LocationInformation): Uint8Array {
  const { areaCode, cell } = location;
  const bytes = new Uint8Array(cell.bits === 28 ? 9 : 7);
  bytes.set(encodeNetworkCode(location));
  const view = new DataView(bytes.buffer);
  view.setUint16(3, areaCode);
  // The 28 bits are followed by ones (3GPP TS 31.111 §8.19).
  if (cell.bits === 28) view.setUint32(5, ((cell.id << 4) | 0x0f) >>> 0);
  else view.setUint16(5, cell.id);
  return encodeComprehensionTlv(Tag.LOCATION_INFORMATION, true, bytes);
}
