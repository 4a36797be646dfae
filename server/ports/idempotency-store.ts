/** An answer as it went out. */
export interface KeptAnswer {
  readonly status: number;
  /** Those that belong to it: its type, where what it made is. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty: there was none. Absent: it was too large to be kept. */
  readonly body?: string;
}

/** What is known of a key before a request. */
export type KeyState =
  /** Nothing: from now on it is this request's. */
  | { readonly state: 'begun' }
  /** A request has it that is under way, or whose process has ended before it was answered. */
  | { readonly state: 'open'; readonly fingerprint: string; readonly holder: string; readonly since: number }
  | { readonly state: 'answered'; readonly fingerprint: string; readonly answer: KeptAnswer };

/** The keys of requests that must not be carried out twice, and what they were answered: for a day. */
export interface IdempotencyStore {
  /**
   * Takes a key for a request, durably, before that does anything. A key of more than a day ago is a new one.
   * Rejects with BusyError where as many keys are kept as `limit` says.
   */
  begin(request: {
    readonly key: string;
    /** The same for the same request. */
    readonly fingerprint: string;
    /** The process that carries it out. */
    readonly holder: string;
    /** ms since the epoch. */
    readonly at: number;
    readonly limit: number;
  }): Promise<KeyState>;
  /** Another process carries the request out again, since that of before has ended. False: somebody was faster. */
  takeOver(key: string, from: string, to: string): Promise<boolean>;
  /** The request was answered. Nothing, where another process has the key by now. */
  finish(key: string, holder: string, answer: KeptAnswer): Promise<void>;
  /** Nothing was done: the key is free. Nothing, where another process has it by now. */
  release(key: string, holder: string): Promise<void>;
}
