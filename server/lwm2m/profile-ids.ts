import { RequestError } from '../../protocol/errors.ts';

/** The most profile ids of one request; a dynamic one is at most a suite and 64 hex digits. */
const MAX_PROFILES = 16;
const MAX_PROFILE_LENGTH = 80;

/** `6:27354b9a` (RFC 6920 suite and hash), `oma:…`, `v:…` (OMA-TS-LightweightM2M_Core-V1_2 §6.2.1). */
const PROFILE_ID = /^(\d{1,3}:[0-9a-f]+|(oma|v):[A-Za-z0-9-]+)$/;

export function isProfileId(text: string): boolean {
  return text.length <= MAX_PROFILE_LENGTH && PROFILE_ID.test(text);
}

/**
 * The ids of a `pid` parameter: one, or several by comma in quotes.
 * @throws RequestError
 */
export function parseProfiles(value: string): readonly string[] {
  const ids = /^".*"$/.test(value) ? value.slice(1, -1).split(',') : [value];
  if (ids.length > MAX_PROFILES) throw new RequestError(`more than ${MAX_PROFILES} profile ids (pid)`);
  for (const id of ids) {
    if (!isProfileId(id)) throw new RequestError(`profile id (pid) '${id.slice(0, 40)}' is none`);
  }
  return [...new Set(ids)];
}
