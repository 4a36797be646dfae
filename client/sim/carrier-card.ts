import type { EuiccProfiles } from './euicc-profiles.ts';

/** A carrier that a card offers. */
export interface CardCarrier {
  /**
   * 0 to 65534, never 15 (Disconnect). It stands for this subscription as long as the card lives: when another one is
   * deleted it stays, and what is installed later gets another.
   */
  readonly id: number;
  /** Unique on the card, not empty. */
  readonly name: string;
  /** Undefined where the card does not tell that of carriers that are not in use. */
  readonly iccid: string | undefined;
}

/** The carrier that a card is on, as the card says. */
export interface CurrentCarrier {
  /** Of `carriers()`; undefined: one that is not among them. */
  readonly carrierId: number | undefined;
  readonly iccid: string | undefined;
  /** Undefined: it cannot be read. */
  readonly imsi: string | undefined;
  /** Why no network can be had with it, in words, where the card tells: its PIN is blocked. */
  readonly obstacle?: string;
}

/** What happened to a card beside what was asked of it. */
export type CardEvent =
  /** It is on another carrier, or on none: ask `current()`, `carriers()` and what else there is anew. */
  | 'changed'
  /** It was taken out, or its reader is gone. */
  | 'removed'
  /** A card is in again, maybe another: `connect()` and ask anew. */
  | 'inserted';

/** What a card adds to its yes. */
export interface CardAnswer {
  /** For people, beside an ACK: `the card acknowledged; its ICCID did not change`. */
  readonly note?: string;
}

/** The card's own no: its message is the reason that people read. */
export class CardRefusalError extends Error {
  override readonly name: string = 'CardRefusalError';
}

/**
 * A card with several carriers, as a modem uses it, whatever is behind: profiles of an eUICC, or an applet.
 *
 * Calls come one at a time. Each ends within its deadlines: a card that is mute is an error, and no call waits for
 * ever. All but `close` throw CardTransportError (no card, no reader, or it is mute), CardStatusError (a status word
 * that is a no) and DecodeError (the answer is none); what the card did in spite of an error, `current()` tells.
 */
export interface CarrierCard {
  /** Powers the card up, or takes it up anew after an error. */
  connect(): Promise<void>;
  carriers(): Promise<readonly CardCarrier[]>;
  /** Asked of the card each time; undefined: it is on no carrier. */
  current(): Promise<CurrentCarrier | undefined>;
  /** Has the card go to a carrier; it is there when this resolves, resets included. @throws CardRefusalError */
  enable(carrier: CardCarrier): Promise<CardAnswer>;
  /** Has the card leave its carrier for none. @throws CardRefusalError */
  disable(): Promise<CardAnswer>;
  /** Warm reset: selections and logical channels are gone, and what waited for a reset happens. */
  reset(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
  /** Sets who hears of what the card does by itself. */
  onChanged(listener: (event: CardEvent) => void): void;
  /** Its profiles, where it is an eUICC and has been read. */
  profiles?(): EuiccProfiles | undefined;
  /** The card asked by REFRESH to be read anew, beside what was asked of it. */
  refreshed?(): void;
  /** Its application toolkit waits in vain for something that was lost: it is to be connected anew. */
  broken?(): void;
}
