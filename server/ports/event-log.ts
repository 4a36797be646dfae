/** What happened. `data` is JSON, by type; see server/events.ts for the types. */
export interface StoredEvent {
  /** Rises; a safe integer. */
  readonly id: number;
  readonly type: string;
  /** The device that it is about; absent for the server's own. */
  readonly endpoint?: string;
  /** ms since the epoch. */
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
  /** Something that an operator should look at; absent: it is not. */
  readonly trouble?: true;
}

/** What happened, with ids: live events, replay after a lost connection, audit. */
export interface EventLog {
  /**
   * Resolves with the ids, in order, when durable.
   * @param awaited somebody waits for one of them; otherwise they may be held back some milliseconds, to be stored with others
   */
  append(events: readonly Omit<StoredEvent, 'id'>[], awaited?: boolean): Promise<readonly number[]>;
  /** Events after `after`, oldest first. */
  read(query: {
    readonly after: number;
    readonly endpoint?: string;
    readonly limit: number;
  }): Promise<readonly StoredEvent[]>;
  /** The newest events that match all that is given, newest first. */
  latest(query: {
    readonly endpoint?: string;
    /** One of these. */
    readonly types?: readonly string[];
    readonly trouble?: true;
    /** With a lower id. */
    readonly before?: number;
    readonly limit: number;
  }): Promise<readonly StoredEvent[]>;
  /** Ids of the oldest kept and the newest event; 0 and 0 where there never was one; see TelemetryLog.extent. */
  extent(): Promise<{ readonly oldest: number; readonly newest: number }>;
  /** Keeps the newest so many. */
  trim(keep: number): Promise<void>;
}
