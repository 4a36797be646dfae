import { type CommandApdu, decodeResponse, encodeCommand, Ins, isOk, type ResponseApdu } from './apdu.ts';
import { CardStatusError, type CardTransport, CardTransportError } from './card-transport.ts';

/** A response longer than this is no card's: it protects us from a card that says 61XX for ever. */
const maxResponseBytes = 65_536;

/** APDUs with what T=0 leaves to the terminal: GET RESPONSE after 61XX, the right length after 6CXX. */
export class CardSession {
  readonly #transport: CardTransport;

  constructor(transport: CardTransport) {
    this.#transport = transport;
  }

  /**
   * Sends a command and gathers the whole answer (ETSI TS 102 221 §7.3.1.1). The status word may be any.
   * @throws CardTransportError, DecodeError
   */
  async send(command: CommandApdu): Promise<ResponseApdu> {
    let response = await this.#exchange(command);
    if (response.sw >> 8 === 0x6c) response = await this.#exchange({ ...command, le: lengthOf(response.sw) });
    if (response.sw >> 8 !== 0x61) return response;
    const parts = [response.data];
    let total = response.data.length;
    while (response.sw >> 8 === 0x61) {
      response = await this.#exchange({
        cla: command.cla,
        ins: Ins.GET_RESPONSE,
        p1: 0,
        p2: 0,
        le: lengthOf(response.sw),
      });
      parts.push(response.data);
      total += response.data.length;
      if (response.data.length === 0 && response.sw >> 8 === 0x61) {
        throw new CardTransportError('the card announces data and gives none');
      }
      if (total > maxResponseBytes) throw new CardTransportError('the card does not stop sending');
    }
    const data = new Uint8Array(total);
    let offset = 0;
    for (const part of parts) {
      data.set(part, offset);
      offset += part.length;
    }
    return { data, sw: response.sw };
  }

  /** As `send`, where only 9000 and 91XX are an answer. @throws CardStatusError with `what` in its message. */
  async expectOk(what: string, command: CommandApdu): Promise<ResponseApdu> {
    const response = await this.send(command);
    if (!isOk(response.sw)) throw new CardStatusError(what, response.sw);
    return response;
  }

  /** Warm reset: selections and logical channels are gone. */
  reset(): Promise<Uint8Array> {
    return this.#transport.reset();
  }

  async #exchange(command: CommandApdu): Promise<ResponseApdu> {
    return decodeResponse(await this.#transport.transmit(encodeCommand(command)));
  }
}

function lengthOf(sw: number): number {
  return (sw & 0xff) === 0 ? 256 : sw & 0xff;
}
