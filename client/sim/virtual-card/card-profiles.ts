import { createHash } from 'node:crypto';
import { fromHex } from '../hex.ts';

/** Profile classes, GSMA SGP.22 §5.7.15 (ProfileClass). */
export const ProfileClass = { TEST: 0, PROVISIONING: 1, OPERATIONAL: 2 } as const;
export type ProfileClass = (typeof ProfileClass)[keyof typeof ProfileClass];

/** Profile policy rules, GSMA SGP.22 §2.9.1: PPR1 forbids to disable, PPR2 to delete. */
export const policyRules = ['disable-not-allowed', 'delete-not-allowed'] as const;
export type PolicyRule = (typeof policyRules)[number];

/** One operator's profile on the virtual card. Its place in the list is the carrier id of an eUICC. */
export interface CardProfile {
  /** Service provider name, as EF_SPN and ProfileInfo give it. */
  readonly name: string;
  /** By which number an applet knows this carrier (AT&T 0, T-Mobile 1, Verizon 2); 0 to 14. */
  readonly carrier: number;
  /** 18 digits and the check digit. */
  readonly iccid: string;
  readonly imsi: string;
  readonly aid: Uint8Array;
  /** What a person called it; empty: nothing. At most 64 bytes of UTF-8. */
  readonly nickname: string;
  readonly profileClass: ProfileClass;
  readonly policyRules: readonly PolicyRule[];
}

/** Issuer and network of the carriers on the card: E.118 issuer prefix, then MCC and MNC. */
const issuers = [
  { name: 'AT&T', iccidPrefix: '8901410', mccMnc: '310410' },
  { name: 'T-Mobile', iccidPrefix: '8901260', mccMnc: '310260' },
  { name: 'Verizon', iccidPrefix: '8901480', mccMnc: '311480' },
] as const;

/** Card serials are below this: nine digits of ICCID and IMSI. */
export const cardSerialLimit = 1_000_000_000;

/** A serial for a card that is known by a name only. */
export function cardSerialOf(name: string): number {
  return createHash('sha256').update(name).digest().readUInt32BE(0) % cardSerialLimit;
}

/** The profiles of a new card with this serial: distinct for each serial. */
export function cardProfiles(serial: number): readonly CardProfile[] {
  const digits = String(serial % cardSerialLimit).padStart(9, '0');
  return issuers.map((issuer, index) => ({
    name: issuer.name,
    carrier: index,
    iccid: withCheckDigit(`${issuer.iccidPrefix}03${digits}`),
    imsi: `${issuer.mccMnc}${digits}`,
    aid: profileAid(index),
    nickname: '',
    profileClass: ProfileClass.OPERATIONAL,
    policyRules: [],
  }));
}

/** AID of the ISD-P of the profile at that place, GSMA SGP.02 annex H. */
export function profileAid(index: number): Uint8Array {
  const aid = fromHex('A0000005591010FFFFFFFF8900000000');
  aid[14] = 0x10 + index;
  return aid;
}

/** EID of the card (GSMA SGP.02 §2.2.2): 32 digits that are 1 modulo 97. */
export function cardEid(serial: number): string {
  const body = `890490320000000000000${String(serial % cardSerialLimit).padStart(9, '0')}`;
  const check = 98n - ((BigInt(body) * 100n) % 97n);
  return `${body}${String(check).padStart(2, '0')}`;
}

/** Appends the digit of Luhn's formula (ITU-T E.118 §4.1). */
function withCheckDigit(digits: string): string {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = digit * 2;
    sum += i % 2 === 1 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return `${digits}${(10 - (sum % 10)) % 10}`;
}
