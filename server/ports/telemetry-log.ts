/** A place in the log: rises with each entry, never reused. A safe integer; 0 is before the first. */
export type LogPosition = number;

/** One pack of readings, encoded by telemetry/pack-codec.ts; the log does not look inside. */
export interface NewLogEntry {
  readonly endpoint: string;
  /**
   * Makes appends idempotent: a second entry with the same key is not stored. Up to 64 characters,
   * unique to the pack and the endpoint.
   */
  readonly key: string;
  /** µs since the epoch. */
  readonly receivedAt: number;
  readonly body: Uint8Array;
}

export interface LogEntry {
  readonly position: LogPosition;
  readonly endpoint: string;
  readonly receivedAt: number;
  readonly body: Uint8Array;
}

/**
 * The durable log of all readings. Called back, not promised: this is the hot path.
 */
export interface TelemetryLog {
  /**
   * Calls `done` once: when the entry is durable, with its position; with `duplicate` where the key was
   * there already (durable too); or with an error, and then the entry must be taken as not stored.
   */
  append(
    entry: NewLogEntry,
    done: (error: Error | undefined, position: LogPosition, duplicate: boolean) => void,
  ): void;
  /** Entries after `after`, in order, at most `limit`. */
  read(after: LogPosition, limit: number): Promise<readonly LogEntry[]>;
  /** Where a consumer stands; 0 for one never seen. */
  cursor(consumer: string): Promise<LogPosition>;
  /** Sets a consumer's cursor; never moves it back. */
  commit(consumer: string, position: LogPosition): Promise<void>;
  /** Position of the newest entry, and of the oldest that is kept; 0 and 0 for an empty log that never had one. */
  extent(): Promise<{ readonly oldest: LogPosition; readonly newest: LogPosition }>;
  /** Removes the oldest entries beyond the age (ms, by receivedAt) or the size (bytes of bodies). Returns how many. */
  trim(bounds: { readonly now: number; readonly maxAge: number; readonly maxBytes: number }): Promise<number>;
}
