import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { Registration, RegistrationStore } from '../ports/registration-store.ts';

/** How often lifetimes are looked at, ms. */
const INTERVAL = 1_000;
const BATCH = 500;

/** Ends registrations whose lifetime is over (OMA-TS-LightweightM2M_Core §6.2.1). */
export class RegistrationExpiry {
  readonly #registrations: RegistrationStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onExpired: (registration: Registration) => void;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(
    registrations: RegistrationStore,
    clock: Clock,
    log: Logger,
    onExpired: (registration: Registration) => void,
  ) {
    this.#registrations = registrations;
    this.#clock = clock;
    this.#log = log;
    this.#onExpired = onExpired;
  }

  start(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = this.#clock.setTimer(INTERVAL, () => {
      this.#timer = undefined;
      this.#running = this.sweep()
        .catch((error: unknown) => this.#log.warn({ error }, 'lifetimes could not be looked at; tried again'))
        .finally(() => {
          this.#running = undefined;
          this.start();
        });
    });
  }

  /** Ends all that are due. */
  async sweep(): Promise<void> {
    for (;;) {
      const expired = await this.#registrations.expire(this.#clock.wallTime(), BATCH);
      for (const registration of expired) this.#onExpired(registration);
      if (expired.length < BATCH) return;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }
}
