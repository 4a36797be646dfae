import { timingSafeEqual } from 'node:crypto';
import { type CommandApdu, StatusWord } from '../apdu.ts';
import { fromHex } from '../hex.ts';
import type { StoredProfile } from './card-contents.ts';
import { CardStatus } from './card-status.ts';
import { gsmKey, gsmResponse, milenage, milenageMacs, xor } from './milenage.ts';

/** What AUTHENTICATE comes to: data or a status word; `sequence` is written before the data go out. */
export type AuthenticationOutcome =
  | { readonly data: Uint8Array; readonly sequence?: readonly number[] }
  | { readonly sw: number };

/** Of SQN the lower 5 bits are IND, the place in the array; the rest is SEQ (3GPP TS 33.102 annex C.1.1.1, C.3.2). */
const indexCount = 32;
/** How far SEQ may jump at once, against wrapping it around (annex C.2.1, C.3.2: 2^28). */
const longestJump = 2 ** 28;

/**
 * AUTHENTICATE, 3GPP TS 31.102 §7.1: UMTS context (P2 81) with RAND and AUTN, GSM context (P2 80) with RAND.
 * A number of the network that is not fresh gets AUTS; a wrong MAC 9862.
 */
export function authenticate(command: CommandApdu, profile: StoredProfile): AuthenticationOutcome {
  const context = command.p2;
  if (command.p1 !== 0 || (context !== 0x80 && context !== 0x81)) return { sw: StatusWord.INCORRECT_P1_P2 };
  const data = command.data ?? new Uint8Array(0);
  if (data.length !== (context === 0x80 ? 17 : 34)) return { sw: StatusWord.WRONG_LENGTH };
  if (data[0] !== 16 || (context === 0x81 && data[17] !== 16)) return { sw: StatusWord.INCORRECT_DATA };
  const rand = data.slice(1, 17);
  const k = fromHex(profile.ki);
  const opc = fromHex(profile.opc);
  const { res, ck, ik, ak, akStar } = milenage(k, opc, rand);
  const kc = gsmKey(ck, ik);
  if (context === 0x80) return { data: Uint8Array.of(4, ...gsmResponse(res), 8, ...kc) };
  const autn = data.subarray(18);
  const sqn = xor(autn.slice(0, 6), ak);
  const { macA } = milenageMacs(k, opc, rand, sqn, autn.slice(6, 8));
  if (!timingSafeEqual(macA, autn.slice(8))) return { sw: CardStatus.AUTHENTICATION_MAC };
  const sequence = accept(sqn, profile.sequence);
  if (sequence === undefined) return { data: synchronisationFailure(k, opc, rand, akStar, profile.sequence) };
  return { data: Uint8Array.of(0xdb, 8, ...res, 16, ...ck, 16, ...ik, 8, ...kc), sequence };
}

/** The array with the new SEQ; undefined where it is not fresh, or too far ahead of all (annex C.2.2). */
function accept(sqn: Uint8Array, sequence: readonly number[]): readonly number[] | undefined {
  const value = numberOf(sqn);
  const index = value % indexCount;
  const seq = Math.floor(value / indexCount);
  const highest = Math.max(0, ...sequence);
  if (seq - highest > longestJump || seq <= (sequence[index] ?? 0)) return undefined;
  return Array.from({ length: indexCount }, (_, i) => (i === index ? seq : (sequence[i] ?? 0)));
}

/** DC and AUTS: SQN_MS concealed by AK*, MAC-S over it with AMF 0000 (3GPP TS 33.102 §6.3.3). */
function synchronisationFailure(
  k: Uint8Array,
  opc: Uint8Array,
  rand: Uint8Array,
  akStar: Uint8Array,
  sequence: readonly number[],
): Uint8Array {
  const highest = Math.max(0, ...sequence);
  const index = Math.max(0, sequence.indexOf(highest));
  const sqnMs = bytesOf(highest * indexCount + index);
  const { macS } = milenageMacs(k, opc, rand, sqnMs, new Uint8Array(2));
  return Uint8Array.of(0xdc, 14, ...xor(sqnMs, akStar), ...macS);
}

function numberOf(sqn: Uint8Array): number {
  return sqn.reduce((sum, byte) => sum * 256 + byte, 0);
}

function bytesOf(sqn: number): Uint8Array {
  return Uint8Array.from({ length: 6 }, (_, i) => Math.floor(sqn / 256 ** (5 - i)) % 256);
}
