import { ProfileResult } from '../euicc.ts';
import type { CardContents, StoredProfile } from './card-contents.ts';
import type { Refusal } from './card-faults.ts';

/** What the card says of a change of its profiles, and what it then does to its contents. */
export interface ProfileChange {
  /** A result of the ES10c command that asked for it. */
  readonly result: number;
  /** Where the result is 0. */
  readonly apply?: (contents: CardContents) => Partial<CardContents>;
}

const refusalResults: Readonly<Record<Refusal, number>> = {
  busy: ProfileResult.CAT_BUSY,
  policy: ProfileResult.DISALLOWED_BY_POLICY,
  undefined: ProfileResult.UNDEFINED,
};

/** EnableProfile, GSMA SGP.22 §5.7.16: what is enabled is disabled by it, if its policy rules (PPR1) allow that. */
export function enableProfile(
  contents: CardContents,
  profile: StoredProfile | undefined,
  refuse: () => Refusal | undefined,
): ProfileChange {
  if (profile === undefined) return { result: ProfileResult.NOT_FOUND };
  if (profile.iccid === contents.enabled) return { result: ProfileResult.WRONG_STATE };
  if (mayNotBeDisabled(contents)) return { result: ProfileResult.DISALLOWED_BY_POLICY };
  return unless(refuse, () => ({ enabled: profile.iccid }));
}

/** DisableProfile, GSMA SGP.22 §5.7.17. */
export function disableProfile(
  contents: CardContents,
  profile: StoredProfile | undefined,
  refuse: () => Refusal | undefined,
): ProfileChange {
  if (profile === undefined) return { result: ProfileResult.NOT_FOUND };
  if (profile.iccid !== contents.enabled) return { result: ProfileResult.WRONG_STATE };
  if (mayNotBeDisabled(contents)) return { result: ProfileResult.DISALLOWED_BY_POLICY };
  return unless(refuse, () => ({ enabled: undefined }));
}

/** DeleteProfile, GSMA SGP.22 §5.7.18: of a disabled profile that may be deleted (PPR2). */
export function deleteProfile(
  contents: CardContents,
  profile: StoredProfile | undefined,
  refuse: () => Refusal | undefined,
): ProfileChange {
  if (profile === undefined) return { result: ProfileResult.NOT_FOUND };
  if (profile.iccid === contents.enabled) return { result: ProfileResult.WRONG_STATE };
  if (profile.policyRules.includes('delete-not-allowed')) {
    return { result: ProfileResult.DISALLOWED_BY_POLICY };
  }
  return unless(refuse, (now) => ({ profiles: now.profiles.filter(({ iccid }) => iccid !== profile.iccid) }));
}

function mayNotBeDisabled({ enabled, profiles }: CardContents): boolean {
  const profile = profiles.find(({ iccid }) => iccid === enabled);
  return profile?.policyRules.includes('disable-not-allowed') === true;
}

function unless(
  refuse: () => Refusal | undefined,
  apply: NonNullable<ProfileChange['apply']>,
): ProfileChange {
  const refusal = refuse();
  if (refusal !== undefined) return { result: refusalResults[refusal] };
  return { result: ProfileResult.OK, apply };
}
