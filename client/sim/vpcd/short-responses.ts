import { encodeResponse, Ins, type ResponseApdu, StatusWord } from '../apdu.ts';

/** A response of this many bytes and its status word have a length whose high byte is 0. */
export const longestBody = 253;

/**
 * Keeps responses short, as T=0 does: what is longer is given in parts, each announced by 61XX and fetched by GET
 * RESPONSE (ISO/IEC 7816-3 §10.3.3, ETSI TS 102 221 §7.3.1.1), the card's own status word last.
 */
export class ShortResponses {
  #rest: ResponseApdu | undefined;

  /** What is to be sent of the card's answer. */
  shorten(response: Uint8Array): Uint8Array {
    this.#rest = undefined;
    if (response.length <= longestBody + 2) return response;
    const sw = ((response.at(-2) ?? 0) << 8) | (response.at(-1) ?? 0);
    return this.#part({ data: response.slice(0, -2), sw }, longestBody);
  }

  /** The next part, where the command fetches one; undefined: the command is for the card, and what waited is gone. */
  answer(command: Uint8Array): Uint8Array | undefined {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest === undefined || command.length !== 5 || command[1] !== Ins.GET_RESPONSE) return undefined;
    if (command[2] !== 0 || command[3] !== 0) {
      return encodeResponse({ data: new Uint8Array(0), sw: StatusWord.INCORRECT_P1_P2 });
    }
    const wanted = command[4] || 256;
    const available = Math.min(rest.data.length, longestBody);
    if (wanted > available && command[4] !== 0) {
      this.#rest = rest;
      return encodeResponse({ data: new Uint8Array(0), sw: 0x6c00 | available });
    }
    return this.#part(rest, Math.min(wanted, available));
  }

  forget(): void {
    this.#rest = undefined;
  }

  #part({ data, sw }: ResponseApdu, length: number): Uint8Array {
    const left = data.length - length;
    if (left === 0) return encodeResponse({ data, sw });
    this.#rest = { data: data.slice(length), sw };
    const announced = Math.min(left, longestBody);
    return encodeResponse({ data: data.slice(0, length), sw: 0x6100 | announced });
  }
}
