import { type CommandApdu, StatusWord } from '../apdu.ts';

/** A request larger than this is no request to an ISD-R of ours. */
const maxRequestBytes = 4_096;

/** Puts a request together that comes in segments of STORE DATA (GSMA SGP.22 §5.7.2): P1 11 while more follow, 91 last. */
export class StoreDataAssembly {
  #segments: Uint8Array[] = [];

  clear(): void {
    this.#segments = [];
  }

  /** The request, complete; undefined while more follow; the status word where the segment does not fit. */
  add(command: CommandApdu): { readonly request: Uint8Array } | { readonly sw: number } | undefined {
    if (command.p1 !== 0x11 && command.p1 !== 0x91) return { sw: StatusWord.INCORRECT_P1_P2 };
    if (command.p2 !== (this.#segments.length & 0xff)) {
      this.clear();
      return { sw: StatusWord.INCORRECT_P1_P2 };
    }
    this.#segments.push(command.data ?? new Uint8Array(0));
    if (this.#segments.reduce((sum, segment) => sum + segment.length, 0) > maxRequestBytes) {
      this.clear();
      return { sw: StatusWord.INCORRECT_DATA };
    }
    if (command.p1 === 0x11) return undefined;
    const request = new Uint8Array(Buffer.concat(this.#segments));
    this.clear();
    return { request };
  }
}
