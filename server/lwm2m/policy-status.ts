import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';
import type { ObservationPolicy } from '../ports/observation-policy-store.ts';
import type { StoredObservation } from '../ports/observation-store.ts';
import type { DesiredState, SuppressedObservation } from './desired-observations.ts';
import type { DeviceSession } from './device-session.ts';
import { targetKey } from './observation-target.ts';
import { isAsWanted } from './reconcile-device.ts';

export const observationStates = ['observed', 'pending', 'refused', 'failed', 'drifted'] as const;
export type ObservationState = (typeof observationStates)[number];

/** One wanted observation, and what there is of it. Times: ms since the epoch. */
export interface WantedStatus {
  readonly paths: readonly string[];
  readonly composite: boolean;
  readonly attributes?: NotificationAttributes;
  readonly contentFormat?: number;
  /** Who wants it; absent: a person chose it. */
  readonly policy?: ObservationPolicy;
  readonly state: ObservationState;
  readonly since: number;
  /** The device's answer, where it is one: `4.04`. */
  readonly code?: string;
  readonly reason?: string;
  /** How often it was tried, or fell back, in a row. */
  readonly attempts?: number;
  /** When it is tried again without the device having spoken; absent: not before that. */
  readonly retryAt?: number;
  /** What there is. */
  readonly real?: {
    readonly attributes?: NotificationAttributes;
    readonly contentFormat?: number;
    readonly since: number;
  };
}

export interface DeviceObservationStatus {
  readonly registered: boolean;
  /** Whether something is being made or ended now. */
  readonly busy: boolean;
  /** In words, where bringing the device in line met a bug of the server; it is tried again. */
  readonly fault?: string;
  /** Of all policies that are for the device, the strongest first. */
  readonly policies: readonly ObservationPolicy[];
  readonly wanted: readonly WantedStatus[];
  readonly suppressed: readonly SuppressedObservation[];
  /** Observed, although nobody wants it: about to end. */
  readonly unwanted: readonly StoredObservation[];
  readonly beyondLimit: number;
}

export interface StatusParts {
  readonly desired: DesiredState;
  readonly policies: readonly ObservationPolicy[];
  readonly registeredAt: number | undefined;
  readonly session: DeviceSession | undefined;
  readonly stored: readonly StoredObservation[];
  /** Keys of those that are live in this process. */
  readonly live: ReadonlySet<string>;
  readonly now: number;
  readonly wallTime: number;
}

/** What is wanted of a device beside what there is. */
export function observationStatus(parts: StatusParts): DeviceObservationStatus {
  const { desired, session, stored, registeredAt, policies } = parts;
  const wanted = new Set(desired.wanted.map(({ key }) => key));
  return {
    registered: registeredAt !== undefined,
    busy: session?.running !== undefined,
    ...present('fault', session?.fault),
    policies,
    wanted: desired.wanted.map((observation) => ({
      paths: observation.paths,
      composite: observation.composite === true,
      ...present('attributes', observation.attributes),
      ...present('contentFormat', observation.contentFormat),
      ...present('policy', observation.policy),
      ...stateOf(observation, parts),
    })),
    suppressed: desired.suppressed,
    unwanted: stored.filter((observation) => !wanted.has(targetKey(observation))),
    beyondLimit: desired.beyondLimit,
  };
}

type State = Pick<WantedStatus, 'state' | 'since' | 'code' | 'reason' | 'attempts' | 'retryAt' | 'real'>;

function stateOf(wanted: DesiredState['wanted'][number], parts: StatusParts): State {
  const { session, live, now, wallTime, registeredAt } = parts;
  const found = parts.stored.findLast((observation) => targetKey(observation) === wanted.key);
  const trouble = session?.troubles?.get(wanted.key);
  const real = found && {
    real: {
      ...present('attributes', trouble?.real ?? found.attributes),
      ...present('contentFormat', found.contentFormat),
      since: found.createdAt,
    },
  };
  if (trouble !== undefined) {
    const { state, since, code, reason, attempts, retryAt } = trouble;
    return {
      state,
      since,
      ...present('code', code),
      reason,
      attempts,
      ...(Number.isFinite(retryAt) ? { retryAt: Math.round(wallTime + Math.max(0, retryAt - now)) } : {}),
      ...real,
    };
  }
  if (found !== undefined && isAsWanted(found, wanted) && live.has(wanted.key)) {
    return { state: 'observed', since: found.createdAt, ...real };
  }
  const since = Math.max(wanted.since, registeredAt ?? 0);
  return { state: 'pending', since, reason: reasonOf(found, wanted, parts), ...real };
}

function reasonOf(
  found: StoredObservation | undefined,
  wanted: DesiredState['wanted'][number],
  { registeredAt, session }: StatusParts,
): string {
  if (registeredAt === undefined) return 'the device is not registered now';
  if (session?.running !== undefined) return 'it is being made';
  if (session?.fault !== undefined) return session.fault;
  if (found === undefined) return 'it is made when the device speaks';
  if (!isAsWanted(found, wanted)) return 'it is made anew, as it is wanted now, when the device speaks';
  return 'it was made before this server started, and nothing was heard of it since';
}

function present<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { [Key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };
}
