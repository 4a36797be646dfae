import type { Clock } from '../../../protocol/clock.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { CardTransportError } from '../card-transport.ts';
import { ProfileResult } from '../euicc.ts';
import type { CardContents } from './card-contents.ts';
import type { CardFaults } from './card-faults.ts';
import type { CardStore } from './card-store.ts';
import { type CardToolkit, refreshWithReset } from './card-toolkit.ts';
import { disableProfile, enableProfile } from './profile-change.ts';
import { answerEuicc, type EuiccAnswer } from './virtual-euicc.ts';

type Change = NonNullable<EuiccAnswer['change']>;

export interface IsdROptions {
  readonly store: CardStore;
  readonly faults: CardFaults;
  readonly toolkit: CardToolkit;
  readonly clock: Clock;
  /** Milliseconds that it works on enabling or disabling a profile. */
  readonly switchLatency: number;
  /** Another profile is enabled than before, or none. */
  readonly onSwitched: () => void;
}

/** Who changes profiles on the card: the ISD-R for the terminal's ES10c, and the same for applications on the card. */
export class IsdR {
  readonly #options: IsdROptions;
  /** The change that waits for the REFRESH. */
  #pending: Change['apply'] | undefined;
  /** Counts resets and losses of power: work that was begun under another one comes to nothing. */
  #power = 0;

  constructor(options: IsdROptions) {
    this.#options = options;
  }

  /** A reset: the change that waits for it happens (GSMA SGP.22 §5.7.16). */
  reset(): void {
    this.#power++;
    this.#commit();
  }

  /** The change that waits is forgotten. */
  losePower(): void {
    this.#power++;
    this.#pending = undefined;
  }

  /**
   * The answer to a request, at once but where the card takes its time; undefined where it is none.
   * @throws CardTransportError (by rejection) the power went meanwhile
   */
  answer(request: Uint8Array): Uint8Array | Promise<Uint8Array> | undefined {
    const { store, faults, toolkit, switchLatency } = this.#options;
    let answer: EuiccAnswer | undefined;
    try {
      answer = answerEuicc(request, {
        contents: store.contents,
        toolkitBusy: toolkit.busy || toolkit.isFull,
        changing: this.#pending !== undefined,
        refuse: () => faults.takeRefusal(),
      });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
    if (answer?.change === undefined) return answer?.data;
    const { change, data } = answer;
    if (change.isSwitch && switchLatency > 0) return this.#afterWork(change, data);
    this.#begin(change);
    return data;
  }

  /** As `CardServices.switchProfile` has it: no REFRESH, and the change holds at once. */
  switchProfile(iccid: string | undefined): number {
    const { store, faults } = this.#options;
    if (this.#pending !== undefined) return ProfileResult.CAT_BUSY;
    const { contents, enabled } = store;
    const refuse = (): ReturnType<CardFaults['takeRefusal']> => faults.takeRefusal();
    const target = contents.profiles.find((profile) => profile.iccid === iccid);
    const change =
      iccid === undefined
        ? disableProfile(contents, enabled, refuse)
        : enableProfile(contents, target, refuse);
    if (change.apply !== undefined) this.#apply(change.apply);
    return change.result;
  }

  /** What happens to the card's power while it works ends what it was at. */
  async #afterWork(change: Change, data: Uint8Array): Promise<Uint8Array> {
    const { clock, switchLatency } = this.#options;
    const power = this.#power;
    await new Promise<void>((resolve) => clock.setTimer(switchLatency, resolve));
    if (power !== this.#power) throw new CardTransportError('the card lost its power during a command');
    this.#begin(change);
    return data;
  }

  /** The change holds at once, or waits for the REFRESH. */
  #begin({ apply, refresh }: Change): void {
    if (!refresh) {
      this.#apply(apply);
      return;
    }
    this.#pending = apply;
    this.#options.toolkit.queue(refreshWithReset, (_, performed) => {
      if (performed) this.#commit();
      else this.#pending = undefined;
    });
  }

  #commit(): void {
    const change = this.#pending;
    this.#pending = undefined;
    if (change !== undefined) this.#apply(change);
  }

  #apply(change: (contents: CardContents) => Partial<CardContents>): void {
    const { store, onSwitched } = this.#options;
    const { enabled } = store.contents;
    store.update(change(store.contents));
    if (store.contents.enabled !== enabled) onSwitched();
  }
}
