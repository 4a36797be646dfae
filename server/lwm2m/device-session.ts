import type { Registration } from '../ports/registration-store.ts';
import { type ObservationCounts, Troubles } from './observation-troubles.ts';

/** What is remembered of a registration from which something is wanted. Small: there may be 100 000. */
export interface DeviceSession {
  /** As it is now: objects and address change. */
  registration: Registration;
  /** The Device object was read. */
  identified: boolean;
  /** It has registered and nothing was asked of it yet: the store has no observation of it. */
  fresh: boolean;
  /** Another node had it, whose observations of it are in the store alone. */
  takenOver: boolean;
  /** Work on it, and whether something changed meanwhile that asks for another round. */
  running: Promise<void> | undefined;
  again: boolean;
  /** Rounds in a row that ended early; 0: what can be had is there. */
  failures: number;
  /** In words, where the last round met a bug. */
  fault: string | undefined;
  /** `Clock.now` before which a notification alone is no reason to try again. */
  pausedUntil: number;
  /** The device may have given its observations up: all are made anew. */
  renew: boolean;
  /** `Clock.now` */
  heardAt: number;
  renewedAt: number;
  /** Ends what is under way when the registration ends. */
  request: AbortController | undefined;
  /** Absent where there never was any. */
  troubles: Troubles | undefined;
  /** Of the policies that it was last brought in line with. */
  edition: number;
  wanted: number;
  observed: number;
}

export function newSession(registration: Registration, now: number): DeviceSession {
  return {
    registration,
    identified: false,
    fresh: false,
    takenOver: false,
    running: undefined,
    again: false,
    failures: 0,
    fault: undefined,
    pausedUntil: 0,
    renew: false,
    heardAt: now,
    renewedAt: now,
    request: undefined,
    troubles: undefined,
    edition: -1,
    wanted: 0,
    observed: 0,
  };
}

export function troublesOf(session: DeviceSession, counts: ObservationCounts): Troubles {
  session.troubles ??= new Troubles(counts);
  return session.troubles;
}
