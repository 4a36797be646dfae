import { describeStatusWord } from './apdu.ts';

/** Whether there is a card in the slot. */
export type CardPresence = 'present' | 'absent';

/**
 * The way to a card: a reader, a modem's AT port, or a card in this process. One command at a time;
 * `reset` and `close` break off one that is under way.
 */
export interface CardTransport {
  /** Powers the card up. Resolves with its ATR. @throws CardAbsentError */
  connect(): Promise<Uint8Array>;
  /**
   * Sends one command APDU and resolves with the response APDU, status word last. 61XX, 6CXX and 91XX
   * come through as they are: `CardSession` deals with them.
   * @throws CardAbsentError, CardTransportError
   */
  transmit(command: Uint8Array): Promise<Uint8Array>;
  /** Warm reset; resolves with the ATR. Selections and logical channels are gone. @throws CardAbsentError */
  reset(): Promise<Uint8Array>;
  /** Idempotent. */
  close(): Promise<void>;
  /**
   * Tells when a card was taken out or put in, from now on; a card that was put in is to be connected
   * anew. Returns what ends it. Absent: this transport cannot tell.
   */
  subscribe?(listener: (presence: CardPresence) => void): () => void;
}

/** The card could not be talked to. */
export class CardTransportError extends Error {
  override readonly name: string = 'CardTransportError';
}

/** No card, no reader, or it was taken out. */
export class CardAbsentError extends CardTransportError {
  override readonly name = 'CardAbsentError';
}

/** The card answered, and it is a no. */
export class CardStatusError extends Error {
  override readonly name = 'CardStatusError';
  readonly sw: number;

  constructor(what: string, sw: number) {
    super(`${what}: ${describeStatusWord(sw)}`);
    this.sw = sw;
  }
}
