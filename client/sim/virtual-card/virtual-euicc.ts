import { randomBytes } from 'node:crypto';
import { DecodeError } from '../../../protocol/errors.ts';
import { decodeTlvs, encodeTlv, findTlv, type Tlv } from '../ber-tlv.ts';
import { ProfileResult } from '../euicc.ts';
import { encodeIccid } from '../files.ts';
import { fromHex, toHex } from '../hex.ts';
import type { CardContents, StoredProfile } from './card-contents.ts';
import type { Refusal } from './card-faults.ts';
import { plmnOf } from './card-files.ts';
import { type PolicyRule, ProfileClass } from './card-profiles.ts';
import { euiccInfo1, euiccInfo2 } from './euicc-info.ts';
import { deleteProfile, disableProfile, enableProfile, type ProfileChange } from './profile-change.ts';

/** Requests to the ISD-R that this card knows, GSMA SGP.22 annex H (ES10a, ES10b, ES10c). */
const Request = {
  EUICC_INFO_1: 0xbf20,
  EUICC_INFO_2: 0xbf22,
  LIST_NOTIFICATIONS: 0xbf28,
  PROFILE_INFO_LIST: 0xbf2d,
  EUICC_CHALLENGE: 0xbf2e,
  SET_NICKNAME: 0xbf29,
  REMOVE_NOTIFICATION: 0xbf30,
  ENABLE_PROFILE: 0xbf31,
  DISABLE_PROFILE: 0xbf32,
  DELETE_PROFILE: 0xbf33,
  MEMORY_RESET: 0xbf34,
  CONFIGURED_ADDRESSES: 0xbf3c,
  EUICC_DATA: 0xbf3e,
  SET_DEFAULT_ADDRESS: 0xbf3f,
  RULES_AUTHORISATION_TABLE: 0xbf43,
} as const;

/** Longest nickname, GSMA SGP.22 §5.7.21 (UTF-8 bytes). */
const maxNicknameBytes = 64;
const text = new TextEncoder();

/** What the ISD-R answers to one request, and what the card then has to do. */
export interface EuiccAnswer {
  readonly data: Uint8Array;
  readonly change?: {
    readonly apply: (contents: CardContents) => Partial<CardContents>;
    /** The change waits for the REFRESH that the terminal is asked for; without it holds at once. */
    readonly refresh: boolean;
    /** It is the enabled profile that changes: the card takes its time. */
    readonly isSwitch: boolean;
  };
}

/** The card as the ISD-R sees it. */
export interface EuiccState {
  readonly contents: CardContents;
  /** A proactive session is under way: a change that needs a REFRESH is refused (catBusy). */
  readonly toolkitBusy: boolean;
  /** A change waits for its REFRESH: until then there is no other one, and no profile is deleted. */
  readonly changing: boolean;
  /** A no on demand; asked only where the answer would be a yes. */
  readonly refuse: () => Refusal | undefined;
}

/**
 * The ISD-R's side of ES10b and ES10c, GSMA SGP.22 §5.7. Undefined for a request that it does not know.
 * @throws DecodeError
 */
export function answerEuicc(request: Uint8Array, state: EuiccState): EuiccAnswer | undefined {
  const [outer, ...rest] = decodeTlvs(request);
  if (outer === undefined || rest.length > 0) throw new DecodeError('a request to the ISD-R is one object');
  const { tag, value } = outer;
  const { contents } = state;
  const answer = (...parts: readonly Uint8Array[]): EuiccAnswer => ({ data: encodeTlv(tag, ...parts) });
  switch (tag) {
    case Request.PROFILE_INFO_LIST:
      return answer(listProfiles(value, contents));
    case Request.EUICC_DATA:
      return answer(encodeTlv(0x5a, fromHex(contents.eid)));
    case Request.EUICC_INFO_1:
      return answer(...euiccInfo1());
    case Request.EUICC_INFO_2:
      return answer(...euiccInfo2(contents.profiles.length));
    case Request.EUICC_CHALLENGE:
      return answer(encodeTlv(0x80, new Uint8Array(randomBytes(16))));
    case Request.CONFIGURED_ADDRESSES:
      return answer(
        ...(contents.smdpAddress === '' ? [] : [encodeTlv(0x80, text.encode(contents.smdpAddress))]),
        encodeTlv(0x81, text.encode('testrootsmds.gsma.com')),
      );
    case Request.SET_DEFAULT_ADDRESS: {
      const smdpAddress = decodeText(findTlv(value, 0x80) ?? new Uint8Array(0));
      return { ...answer(result(0)), change: atOnce(() => ({ smdpAddress })) };
    }
    case Request.RULES_AUTHORISATION_TABLE:
    case Request.LIST_NOTIFICATIONS:
      return answer(encodeTlv(0xa0));
    case Request.REMOVE_NOTIFICATION:
      return answer(result(1));
    case Request.SET_NICKNAME:
      return nickname(tag, value, contents);
    case Request.ENABLE_PROFILE:
    case Request.DISABLE_PROFILE:
      return switchProfile(tag, value, state);
    case Request.DELETE_PROFILE: {
      if (state.changing) return answer(result(ProfileResult.UNDEFINED));
      const change = deleteProfile(contents, findProfile(value, contents), state.refuse);
      return {
        ...answer(result(change.result)),
        ...(change.apply === undefined ? {} : { change: atOnce(change.apply) }),
      };
    }
    case Request.MEMORY_RESET:
      return resetMemory(tag, value, state);
    default:
      return undefined;
  }
}

function result(code: number): Uint8Array {
  return encodeTlv(0x80, Uint8Array.of(code));
}

function atOnce(
  apply: (contents: CardContents) => Partial<CardContents>,
): NonNullable<EuiccAnswer['change']> {
  return { apply, refresh: false, isSwitch: false };
}

/** Tags of ProfileInfo that a list without tag list has, GSMA SGP.22 §5.7.15. */
const usualTags: readonly number[] = [0x5a, 0x4f, 0x9f70, 0x90, 0x91, 0x92, 0x95];

/** ProfileInfoListResponse: A0 with an E3 for each profile, or error 81 01 (incorrectInputValues). */
function listProfiles(request: Uint8Array, contents: CardContents): Uint8Array {
  const criterion = findTlv(request, 0xa0);
  const asked = findTlv(request, 0x5c);
  const tags = asked === undefined ? usualTags : tagList(asked);
  let listed = contents.profiles;
  if (criterion !== undefined) {
    const [by, ...more] = decodeTlvs(criterion);
    if (by === undefined || more.length > 0 || ![0x5a, 0x4f, 0x95].includes(by.tag)) {
      return encodeTlv(0x81, Uint8Array.of(1));
    }
    listed = listed.filter((profile) => matches(profile, by));
  }
  return encodeTlv(0xa0, ...listed.map((profile) => profileInfo(profile, tags, contents.enabled)));
}

function matches(profile: StoredProfile, { tag, value }: Tlv): boolean {
  if (tag === 0x5a) return toHex(encodeIccid(profile.iccid)) === toHex(value);
  if (tag === 0x4f) return toHex(profile.aid) === toHex(value);
  return value.length === 1 && value[0] === profile.profileClass;
}

function profileInfo(
  profile: StoredProfile,
  tags: readonly number[],
  enabled: string | undefined,
): Uint8Array {
  const parts = tags.map((tag) => {
    const value = profileValue(profile, tag, enabled);
    return value === undefined ? new Uint8Array(0) : encodeTlv(tag, value);
  });
  return encodeTlv(0xe3, ...parts);
}

function profileValue(
  profile: StoredProfile,
  tag: number,
  enabled: string | undefined,
): Uint8Array | undefined {
  switch (tag) {
    case 0x5a:
      return encodeIccid(profile.iccid);
    case 0x4f:
      return profile.aid;
    case 0x9f70:
      return Uint8Array.of(profile.iccid === enabled ? 1 : 0);
    case 0x90:
      return profile.nickname === '' ? undefined : text.encode(profile.nickname);
    case 0x91:
    case 0x92:
      return text.encode(profile.name);
    case 0x95:
      return Uint8Array.of(profile.profileClass);
    case 0x99:
      return policyBits(profile.policyRules);
    case 0xb7:
      return encodeTlv(0x80, plmnOf(profile.imsi));
    default:
      return undefined;
  }
}

/** PprIds, a BIT STRING: bit 1 is PPR1, bit 2 is PPR2; the first octet counts the unused bits (ITU-T X.690 §8.6). */
function policyBits(rules: readonly PolicyRule[]): Uint8Array {
  if (rules.includes('delete-not-allowed')) {
    return Uint8Array.of(5, rules.includes('disable-not-allowed') ? 0x60 : 0x20);
  }
  return rules.length > 0 ? Uint8Array.of(6, 0x40) : Uint8Array.of(0);
}

/** Tags one after the other, of one byte or two. @throws DecodeError */
function tagList(bytes: Uint8Array): readonly number[] {
  const tags: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const first = bytes[i] ?? 0;
    if ((first & 0x1f) !== 0x1f) tags.push(first);
    else {
      const second = bytes[++i];
      if (second === undefined || second >= 0x80) throw new DecodeError('a tag list ends within a tag');
      tags.push((first << 8) | second);
    }
  }
  return tags;
}

/** SetNickname, §5.7.21: results 0, 1 iccidNotFound; an empty name removes it. */
function nickname(tag: number, request: Uint8Array, contents: CardContents): EuiccAnswer {
  const iccid = findTlv(request, 0x5a);
  const name = findTlv(request, 0x90) ?? new Uint8Array(0);
  const profile = contents.profiles.find(
    (p) => iccid !== undefined && matches(p, { tag: 0x5a, value: iccid }),
  );
  if (profile === undefined) return { data: encodeTlv(tag, result(ProfileResult.NOT_FOUND)) };
  if (name.length > maxNicknameBytes) return { data: encodeTlv(tag, result(ProfileResult.UNDEFINED)) };
  const nickname = decodeText(name);
  return {
    data: encodeTlv(tag, result(0)),
    change: atOnce(({ profiles }) => ({
      profiles: profiles.map((p) => (p.iccid === profile.iccid ? { ...p, nickname } : p)),
    })),
  };
}

function switchProfile(tag: number, request: Uint8Array, state: EuiccState): EuiccAnswer {
  const { contents, refuse, toolkitBusy, changing } = state;
  const refresh = (findTlv(request, 0x81)?.[0] ?? 0xff) !== 0;
  const judge = tag === Request.ENABLE_PROFILE ? enableProfile : disableProfile;
  const busy = changing || (refresh && toolkitBusy);
  const refuseBusy = (): Refusal | undefined => (busy ? 'busy' : refuse());
  const change: ProfileChange = judge(contents, findProfile(request, contents), refuseBusy);
  return {
    data: encodeTlv(tag, result(change.result)),
    ...(change.apply === undefined ? {} : { change: { apply: change.apply, refresh, isSwitch: true } }),
  };
}

/** By ICCID (5A) or by AID (4F), within A0 or, as DeleteProfile has it, without. */
function findProfile(request: Uint8Array, { profiles }: CardContents): StoredProfile | undefined {
  const by = decodeTlvs(findTlv(request, 0xa0) ?? request).find(({ tag }) => tag === 0x5a || tag === 0x4f);
  return by === undefined ? undefined : profiles.find((profile) => matches(profile, by));
}

/**
 * eUICCMemoryReset, §5.7.19, 82 being a BIT STRING: operational profiles (bit 0), test profiles (bit 1), the default
 * SM-DP+ address (bit 2). Policy rules do not hold for it. Results 0, 1 nothingToDelete, 5 catBusy.
 */
function resetMemory(tag: number, request: Uint8Array, state: EuiccState): EuiccAnswer {
  const bits = findTlv(request, 0x82)?.[1] ?? 0;
  const { profiles, enabled, smdpAddress } = state.contents;
  const goes = ({ profileClass }: StoredProfile): boolean =>
    (profileClass === ProfileClass.OPERATIONAL && (bits & 0x80) !== 0) ||
    (profileClass === ProfileClass.TEST && (bits & 0x40) !== 0);
  const forgets = (bits & 0x20) !== 0 && smdpAddress !== '';
  if (!profiles.some(goes) && !forgets) return { data: encodeTlv(tag, result(1)) };
  const isSwitch = profiles.some((profile) => goes(profile) && profile.iccid === enabled);
  if (state.changing || (isSwitch && state.toolkitBusy) || state.refuse() !== undefined) {
    return { data: encodeTlv(tag, result(ProfileResult.CAT_BUSY)) };
  }
  return {
    data: encodeTlv(tag, result(0)),
    change: {
      apply: (now) => ({
        profiles: now.profiles.filter((profile) => !goes(profile)),
        ...(isSwitch ? { enabled: undefined } : {}),
        ...(forgets ? { smdpAddress: '' } : {}),
      }),
      refresh: isSwitch,
      isSwitch,
    },
  };
}

/** @throws DecodeError */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new DecodeError('a text that is no UTF-8', { cause: error });
  }
}
