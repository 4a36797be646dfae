import type { CardTransport } from '../../../client/sim/card-transport.ts';
import { fromHex, toHex } from '../../../client/sim/hex.ts';

/** Sends command APDUs in hex, one after the other, and gives the answers in hex, as they are on the line. */
export async function talk(card: CardTransport, ...apdus: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const apdu of apdus) answers.push(toHex(await card.transmit(fromHex(apdu))));
  return answers;
}

/** As `talk` of one APDU, with the data that it announces by 61XX fetched and put together. */
export async function ask(card: CardTransport, apdu: string): Promise<string> {
  let [answer = ''] = await talk(card, apdu);
  let data = '';
  while (answer.slice(-4, -2) === '61') {
    data += answer.slice(0, -4);
    [answer = ''] = await talk(card, `${apdu.slice(0, 2)}C00000${answer.slice(-2)}`);
  }
  return data + answer;
}
