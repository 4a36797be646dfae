import type { Clock } from '../../protocol/clock.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { CardStatusError, CardTransportError } from '../sim/card-transport.ts';
import {
  type CardCarrier,
  CardRefusalError,
  type CarrierCard,
  type CurrentCarrier,
} from '../sim/carrier-card.ts';
import { ProfileOperationError, ProfileResult } from '../sim/euicc-results.ts';

/** What a card is and offers, read of it. */
export interface CardReading {
  readonly carriers: readonly CardCarrier[];
  /** Undefined: on no carrier. */
  readonly current: CurrentCarrier | undefined;
}

/** How something that a card was to do has ended. */
export interface CardWork {
  /** Why not, in words; empty: it is done. */
  readonly reason: string;
  /** What the card says beside its yes. */
  readonly note: string;
  /** What the card is on; undefined: on no carrier. */
  readonly current: CurrentCarrier | undefined;
  /** Whether the card could be asked afterwards; otherwise `current` is what it was before. */
  readonly read: boolean;
}

/** A card whose toolkit is busy is asked so many times, with this pause, ms. */
const busyAttempts = 3;
const busyPause = 1_000;
/** Between attempts to take a card up again, ms. */
const recoveryPause = 1_000;

/**
 * Has a card do things, and finds out what it did whatever happens: after an error the card is reset, or connected
 * anew, until it can be asked, or `patience` is over. What it says then is what counts: an answer that was lost or
 * garbled is no failure where the card did what it was to do.
 */
export class CardDriver {
  readonly #card: CarrierCard;
  readonly #clock: Clock;
  readonly #patience: number;
  #closed = false;

  /** `patience`: for a card that is away or answers nothing of use, ms. */
  constructor(card: CarrierCard, clock: Clock, patience: number) {
    this.#card = card;
    this.#clock = clock;
    this.#patience = patience;
  }

  close(): void {
    this.#closed = true;
  }

  /** Powers the card up and reads it. `patience`: otherwise the driver's. Throws as `CarrierCard` does, in the end. */
  start(patience: number): Promise<CardReading> {
    return this.#recovering(() => this.#readAll(), patience, 'connect');
  }

  /** Reads the card. Throws as `CarrierCard` does, in the end. */
  read(): Promise<CardReading> {
    return this.#recovering(() => this.#readAll(), this.#patience);
  }

  /** Has the card go to a carrier, or to none; `before`: what it is on. */
  async go(goal: CardCarrier | undefined, before: CurrentCarrier | undefined): Promise<CardWork> {
    let note = '';
    const work = await this.do(before, async () => {
      if (goal === undefined ? before === undefined : before?.carrierId === goal.id) return;
      const answer = await (goal === undefined ? this.#card.disable() : this.#card.enable(goal));
      note = answer.note ?? '';
    });
    if (!work.read) return work;
    if (work.current?.carrierId === goal?.id && (work.current === undefined) === (goal === undefined)) {
      return { ...work, reason: '', note };
    }
    return work.reason === '' ? { ...work, reason: 'the card acknowledged, and stayed where it was' } : work;
  }

  /** Does something with the card, once but where it says that its toolkit is busy, and asks it what it is on then. */
  async do(before: CurrentCarrier | undefined, work: () => Promise<void>): Promise<CardWork> {
    let reason = '';
    let upset: 'reset' | undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        await work();
        reason = '';
      } catch (error) {
        reason = cardReason(error);
        if (isBusy(error) && attempt < busyAttempts && !this.#closed) {
          await this.#pause(busyPause);
          continue;
        }
        // A refusal leaves the card as it was; after anything else nobody knows.
        if (!(error instanceof CardRefusalError)) upset = 'reset';
      }
      break;
    }
    try {
      const current = await this.#recovering(() => this.#card.current(), this.#patience, upset);
      return { reason, note: '', current, read: true };
    } catch (error) {
      return { reason: reason || cardReason(error), note: '', current: before, read: false };
    }
  }

  async #readAll(): Promise<CardReading> {
    const carriers = await this.#card.carriers();
    return { carriers, current: await this.#card.current() };
  }

  /** `first`: what is needed before the card is asked at all. */
  async #recovering<T>(ask: () => Promise<T>, patience: number, first?: 'reset' | 'connect'): Promise<T> {
    const until = this.#clock.now() + patience;
    let step = first;
    for (;;) {
      try {
        if (step === 'reset') await this.#card.reset();
        else if (step === 'connect') await this.#card.connect();
        return await ask();
      } catch (error) {
        cardReason(error);
        if (this.#closed || this.#clock.now() >= until) throw error;
      }
      // First the milder way, at once; then again and again the one that takes up a card that was away too.
      if (step === undefined) step = 'reset';
      else {
        if (step === 'connect') await this.#pause(recoveryPause);
        step = 'connect';
      }
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimer(milliseconds, resolve));
  }
}

/** Why the card did not do it, in words. @throws what is no card's answer: a bug */
export function cardReason(error: unknown): string {
  if (error instanceof DecodeError) return `the card's answer cannot be understood: ${error.message}`;
  if (error instanceof CardStatusError) return `the card refused to ${error.message}`;
  if (!(error instanceof CardRefusalError || error instanceof CardTransportError)) throw error;
  return error.message;
}

function isBusy(error: unknown): boolean {
  return error instanceof ProfileOperationError && error.result === ProfileResult.CAT_BUSY;
}
