import type { ApiJob, ApiJobDevicePage, ApiJobOperation, ApiJobPage } from '../../server/api/schemas/jobs.ts';
import type { ApiClient } from './api-client.ts';
import { requestTitle } from './command-words.ts';
import { carrierLabel, clipped } from './names.ts';
import { formatCount } from './numbers.ts';

export type JobState = ApiJob['state'];
export type JobDeviceState = keyof ApiJob['counts'];
export type JobAction = 'pause' | 'resume' | 'cancel' | 'retry';

/** In the order in which a bar shows them: what is done first, what is still to come last. */
export const deviceStates = [
  'done',
  'failed',
  'unknown',
  'expired',
  'cancelled',
  'accepted',
  'sent',
  'queued',
  'waiting',
] as const satisfies readonly JobDeviceState[];

export const deviceStateWords: Readonly<Record<JobDeviceState, string>> = {
  done: 'Done',
  failed: 'Failed',
  unknown: 'Unknown',
  expired: 'Expired',
  cancelled: 'Cancelled',
  accepted: 'Accepted',
  sent: 'Sent',
  queued: 'Queued',
  waiting: 'Waiting',
};

export const deviceStateMeanings: Readonly<Record<JobDeviceState, string>> = {
  done: 'The device has done it',
  failed: 'It was refused, or could not be done',
  unknown: 'Nobody can tell whether the device has done it',
  expired: 'It was not sent in the time of the job',
  cancelled: 'Taken back before it was sent',
  accepted: 'The device works on it',
  sent: 'On its way to the device',
  queued: 'Its command waits, as for a device that sleeps or is away',
  waiting: 'Its turn has not come',
};

export const jobStateWords: Readonly<Record<JobState, string>> = {
  preparing: 'Preparing',
  running: 'Running',
  paused: 'Paused',
  cancelling: 'Cancelling',
  done: 'Done',
  cancelled: 'Cancelled',
  stopped: 'Stopped',
};

/** Groups of states by which the list is looked at; the first shows all. */
export const jobFilters = [
  { name: 'all', label: 'All', states: [] },
  { name: 'active', label: 'Under way', states: ['preparing', 'running', 'paused', 'cancelling'] },
  { name: 'done', label: 'Done', states: ['done'] },
  { name: 'stopped', label: 'Stopped', states: ['stopped'] },
  { name: 'cancelled', label: 'Cancelled', states: ['cancelled'] },
] as const satisfies readonly { name: string; label: string; states: readonly JobState[] }[];
export type JobFilterName = (typeof jobFilters)[number]['name'];

export function jobFilterOf(query: string): JobFilterName {
  const wanted = new URLSearchParams(query).get('state');
  return jobFilters.find(({ name }) => name === wanted)?.name ?? 'all';
}

const ended: ReadonlySet<JobState> = new Set(['done', 'cancelled', 'stopped']);

export function hasEnded({ state }: Pick<ApiJob, 'state'>): boolean {
  return ended.has(state);
}

/** Devices of which it is known how they ended. */
export function endedDevices({ counts }: Pick<ApiJob, 'counts'>): number {
  return counts.done + counts.failed + counts.unknown + counts.expired + counts.cancelled;
}

/** Those that another try would be of. */
export function retryable({ counts }: Pick<ApiJob, 'counts'>): number {
  return counts.failed + counts.expired + counts.cancelled;
}

/** What may be done with a job now. */
export function actionsOf(job: ApiJob): readonly JobAction[] {
  if (hasEnded(job)) return retryable(job) > 0 ? ['retry'] : [];
  if (job.state === 'running') return ['pause', 'cancel'];
  if (job.state === 'paused') return ['resume', 'cancel'];
  return job.state === 'preparing' ? ['cancel'] : [];
}

/** `Switch to T-Mobile`. */
export function operationTitle(operation: ApiJobOperation): string {
  switch (operation.kind) {
    case 'carrier-switch': {
      const { carrier } = operation;
      if (typeof carrier === 'number') return `Switch to ${carrierLabel({ id: carrier, name: '' })}`;
      return carrier.toLowerCase() === 'disconnect' ? 'Disconnect' : `Switch to ${clipped(carrier)}`;
    }
    case 'request':
      return requestTitle(operation.request);
    case 'forget':
      return 'Forget';
    case 'tenant':
      return operation.tenant === null
        ? 'Give back to the operator'
        : `Give to tenant ${clipped(operation.tenant)}`;
    case 'observe':
      return `${operation.wanted ? 'Observe' : 'Stop observing'} ${clipped(operation.paths.join(', '))}`;
  }
}

export function jobTitle(job: Pick<ApiJob, 'name' | 'operation'>): string {
  return job.name === undefined || job.name.trim() === '' ? operationTitle(job.operation) : clipped(job.name);
}

/** `12 of 20 devices`. */
export function progressText(job: ApiJob): string {
  const total = `${formatCount(job.total)} ${job.total === 1 ? 'device' : 'devices'}`;
  return job.state === 'preparing' ? `${total} so far` : `${formatCount(endedDevices(job))} of ${total}`;
}

/** Parts of a bar in percent, none of those that are there thinner than can be seen. */
export function segmentsOf({
  counts,
  total,
}: Pick<ApiJob, 'counts' | 'total'>): readonly { readonly state: JobDeviceState; readonly share: number }[] {
  if (total === 0) return [];
  const least = 1;
  const shares = deviceStates
    .filter((state) => counts[state] > 0)
    .map((state) => ({ state, share: Math.max(least, (counts[state] / total) * 100) }));
  const sum = shares.reduce((all, { share }) => all + share, 0);
  return shares.map(({ state, share }) => ({ state, share: (share / sum) * 100 }));
}

export function fetchJobs(
  api: ApiClient,
  query: { readonly filter: JobFilterName; readonly limit: number; readonly cursor?: string | undefined },
  signal?: AbortSignal,
): Promise<ApiJobPage> {
  const states = jobFilters.find(({ name }) => name === query.filter)?.states ?? [];
  const { limit, cursor } = query;
  return api.get('/api/jobs', { state: states.join(','), limit, cursor }, signal);
}

export function fetchJob(api: ApiClient, id: string, signal?: AbortSignal): Promise<ApiJob> {
  return api.get(jobUrl(id), {}, signal);
}

export function fetchJobDevices(
  api: ApiClient,
  id: string,
  query: {
    readonly state?: JobDeviceState | undefined;
    readonly limit: number;
    readonly cursor?: string | undefined;
  },
  signal?: AbortSignal,
): Promise<ApiJobDevicePage> {
  return api.get(`${jobUrl(id)}/devices`, { ...query }, signal);
}

export function actOnJob(api: ApiClient, id: string, action: JobAction): Promise<ApiJob> {
  return api.send('POST', `${jobUrl(id)}/${action}`);
}

export function forgetJob(api: ApiClient, id: string): Promise<void> {
  return api.send('DELETE', jobUrl(id));
}

/** Where the results come from as CSV. */
export function resultsUrl(id: string, state?: JobDeviceState): string {
  return `${jobUrl(id)}/devices?format=csv${state === undefined ? '' : `&state=${state}`}`;
}

function jobUrl(id: string): string {
  return `/api/jobs/${encodeURIComponent(id)}`;
}
