import type { ServerAccount } from './server-account.ts';

const firstBackOff = 2_000;
/** However little a server writes: a client that is declined does not flood it, ms. */
const leastBackOff = 1_000;
/** Doubled often enough, a pause would be longer than a device lives: a day, ms. */
const longestWait = 86_400_000;
/** Communication Retry Count, Timer (s), Sequence Delay Timer (s) and Sequence Retry Count where absent (§6.2.1.1). */
const defaults = { count: 5, timer: 60, delay: 86_400, sequences: 1 } as const;
/** A Communication Sequence Delay Timer of MAX_VALUE: there is no further sequence. */
const never = 2 ** 32 - 1;

export interface RetryPacingOptions {
  readonly account: Pick<
    ServerAccount,
    | 'communicationRetryCount'
    | 'communicationRetryTimer'
    | 'communicationSequenceDelayTimer'
    | 'communicationSequenceRetryCount'
  >;
  /** Longest wait between attempts where the account does not say, ms. */
  readonly maxBackOff: number;
  /** 0 to 1. */
  readonly random: () => number;
}

/**
 * How long a client waits after each attempt that failed. Where the Server object's resources 17 to 20 say
 * it, as they do (OMA-TS-LightweightM2M_Core §6.2.1.1). Where none of them is there, sooner than their
 * defaults and without end: longer with each failure up to a bound, and spread, so that a fleet does not
 * come back at once.
 */
export class RetryPacing {
  readonly #options: RetryPacingOptions;
  /** Attempts of this sequence that failed. */
  #attempts = 0;
  #sequences = 0;

  constructor(options: RetryPacingOptions) {
    this.#options = options;
  }

  /** One more has failed: ms until the next; infinity: there is none by itself. */
  next(): number {
    this.#attempts++;
    const { account, maxBackOff, random } = this.#options;
    const {
      communicationRetryCount: count,
      communicationRetryTimer: timer,
      communicationSequenceDelayTimer: delay,
      communicationSequenceRetryCount: sequences,
    } = account;
    if ((count ?? timer ?? delay ?? sequences) === undefined) {
      if (this.#attempts % defaults.count === 0) this.#sequences++;
      return spread(maxBackOff, this.#attempts - 1, random);
    }
    if (this.#attempts < Math.max(1, count ?? defaults.count)) {
      const wait = (timer ?? defaults.timer) * 1_000 * 2 ** Math.min(this.#attempts - 1, 30);
      return Math.max(leastBackOff, Math.min(wait, longestWait));
    }
    this.#attempts = 0;
    this.#sequences++;
    const pause = delay ?? defaults.delay;
    return pause >= never ? Number.POSITIVE_INFINITY : Math.max(leastBackOff, pause * 1_000);
  }

  /** Whether registering counts as failed: so many sequences have been tried in vain. */
  get failed(): boolean {
    return (
      this.#sequences >=
      Math.max(1, this.#options.account.communicationSequenceRetryCount ?? defaults.sequences)
    );
  }

  /** The server has answered. */
  reset(): void {
    this.#attempts = 0;
    this.#sequences = 0;
  }
}

/** Longer with each of `before` up to a bound, ms; half of it to half as much again. */
export function spread(longest: number, before: number, random: () => number): number {
  return Math.min(longest, firstBackOff * 2 ** Math.min(before, 30)) * (0.5 + random());
}
