import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { type CommandApdu, type ResponseApdu, StatusWord } from '../apdu.ts';
import { decodeTlvs } from '../ber-tlv.ts';
import { maxProactiveBytes } from './card-application.ts';

/** REFRESH and its mode "UICC reset", ETSI TS 102 223 §8.6. */
const refresh = 0x01;
const uiccReset = 0x04;
/** D0 { details 1, REFRESH, UICC reset; devices UICC to terminal }: ETSI TS 102 223 §6.6.13. */
export const refreshWithReset = Uint8Array.of(0xd0, 9, 0x81, 3, 1, refresh, uiccReset, 0x82, 2, 0x81, 0x82);

const maxQueued = 16;

interface ProactiveCommand {
  readonly bytes: Uint8Array;
  /** Number, type and qualifier, §8.6. */
  readonly details: Uint8Array;
  /** `performed`: the general result is one of "performed" (§8.12, 0X). */
  readonly onResponse: (response: Uint8Array, performed: boolean) => void;
}

/** The card's half of proactive sessions (ETSI TS 102 223 §4 to §6): one command at a time, the others wait. */
export class CardToolkit {
  #queue: ProactiveCommand[] = [];
  #fetched: ProactiveCommand | undefined;
  /** After REFRESH with reset was fetched, the card refuses all but its terminal response until the reset. */
  #awaitsReset = false;

  /** As after power-up. */
  reset(): void {
    this.#queue = [];
    this.#fetched = undefined;
    this.#awaitsReset = false;
  }

  get awaitsReset(): boolean {
    return this.#awaitsReset;
  }

  /** A proactive session is under way: a command was fetched, and its terminal response is not there yet. */
  get busy(): boolean {
    return this.#fetched !== undefined;
  }

  get pending(): number {
    return this.#queue.length + (this.#fetched === undefined ? 0 : 1);
  }

  get isFull(): boolean {
    return this.#queue.length >= maxQueued;
  }

  /** 9000, or 91XX with the length of the command that can be fetched (ETSI TS 102 221 §7.4.2). */
  get okStatus(): number {
    const next = this.#queue[0];
    return next === undefined || this.busy ? StatusWord.OK : 0x9100 | next.bytes.length;
  }

  /** @throws RequestError it is no proactive command, too long, or too many wait */
  queue(bytes: Uint8Array, onResponse: ProactiveCommand['onResponse']): void {
    if (bytes.length > maxProactiveBytes) {
      throw new RequestError(
        `a proactive command has at most ${maxProactiveBytes} bytes, not ${bytes.length}`,
      );
    }
    if (this.isFull) throw new RequestError(`${maxQueued} proactive commands wait`);
    this.#queue.push({ bytes, details: detailsOf(bytes), onResponse });
  }

  /** FETCH, §6.3. */
  fetch(command: CommandApdu): ResponseApdu {
    const next = this.#queue[0];
    if (next === undefined || this.busy) return status(StatusWord.CONDITIONS_NOT_SATISFIED);
    if (command.le !== next.bytes.length) return status(0x6c00 | next.bytes.length);
    this.#queue.shift();
    this.#fetched = next;
    this.#awaitsReset = next.details[1] === refresh && next.details[2] === uiccReset;
    return { data: next.bytes, sw: StatusWord.OK };
  }

  /** TERMINAL RESPONSE, §6.8. The status is 9000, where `okStatus` is for the caller to look at afterwards. */
  terminalResponse(command: CommandApdu): ResponseApdu {
    const fetched = this.#fetched;
    if (fetched === undefined) return status(StatusWord.CONDITIONS_NOT_SATISFIED);
    const data = command.data ?? new Uint8Array(0);
    const details = element(data, 0x01);
    if (details === undefined || !fetched.details.every((byte, i) => byte === details[i])) {
      return status(StatusWord.INCORRECT_DATA);
    }
    const performed = (element(data, 0x03)?.[0] ?? 0xff) < 0x10;
    this.#fetched = undefined;
    if (!performed) this.#awaitsReset = false;
    fetched.onResponse(data, performed);
    return status(StatusWord.OK);
  }
}

/** Command details of a proactive command. @throws RequestError */
function detailsOf(bytes: Uint8Array): Uint8Array {
  try {
    const [outer, ...rest] = decodeTlvs(bytes);
    const details = outer?.tag === 0xd0 && rest.length === 0 ? element(outer.value, 0x01) : undefined;
    if (details?.length === 3) return details;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
  throw new RequestError('a proactive command is one D0 object that begins with command details');
}

/**
 * The first data object with that tag (bit 8, "comprehension required", aside), among those that stand one
 * after the other: ETSI TS 101 220 §7.1.1. Undefined where there is none, or what is before it ends early.
 */
function element(bytes: Uint8Array, tag: number): Uint8Array | undefined {
  for (let offset = 0; offset + 2 <= bytes.length; ) {
    const found = (bytes[offset] ?? 0) & 0x7f;
    const long = bytes[offset + 1] === 0x81;
    const length = bytes[offset + (long ? 2 : 1)] ?? 0;
    const start = offset + (long ? 3 : 2);
    if (start + length > bytes.length) return undefined;
    if (found === tag) return bytes.subarray(start, start + length);
    offset = start + length;
  }
  return undefined;
}

function status(sw: number): ResponseApdu {
  return { data: new Uint8Array(0), sw };
}
