import { globMatches } from '../lwm2m/glob.ts';
import type { BootstrapProfile } from '../ports/bootstrap-store.ts';

/** What is known of a device that asks for a bootstrap: of one that was never registered, its name alone. */
export interface BootstrapSubject {
  readonly endpoint: string;
  readonly manufacturer?: string | undefined;
  readonly model?: string | undefined;
}

/** The profile that a device gets, or why it gets none. */
export type ProfileChoice =
  | { readonly profile: BootstrapProfile; readonly by: 'device' | 'rule' }
  | { readonly profile: undefined; readonly reason: string };

/**
 * The profile that was assigned to the device; else, of those whose rule it fits, the one with the greatest priority,
 * and of several with that one the first by id. What was assigned and is not there is an error, and no other one takes
 * its place: the device would be given what is meant for others.
 */
export function chooseProfile(
  profiles: readonly BootstrapProfile[],
  assigned: string | undefined,
  subject: BootstrapSubject,
): ProfileChoice {
  if (assigned !== undefined) {
    const profile = profiles.find(({ id }) => id === assigned);
    if (profile === undefined) {
      return { profile: undefined, reason: `its profile '${assigned}' is not there any more` };
    }
    if (!profile.enabled) return { profile: undefined, reason: `its profile '${assigned}' is disabled` };
    return { profile, by: 'device' };
  }
  const [profile] = profiles
    .filter((each) => each.enabled && fits(each, subject))
    .sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
  if (profile === undefined) return { profile: undefined, reason: 'no profile is for it' };
  return { profile, by: 'rule' };
}

/** A rule that names model or manufacturer fits no device of which they are not known. */
function fits({ devices }: BootstrapProfile, subject: BootstrapSubject): boolean {
  const { endpoint, manufacturer, model } = devices;
  if (endpoint !== undefined && !globMatches(endpoint, subject.endpoint)) return false;
  return fitsWithoutCase(manufacturer, subject.manufacturer) && fitsWithoutCase(model, subject.model);
}

function fitsWithoutCase(glob: string | undefined, text: string | undefined): boolean {
  if (glob === undefined) return true;
  return text !== undefined && globMatches(glob.toLowerCase(), text.toLowerCase());
}
