import { CardTransportError } from '../card-transport.ts';
import { callBegins } from './hung-calls.ts';
import { PcscCode, pcscCodeOf } from './pcsc-error.ts';
import type { NativeReader } from './pcsclite.ts';

const SHARE_SHARED = 2;
const PROTOCOL_T0_OR_T1 = 3;
/** Of a command with short lengths, ISO/IEC 7816-4 §5.1: 256 bytes and the status word. */
const longestResponse = 258;

/** What becomes of the card when it is let go. */
export const Disposition = { LEAVE: 0, RESET: 1 } as const;

/** Errors of SCardConnect that are about reader and card: by a new context they would be the same. */
const aboutTheCard: ReadonlySet<number> = new Set([
  PcscCode.UNKNOWN_READER,
  PcscCode.SHARING_VIOLATION,
  PcscCode.NO_SMARTCARD,
  PcscCode.PROTO_MISMATCH,
  PcscCode.READER_UNAVAILABLE,
  PcscCode.NO_READERS_AVAILABLE,
  PcscCode.UNSUPPORTED_CARD,
  PcscCode.UNRESPONSIVE_CARD,
  PcscCode.REMOVED_CARD,
  PcscCode.SECURITY_VIOLATION,
]);

/**
 * Native readers that carry commands. pcsclite's destructor reads what its constructor did not set, so none of them
 * may be given to the garbage collector; each has a context at the daemon, which serves 200 of them. So they are used
 * again.
 */
const kept = new Set<NativeReader>();
const idle = new Map<string, NativeReader[]>();

/** A connection to the card in one reader, by a context of its own. All errors are pcsclite's. */
export class PcscConnection {
  readonly #name: string;
  readonly #make: new (
    name: string,
  ) => NativeReader;
  #native: NativeReader | undefined;
  #protocol = 0;
  #busy = false;

  /** @param example a reader of that name, of which others can be made */
  constructor(example: NativeReader) {
    this.#name = example.name;
    this.#make = example.constructor;
  }

  get name(): string {
    return this.#name;
  }

  get isOpen(): boolean {
    return this.#native?.connected === true;
  }

  /** A call is under way: the card has not answered. */
  get isBusy(): boolean {
    return this.#busy;
  }

  /** @throws what pcsclite says; CardTransportError the card has not answered an earlier command */
  async open(): Promise<void> {
    if (this.isOpen) return;
    const used = this.#native ?? idle.get(this.#name)?.pop();
    if (used !== undefined) {
      try {
        await this.#connect(used);
        return;
      } catch (error) {
        const code = pcscCodeOf(error);
        if (code === undefined || aboutTheCard.has(code)) throw error;
        // The daemon was restarted: its contexts are gone, and this native reader keeps the one it has.
        this.#native = undefined;
      }
    }
    await this.#connect(new this.#make(this.#name));
  }

  /** Lets the card go. Whatever came of it, there is no connection afterwards. */
  async release(disposition: number): Promise<void> {
    const native = this.#native;
    if (native === undefined || !native.connected) return;
    try {
      await this.#call<void>((done) => native.disconnect(disposition, done));
    } catch (error) {
      if (pcscCodeOf(error) === undefined) throw error;
      // It stays "connected" for ever: another one takes its place.
      this.#native = undefined;
    }
  }

  async transmit(command: Uint8Array): Promise<Uint8Array> {
    const native = this.#native;
    if (native === undefined || !native.connected) throw new CardTransportError('no card is connected');
    const data = Buffer.from(command.buffer, command.byteOffset, command.length);
    return this.#call<Buffer>((done) => native.transmit(data, longestResponse, this.#protocol, done));
  }

  /** What is not connected is there for the next one. */
  giveBack(): void {
    const native = this.#native;
    this.#native = undefined;
    if (native === undefined || native.connected || this.#busy) return;
    const others = idle.get(this.#name);
    if (others === undefined) idle.set(this.#name, [native]);
    else others.push(native);
  }

  async #connect(native: NativeReader): Promise<void> {
    kept.add(native);
    this.#native = native;
    this.#protocol = await this.#call<number>((done) =>
      native.connect({ share_mode: SHARE_SHARED, protocol: PROTOCOL_T0_OR_T1 }, done),
    );
  }

  /**
   * One call at a time: a second one would wait in one of the few threads that files and host names of the process
   * need too.
   */
  #call<T>(start: (done: (error: unknown, value: T) => void) => void): Promise<T> {
    if (this.#busy) {
      return Promise.reject(
        new CardTransportError('the card has still not answered the last command: take it out'),
      );
    }
    this.#busy = true;
    const callEnds = callBegins();
    return new Promise<T>((resolve, reject) => {
      start((error, value) => {
        callEnds();
        this.#busy = false;
        if (error === null || error === undefined) resolve(value);
        else reject(error);
      });
    });
  }
}
