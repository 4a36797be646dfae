import type { StoredEvent } from './ports/event-log.ts';
import type { HistoryReading } from './ports/history.ts';
import type { LogPosition } from './ports/telemetry-log.ts';

/**
 * Types of stored events. `data` by type:
 * - registered, updated, deregistered, expired: `{registration}` as the API shows one (`replaced: true` at a re-registration)
 * - observed, observation-ended: `{path, origin, reason?}`, of a composite one `{paths, …}`
 * - observation-refused, observation-drifted: `{path, reason, code?}`: one that is wanted is refused by the device, or
 *   is not as it should be any more
 * - observation-policy: `{id, change}`: created, changed, removed or restored; of no device
 * - object-model: `{object, version, change}`: loaded or removed; of no device
 * - command: `{command}` as the API shows one, after each step of its life
 * - device: `{attributes}` what changed of the inventory entry, its `tenant` (null: none) among them; or `{removed: true}`
 * - job: `{job}` as the API shows one, at most twice a second for each, and always the last; of no device
 * - bootstrap: `{change, session, kind, profile?, step?, reason?}`: one began (`started`), took a `step`, has `finished` or `failed`, or was
 *   `replaced` by the next one of its device
 * - bootstrap-profile: `{id, change}`: created, changed, removed or restored; of no device
 * - webhook: `{webhook}` as the API shows it, when its state changes; of no device
 * - credential: `{change, account, kind, identity}`: created, rotated, revoked, removed, used (for the first time), or
 *   imported (`{change, count}`, of no device)
 * - refused: `{reason, account, address, identity?}`: somebody could not prove to be who he says; of the device where it
 *   is known which one was meant
 * - node: `{node: {name, state}}`: a server node has `started`, has `stopped`, or is `gone` without a word; of no device
 */
export const eventTypes = [
  'registered',
  'updated',
  'deregistered',
  'expired',
  'observed',
  'observation-ended',
  'observation-refused',
  'observation-drifted',
  'observation-policy',
  'object-model',
  'command',
  'device',
  'bootstrap',
  'bootstrap-profile',
  'job',
  'webhook',
  'credential',
  'refused',
  'node',
] as const;
export type EventType = (typeof eventTypes)[number];

/** Readings of one pack by path, live. */
export interface LiveReadings {
  readonly position: LogPosition;
  readonly endpoint: string;
  readonly series: readonly { readonly path: string; readonly readings: readonly HistoryReading[] }[];
}

export type LiveItem =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | { readonly kind: 'readings'; readonly readings: LiveReadings }
  /** Passes by and is stored nowhere; `message` as the API shows one. */
  | { readonly kind: 'trace'; readonly endpoint: string; readonly message: object };

/** Where a subscriber stands in both logs; what an SSE id carries. */
export interface LivePosition {
  readonly event: number;
  readonly log: LogPosition;
}

/** What a subscriber asks for. An item that several wishes name comes once. */
export interface LiveWish {
  /** Of this device; of all, and of the server's own, where absent. */
  readonly endpoint?: string;
  /**
   * Stored event types, `readings`, and `trace` (of one device only); all but `trace` where absent.
   */
  readonly types?: ReadonlySet<string>;
}

export interface LiveEntry {
  readonly item: LiveItem;
  /** Where the subscriber stands behind it; absent for what is not replayed. */
  readonly position?: LivePosition;
}

/**
 * Everything that happens, live, to many subscribers. Each gets what was appended after `after`
 * (replayed from the logs), then what comes, without gap or repetition, in order per log.
 */
export interface LiveStream {
  /** Where the stream stands now: a subscriber that starts here sees only what is new. */
  position(): LivePosition;
  subscribe(options: {
    readonly after: LivePosition;
    /** Everything but traces where there is none. */
    readonly wishes: readonly LiveWish[];
    /** Only what is this tenant's, by whose each device is now; all where absent. */
    readonly tenant?: string | undefined;
    /**
     * Takes all entries in any case, and returns false when the subscriber cannot take more now; the stream
     * then holds back (it reads on from the logs, nothing is buffered without bound) until `resume` is
     * called. Subscribers that get the same entries get the same array, so that they can share what they
     * make of it.
     */
    readonly onEntries: (entries: readonly LiveEntry[]) => boolean;
    /** What was asked for is no longer kept: the subscriber has missed something and should load anew. */
    readonly onGap: () => void;
    /**
     * `behind`: it was too slow, and is read to from the logs; traces pass it by. `level`: it is live again,
     * and that many traces have passed it by.
     */
    readonly onPace?: (pace: LivePace, missedTraces?: number) => void;
    readonly onError: (error: Error) => void;
  }): LiveSubscription;
}

export type LivePace = 'behind' | 'level';

export interface LiveSubscription {
  resume(): void;
  close(): void;
  /** What it has been given everything up to. */
  position(): LivePosition;
}
