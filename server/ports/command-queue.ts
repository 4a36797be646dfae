import type { Owner } from './registration-store.ts';

/**
 * A command's life. `accepted`: the device has taken it and works on it. `unknown`: nobody can tell
 * whether it was carried out. The last five are final.
 */
export type CommandState =
  | 'queued'
  | 'sent'
  | 'accepted'
  | 'done'
  | 'failed'
  | 'cancelled'
  | 'expired'
  | 'unknown';

export const finalCommandStates = [
  'done',
  'failed',
  'cancelled',
  'expired',
  'unknown',
] as const satisfies readonly CommandState[];

/** One durable command to one device. Times: ms since the epoch. */
export interface Command {
  /** Unique for ever; URL-safe; opaque. */
  readonly id: string;
  readonly endpoint: string;
  /**
   * Rises with each command of a device, also across a loss of the store (it starts from the clock):
   * the device refuses a number lower than one that it has had. A safe integer.
   */
  readonly number: number;
  /** `carrier-switch`, `request`. */
  readonly kind: string;
  /** By kind; JSON. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly state: CommandState;
  /** What a person reads: why it failed, what the card said. */
  readonly reason?: string;
  /** By kind; JSON; set in a final state. */
  readonly result?: Readonly<Record<string, unknown>>;
  /** How often it was sent to the device. */
  readonly attempts: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When it becomes `expired` if it has not been sent. */
  readonly expiresAt: number;
  /** The job that made it, and which of the job's attempts at this device it is. */
  readonly job?: { readonly id: string; readonly attempt: number };
  /**
   * The states that it was in, oldest first: each where there were at most 32, else the first 8 and the newest
   * 24, for a command that waits for a busy device takes steps without end.
   */
  readonly history: readonly {
    readonly state: CommandState;
    readonly at: number;
    readonly reason?: string;
  }[];
}

export interface NewCommand {
  readonly endpoint: string;
  readonly kind: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The same key for the same endpoint within a day returns the same command. 1 to 200 characters. */
  readonly idempotencyKey?: string;
  /** There is one command for each attempt of a job at a device, for as long as that is kept. */
  readonly job?: { readonly id: string; readonly attempt: number };
  /** Of what waits for the device already; none where absent. */
  readonly bounds?: WaitingBounds;
}

/** How much may wait for one device: commands that are not final, and the bytes of their parameters as JSON. */
export interface WaitingBounds {
  readonly count: number;
  readonly bytes: number;
}

/**
 * A step of a command's life; takes place only from one of `from`, and never from a final state. The command's `reason` becomes that of
 * the step, or none; its `result` stays where the step has none.
 */
export interface CommandTransition {
  readonly id: string;
  readonly from: readonly CommandState[];
  readonly to: CommandState;
  readonly at: number;
  readonly reason?: string;
  readonly result?: Readonly<Record<string, unknown>>;
  /** Adds one to `attempts`. */
  readonly attempt?: boolean;
  /** Who acts on the device: the step takes place only while that node owns it, by the same fencing number. */
  readonly owner?: Owner;
}

/** Commands: ordered per device, one in flight, kept through kill -9. */
export interface CommandQueue {
  /**
   * `created` is false where the idempotency key was seen, or the job has made its command for this device and attempt;
   * `conflict` is then true where kind or parameters differ.
   * Rejects with BusyError where more would wait for the device than `bounds` say; a key that was seen is answered
   * all the same.
   */
  enqueue(
    command: NewCommand,
  ): Promise<{ readonly command: Command; readonly created: boolean; readonly conflict: boolean }>;
  get(id: string): Promise<Command | undefined>;
  /** The oldest command of the device that is not final: the only one that may be worked on. */
  head(endpoint: string): Promise<Command | undefined>;
  /** The command as it is after the step; undefined where it is not in one of `from`, or unknown, or its device has another owner than said. */
  transition(step: CommandTransition): Promise<Command | undefined>;
  /**
   * Newest first. A page ends at `limit`, or where its commands come to some megabytes: `next` tells whether there
   * are more. Rejects with RequestError for a cursor that it did not make.
   */
  list(query: {
    readonly endpoint?: string;
    readonly kind?: string;
    readonly states?: readonly CommandState[];
    /** Id of a job. */
    readonly job?: string;
    /** Made from then, and before then. */
    readonly from?: number;
    readonly to?: number;
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly items: readonly Command[]; readonly next?: string }>;
  /** Endpoints that have a command that is not final. */
  pendingEndpoints(): Promise<readonly string[]>;
  /** How many commands of a kind are not final. */
  countOpen(kind: string): Promise<number>;
  /** Moves `queued` commands past their `expiresAt` to `expired`; returns them, each exactly once. One that was
   * sent may have been carried out: whoever sent it says how it ends. */
  expire(now: number, limit: number): Promise<readonly Command[]>;
  /**
   * Removes up to `limit` commands that have ended: those that ended before `endedBefore`, and the oldest beyond
   * the newest `keep` that have. The newest command of each device stays, for the numbers go on from it.
   * Returns how many were removed.
   */
  trim(bounds: {
    readonly endedBefore: number;
    readonly keep: number;
    readonly limit: number;
  }): Promise<number>;
}
