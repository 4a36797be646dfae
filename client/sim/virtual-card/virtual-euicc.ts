import { decodeTlvs, encodeTlv, findTlv } from '../ber-tlv.ts';
import { Es10cTag, ProfileResult } from '../euicc.ts';
import { encodeIccid } from '../files.ts';
import { fromHex, toHex } from '../hex.ts';
import { type CardProfile, cardEid } from './card-profiles.ts';

/** What the ISD-R answers to one ES10c request, and what the card then has to do. */
export interface Es10cAnswer {
  readonly data: Uint8Array;
  /** The profile change that waits for the REFRESH: `enabled` as it will be. */
  readonly change?: { readonly enabled: number | undefined; readonly refresh: boolean };
}

/** The card as ES10c sees it. */
export interface EuiccState {
  readonly serial: number;
  readonly profiles: readonly CardProfile[];
  readonly enabled: number | undefined;
  /** A no on demand: the result code to give to the next enable or disable. */
  readonly refuse: number | undefined;
}

/**
 * The ISD-R's side of ES10c, GSMA SGP.22 §5.7. Undefined for a request that it does not know.
 * @throws DecodeError
 */
export function answerEs10c(request: Uint8Array, state: EuiccState): Es10cAnswer | undefined {
  const outer = decodeTlvs(request)[0];
  switch (outer?.tag) {
    case Es10cTag.PROFILE_INFO_LIST:
      return { data: encodeTlv(Es10cTag.PROFILE_INFO_LIST, encodeTlv(0xa0, ...listProfiles(state))) };
    case Es10cTag.EUICC_DATA:
      return { data: encodeTlv(Es10cTag.EUICC_DATA, encodeTlv(0x5a, fromHex(cardEid(state.serial)))) };
    case Es10cTag.ENABLE_PROFILE:
    case Es10cTag.DISABLE_PROFILE:
      return changeProfile(outer.tag, outer.value, state);
    default:
      return undefined;
  }
}

function listProfiles(state: EuiccState): Uint8Array[] {
  return state.profiles.map((profile, index) =>
    encodeTlv(
      0xe3,
      encodeTlv(0x5a, encodeIccid(profile.iccid)),
      encodeTlv(0x4f, profile.aid),
      encodeTlv(0x9f70, Uint8Array.of(index === state.enabled ? 1 : 0)),
      encodeTlv(0x91, new TextEncoder().encode(profile.name)),
      encodeTlv(0x92, new TextEncoder().encode(profile.name)),
      // Profile class 2: operational.
      encodeTlv(0x95, Uint8Array.of(2)),
    ),
  );
}

function changeProfile(tag: number, request: Uint8Array, state: EuiccState): Es10cAnswer {
  const answer = (result: number): Uint8Array => encodeTlv(tag, encodeTlv(0x80, Uint8Array.of(result)));
  const index = findProfile(request, state.profiles);
  if (index < 0) return { data: answer(ProfileResult.NOT_FOUND) };
  const enabling = tag === Es10cTag.ENABLE_PROFILE;
  if (enabling === (index === state.enabled)) return { data: answer(ProfileResult.WRONG_STATE) };
  if (state.refuse !== undefined) return { data: answer(state.refuse) };
  const refresh = (findTlv(request, 0x81)?.[0] ?? 0xff) !== 0;
  return { data: answer(ProfileResult.OK), change: { enabled: enabling ? index : undefined, refresh } };
}

/** By ICCID (5A) or by AID (4F), within A0. */
function findProfile(request: Uint8Array, profiles: readonly CardProfile[]): number {
  const iccid = findTlv(request, 0xa0, 0x5a);
  if (iccid !== undefined) return profiles.findIndex((p) => toHex(encodeIccid(p.iccid)) === toHex(iccid));
  const aid = findTlv(request, 0xa0, 0x4f);
  return aid === undefined ? -1 : profiles.findIndex((p) => toHex(p.aid) === toHex(aid));
}
