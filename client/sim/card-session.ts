import { AsyncLocalStorage } from 'node:async_hooks';
import { DecodeError } from '../../protocol/errors.ts';
import {
  type CommandApdu,
  decodeResponse,
  encodeCommand,
  Ins,
  isOk,
  onChannel,
  type ResponseApdu,
  StatusWord,
} from './apdu.ts';
import { CardStatusError, type CardTransport, CardTransportError } from './card-transport.ts';

/** A response longer than this is no card's: it protects us from a card that says 61XX for ever. */
const maxResponseBytes = 65_536;
/** Proactive commands that are served in a row, before others get their turn at the card. */
const maxProactiveCommands = 64;
/** One piece of work on the card; what it began stays marked as its own, also after it ended. */
interface Piece {
  active: boolean;
}

/**
 * The one conversation with a card: APDUs with what T=0 leaves to the terminal (GET RESPONSE after 61XX,
 * the right length after 6CXX), one piece of work at a time, and proactive commands served as they are
 * announced.
 */
export class CardSession {
  /**
   * Serves the proactive command of that many bytes that the card announced by 91XX, within the piece of
   * work that is under way. While it is set, `send` answers 9000 for 91XX: what was pending has been served.
   */
  onProactive: ((length: number) => Promise<void>) | undefined;
  /** The card was powered up or reset, by whomever: called before any other command, in the same piece of work. */
  onReset: (() => Promise<void>) | undefined;

  readonly #transport: CardTransport;
  readonly #current = new AsyncLocalStorage<Piece>();
  /** The last piece of work that was taken on, until it is done; undefined: there is none. */
  #line: Promise<unknown> | undefined;
  /** The last command within it, in the same way. */
  #exchanges: Promise<unknown> | undefined;
  #serving = false;
  /** Bytes of the proactive command that the card announced last. */
  #pending: number | undefined;
  #generation = 0;

  /** The transport is to have a deadline for each command: the session waits as long as it does. */
  constructor(transport: CardTransport) {
    this.#transport = transport;
  }

  /**
   * Rises whenever the card was powered up or reset: what was selected or opened in another generation is
   * gone. A profile change may reset the card within `send`, when its REFRESH is served.
   */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Runs one piece of work at a time, in the order of the calls: nobody else's APDU comes between. Within a
   * piece of work it runs at once, as a part of it. A single `send` is such a piece by itself.
   */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#current.getStore()?.active === true ? work() : this.later(work);
  }

  /**
   * As `exclusive`, and always a piece of its own: for what a socket or a timer brings, which may have been
   * made within a piece of work. Never to be awaited within one.
   */
  later<T>(work: () => Promise<T>): Promise<T> {
    const piece: Piece = { active: true };
    const begin = (): Promise<T> =>
      this.#current.run(piece, work).finally(() => {
        piece.active = false;
      });
    const run = (this.#line ?? Promise.resolve()).then(begin, begin);
    this.#line = run;
    const done = (): void => {
      if (this.#line === run) this.#line = undefined;
    };
    run.then(done, done);
    return run;
  }

  /** Powers the card up; resolves with its ATR. @throws CardAbsentError, CardTransportError */
  connect(): Promise<Uint8Array> {
    return this.#powerUp(() => this.#transport.connect());
  }

  /** Warm reset: selections and logical channels are gone. @throws CardAbsentError, CardTransportError */
  reset(): Promise<Uint8Array> {
    return this.#powerUp(() => this.#transport.reset());
  }

  /**
   * Sends a command and gathers the whole answer (ETSI TS 102 221 §7.3.1.1). The status word may be any.
   * @throws CardTransportError, DecodeError
   */
  send(command: CommandApdu): Promise<ResponseApdu> {
    return this.exclusive(async () => {
      const response = await this.#gather(command);
      if (response.sw >> 8 !== 0x91 || this.onProactive === undefined) return response;
      this.#pending = response.sw & 0xff || 256;
      if (!this.#serving) await this.#serve();
      return { data: response.data, sw: StatusWord.OK };
    });
  }

  /** As `send`, where only 9000 and 91XX are an answer. @throws CardStatusError with `what` in its message. */
  async expectOk(what: string, command: CommandApdu): Promise<ResponseApdu> {
    const response = await this.send(command);
    if (!isOk(response.sw)) throw new CardStatusError(what, response.sw);
    return response;
  }

  /**
   * Opens a logical channel (ETSI TS 102 221 §11.1.17), selects the application there, and closes it again
   * unless a reset has taken it away. `work` gets the channel's number, 1 to 19.
   * @throws CardStatusError, CardTransportError, DecodeError; whatever `work` throws
   */
  onApplication<T>(name: string, aid: Uint8Array, work: (channel: number) => Promise<T>): Promise<T> {
    return this.exclusive(async () => {
      const channel = await this.#openChannel();
      const { generation } = this;
      let result: T;
      try {
        await this.expectOk(`select ${name}`, {
          ...onChannel({ cla: 0, ins: Ins.SELECT, p1: 0x04, p2: 0x00 }, channel),
          data: aid,
        });
        result = await work(channel);
      } catch (error) {
        // What went wrong first is what is told; a card that cannot be talked to is asked nothing more.
        if (generation === this.generation && !(error instanceof CardTransportError)) {
          await this.#closeChannel(channel).catch(ofCard);
        }
        throw error;
      }
      if (generation === this.generation) await this.#closeChannel(channel);
      return result;
    });
  }

  /** Until the card has none left; a card that never has enough goes on with the next command. */
  async #serve(): Promise<void> {
    this.#serving = true;
    try {
      for (let count = 0; this.#pending !== undefined && count < maxProactiveCommands; count++) {
        const length = this.#pending;
        this.#pending = undefined;
        await this.onProactive?.(length);
      }
    } finally {
      this.#pending = undefined;
      this.#serving = false;
    }
  }

  async #openChannel(): Promise<number> {
    const opened = await this.expectOk('open a logical channel', {
      cla: 0,
      ins: Ins.MANAGE_CHANNEL,
      p1: 0,
      p2: 0,
      le: 1,
    });
    const channel = opened.data[0];
    if (channel === undefined || channel < 1 || channel > 19) {
      throw new DecodeError('the card opened no logical channel 1 to 19');
    }
    return channel;
  }

  /** A channel that the card itself has given up is closed. */
  async #closeChannel(channel: number): Promise<void> {
    const { sw } = await this.send({ cla: 0, ins: Ins.MANAGE_CHANNEL, p1: 0x80, p2: channel });
    if (!isOk(sw) && sw !== StatusWord.CHANNEL_NOT_SUPPORTED) {
      throw new CardStatusError('close the logical channel', sw);
    }
  }

  #powerUp(how: () => Promise<Uint8Array>): Promise<Uint8Array> {
    return this.exclusive(async () => {
      const atr = await how();
      this.#generation++;
      await this.onReset?.();
      return atr;
    });
  }

  /** One command and its GET RESPONSEs, with nothing between. */
  #gather(command: CommandApdu): Promise<ResponseApdu> {
    const begin = (): Promise<ResponseApdu> => this.#gatherNow(command);
    const gathered = (this.#exchanges ?? Promise.resolve()).then(begin, begin);
    this.#exchanges = gathered;
    const done = (): void => {
      if (this.#exchanges === gathered) this.#exchanges = undefined;
    };
    gathered.then(done, done);
    return gathered;
  }

  async #gatherNow(command: CommandApdu): Promise<ResponseApdu> {
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

  async #exchange(command: CommandApdu): Promise<ResponseApdu> {
    return decodeResponse(await this.#transport.transmit(encodeCommand(command)));
  }
}

function lengthOf(sw: number): number {
  return (sw & 0xff) === 0 ? 256 : sw & 0xff;
}

/** Passes over what the card or the way to it does wrong; what is a bug is thrown. */
function ofCard(error: unknown): void {
  const expected =
    error instanceof CardStatusError || error instanceof CardTransportError || error instanceof DecodeError;
  if (!expected) throw error;
}
