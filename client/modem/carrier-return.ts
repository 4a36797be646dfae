import type { Clock, Timer } from '../../protocol/clock.ts';
import { longestTimer } from '../lwm2m/observations.ts';
import type { CurrentCarrier } from '../sim/carrier-card.ts';
import type { CardDriver, CardWork } from './card-driver.ts';
import type { CardLock } from './card-lock.ts';
import type { CarrierList } from './carrier-list.ts';
import type { CarrierActions } from './carrier-snapshot.ts';
import type { CommandJournal } from './command-journal.ts';

export interface CarrierReturnOptions {
  readonly driver: CardDriver;
  readonly journal: CommandJournal;
  readonly clock: Clock;
  readonly lock: CardLock;
  readonly carriers: () => CarrierList;
  /** What the card is on, as far as it is known. */
  readonly current: () => CurrentCarrier | undefined;
  /** The card is there. */
  readonly onBack: (current: CurrentCarrier) => void;
  /** The card cannot be talked to. */
  readonly onLost: (reason: string) => void;
  readonly actions: Pick<CarrierActions, 'log' | 'fault'>;
}

/** After a return that the card refused, the next attempt comes after this at least, s. */
const retry = 10;

/** Takes the card back to a carrier in time: after a Disconnect, and where the way back from another one failed. */
export class CarrierReturn {
  readonly #options: CarrierReturnOptions;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: CarrierReturnOptions) {
    this.#options = options;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  cancel(): void {
    this.#timer?.cancel();
  }

  /** The way back failed: it is tried again. */
  again(): void {
    this.in(retry * 1_000);
  }

  /** In that many milliseconds. */
  in(delay: number): void {
    const { clock, actions } = this.#options;
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(Math.min(Math.max(1, delay), longestTimer), () => {
      this.#comeBack().catch(actions.fault);
    });
  }

  async #comeBack(): Promise<void> {
    const { journal, lock, driver, carriers, current, actions, onBack, onLost } = this.#options;
    const { returnTo, reconnectAfter } = journal.contents;
    if (lock.isBusy) {
      this.again();
      return;
    }
    if (current() !== undefined && returnTo === undefined) return;
    const carrier = carriers().with(returnTo) ?? carriers().last(journal.contents);
    let work: CardWork | undefined;
    if (carrier !== undefined) {
      work = await lock.hold('the modem is on its way back to a carrier', () =>
        driver.go(carrier, current()),
      );
    }
    if (this.#closed) return;
    const reason = work === undefined ? 'the card has no profile' : work.reason;
    if (work?.current !== undefined && (reason === '' || returnTo === undefined)) {
      journal.set({ disconnectedAt: undefined, returnTo: undefined });
      onBack(work.current);
      return;
    }
    actions.log(`cannot come back to the network: ${reason || 'the card enabled no profile'}`);
    if (returnTo === undefined) this.in(Math.max(retry, reconnectAfter) * 1_000);
    else this.again();
    if (work?.read === false) onLost(reason);
  }
}
