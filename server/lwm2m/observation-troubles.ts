import { Code } from '../../protocol/coap/message.ts';
import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';

/** Why a wanted observation is not there, or was not. */
export type TroubleState = 'refused' | 'failed' | 'drifted';

/** What is remembered of a wanted observation that is not as it should be. */
export interface Trouble {
  readonly state: TroubleState;
  readonly reason: string;
  /** The device's answer, where it is one: `4.04`. */
  readonly code?: string;
  /** ms since the epoch. */
  readonly since: number;
  /** How often it was tried, or fell back, in a row. */
  readonly attempts: number;
  /** `Clock.now` from which on it is tried again; a refusal waits for the device or the policy to change. */
  readonly retryAt: number;
  /** What the device said it has. */
  readonly real?: NotificationAttributes;
  /**
   * Since when it was wanted as it was then, ms since the epoch: what is wanted otherwise is asked for at once. Absent
   * where the device told of the trouble, and what was wanted was not looked at.
   */
  readonly wantedSince?: number;
  /** `Clock.now` since when it is in order again: kept for a while, so that what falls back again and again is tried less often. */
  readonly mendedAt?: number;
}

const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 3_600_000;
/** After so long in order it was no relapse, ms. */
const FORGIVEN = 600_000;

/** ms */
export function pauseAfter(attempts: number): number {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(attempts - 1, 20));
}

/** Answers by which a device says that it cannot now; all other errors are its last word. */
const passing: ReadonlySet<Code> = new Set([
  Code.TOO_MANY_REQUESTS,
  Code.INTERNAL_SERVER_ERROR,
  Code.BAD_GATEWAY,
  Code.SERVICE_UNAVAILABLE,
  Code.GATEWAY_TIMEOUT,
]);

/** Whether a device that answers so may answer otherwise later, nothing having changed. */
export function isPassing(code: Code): boolean {
  return passing.has(code);
}

/** How many wanted observations are in which state. */
export interface ObservationCounts {
  wanted: number;
  observed: number;
  refused: number;
  failed: number;
  drifted: number;
  /** Found not to be as they should, since the start. */
  drifts: number;
}

/** Troubles of one device, by the key of their target; nothing is kept of what is in order. */
export class Troubles {
  readonly #counts: ObservationCounts;
  readonly #byKey = new Map<string, Trouble>();

  constructor(counts: ObservationCounts) {
    this.#counts = counts;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Those that are not mended, by key. */
  *open(): Generator<readonly [string, Trouble]> {
    for (const entry of this.#byKey) if (entry[1].mendedAt === undefined) yield entry;
  }

  /** The trouble that the observation is in now. */
  get(key: string): Trouble | undefined {
    const trouble = this.#byKey.get(key);
    return trouble?.mendedAt === undefined ? trouble : undefined;
  }

  /** How often it was in trouble lately. */
  attempts(key: string, now: number): number {
    const trouble = this.#byKey.get(key);
    if (trouble === undefined || isForgiven(trouble, now)) return 0;
    return trouble.attempts;
  }

  /** A new trouble, or the next attempt in vain; one that goes on keeps its beginning. */
  add(
    key: string,
    trouble: Pick<Trouble, 'state' | 'reason' | 'code' | 'real' | 'wantedSince'>,
    now: number,
    wallTime: number,
  ): Trouble {
    const former = this.get(key);
    const attempts = this.attempts(key, now) + 1;
    const added: Trouble = {
      ...trouble,
      since: former?.state === trouble.state ? former.since : Math.floor(wallTime),
      attempts,
      retryAt: trouble.state === 'refused' ? Number.POSITIVE_INFINITY : now + pauseAfter(attempts),
    };
    this.#set(key, added);
    if (trouble.state === 'drifted' && former?.state !== 'drifted') this.#counts.drifts++;
    return added;
  }

  /** It is in order again. */
  mend(key: string, now: number): void {
    const trouble = this.get(key);
    if (trouble !== undefined) this.#set(key, { ...trouble, mendedAt: now });
  }

  /** What was put off may be tried at once: the device speaks. */
  retry(): void {
    for (const [key, trouble] of [...this.open()]) {
      if (trouble.state !== 'refused') this.#set(key, { ...trouble, retryAt: 0 });
    }
  }

  /** It is wanted otherwise from now on: it is tried at once, as if for the first time. */
  wantedAnew(key: string, wantedSince: number): void {
    const trouble = this.get(key);
    if (trouble === undefined) return;
    if (trouble.state === 'refused') this.delete(key);
    else this.#set(key, { ...trouble, wantedSince, attempts: 0, retryAt: 0 });
  }

  /** What was refused may be asked for again: the device has changed. */
  forgetRefusals(): void {
    for (const [key, { state }] of [...this.open()]) if (state === 'refused') this.delete(key);
  }

  /** Keeps those of these keys that still say something. */
  keep(keys: ReadonlySet<string>, now: number): void {
    for (const [key, trouble] of [...this.#byKey]) {
      if (!keys.has(key) || isForgiven(trouble, now)) this.delete(key);
    }
  }

  delete(key: string): void {
    this.#count(this.#byKey.get(key), -1);
    this.#byKey.delete(key);
  }

  clear(): void {
    for (const key of [...this.#byKey.keys()]) this.delete(key);
  }

  #set(key: string, trouble: Trouble): void {
    this.#count(this.#byKey.get(key), -1);
    this.#byKey.set(key, trouble);
    this.#count(trouble, 1);
  }

  #count(trouble: Trouble | undefined, change: 1 | -1): void {
    if (trouble !== undefined && trouble.mendedAt === undefined) this.#counts[trouble.state] += change;
  }
}

function isForgiven({ mendedAt }: Trouble, now: number): boolean {
  return mendedAt !== undefined && now - mendedAt >= FORGIVEN;
}
