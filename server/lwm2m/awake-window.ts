import type { AwakeTimes, PresenceState } from './presence.ts';

/** A device that could not be asked so soon after it spoke is gone rather than asleep, ms. */
const TOO_SOON = 2_000;
/** Bounds of what is learnt, ms. */
const SHORTEST = 2_000;
const LONGEST = 600_000;
/** An answer that came so late in the window shows that it may be longer, and by how much it then grows. */
const LATE = 0.75;
const GROWTH = 1.25;
/** Smaller changes than this are not worth a write, as a part of the window. */
const NOTEWORTHY = 0.05;

/**
 * How long one device listens after it was heard. What a person sets counts and is not changed; else what
 * was learnt, what the device itself says, or the default.
 */
export class AwakeWindow {
  readonly #standard: number;
  #times: AwakeTimes;

  constructor(standard: number, times: AwakeTimes | undefined) {
    this.#standard = standard;
    this.#times = times ?? {};
  }

  /** ms */
  get length(): number {
    const { configured, learnt, device } = this.#times;
    return configured ?? learnt ?? device ?? this.#standard;
  }

  get source(): PresenceState['source'] {
    const { configured, learnt, device } = this.#times;
    if (configured !== undefined) return 'configured';
    if (learnt !== undefined) return 'learnt';
    return device === undefined ? 'default' : 'device';
  }

  set(times: AwakeTimes): void {
    this.#times = times;
  }

  /**
   * It did not hear what was sent `after` ms after it was heard, nor any retransmission of it. The window
   * closes in on that by half: one loss must not cost much. True where something was learnt.
   */
  missed(after: number): boolean {
    const { length } = this;
    if (after < TOO_SOON || after >= length) return false;
    return this.#learn(after + (length - after) / 2);
  }

  /** It answered `after` ms after it was heard: near the end of the window, or beyond, the window grows. */
  listened(after: number): boolean {
    const { length } = this;
    if (after < length * LATE) return false;
    return this.#learn(Math.max(length * GROWTH, after));
  }

  #learn(window: number): boolean {
    const { length } = this;
    if (this.#times.configured !== undefined) return false;
    const learnt = Math.round(Math.min(Math.max(LONGEST, length), Math.max(SHORTEST, window)));
    if (Math.abs(learnt - length) < length * NOTEWORTHY) return false;
    this.#times = { ...this.#times, learnt };
    return true;
  }
}
