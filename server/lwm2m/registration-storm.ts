import type { Clock, Timer } from '../../protocol/clock.ts';

/** How long a count of registrations is, ms. */
const TICK = 50;
/** Registrations in one tick that make a storm: 1000 a second. */
const STORM = 50;
/** Devices that are seen to in one tick, and while there is a storm: then those that still have to register go first. */
const PER_TICK = 100;
const PER_TICK_IN_STORM = 10;

/**
 * When devices that have registered are seen to. What is asked of each costs more than its registration; where a whole
 * fleet comes at once, as after a power cut, asking has to wait, or the last ones would not be answered before they send
 * their Register a third time. One that comes alone is seen to at once.
 */
export class RegistrationStorm {
  readonly #clock: Clock;
  /** Lets them in, in order of coming. */
  readonly #waiting = new Map<object, () => void>();
  #registered = 0;
  /** How many may still be seen to in this tick. */
  #left = PER_TICK;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A device has registered, whether anything will be asked of it or not. */
  registered(): void {
    this.#registered++;
    this.#schedule();
  }

  /** Resolves when it is to be seen to; undefined: now. */
  enter(who: object): Promise<void> | undefined {
    this.#schedule();
    if (this.#waiting.size === 0 && this.#left > 0 && this.#registered <= STORM) {
      this.#left--;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.set(who, resolve));
  }

  /** It need not wait any longer: it is let in at once. */
  leave(who: object): void {
    const admit = this.#waiting.get(who);
    if (admit === undefined) return;
    this.#waiting.delete(who);
    admit();
  }

  /** All are let in. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const who of [...this.#waiting.keys()]) this.leave(who);
  }

  #schedule(): void {
    this.#timer ??= this.#clock.setTimer(TICK, () => {
      this.#timer = undefined;
      const isQuiet = this.#registered === 0 && this.#waiting.size === 0;
      this.#left = this.#registered > STORM ? PER_TICK_IN_STORM : PER_TICK;
      this.#registered = 0;
      for (const who of this.#waiting.keys()) {
        if (this.#left === 0) break;
        this.#left--;
        this.leave(who);
      }
      if (!isQuiet) this.#schedule();
    });
  }
}
