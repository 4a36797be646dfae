/** A place in the log: rises with each entry, never reused. A safe integer; 0 is before the first. */
export type LogPosition = number;

/** One pack of readings, encoded by telemetry/pack-codec.ts; the log does not look inside. */
export interface NewLogEntry {
  readonly endpoint: string;
  /**
   * Makes appends idempotent: a second entry of the endpoint with the same key is not stored. Up to 64
   * characters, unique to the pack. Known for as long as the first is in the log and among its newest
   * four million entries.
   */
  readonly key: string;
  /** µs since the epoch. */
  readonly receivedAt: number;
  readonly body: Uint8Array;
  /** Somebody waits for what is in it: it is not held back to be stored with others. */
  readonly awaited?: boolean;
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
   * there already (durable too; the position is that of the first); or with an error, and then the entry
   * must be taken as not stored. Never calls back before it returns; the body may be changed then.
   */
  append(
    entry: NewLogEntry,
    done: (error: Error | undefined, position: LogPosition, duplicate: boolean) => void,
  ): void;
  /**
   * Entries after `after`, in order, at most `limit`; it may be fewer although there are more (a bound on
   * bytes), but none only where there are none. What was acknowledged before the
   * call is among them.
   */
  read(after: LogPosition, limit: number): Promise<readonly LogEntry[]>;
  /** Where a consumer stands; 0 for one never seen. */
  cursor(consumer: string): Promise<LogPosition>;
  /** Sets a consumer's cursor; never moves it back. */
  commit(consumer: string, position: LogPosition): Promise<void>;
  /**
   * Position of the newest entry, and of the oldest that is kept; 0 and 0 for an empty log that
   * never had one. Where all entries were removed, `oldest` is the position after `newest`.
   */
  extent(): Promise<{ readonly oldest: LogPosition; readonly newest: LogPosition }>;
  /**
   * Removes the oldest entries beyond the age (ms, by receivedAt) or the size (bytes of bodies); from the
   * front, up to the first that is within both. Returns how many.
   */
  trim(bounds: { readonly now: number; readonly maxAge: number; readonly maxBytes: number }): Promise<number>;
}
