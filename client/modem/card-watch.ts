import type { Clock, Timer } from '../../protocol/clock.ts';
import type { CardEvent } from '../sim/carrier-card.ts';
import { type CardDriver, type CardReading, cardReason } from './card-driver.ts';
import type { CardLock } from './card-lock.ts';
import type { CarrierActions } from './carrier-snapshot.ts';

export interface CardWatchOptions {
  readonly driver: CardDriver;
  readonly clock: Clock;
  readonly lock: CardLock;
  /** The card was read anew, because it changed by itself or is there again. */
  readonly onReading: (reading: CardReading) => Promise<void>;
  readonly actions: Pick<CarrierActions, 'cardTrouble' | 'log' | 'fault'>;
}

/** A card that is away is looked for this often, ms. */
const pause = 5_000;

/** Follows what a card does beside what is asked of it: it changes by itself, is taken out, and comes back. */
export class CardWatch {
  readonly #options: CardWatchOptions;
  #away = false;
  /** What the card did by itself while somebody had it; `inserted`: it was powered up anew, which whoever had it may not know. */
  #meanwhile: 'changed' | 'inserted' | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: CardWatchOptions) {
    this.#options = options;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** What the card tells of itself. */
  heard(event: CardEvent): void {
    const { lock, actions } = this.#options;
    if (event !== 'removed') this.#refresh(event === 'inserted' || this.#away).catch(actions.fault);
    // Who has it finds out, if he asks it anything more.
    else if (lock.isBusy) this.#meanwhile ??= 'changed';
    else this.lost('the card was taken out');
  }

  /** The card cannot be talked to: it is looked for until it is there again. */
  lost(reason: string): void {
    const { actions } = this.#options;
    if (this.#closed) return;
    if (!this.#away) actions.log(`the card is away: ${reason}`);
    this.#away = true;
    actions.cardTrouble(true);
    this.#lookLater();
  }

  /** The card is there and cannot be used, as while its PIN is blocked: it is read again in a while. */
  lookAgain(): void {
    const { clock, actions } = this.#options;
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(pause, () => {
      this.#refresh(false).catch(actions.fault);
    });
  }

  /** Nobody has the card any more: reads it where it did something meanwhile. */
  freed(): void {
    const meanwhile = this.#meanwhile;
    if (meanwhile === undefined) return;
    this.#meanwhile = undefined;
    this.#refresh(meanwhile === 'inserted').catch(this.#options.actions.fault);
  }

  /** Reads the card anew, and has it followed. */
  refresh(): Promise<void> {
    return this.#refresh(false);
  }

  #lookLater(): void {
    const { clock, actions } = this.#options;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(pause, () => {
      this.#refresh(true).catch(actions.fault);
    });
  }

  /** `connect`: it was away. */
  async #refresh(connect: boolean): Promise<void> {
    const { actions, driver, lock, onReading } = this.#options;
    if (this.#closed) return;
    if (lock.isBusy) {
      if (connect && this.#away) this.#lookLater();
      else if (connect) this.#meanwhile = 'inserted';
      else this.#meanwhile ??= 'changed';
      return;
    }
    let reading: CardReading;
    try {
      reading = await lock.hold('the card is being read', () => (connect ? driver.start(0) : driver.read()));
    } catch (error) {
      this.lost(cardReason(error));
      return;
    }
    if (this.#closed) return;
    this.#timer?.cancel();
    if (this.#away) actions.log('the card is there again');
    this.#away = false;
    actions.cardTrouble(false);
    await onReading(reading);
    this.freed();
  }
}
