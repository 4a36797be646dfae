import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { RequestError } from '../../../protocol/errors.ts';
import type { JobOperation } from '../../jobs/job-operations.ts';
import type { JobInput, Jobs } from '../../jobs/job-service.ts';
import type { Job, JobDeviceState } from '../../ports/job-store.ts';
import { csvLine } from '../csv.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { keepsKey, keyOf } from '../idempotency.ts';
import { presentJob, presentJobDevice } from '../job-presenters.ts';
import { objectPath } from '../object-content.ts';
import { ProblemError } from '../problems.ts';
import { cursor, limit, noContent, problemResponses } from '../route-schemas.ts';
import {
  type ApiJobBody,
  type ApiJobDevice,
  type ApiJobOperation,
  JobBodySchema,
  JobDevicePageSchema,
  JobPageSchema,
  JobPreviewSchema,
  JobSchema,
  jobDeviceStates,
  jobStates,
} from '../schemas/jobs.ts';
import { ref } from '../shared-schemas.ts';
import { statesOf } from '../states.ts';

const tags = ['jobs'];
const JobParams = Type.Object({ id: Type.String({ minLength: 1 }) });
/** Devices that one step of a CSV reads. */
const CSV_PAGE = 500;

/** One operation on many devices. */
export const jobRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (app, { jobs }) => {
  app.post(
    '/api/jobs',
    {
      config: keepsKey,
      schema: {
        operationId: 'createJob',
        summary: 'Do something to many devices',
        description:
          'Answers at once with a job, which is on disk and survives a restart of the server. Its devices are fixed ' +
          'when it is made; each gets its command when its turn comes, and ends in exactly one final state. Follow it ' +
          'by GET or by its events. With `dryRun` nothing is done: it answers how many devices that would be.',
        tags,
        querystring: Type.Object(
          { dryRun: Type.Optional(Type.Boolean({ description: 'Only tell of which devices it would be' })) },
          { additionalProperties: false },
        ),
        body: ref(JobBodySchema),
        response: { 200: ref(JobPreviewSchema), 202: ref(JobSchema), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { query, body } = request;
      const input = inputOf(body);
      if (query.dryRun === true) {
        const { total, endpoints } = await jobs.preview(body.devices);
        return reply.code(200).send({ total, endpoints: [...endpoints] });
      }
      // The key of a day ago is another one.
      const keyed = keyOf(request);
      const job = await jobs.create(input, keyed && `${keyed.since} ${keyed.key}`);
      return reply
        .code(202)
        .header('location', `/api/jobs/${encodeURIComponent(job.id)}`)
        .send(presentJob(job));
    },
  );

  app.get(
    '/api/jobs',
    {
      schema: {
        operationId: 'listJobs',
        summary: 'Jobs, newest first',
        tags,
        querystring: Type.Object(
          {
            state: Type.Optional(
              Type.String({ maxLength: 100, description: `Only these, by comma: ${jobStates.join(', ')}` }),
            ),
            limit: limit(1000, 100),
            cursor,
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(JobPageSchema), ...problemResponses },
      },
    },
    async ({ query }) => {
      const page = await jobs.list({
        limit: query.limit ?? 100,
        ...(query.state === undefined ? {} : { states: statesOf(query.state, jobStates) }),
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      });
      return { items: page.items.map(presentJob), next: page.next ?? null };
    },
  );

  app.get(
    '/api/jobs/:id',
    {
      schema: {
        operationId: 'getJob',
        summary: 'One job, with how many devices are in each state',
        tags,
        params: JobParams,
        response: { 200: ref(JobSchema), ...problemResponses },
      },
    },
    async ({ params: { id } }) => presentJob(known(id, await jobs.get(id))),
  );

  app.get(
    '/api/jobs/:id/devices',
    {
      schema: {
        operationId: 'listJobDevices',
        summary: 'The devices of a job by endpoint name, with what became of each',
        description: 'As CSV it is all of them, not a page: `limit` and `cursor` are refused.',
        tags,
        params: JobParams,
        querystring: Type.Object(
          {
            state: Type.Optional(
              Type.String({
                maxLength: 100,
                description: `Only these, by comma: ${jobDeviceStates.join(', ')}`,
              }),
            ),
            format: Type.Optional(Type.Enum(['json', 'csv'] as const)),
            limit: limit(1000, 100),
            cursor,
          },
          { additionalProperties: false },
        ),
        response: {
          200: {
            description: 'A page; as CSV all devices',
            content: {
              'application/json': { schema: ref(JobDevicePageSchema) },
              'text/csv': { schema: Type.Unsafe<Readable>(Type.String()) },
            },
          },
          ...problemResponses,
        },
      },
    },
    async ({ params: { id }, query }, reply) => {
      known(id, await jobs.get(id));
      const states = query.state === undefined ? {} : { states: statesOf(query.state, jobDeviceStates) };
      if (query.format === 'csv') {
        if (query.limit !== undefined || query.cursor !== undefined) {
          throw new RequestError("as CSV all devices are told: it takes neither 'limit' nor 'cursor'");
        }
        return reply
          .type('text/csv; charset=utf-8; header=present')
          .header('content-disposition', `attachment; filename="job-${encodeURIComponent(id)}.csv"`)
          .send(Readable.from(csvOf(jobs, id, states)));
      }
      const page = await jobs.devices(id, {
        limit: query.limit ?? 100,
        ...states,
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      });
      return reply.send({ items: page.items.map(presentJobDevice), next: page.next ?? null });
    },
  );

  const steps = [
    [
      'cancel',
      'cancelJob',
      'Cancel a job: nothing new is begun, what is queued is taken back, what is sent goes on',
    ],
    [
      'pause',
      'pauseJob',
      'Pause a job: nothing new is begun, what is queued is taken back, what is sent goes on',
    ],
    ['resume', 'resumeJob', 'Let a job that is paused go on'],
    [
      'retry',
      'retryJob',
      'Try those devices again that failed, expired or were cancelled, in a job that has ended',
    ],
  ] as const;
  for (const [step, operationId, summary] of steps) {
    app.post(
      `/api/jobs/:id/${step}`,
      {
        schema: {
          operationId,
          summary,
          tags,
          params: JobParams,
          body: Type.Null(),
          response: { 202: ref(JobSchema), ...problemResponses },
        },
      },
      async ({ params: { id } }, reply) => reply.code(202).send(presentJob(known(id, await jobs[step](id)))),
    );
  }

  app.delete(
    '/api/jobs/:id',
    {
      schema: {
        operationId: 'removeJob',
        summary: 'Forget a job that has ended, with what it knows of its devices',
        tags,
        params: JobParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      if (!(await jobs.remove(id))) throw unknownJob(id);
      return reply.code(204).send(null);
    },
  );
};

function inputOf({ name, devices, operation, options }: ApiJobBody): JobInput {
  return {
    ...(name === undefined ? {} : { name }),
    devices,
    operation: operationOf(operation),
    ...options,
  };
}

/** @throws RequestError a path that is none, or what has no meaning in a job */
function operationOf(operation: ApiJobOperation): JobOperation {
  switch (operation.kind) {
    case 'request':
      if (operation.request.timeToLive !== undefined) {
        throw new RequestError("'timeToLive' of a job's requests is that of its options");
      }
      return operation;
    case 'observe':
      if (!operation.wanted && operation.attributes !== undefined) {
        throw new RequestError('what is not to be observed has no attributes');
      }
      return {
        ...operation,
        paths: [...new Set(operation.paths.map((path) => objectPath(path.trim()).canonical))],
      };
    default:
      return operation;
  }
}

async function* csvOf(
  jobs: Pick<Jobs, 'devices'>,
  id: string,
  states: { readonly states?: readonly JobDeviceState[] },
): AsyncGenerator<string> {
  yield csvLine(['endpoint', 'state', 'reason', 'command', 'result', 'updatedAt']);
  let cursor: string | undefined;
  do {
    const page = await jobs.devices(id, {
      limit: CSV_PAGE,
      ...states,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield page.items.map((device) => csvOfDevice(presentJobDevice(device))).join('');
    cursor = page.next;
  } while (cursor !== undefined);
}

function csvOfDevice({
  endpoint,
  state,
  reason = '',
  command = '',
  result,
  updatedAt,
}: ApiJobDevice): string {
  return csvLine([
    endpoint,
    state,
    reason,
    command,
    result === undefined ? '' : JSON.stringify(result),
    new Date(updatedAt).toISOString(),
  ]);
}

/** @throws ProblemError there is none */
function known(id: string, job: Job | undefined): Job {
  if (job === undefined) throw unknownJob(id);
  return job;
}

function unknownJob(id: string): ProblemError {
  return new ProblemError('unknown_job', `no job has the id '${id}'`);
}
