import type { Clock } from '../../protocol/clock.ts';
import type { CurrentCarrier } from '../sim/carrier-card.ts';
import type { CarrierActions } from './carrier-snapshot.ts';

export interface CarrierNetworkOptions {
  readonly clock: Clock;
  /** Milliseconds without network when the carrier changes. */
  readonly attachTime: number;
  /** Milliseconds in which a new carrier has to have a network. */
  readonly networkTimeout: number;
  readonly actions: Pick<CarrierActions, 'attach' | 'detach' | 'hasNetwork' | 'log'>;
}

/** While it searches, the radio looks for the carrier's network this often, ms. */
const searchPause = 1_000;

/** The network as the card's carrier has it: left and joined for the card's sake, and looked for on a new carrier. */
export class CarrierNetwork {
  readonly #options: CarrierNetworkOptions;
  #detached = false;
  #closed = false;

  constructor(options: CarrierNetworkOptions) {
    this.#options = options;
  }

  /** Whether the radio is off the network for the card's sake. */
  get isDetached(): boolean {
    return this.#detached;
  }

  close(): void {
    this.#closed = true;
  }

  /** The modem begins without a carrier, and off the network therefore. */
  beginDetached(): void {
    this.#detached = true;
  }

  async leave(): Promise<void> {
    this.#detached = true;
    await this.#options.actions.detach();
  }

  join(): void {
    this.#detached = false;
    this.#options.actions.attach();
  }

  /** The short time off the network that a new carrier takes. */
  async change(): Promise<void> {
    const { attachTime } = this.#options;
    if (attachTime === 0) return;
    await this.leave();
    await this.#pause(attachTime);
  }

  /** Looks for the network of the carrier that the card is on: why there is none, in words; undefined: closed meanwhile. */
  async try(name: string, { obstacle }: CurrentCarrier): Promise<string | undefined> {
    const { actions, clock, networkTimeout } = this.#options;
    if (obstacle !== undefined) return `no network with ${name}: ${obstacle}`;
    await this.change();
    if (!this.#closed && !actions.hasNetwork()) {
      await this.leave();
      actions.log(`no network of ${name} yet: searching`);
    }
    const until = clock.now() + networkTimeout;
    while (!this.#closed && !actions.hasNetwork()) {
      if (clock.now() >= until) return `no network with ${name} within ${networkTimeout / 1_000} s`;
      await this.#pause(Math.min(searchPause, until - clock.now()));
    }
    return this.#closed ? undefined : '';
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(milliseconds, resolve));
  }
}
