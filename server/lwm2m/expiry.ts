import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { Registration, RegistrationStore } from '../ports/registration-store.ts';

/** How often lifetimes are looked at, ms. */
const INTERVAL = 1_000;
const BATCH = 500;
/**
 * After the server, or its store, was away: how long devices get to be heard before their lifetime counts
 * again, ms. MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2: an Update that met silence is sent again within it.
 */
export const GRACE = 93_000;
/** Where that begins anew again and again, lifetimes count after this time all the same, ms. */
const MAX_HOLD = 10 * 60_000;

export interface RegistrationExpiryOptions {
  readonly registrations: RegistrationStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** A lifetime that was set by an earlier process ends soon, or is over. */
  readonly afterAbsence: boolean;
  readonly onExpired: (registration: Registration) => void;
}

/** Ends registrations whose lifetime is over (OMA-TS-LightweightM2M_Core §6.2.1). */
export class RegistrationExpiry {
  readonly #options: RegistrationExpiryOptions;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  /** `Clock.now` until which nothing is ended. */
  #heldUntil = 0;
  #heldSince = 0;

  constructor(options: RegistrationExpiryOptions) {
    this.#options = options;
    if (options.afterAbsence) this.hold();
  }

  /** Whether a registration that is in the store when the server starts may not have been able to update. */
  static async isAfterAbsence(registrations: RegistrationStore, clock: Clock): Promise<boolean> {
    const due = await registrations.nextExpiry();
    return due !== undefined && due < clock.wallTime() + GRACE;
  }

  start(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.setTimer(INTERVAL, () => {
      this.#timer = undefined;
      this.#running = this.sweep()
        .catch((error: unknown) => {
          this.hold();
          this.#options.log.warn({ error }, 'lifetimes could not be looked at; tried again');
        })
        .finally(() => {
          this.#running = undefined;
          this.start();
        });
    });
  }

  /** Ends all that are due, unless devices are given time to be heard. */
  async sweep(): Promise<void> {
    const { registrations, clock, onExpired } = this.#options;
    if (clock.now() < this.#heldUntil) return;
    for (;;) {
      const expired = await registrations.expire(clock.wallTime(), BATCH);
      for (const registration of expired) onExpired(registration);
      if (expired.length < BATCH) return;
    }
  }

  /** Devices could not be heard until now: they get time for it. */
  hold(): void {
    const now = this.#options.clock.now();
    if (now >= this.#heldUntil) this.#heldSince = now;
    this.#heldUntil = Math.min(now + GRACE, this.#heldSince + MAX_HOLD);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }
}
