import type { Job, JobDevice } from '../ports/job-store.ts';
import type { ApiJob, ApiJobDevice, ApiJobOperation } from './schemas/jobs.ts';
import type { ApiDeviceFilter } from './schemas.ts';

export function presentJob(job: Job): ApiJob {
  return {
    id: job.id,
    ...(job.name === undefined ? {} : { name: job.name }),
    ...(job.tenant === undefined ? {} : { tenant: job.tenant }),
    // Both are as the API took them.
    ...(job.filter === undefined ? {} : { filter: job.filter as ApiDeviceFilter }),
    operation: job.operation as ApiJobOperation,
    options: {
      timeToLive: job.timeToLive,
      atOnce: job.atOnce,
      ...(job.stopAfterFailures === undefined ? {} : { stopAfterFailures: job.stopAfterFailures }),
    },
    state: job.state,
    ...(job.reason === undefined ? {} : { reason: job.reason }),
    total: job.total,
    counts: { ...job.counts },
    createdAt: job.createdAt,
    expiresAt: job.expiresAt,
    ...(job.startedAt === undefined ? {} : { startedAt: job.startedAt }),
    ...(job.endedAt === undefined ? {} : { endedAt: job.endedAt }),
  };
}

export function presentJobDevice(device: JobDevice): ApiJobDevice {
  return {
    endpoint: device.endpoint,
    state: device.state,
    ...(device.command === undefined ? {} : { command: device.command }),
    ...(device.reason === undefined ? {} : { reason: device.reason }),
    ...(device.result === undefined ? {} : { result: { ...device.result } }),
    updatedAt: device.updatedAt,
  };
}
