import { StatusWord } from '../apdu.ts';
import type { CardSession } from '../card-session.ts';
import { CardStatusError } from '../card-transport.ts';
import type { CardAnswer } from '../carrier-card.ts';
import { decodeIccid, decodeImsi, FileId, readFile } from '../files.ts';

/** EF_ICCID; undefined where the card has no such file now: no profile is enabled. @throws CardStatusError, CardTransportError, DecodeError */
export function readIccid(session: CardSession): Promise<string | undefined> {
  return unlessMissing(async () => decodeIccid(await readFile(session, 'EF_ICCID', FileId.EF_ICCID)));
}

/** EF_IMSI; undefined where there is none, or a PIN guards it. @throws CardStatusError, CardTransportError, DecodeError */
export function readImsi(session: CardSession): Promise<string | undefined> {
  return unlessMissing(async () =>
    decodeImsi(await readFile(session, 'EF_IMSI', FileId.ADF_USIM, FileId.EF_IMSI)),
  );
}

async function unlessMissing(read: () => Promise<string>): Promise<string | undefined> {
  try {
    return await read();
  } catch (error) {
    const missing: readonly number[] = [StatusWord.FILE_NOT_FOUND, StatusWord.SECURITY_NOT_SATISFIED];
    if (error instanceof CardStatusError && missing.includes(error.sw)) return undefined;
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
