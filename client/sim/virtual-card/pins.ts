import { type CommandApdu, StatusWord } from '../apdu.ts';
import { fromHex, toHex } from '../hex.ts';
import type { PinState, StoredProfile } from './card-contents.ts';
import { CardStatus } from './card-status.ts';

/** Key references, ETSI TS 102 221 §9.5.1: the application's PIN, the second PIN, the administrator's. */
export const KeyReference = { PIN1: 0x01, PIN2: 0x81, ADM1: 0x0a } as const;

export const PinIns = { VERIFY: 0x20, CHANGE: 0x24, DISABLE: 0x26, ENABLE: 0x28, UNBLOCK: 0x2c } as const;

const mostTries = 3;
const mostPukTries = 10;

/** What a PIN command comes to: its status word, and what of the profile is to be written before it goes out. */
export interface PinOutcome {
  readonly sw: number;
  readonly change?: Partial<StoredProfile>;
  /** The key was shown to be known, or is not any more. */
  readonly verified?: boolean;
}

/**
 * VERIFY, CHANGE, DISABLE, ENABLE and UNBLOCK PIN, ETSI TS 102 221 §11.1.9 to §11.1.13. The counter falls
 * before the comparison's outcome is told; at 0 the PIN is blocked until it is unblocked, or for good.
 */
export function answerPin(command: CommandApdu, profile: StoredProfile): PinOutcome {
  const { ins, p1, p2 } = command;
  const data = command.data ?? new Uint8Array(0);
  const mayHaveP1 = ins === PinIns.DISABLE && p1 === 0x01;
  if (p1 !== 0 && !mayHaveP1) return { sw: StatusWord.INCORRECT_P1_P2 };
  if (p2 === KeyReference.ADM1) return ins === PinIns.VERIFY ? verifyAdm(data, profile) : refused;
  const which = p2 === KeyReference.PIN1 ? 'pin1' : p2 === KeyReference.PIN2 ? 'pin2' : undefined;
  if (which === undefined) return refused;
  const pin = profile[which];
  const outcome = answer(ins, data, pin, which === 'pin1');
  return 'pin' in outcome
    ? { sw: outcome.sw, verified: outcome.verified, change: { [which]: { ...pin, ...outcome.pin } } }
    : outcome;
}

const refused: PinOutcome = { sw: StatusWord.REFERENCED_DATA_NOT_FOUND };

type PinAnswer =
  | { readonly sw: number }
  | { readonly sw: number; readonly verified: boolean; readonly pin: Partial<PinState> };

function answer(ins: number, data: Uint8Array, pin: PinState, canBeDisabled: boolean): PinAnswer {
  if (ins === PinIns.UNBLOCK) return unblock(data, pin);
  if (ins === PinIns.VERIFY && data.length === 0) {
    return { sw: CardStatus.VERIFICATION_FAILED | pin.tries };
  }
  if (data.length !== (ins === PinIns.CHANGE ? 16 : 8)) return { sw: StatusWord.WRONG_LENGTH };
  if (pin.tries === 0) return { sw: CardStatus.AUTHENTICATION_METHOD_BLOCKED };
  if (ins === PinIns.ENABLE ? pin.enabled : !pin.enabled) {
    return {
      sw:
        ins === PinIns.VERIFY ? CardStatus.REFERENCED_DATA_INVALIDATED : StatusWord.CONDITIONS_NOT_SATISFIED,
    };
  }
  if (ins === PinIns.DISABLE && !canBeDisabled) return { sw: StatusWord.FUNCTION_NOT_SUPPORTED };
  if (digits(data.subarray(0, 8)) !== pin.value) {
    const tries = pin.tries - 1;
    return { sw: CardStatus.VERIFICATION_FAILED | tries, verified: false, pin: { tries } };
  }
  const right = { tries: mostTries };
  if (ins === PinIns.VERIFY) return { sw: StatusWord.OK, verified: true, pin: right };
  if (ins === PinIns.CHANGE) {
    const value = digits(data.subarray(8));
    if (value === undefined) return { sw: StatusWord.INCORRECT_DATA };
    return { sw: StatusWord.OK, verified: true, pin: { ...right, value } };
  }
  return { sw: StatusWord.OK, verified: true, pin: { ...right, enabled: ins === PinIns.ENABLE } };
}

function unblock(data: Uint8Array, pin: PinState): PinAnswer {
  if (data.length === 0) return { sw: CardStatus.VERIFICATION_FAILED | pin.pukTries };
  if (data.length !== 16) return { sw: StatusWord.WRONG_LENGTH };
  if (pin.pukTries === 0) return { sw: CardStatus.AUTHENTICATION_METHOD_BLOCKED };
  if (digits(data.subarray(0, 8)) !== pin.puk) {
    const pukTries = pin.pukTries - 1;
    return { sw: CardStatus.VERIFICATION_FAILED | pukTries, verified: false, pin: { pukTries } };
  }
  const value = digits(data.subarray(8));
  if (value === undefined) return { sw: StatusWord.INCORRECT_DATA };
  return {
    sw: StatusWord.OK,
    verified: true,
    pin: { value, enabled: true, tries: mostTries, pukTries: mostPukTries },
  };
}

function verifyAdm(data: Uint8Array, profile: StoredProfile): PinOutcome {
  if (data.length !== 8) return { sw: StatusWord.WRONG_LENGTH };
  return toHex(data) === toHex(fromHex(profile.adm))
    ? { sw: StatusWord.OK, verified: true }
    : { sw: CardStatus.SECURITY_STATUS_NOT_SATISFIED, verified: false };
}

/** 4 to 8 digits in ASCII, filled with FF to 8 bytes (§9.5.1); undefined where it is no PIN. */
function digits(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0xff);
  const text = String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
  const filled = end < 0 || bytes.subarray(end).every((byte) => byte === 0xff);
  return filled && /^[0-9]{4,8}$/.test(text) ? text : undefined;
}
