import { DecodeError } from '../../protocol/errors.ts';
import { decodeTlvs } from './ber-tlv.ts';
import { cardText } from './card-text.ts';
import { decodeIccid } from './files.ts';

/** Profile Class, GSMA SGP.22 §5.7.15. */
export const ProfileClass = { TEST: 0, PROVISIONING: 1, OPERATIONAL: 2 } as const;

/** One profile on the card, GSMA SGP.22 §5.7.15 (ProfileInfo). */
export interface ProfileInfo {
  readonly iccid: string;
  /** Of the ISD-P; empty where the card does not tell. */
  readonly aid: Uint8Array;
  readonly enabled: boolean;
  readonly nickname: string;
  readonly serviceProvider: string;
  readonly name: string;
  /** 0 test, 1 provisioning, 2 operational; undefined: not told. */
  readonly profileClass: number | undefined;
  /** Profile policy rules (§2.9.2). */
  readonly policy: { readonly noDisable: boolean; readonly noDelete: boolean };
  /** The whole ProfileInfo (tag E3), as the card gave it. */
  readonly encoded: Uint8Array;
}

/** The value of a ProfileInfo (tag E3). `encoded`: the object itself. @throws DecodeError */
export function decodeProfileInfo(bytes: Uint8Array, encoded: Uint8Array = bytes): ProfileInfo {
  const tlvs = decodeTlvs(bytes);
  const value = (tag: number): Uint8Array | undefined => tlvs.find((tlv) => tlv.tag === tag)?.value;
  const iccid = value(0x5a);
  if (iccid === undefined) throw new DecodeError('a profile without ICCID');
  // PprIds is a BIT STRING: count of unused bits, then pprUpdateControl, ppr1, ppr2 from the highest bit down.
  const rules = value(0x99)?.[1] ?? 0;
  return {
    iccid: decodeIccid(iccid),
    aid: value(0x4f) ?? new Uint8Array(0),
    enabled: value(0x9f70)?.[0] === 1,
    nickname: cardText(value(0x90)),
    serviceProvider: cardText(value(0x91)),
    name: cardText(value(0x92)),
    profileClass: value(0x95)?.[0],
    policy: { noDisable: (rules & 0x40) !== 0, noDelete: (rules & 0x20) !== 0 },
    encoded,
  };
}
