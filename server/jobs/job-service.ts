import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import { BusyError } from '../../protocol/errors.ts';
import { ConflictError } from '../errors.ts';
import {
  finalJobStates,
  type Job,
  type JobDeviceState,
  type JobFilter,
  type JobState,
  type JobStore,
  type JobTransition,
  openJobStates,
} from '../ports/job-store.ts';
import type { JobOperation } from './job-operations.ts';
import type { JobRunner } from './job-runner.ts';

/** How long a job has, ms, where the caller does not say: one day. */
const TIME_TO_LIVE = 86_400_000;
const AT_ONCE = 50;
/** Jobs that may be under way. */
const MAX_OPEN = 100;
/** Of one tenant, who is not to take those of all others. */
const MAX_OF_TENANT = 20;
/** Devices that a preview names. */
const PREVIEWED = 20;

export type JobSelection = { readonly endpoints: readonly string[] } | { readonly filter: JobFilter };

/** A job as a caller gives it. */
export interface JobInput {
  readonly name?: string;
  /** Whose it is: other devices are not there for it. */
  readonly tenant?: string;
  readonly devices: JobSelection;
  readonly operation: JobOperation;
  /** ms; default one day. */
  readonly timeToLive?: number;
  /** Default 50. */
  readonly atOnce?: number;
  readonly stopAfterFailures?: number;
}

/**
 * Bulk jobs, as the API gives them.
 *
 * @throws RequestError, ConflictError it is not in a state for that, BusyError too many are under way,
 *   StoreUnavailableError; undefined: no such job
 */
export interface Jobs {
  /** With the same `key` it is the same job. */
  create(input: JobInput, key?: string): Promise<Job>;
  /** Of how many devices a job would be, and the first of them by endpoint. */
  preview(devices: JobSelection): Promise<{ readonly total: number; readonly endpoints: readonly string[] }>;
  get(id: string): Promise<Job | undefined>;
  list: JobStore['list'];
  devices(
    id: string,
    query: { readonly states?: readonly JobDeviceState[]; readonly limit: number; readonly cursor?: string },
  ): ReturnType<JobStore['devices']>;
  cancel(id: string): Promise<Job | undefined>;
  pause(id: string): Promise<Job | undefined>;
  resume(id: string): Promise<Job | undefined>;
  /** A new try of those that failed, expired or were cancelled, in the time that the job was given. */
  retry(id: string): Promise<Job | undefined>;
  /** False: no such job. */
  remove(id: string): Promise<boolean>;
}

export interface JobServiceParts {
  readonly jobs: JobStore;
  readonly runner: Pick<JobRunner, 'size' | 'begin' | 'changed'>;
  readonly clock: Clock;
  /** @throws RequestError the operation could be carried out on no device */
  readonly check: (operation: JobOperation) => void;
  readonly preview: (
    filter: JobFilter,
    limit: number,
  ) => Promise<{ readonly total: number; readonly endpoints: readonly string[] }>;
}

export class JobService implements Jobs {
  readonly #parts: JobServiceParts;
  readonly list: JobStore['list'];
  readonly get: JobStore['get'];
  readonly devices: JobStore['devices'];

  constructor(parts: JobServiceParts) {
    this.#parts = parts;
    this.list = (query) => parts.jobs.list(query);
    this.get = (id) => parts.jobs.get(id);
    this.devices = (id, query) => parts.jobs.devices(id, query);
  }

  async create({ devices, operation, ...input }: JobInput, key?: string): Promise<Job> {
    const { jobs, runner, clock, check } = this.#parts;
    check(operation);
    const id = key === undefined ? newId() : idOf(key);
    if (runner.size >= MAX_OPEN && (await jobs.get(id)) === undefined) {
      throw new BusyError(
        `${MAX_OPEN} jobs are under way, and no more are taken: wait for one to end, or cancel one`,
      );
    }
    await this.#checkShare(input.tenant, id);
    const { job, created } = await jobs.create({
      id,
      ...(input.name === undefined ? {} : { name: input.name }),
      ...(input.tenant === undefined ? {} : { tenant: input.tenant }),
      ...devices,
      operation: { ...operation },
      timeToLive: input.timeToLive ?? TIME_TO_LIVE,
      atOnce: input.atOnce ?? AT_ONCE,
      ...(input.stopAfterFailures === undefined ? {} : { stopAfterFailures: input.stopAfterFailures }),
      createdAt: Math.floor(clock.wallTime()),
    });
    if (created) runner.begin(job);
    return job;
  }

  /** @throws BusyError a tenant has as many under way as one may */
  async #checkShare(tenant: string | undefined, id: string): Promise<void> {
    if (tenant === undefined) return;
    const { jobs } = this.#parts;
    const { items } = await jobs.list({ tenant, states: openJobStates, limit: MAX_OF_TENANT });
    if (items.length < MAX_OF_TENANT || items.some((job) => job.id === id)) return;
    throw new BusyError(
      `${MAX_OF_TENANT} jobs of the tenant are under way, which is the limit for one: wait for one to end, or cancel one`,
    );
  }

  async preview(devices: JobSelection): Promise<{ total: number; endpoints: readonly string[] }> {
    if ('filter' in devices) return this.#parts.preview(devices.filter, PREVIEWED);
    const endpoints = [...new Set(devices.endpoints)].sort();
    return { total: endpoints.length, endpoints: endpoints.slice(0, PREVIEWED) };
  }

  cancel(id: string): Promise<Job | undefined> {
    return this.#step(
      { id, from: ['preparing', 'running', 'paused'], to: 'cancelling', endsAs: 'cancelled' },
      (state) => (state === 'cancelling' ? 'the job is ending already' : `the job has ended: ${state}`),
    );
  }

  pause(id: string): Promise<Job | undefined> {
    return this.#step(
      { id, from: ['running'], to: 'paused' },
      (state) => `the job is ${state}: only one that is running can be paused`,
    );
  }

  resume(id: string): Promise<Job | undefined> {
    return this.#step(
      { id, from: ['paused'], to: 'running', forgive: true },
      (state) => `the job is ${state}: only one that is paused can go on`,
    );
  }

  async retry(id: string): Promise<Job | undefined> {
    const { jobs, runner, clock } = this.#parts;
    const before = await jobs.get(id);
    if (before === undefined) return undefined;
    if (runner.size >= MAX_OPEN) throw new BusyError(`${MAX_OPEN} jobs are under way, and no more are taken`);
    const { failed, expired, cancelled } = before.counts;
    if (failed + expired + cancelled === 0 && isFinal(before)) {
      throw new ConflictError('no device of the job failed, expired or was cancelled');
    }
    await this.#checkShare(before.tenant, id);
    const at = Math.floor(clock.wallTime());
    const job = await jobs.transition({
      id,
      from: finalJobStates,
      to: 'preparing',
      at,
      expiresAt: at + before.timeToLive,
      forgive: true,
      // Those that it has: one that was cancelled while they were put together does not go on with that.
      selected: true,
    });
    if (job === undefined)
      throw new ConflictError(`the job is ${before.state}: it can be tried again when it has ended`);
    runner.begin(job);
    return job;
  }

  async remove(id: string): Promise<boolean> {
    const { jobs } = this.#parts;
    if (await jobs.remove(id)) return true;
    const job = await jobs.get(id);
    if (job === undefined) return false;
    throw new ConflictError(`the job is ${job.state}: cancel it first`);
  }

  async #step(
    step: Omit<JobTransition, 'at'>,
    conflict: (state: JobState) => string,
  ): Promise<Job | undefined> {
    const { jobs, runner, clock } = this.#parts;
    const job = await jobs.transition({ at: Math.floor(clock.wallTime()), ...step });
    if (job === undefined) {
      const now = await jobs.get(step.id);
      if (now === undefined) return undefined;
      throw new ConflictError(conflict(now.state));
    }
    runner.changed(job);
    return job;
  }
}

function isFinal({ state }: Job): boolean {
  return (finalJobStates as readonly string[]).includes(state);
}

function newId(): string {
  return `j${BigInt(`0x${randomBytes(12).toString('hex')}`).toString(36)}`;
}

/** The same for the same key. */
function idOf(key: string): string {
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 24);
  return `j${BigInt(`0x${digest}`).toString(36)}`;
}
