import { decodeCursor, encodeCursor } from '../server/ports/cursor.ts';
import {
  finalJobStates,
  type Job,
  type JobDevice,
  type JobDeviceState,
  type JobState,
  type JobStore,
  jobDeviceStates,
  openJobDeviceStates,
} from '../server/ports/job-store.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

const createJob = loadScript('job-create');
const addDevices = loadScript('job-add-devices');
const transition = loadScript('job-transition');
const note = loadScript('job-note');
const endWaiting = loadScript('job-end-waiting');
const retryDevices = loadScript('job-retry-devices');
const readDevices = loadScript('job-devices');
const removeJob = loadScript('job-remove');

/** Characters of records in one page, but for a single larger one. */
const pageCharacters = 4_194_304;
/** Jobs that one look takes, where only some of their states are asked for. */
const stretch = 100;

const ended: ReadonlySet<string> = new Set(finalJobStates);
const retried = ['failed', 'expired', 'cancelled'] as const satisfies readonly JobDeviceState[];

/** Jobs in one slot: what happens to their devices happens to their counts in the same step. */
export function jobStore(redis: RedisConnection): JobStore {
  const key = (name: string): string => redis.keys.shared('jobs', name);
  const numbers = key('jobs');
  const endings = key('ended');
  const jobKey = (id: string): string => key(`job:${id}`);
  const devicesKey = (id: string): string => key(`devices:${id}`);
  const inState = (id: string, state: JobDeviceState): string => key(`devices:${id}:${state}`);
  const allStates = (id: string): readonly string[] => jobDeviceStates.map((state) => inState(id, state));

  const get = async (id: string): Promise<Job | undefined> => {
    const fields = await redis.call((client) => client.hgetall(jobKey(id)));
    return fields['state'] === undefined ? undefined : jobOf(id, fields);
  };
  const remove = async (id: string): Promise<boolean> =>
    (await redis.run(removeJob, [jobKey(id), numbers, endings, devicesKey(id), ...allStates(id)], [id])) ===
    1;

  return {
    get,
    remove,
    create: async ({ id, endpoints = [], ...definition }) => {
      const { filter, timeToLive, createdAt } = definition;
      const [created, fields] = (await redis.run(
        createJob,
        [jobKey(id), numbers, devicesKey(id), inState(id, 'waiting')],
        [
          ...[
            id,
            JSON.stringify(definition),
            createdAt + timeToLive,
            filter === undefined ? 1 : 0,
            createdAt,
          ],
          ...endpoints,
        ],
      )) as [number, string[]];
      return { job: jobOf(id, paired(fields)), created: created === 1 };
    },
    list: async ({ states, tenant, limit, cursor }) => {
      let before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeCursor('jobs', cursor, 'number');
      const found: { readonly number: number; readonly job: Job }[] = [];
      const isWanted = (job: Job): boolean =>
        (states === undefined || states.includes(job.state)) &&
        (tenant === undefined || tenant === job.tenant);
      const count = states === undefined && tenant === undefined ? limit + 1 : Math.max(limit + 1, stretch);
      for (let isAll = false; !isAll && found.length <= limit; ) {
        const rows = await redis.call((client) =>
          client.zrevrangebyscore(numbers, `(${before}`, '-inf', 'WITHSCORES', 'LIMIT', 0, count),
        );
        const ids = rows.filter((_, index) => index % 2 === 0);
        const jobs = await Promise.all(ids.map(get));
        for (const [index, job] of jobs.entries()) {
          before = Number(rows[index * 2 + 1]);
          // One that is not there was removed between the two.
          if (job !== undefined && isWanted(job)) found.push({ number: before, job });
        }
        isAll = ids.length < count;
      }
      const page = found.slice(0, limit);
      const last = page.at(-1)?.number;
      return {
        items: page.map(({ job }) => job),
        ...(found.length > limit && last !== undefined ? { next: encodeCursor('jobs', last) } : {}),
      };
    },
    addDevices: async (id, endpoints, at) =>
      optionalJob(
        id,
        await redis.run(addDevices, [jobKey(id), devicesKey(id), inState(id, 'waiting')], [at, ...endpoints]),
      ),
    transition: async ({ id, from, to, at, reason, endsAs, selected, expiresAt, forgive }) =>
      optionalJob(
        id,
        await redis.run(
          transition,
          [jobKey(id), endings],
          [
            ...[id, to, at, ended.has(to) ? 1 : 0, reason ?? '', endsAs ?? ''],
            ...[selected === undefined ? '' : Number(selected), expiresAt ?? '', forgive === true ? 1 : 0],
            ...[openJobDeviceStates.join(' '), ...from],
          ],
        ),
      ),
    devices: async (id, { states = jobDeviceStates, limit, cursor }) => {
      const after = cursor === undefined ? undefined : decodeCursor('job-devices', cursor, 'string');
      const [more, rows] = (await redis.run(
        readDevices,
        [devicesKey(id), ...states.map((state) => inState(id, state))],
        [after === undefined ? '-' : `(${after}`, limit, pageCharacters],
      )) as [number, string[]];
      const items = Array.from({ length: rows.length / 2 }, (_, index) =>
        deviceOf(rows[index * 2] as string, rows[index * 2 + 1] as string),
      );
      const last = items.at(-1)?.endpoint;
      return {
        items,
        ...(more === 1 && last !== undefined ? { next: encodeCursor('job-devices', last) } : {}),
      };
    },
    note: async (id, steps) =>
      optionalJob(
        id,
        await redis.run(
          note,
          [jobKey(id), devicesKey(id), ...allStates(id)],
          [
            ...[jobDeviceStates.length, ...jobDeviceStates, openJobDeviceStates.length],
            ...steps.flatMap(({ endpoint, attempt, state, command, reason, result, at }) => [
              ...[endpoint, attempt, state, optional(command), optional(reason)],
              ...[optional(result && JSON.stringify(result)), at],
            ]),
          ],
        ),
      ),
    endWaiting: async (id, { state, reason, at, limit }) =>
      optionalJob(
        id,
        await redis.run(
          endWaiting,
          [jobKey(id), devicesKey(id), inState(id, 'waiting'), inState(id, state)],
          [state, reason, at, limit],
        ),
      ),
    retryDevices: async (id, at, limit) =>
      (await redis.run(
        retryDevices,
        [jobKey(id), devicesKey(id), inState(id, 'waiting'), ...retried.map((state) => inState(id, state))],
        [at, limit, ...retried],
      )) as number,
    trim: async ({ endedBefore, keep }) => {
      const [old, tooMany] = await Promise.all([
        redis.call((client) => client.zrangebyscore(endings, '-inf', `(${endedBefore}`)),
        redis.call((client) => client.zrange(endings, '0', String(-1 - keep))),
      ]);
      let removed = 0;
      for (const id of new Set([...old, ...tooMany])) if (await remove(id)) removed += 1;
      return removed;
    },
  };
}

/** Texts that are there begin with =. */
function optional(text: string | undefined): string {
  return text === undefined ? '' : `=${text}`;
}

function optionalJob(id: string, fields: unknown): Job | undefined {
  return fields === null ? undefined : jobOf(id, paired(fields as string[]));
}

function paired(list: readonly string[]): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (let index = 0; index < list.length; index += 2)
    fields[list[index] as string] = list[index + 1] as string;
  return fields;
}

function jobOf(id: string, fields: Readonly<Record<string, string>>): Job {
  const { reason, startedAt, endedAt } = fields;
  const endsAs = fields['endsAs'] as Job['endsAs'];
  const counts = Object.fromEntries(
    jobDeviceStates.map((state) => [state, Number(fields[`count:${state}`] ?? 0)]),
  ) as Job['counts'];
  return {
    id,
    ...JSON.parse(fields['definition'] as string),
    state: fields['state'] as JobState,
    selected: fields['selected'] === '1',
    ...(endsAs === undefined ? {} : { endsAs }),
    ...(reason === undefined ? {} : { reason }),
    total: jobDeviceStates.reduce((sum, state) => sum + counts[state], 0),
    counts,
    failures: Number(fields['failures']),
    expiresAt: Number(fields['expiresAt']),
    ...(startedAt === undefined ? {} : { startedAt: Number(startedAt) }),
    ...(endedAt === undefined ? {} : { endedAt: Number(endedAt) }),
  };
}

function deviceOf(endpoint: string, record: string): JobDevice {
  const [state, attempt, command, reason, result, updatedAt] = JSON.parse(record) as [
    JobDeviceState,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    endpoint,
    state,
    attempt: Number(attempt),
    ...(command === '' ? {} : { command: command.slice(1) }),
    ...(reason === '' ? {} : { reason: reason.slice(1) }),
    ...(result === '' ? {} : { result: JSON.parse(result.slice(1)) }),
    updatedAt: Number(updatedAt),
  };
}
