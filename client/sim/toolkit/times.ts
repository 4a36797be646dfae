import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { type ComprehensionTlv, encodeComprehensionTlv } from '../comprehension-tlv.ts';
import { Tag } from './tags.ts';

/** Units of a duration, ms: minutes, seconds, tenths of a second (ETSI TS 102 223 §8.8). */
const units = [60_000, 1_000, 100];

/** Milliseconds. @throws DecodeError */
export function decodeDuration(tlv: ComprehensionTlv): number {
  const [unit, count] = tlv.value;
  const length = unit === undefined ? undefined : units[unit];
  if (length === undefined || count === undefined || count === 0 || tlv.value.length !== 2) {
    throw new DecodeError('no duration');
  }
  return length * count;
}

/** In the finest unit that has room for it. @throws RequestError neither 0.1 s to 255 minutes, nor whole in its unit */
export function encodeDuration(milliseconds: number): Uint8Array {
  for (const unit of [2, 1, 0]) {
    const count = milliseconds / (units[unit] ?? 1);
    if (Number.isInteger(count) && count >= 1 && count <= 255) {
      return encodeComprehensionTlv(Tag.DURATION, true, Uint8Array.of(unit, count));
    }
  }
  throw new RequestError(`${milliseconds} ms are no duration that a card can be told`);
}

/** Seconds, from hours, minutes and seconds in swapped decimal digits (ETSI TS 102 223 §8.38). @throws DecodeError */
export function decodeTimerValue(tlv: ComprehensionTlv): number {
  const parts = [...tlv.value].map((byte) => {
    if ((byte & 0x0f) > 9 || byte >> 4 > 9) throw new DecodeError('a timer value that is no number');
    return (byte & 0x0f) * 10 + (byte >> 4);
  });
  const [hours, minutes, seconds] = parts;
  if (parts.length !== 3 || hours === undefined || minutes === undefined || seconds === undefined) {
    throw new DecodeError(`a timer value has 3 bytes, not ${tlv.value.length}`);
  }
  if (minutes > 59 || seconds > 59) throw new DecodeError('a timer value that is no time');
  return hours * 3_600 + minutes * 60 + seconds;
}

/** @throws RequestError not whole seconds below 100 hours */
export function encodeTimerValue(seconds: number): Uint8Array {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds >= 360_000) {
    throw new RequestError(`no timer of ${seconds} s`);
  }
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const bytes = parts.map((part) => ((part % 10) << 4) | Math.floor(part / 10));
  return encodeComprehensionTlv(Tag.TIMER_VALUE, true, Uint8Array.from(bytes));
}
