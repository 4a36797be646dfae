import type { Clock, Timer } from '../../protocol/clock.ts';
import type { ServerSession } from './server-session.ts';

/**
 * In which order a client registers with its servers (OMA-TS-LightweightM2M_Core §6.2.1.1): those with a
 * Registration Priority Order one after the other, each when the one before it has registered, or has
 * failed and blocks nobody; the others at once. Each waits for its Initial Registration Delay first.
 */
export class RegistrationOrder {
  readonly #clock: Clock;
  readonly #ordered: readonly ServerSession[];
  readonly #timers = new Set<Timer>();
  #next = 0;

  constructor(sessions: readonly ServerSession[], clock: Clock) {
    this.#clock = clock;
    this.#ordered = sessions
      .filter((session) => session.account.registrationPriorityOrder !== undefined)
      .sort((a, b) => priority(a) - priority(b));
    for (const session of sessions) {
      if (!this.#ordered.includes(session)) this.#releaseLater(session);
      else session.registration.hold();
    }
    this.#advance();
  }

  /** A registration has succeeded, or counts as failed for now. */
  settled(session: ServerSession, registered: boolean): void {
    if (this.#ordered[this.#next - 1] !== session) return;
    if (registered || session.account.registrationFailureBlock !== true) this.#advance();
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #advance(): void {
    const session = this.#ordered[this.#next];
    this.#next++;
    if (session !== undefined) this.#releaseLater(session);
  }

  #releaseLater(session: ServerSession): void {
    const delay = (session.account.initialRegistrationDelayTimer ?? 0) * 1_000;
    if (delay === 0) {
      session.registration.release();
      return;
    }
    session.registration.hold();
    const timer = this.#clock.setTimer(Math.min(delay, 2 ** 31 - 1), () => {
      this.#timers.delete(timer);
      session.registration.release();
    });
    this.#timers.add(timer);
  }
}

function priority(session: ServerSession): number {
  return session.account.registrationPriorityOrder ?? 0;
}
