import type { CommandState } from './command-queue.ts';

/**
 * A job's life. `preparing`: its devices are put together. `cancelling`: nothing new is begun, and what is under way
 * comes to its end. The last three are final: then each of its devices has ended too.
 */
export type JobState = 'preparing' | 'running' | 'paused' | 'cancelling' | 'done' | 'cancelled' | 'stopped';

export const finalJobStates = ['done', 'cancelled', 'stopped'] as const satisfies readonly JobState[];

export const openJobStates = [
  'preparing',
  'running',
  'paused',
  'cancelling',
] as const satisfies readonly JobState[];

/** Where one device of a job stands: `waiting` for its turn, or where its command stands. */
export type JobDeviceState = 'waiting' | CommandState;

export const jobDeviceStates = [
  'waiting',
  'queued',
  'sent',
  'accepted',
  'done',
  'failed',
  'cancelled',
  'expired',
  'unknown',
] as const satisfies readonly JobDeviceState[];

export const openJobDeviceStates = [
  'waiting',
  'queued',
  'sent',
  'accepted',
] as const satisfies readonly JobDeviceState[];

/** What a job's devices fit when it is made; JSON, as whoever gives it understands it. */
export type JobFilter = Readonly<Record<string, unknown>>;

interface JobDefinition {
  /** URL-safe; given by the caller, who may make the same one twice. */
  readonly id: string;
  readonly name?: string;
  /** Whose it is: it touches devices of that tenant alone. Absent: the operator's. */
  readonly tenant?: string;
  /** Absent: its devices were named one by one. */
  readonly filter?: JobFilter;
  /** What is done to each device; JSON. */
  readonly operation: Readonly<Record<string, unknown>>;
  /** ms from when it is made, or tried again: what has not gone out by then expires. */
  readonly timeToLive: number;
  /** Devices that are worked on at a time. */
  readonly atOnce: number;
  /** It stops after so many devices; absent: never. */
  readonly stopAfterFailures?: number;
  readonly createdAt: number;
}

export interface NewJob extends JobDefinition {
  /** Its devices, where there is no filter; each counts once. */
  readonly endpoints?: readonly string[];
}

/** One operation on many devices. Times: ms since the epoch. */
export interface Job extends JobDefinition {
  readonly state: JobState;
  /** Its devices are all there; before, `total` may rise. */
  readonly selected: boolean;
  /** In `cancelling`: what it becomes. */
  readonly endsAs?: 'cancelled' | 'stopped';
  /** What a person reads. */
  readonly reason?: string;
  readonly total: number;
  /** Devices in each state; they come to `total`. */
  readonly counts: Readonly<Record<JobDeviceState, number>>;
  /** Devices that ended as failed or unknown since it was made, resumed or tried again. */
  readonly failures: number;
  readonly expiresAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
}

export interface JobDevice {
  readonly endpoint: string;
  readonly state: JobDeviceState;
  /** From 1: each try has a command of its own. */
  readonly attempt: number;
  /** The newest command that was made for it. */
  readonly command?: string;
  readonly reason?: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly updatedAt: number;
}

/** What has become of one device; `waiting` gives it back: another attempt is to be made. */
export interface JobDeviceStep {
  readonly endpoint: string;
  /** The one that this is about: about another one it changes nothing. */
  readonly attempt: number;
  readonly state: JobDeviceState;
  readonly command?: string;
  readonly reason?: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly at: number;
}

/** A step of a job's life; takes place only from one of `from`. Its `reason` becomes that of the step, or none. */
export interface JobTransition {
  readonly id: string;
  readonly from: readonly JobState[];
  readonly to: JobState;
  readonly at: number;
  readonly reason?: string;
  readonly endsAs?: 'cancelled' | 'stopped';
  readonly selected?: boolean;
  readonly expiresAt?: number;
  /** `failures` begins at 0 again. */
  readonly forgive?: boolean;
}

/** Bulk jobs and their devices, kept through kill -9. */
export interface JobStore {
  /**
   * In the state `preparing`; with its devices, `waiting`, where they are named. `created` is false where there is one of
   * this id: it stays as it is.
   */
  create(job: NewJob): Promise<{ readonly job: Job; readonly created: boolean }>;
  get(id: string): Promise<Job | undefined>;
  /** Newest first. Rejects with RequestError for a cursor that it did not make. */
  list(query: {
    readonly states?: readonly JobState[];
    /** Only this tenant's. */
    readonly tenant?: string;
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly items: readonly Job[]; readonly next?: string }>;
  /** Adds devices, `waiting`, to a job that is preparing; those that it has stay as they are. */
  addDevices(id: string, endpoints: readonly string[], at: number): Promise<Job | undefined>;
  /**
   * The job as it is after the step; undefined where it is not in one of `from`, or unknown, or would end while a
   * device of it has not.
   */
  transition(step: JobTransition): Promise<Job | undefined>;
  /** By endpoint. Rejects with RequestError for a cursor that it did not make. */
  devices(
    id: string,
    query: {
      readonly states?: readonly JobDeviceState[];
      readonly limit: number;
      readonly cursor?: string;
    },
  ): Promise<{ readonly items: readonly JobDevice[]; readonly next?: string }>;
  /**
   * Batched by the caller: what has become of devices. A device that has ended stays as it is, and so does one that is at
   * another attempt. The job as it is afterwards; undefined where it is unknown.
   */
  note(id: string, steps: readonly JobDeviceStep[]): Promise<Job | undefined>;
  /** Ends up to `limit` devices that wait; the job as it is afterwards. */
  endWaiting(
    id: string,
    step: {
      readonly state: 'cancelled' | 'expired';
      readonly reason: string;
      readonly at: number;
      readonly limit: number;
    },
  ): Promise<Job | undefined>;
  /** Up to `limit` devices that failed, expired or were cancelled wait again; how many. Only in a job that is preparing. */
  retryDevices(id: string, at: number, limit: number): Promise<number>;
  /** Removes a job that has ended, with its devices. False where it is unknown, or has not ended. */
  remove(id: string): Promise<boolean>;
  /** Removes jobs that ended before `endedBefore`, and the oldest beyond the newest `keep` that have; how many. */
  trim(bounds: { readonly endedBefore: number; readonly keep: number }): Promise<number>;
}
