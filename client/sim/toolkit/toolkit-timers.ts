import type { Clock, Timer } from '../../../protocol/clock.ts';
import type { Answer } from './bearer-independent-protocol.ts';
import type { TimerManagementCommand } from './proactive-command.ts';
import { GeneralResult, TimerAction } from './tags.ts';

/** Timers that a card may have, ETSI TS 102 223 §8.37. */
const mostTimers = 8;
const ok = { general: GeneralResult.OK } as const;

interface Running {
  readonly timer: Timer;
  readonly seconds: number;
  readonly endsAt: number;
}

/** TIMER MANAGEMENT, ETSI TS 102 223 §6.4.21. */
export class ToolkitTimers {
  readonly #clock: Clock;
  readonly #onExpired: (timer: number, seconds: number) => void;
  readonly #running = new Map<number, Running>();

  /** `onExpired` is told the timer and how many seconds it ran. */
  constructor(clock: Clock, onExpired: (timer: number, seconds: number) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  manage(command: TimerManagementCommand): Answer {
    const { timer, seconds, details } = command;
    if (timer < 1 || timer > mostTimers) return { result: { general: GeneralResult.DATA_NOT_UNDERSTOOD } };
    const running = this.#running.get(timer);
    if (details.qualifier === TimerAction.START) {
      if (seconds === undefined) return { result: { general: GeneralResult.VALUES_MISSING } };
      this.#start(timer, seconds);
      return { result: ok, timer };
    }
    if (details.qualifier !== TimerAction.DEACTIVATE && details.qualifier !== TimerAction.GET) {
      return { result: { general: GeneralResult.BEYOND_CAPABILITIES } };
    }
    if (running === undefined) return { result: { general: GeneralResult.TIMER_STATE }, timer };
    if (details.qualifier === TimerAction.DEACTIVATE) this.#cancel(timer);
    const left = Math.max(0, Math.ceil((running.endsAt - this.#clock.now()) / 1_000));
    return { result: ok, timer, seconds: left };
  }

  /** The card was reset, or the terminal stops. */
  clear(): void {
    for (const timer of [...this.#running.keys()]) this.#cancel(timer);
  }

  #start(id: number, seconds: number): void {
    this.#cancel(id);
    const timer = this.#clock.setTimer(seconds * 1_000, () => {
      this.#running.delete(id);
      this.#onExpired(id, seconds);
    });
    this.#running.set(id, { timer, seconds, endsAt: this.#clock.now() + seconds * 1_000 });
  }

  #cancel(id: number): void {
    this.#running.get(id)?.timer.cancel();
    this.#running.delete(id);
  }
}
