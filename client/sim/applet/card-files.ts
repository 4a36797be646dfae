import { StatusWord } from '../apdu.ts';
import type { CardSession } from '../card-session.ts';
import { CardStatusError } from '../card-transport.ts';
import type { CardAnswer } from '../carrier-card.ts';
import { decodeIccid, FileId, readFile } from '../files.ts';

/** EF_ICCID; undefined where the card has no such file now: no profile is enabled. @throws CardStatusError, CardTransportError, DecodeError */
export async function readIccid(session: CardSession): Promise<string | undefined> {
  try {
    return decodeIccid(await readFile(session, 'EF_ICCID', FileId.EF_ICCID));
  } catch (error) {
    if (error instanceof CardStatusError && error.sw === StatusWord.FILE_NOT_FOUND) return undefined;
    throw error;
  }
}

/** What people are told where a card acknowledged a switch and reads as before. */
export function unchangedNote(
  who: string,
  before: string | undefined,
  after: string | undefined,
): CardAnswer {
  if (before === undefined || before !== after) return {};
  return { note: `${who} acknowledged; the ICCID of the card did not change (${after})` };
}
