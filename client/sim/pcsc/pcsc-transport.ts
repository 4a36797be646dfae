import { Ins } from '../apdu.ts';
import {
  CardAbsentError,
  type CardPresence,
  type CardTransport,
  CardTransportError,
} from '../card-transport.ts';
import { Disposition, PcscConnection } from './connection.ts';
import { isLost, PcscCode, pcscCodeOf, pcscError } from './pcsc-error.ts';
import type { ReaderMonitor, ReaderState } from './reader-monitor.ts';

/** So long a reader, and a card in it, are waited for when we connect: the daemon tells of them bit by bit, ms. */
const patience = 2_000;
/** After "no answer" the daemon says within this whether the card was taken out, ms. */
const removalTime = 1_000;

/** Errors that a card which was just taken out makes, among others. */
const mayBeRemoval: ReadonlySet<number> = new Set([
  PcscCode.NOT_TRANSACTED,
  PcscCode.UNPOWERED_CARD,
  PcscCode.UNRESPONSIVE_CARD,
  PcscCode.COMM_ERROR,
]);

export interface PcscTransportOptions {
  /** The reader's name, or a part of it that no other reader has; undefined: the only one with a card. */
  readonly reader: string | undefined;
  /** The transport's own: it is closed with it. */
  readonly monitor: ReaderMonitor;
  /**
   * Whether the card is reset when we connect and when we close, so that we find it, and leave it, as after a power
   * cycle. Default true. A program that only looks leaves the card to whoever uses it.
   */
  readonly reset?: boolean;
}

/** A card in a PC/SC reader. */
export class PcscTransport implements CardTransport {
  readonly #options: PcscTransportOptions;
  readonly #monitor: ReaderMonitor;
  readonly #listeners = new Map<(presence: CardPresence) => void, () => void>();
  #connection: PcscConnection | undefined;

  constructor(options: PcscTransportOptions) {
    this.#options = options;
    this.#monitor = options.monitor;
  }

  /** The reader that is connected. */
  get reader(): string | undefined {
    return this.#connection?.name;
  }

  async connect(): Promise<Uint8Array> {
    this.#monitor.start();
    const { name } = await this.#findReader();
    return this.#powerUp(name, this.#options.reset !== false);
  }

  async transmit(command: Uint8Array): Promise<Uint8Array> {
    const connection = this.#connection;
    if (connection?.isOpen !== true) throw this.#whyNotConnected();
    try {
      return answered(await connection.transmit(command));
    } catch (error) {
      const code = pcscCodeOf(error);
      if (code === PcscCode.RESET_CARD || code === PcscCode.UNPOWERED_CARD) {
        return this.#afterForeignReset(connection, command, error);
      }
      if (isLost(code)) await connection.release(Disposition.LEAVE);
      throw await this.#explained(connection, error);
    }
  }

  async reset(): Promise<Uint8Array> {
    const name = this.reader;
    return name === undefined ? this.connect() : this.#powerUp(name, true);
  }

  /** A command that has not come back by then ends with the process: nothing can be said to the card meanwhile. */
  async close(): Promise<void> {
    for (const unsubscribe of this.#listeners.values()) unsubscribe();
    this.#listeners.clear();
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined && !connection.isBusy) {
      await connection.release(this.#options.reset === false ? Disposition.LEAVE : Disposition.RESET);
      connection.giveBack();
    }
    this.#monitor.close();
  }

  subscribe(listener: (presence: CardPresence) => void): () => void {
    this.#monitor.start();
    let before = this.#seen();
    const unsubscribe = this.#monitor.onChange(() => {
      const now = this.#seen();
      if (now === before) return;
      const swapped = before !== undefined && now !== undefined;
      before = now;
      if (swapped || now === undefined) listener('absent');
      if (now !== undefined) listener('present');
    });
    this.#listeners.set(listener, unsubscribe);
    return () => {
      unsubscribe();
      this.#listeners.delete(listener);
    };
  }

  /** Tells one insertion from another; undefined: no card that answers. */
  #seen(): string | undefined {
    const state = this.#matching().find(({ card }) => card === 'present');
    return state === undefined ? undefined : `${state.changes} ${state.name}`;
  }

  /** The readers that the name fits. */
  #matching(): readonly ReaderState[] {
    const { reader } = this.#options;
    const { readers } = this.#monitor;
    if (reader === undefined) return readers;
    const exact = readers.filter(({ name }) => name === reader);
    if (exact.length > 0) return exact;
    return readers.filter(({ name }) => name.toLowerCase().includes(reader.toLowerCase()));
  }

  /** @throws CardAbsentError, CardTransportError with what there is */
  async #findReader(): Promise<ReaderState> {
    const withCard = (): readonly ReaderState[] => this.#matching().filter(({ card }) => card === 'present');
    // Not the first card that is told of: there may be others. Nothing to wait for where the daemon does not run.
    const isKnown = (): boolean =>
      withCard().length > 0 && !this.#matching().some(({ card }) => card === 'unknown');
    await this.#monitor.until(() => this.#monitor.problem ?? (isKnown() ? '' : undefined), patience);
    if (this.#monitor.problem !== undefined) throw new CardTransportError(this.#monitor.problem);
    const found = withCard();
    const [only, other] = found;
    if (only !== undefined && other === undefined) return only;
    if (only !== undefined) {
      throw new CardTransportError(`cards are in several readers, say which: ${names(found)}`);
    }
    throw new CardAbsentError(this.#whyNoCard());
  }

  #whyNoCard(): string {
    const { reader } = this.#options;
    const there = this.#monitor.readers;
    const matching = this.#matching();
    if (there.length === 0) {
      return 'no reader is plugged in, or pcscd has no driver for it (on Debian the package libccid)';
    }
    if (matching.length === 0) return `there is no reader ${reader}: there is ${names(there)}`;
    if (matching.some(({ card }) => card === 'mute')) {
      return `${names(matching)}: the card does not answer when it is powered: is it the right way round?`;
    }
    return `${names(matching)}: no card in the reader`;
  }

  /** Connects to a reader that pcscd has by now; letting go of a card with a reset is what resets it. */
  async #powerUp(name: string, reset: boolean): Promise<Uint8Array> {
    const connection = this.#connectionTo(name);
    try {
      if (reset) {
        await connection.open();
        await connection.release(Disposition.RESET);
      } else {
        await connection.release(Disposition.LEAVE);
      }
      await connection.open();
    } catch (error) {
      throw await this.#explained(connection, error);
    }
    const atr = (): Uint8Array | undefined => this.#monitor.readers.find((state) => state.name === name)?.atr;
    return (await this.#monitor.until(atr, patience)) ?? new Uint8Array(0);
  }

  #connectionTo(name: string): PcscConnection {
    const there = this.#connection;
    if (there?.name === name) return there;
    const example = this.#monitor.native(name);
    if (example === undefined) throw new CardAbsentError(`${name}: the reader is gone`);
    there?.giveBack();
    this.#connection = new PcscConnection(example);
    return this.#connection;
  }

  /**
   * Another PC/SC program let go of the card with a reset, as most do: what was selected and the logical channels are
   * gone, so it is told as a card that was put in. A command that needs nothing of the kind is sent again; of any
   * other the caller has to know.
   */
  async #afterForeignReset(
    connection: PcscConnection,
    command: Uint8Array,
    cause: unknown,
  ): Promise<Uint8Array> {
    try {
      await connection.release(Disposition.LEAVE);
      await connection.open();
      for (const listener of [...this.#listeners.keys()]) {
        listener('absent');
        listener('present');
      }
      if (standsAlone(command)) return answered(await connection.transmit(command));
    } catch (error) {
      throw await this.#explained(connection, error);
    }
    throw pcscError(connection.name, cause);
  }

  /** Several errors can mean that the card is out, and only the daemon knows, a moment later. */
  async #explained(connection: PcscConnection, error: unknown): Promise<CardTransportError> {
    if (error instanceof CardTransportError) return error;
    const { name } = connection;
    const code = pcscCodeOf(error);
    if (code !== undefined && mayBeRemoval.has(code)) {
      const gone = (): true | undefined => (this.#hasCard(name) ? undefined : true);
      if ((await this.#monitor.until(gone, removalTime)) === true) {
        await connection.release(Disposition.LEAVE);
        return new CardAbsentError(`${name}: the card was taken out`, { cause: error });
      }
    }
    return pcscError(name, error);
  }

  #whyNotConnected(): CardTransportError {
    const name = this.reader;
    if (name === undefined) return new CardTransportError('no card is connected');
    if (this.#monitor.problem !== undefined) return new CardTransportError(this.#monitor.problem);
    if (!this.#hasCard(name)) return new CardAbsentError(`${name}: no card in the reader`);
    return new CardTransportError(`${name}: the connection to the card was lost, and not made anew yet`);
  }

  #hasCard(name: string): boolean {
    return this.#monitor.readers.some((state) => state.name === name && state.card === 'present');
  }
}

/** Some drivers say "no answer" by an answer of nothing. */
function answered(response: Uint8Array): Uint8Array {
  if (response.length > 0) return response;
  throw new Error(`an empty answer (0x${PcscCode.NOT_TRANSACTED.toString(16)})`);
}

/** SELECT by path from the MF or by AID, and MANAGE CHANNEL "open", on the basic channel. */
function standsAlone([cla, ins, p1]: Uint8Array): boolean {
  if (cla !== 0) return false;
  return (ins === Ins.SELECT && (p1 === 0x08 || p1 === 0x04)) || (ins === Ins.MANAGE_CHANNEL && p1 === 0x00);
}

function names(readers: readonly ReaderState[]): string {
  return readers.map(({ name }) => `"${name}"`).join(', ');
}
