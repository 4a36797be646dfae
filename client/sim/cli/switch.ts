import { RequestError } from '../../../protocol/errors.ts';
import { StatusWord } from '../apdu.ts';
import { CardStatusError } from '../card-transport.ts';
import { Euicc } from '../euicc.ts';
import { decodeIccid, FileId, readFile } from '../files.ts';
import type { ProfileInfo } from '../profile-info.ts';
import type { OpenCard, Tell } from './open.ts';

/**
 * Enables the profile that is named, or disables the enabled one for `none`; says which ICCID the card has before and
 * after, as its file gives it.
 * @throws RequestError no such profile; ProfileOperationError the card's no; CardTransportError, CardStatusError,
 * DecodeError
 */
export async function switchProfile({ session }: OpenCard, wanted: string, tell: Tell): Promise<void> {
  const euicc = new Euicc(session);
  const profiles = await euicc.listProfiles();
  const enabled = profiles.find((profile) => profile.enabled);
  const target = wanted.toLowerCase() === 'none' ? undefined : findProfile(profiles, wanted);
  const iccid = async (): Promise<string> => {
    try {
      return decodeIccid(await readFile(session, 'EF_ICCID', FileId.EF_ICCID));
    } catch (error) {
      if (error instanceof CardStatusError && error.sw === StatusWord.FILE_NOT_FOUND) return 'none';
      throw error;
    }
  };
  const before = await iccid();
  if (target?.iccid === enabled?.iccid) {
    tell(target === undefined ? 'No profile is enabled.' : `${target.iccid} is enabled already.`);
    return;
  }
  if (target !== undefined) await euicc.enable(target.iccid);
  else if (enabled !== undefined) await euicc.disable(enabled.iccid);
  tell(`ICCID before: ${before}`);
  tell(`ICCID now:    ${await iccid()}`);
}

/** By number in the list (from 1), ICCID or name, in any case. @throws RequestError none, or several */
export function findProfile(profiles: readonly ProfileInfo[], wanted: string): ProfileInfo {
  const byNumber = /^[1-9]\d?$/.test(wanted) ? profiles[Number(wanted) - 1] : undefined;
  if (byNumber !== undefined) return byNumber;
  const isWanted = (name: string): boolean => name.toLowerCase() === wanted.toLowerCase();
  const found = profiles.filter(({ iccid, nickname, serviceProvider, name }) =>
    [iccid, nickname, serviceProvider, name].some(isWanted),
  );
  const [profile, other] = found;
  if (profile === undefined) throw new RequestError(`the card has no profile ${wanted}`);
  if (other !== undefined) {
    throw new RequestError(`several profiles are called ${wanted}: give the ICCID or the number in the list`);
  }
  return profile;
}
