import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Command } from '../ports/command-queue.ts';
import type { Job, JobFilter } from '../ports/job-store.ts';
import type { Stores } from '../ports/stores.ts';
import { type JobOperation, type JobOperationParts, jobOperations } from './job-operations.ts';
import { JobRunner } from './job-runner.ts';
import { JobService } from './job-service.ts';

/** Which devices a filter, as the API takes it, means. */
export interface JobDevices {
  /** A page by endpoint: those behind `after`. */
  select(filter: JobFilter, after: string | undefined, limit: number): Promise<readonly string[]>;
  /** How many there are, and the first. */
  preview(
    filter: JobFilter,
    limit: number,
  ): Promise<{ readonly total: number; readonly endpoints: readonly string[] }>;
}

export interface JobParts extends Omit<JobOperationParts, 'devices'> {
  readonly stores: Pick<Stores, 'jobs' | 'commands' | 'devices'>;
  readonly devices: JobDevices;
  /** @throws RequestError the operation could be carried out on no device */
  readonly check: (operation: JobOperation) => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** A command was taken back by its job. */
  readonly onStep: (command: Command) => void;
  /** A job as it is now: at most twice a second, and always the last. */
  readonly onProgress: (job: Job) => void;
}

/** Bulk jobs, put together: what the API asks, and what brings them on their way. */
export function composeJobs(parts: JobParts): { readonly service: JobService; readonly runner: JobRunner } {
  const { stores, devices, clock, log, onStep, onProgress, check } = parts;
  const runner = new JobRunner({
    stores,
    perform: jobOperations({ ...parts, devices: stores.devices }),
    select: devices.select,
    clock,
    log,
    onStep,
    onProgress,
  });
  const service = new JobService({ jobs: stores.jobs, runner, clock, check, preview: devices.preview });
  return { service, runner };
}
