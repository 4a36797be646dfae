import { Ins, StatusWord } from './apdu.ts';
import type { CardSession } from './card-session.ts';
import { CardStatusError } from './card-transport.ts';
import type { CurrentCarrier } from './carrier-card.ts';
import { decodeImsi, FileId, readFile } from './files.ts';

/** Who the card is on a network, or why it cannot be anybody there. */
export type Subscriber = Pick<CurrentCarrier, 'imsi' | 'obstacle'>;

/** EF_IMSI of the card's USIM. @throws CardStatusError, CardTransportError, DecodeError */
export async function readSubscriber(session: CardSession): Promise<Subscriber> {
  try {
    return { imsi: decodeImsi(await readFile(session, 'EF_IMSI', FileId.ADF_USIM, FileId.EF_IMSI)) };
  } catch (error) {
    if (!(error instanceof CardStatusError)) throw error;
    return { imsi: undefined, obstacle: await obstacleOf(session, error) };
  }
}

/** What a status word to EF_IMSI means. @throws that error, where it means nothing of the kind */
async function obstacleOf(session: CardSession, error: CardStatusError): Promise<string> {
  if (error.sw === StatusWord.FILE_NOT_FOUND) return 'its profile has no USIM';
  if (error.sw === StatusWord.PIN_BLOCKED) return 'its PIN is blocked';
  if (error.sw !== StatusWord.SECURITY_NOT_SATISFIED) throw error;
  // VERIFY without a PIN costs no attempt: it tells how many are left (ETSI TS 102 221 §11.1.9).
  const { sw } = await session.send({ cla: 0, ins: Ins.VERIFY_PIN, p1: 0, p2: 0x01 });
  if (sw === StatusWord.PIN_BLOCKED || sw === 0x63c0) return 'its PIN is blocked';
  return sw >> 4 === 0x63c ? `it wants its PIN, ${sw & 0x0f} attempts left` : error.message;
}
