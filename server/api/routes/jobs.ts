import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { RequestError } from '../../../protocol/errors.ts';
import type { JobOperation } from '../../jobs/job-operations.ts';
import type { JobInput, Jobs } from '../../jobs/job-service.ts';
import { isAllowed, type Principal } from '../../people/principal.ts';
import { sees } from '../../people/tenancy.ts';
import type { Job, JobDeviceState } from '../../ports/job-store.ts';
import { csvLine } from '../csv.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { keepsKey, keyOf } from '../idempotency.ts';
import { presentJob, presentJobDevice } from '../job-presenters.ts';
import type { Mask } from '../masks.ts';
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
import { checkFleet } from '../tenant-guard.ts';
import { seesMasked } from '../visible-devices.ts';

const tags = ['jobs'];
const JobParams = Type.Object({ id: Type.String({ minLength: 1 }) });
/** Devices that one step of a CSV reads. */
const CSV_PAGE = 500;

/** One operation on many devices. */
export const jobRoutes: FastifyPluginAsyncTypebox<ApiDependencies & { readonly mask: Mask }> = async (
  app,
  { jobs, mask },
) => {
  /** @throws ProblemError there is none, or it is another tenant's */
  const known = async ({ tenant }: Principal, id: string): Promise<Job> => {
    const job = await jobs.get(id);
    if (job === undefined || !sees({ tenant }, job.tenant)) throw unknownJob(id);
    return job;
  };

  app.post(
    '/api/jobs',
    {
      config: { ...keepsKey, tenants: 'own' },
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
      const { query, body, principal } = request;
      // As of removing one device: who may not do that does not do it by a job.
      if (body.operation.kind === 'forget' && !isAllowed(principal, 'administer')) {
        throw new ProblemError(
          'not_allowed',
          `it takes administer to forget devices, and '${principal.name}' may not`,
        );
      }
      const input = inputOf(body, principal);
      if (query.dryRun === true) {
        const { total, endpoints } = await jobs.preview(input.devices);
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
      config: { tenants: 'own' },
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
    async ({ query, principal: { tenant } }) => {
      const page = await jobs.list({
        limit: query.limit ?? 100,
        ...(tenant === undefined ? {} : { tenant }),
        ...(query.state === undefined ? {} : { states: statesOf(query.state, jobStates) }),
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      });
      return { items: page.items.map(presentJob), next: page.next ?? null };
    },
  );

  app.get(
    '/api/jobs/:id',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'getJob',
        summary: 'One job, with how many devices are in each state',
        tags,
        params: JobParams,
        response: { 200: ref(JobSchema), ...problemResponses },
      },
    },
    async ({ params: { id }, principal }) => presentJob(await known(principal, id)),
  );

  app.get(
    '/api/jobs/:id/devices',
    {
      config: { tenants: 'own' },
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
    async ({ params: { id }, query, principal }, reply) => {
      await known(principal, id);
      const states = query.state === undefined ? {} : { states: statesOf(query.state, jobDeviceStates) };
      if (query.format === 'csv') {
        if (query.limit !== undefined || query.cursor !== undefined) {
          throw new RequestError("as CSV all devices are told: it takes neither 'limit' nor 'cursor'");
        }
        return reply
          .type('text/csv; charset=utf-8; header=present')
          .header('content-disposition', `attachment; filename="job-${encodeURIComponent(id)}.csv"`)
          .send(Readable.from(csvOf(jobs, id, states, seesMasked(principal) ? mask : undefined)));
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
        config: { tenants: 'own' },
        schema: {
          operationId,
          summary,
          tags,
          params: JobParams,
          body: Type.Null(),
          response: { 202: ref(JobSchema), ...problemResponses },
        },
      },
      async ({ params: { id }, principal }, reply) => {
        await known(principal, id);
        const job = await jobs[step](id);
        if (job === undefined) throw unknownJob(id);
        return reply.code(202).send(presentJob(job));
      },
    );
  }

  app.delete(
    '/api/jobs/:id',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'removeJob',
        summary: 'Forget a job that has ended, with what it knows of its devices',
        tags,
        params: JobParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { id }, principal }, reply) => {
      await known(principal, id);
      if (!(await jobs.remove(id))) throw unknownJob(id);
      return reply.code(204).send(null);
    },
  );
};

/**
 * The job, of devices that he may see: of those that are named it is asked again when it is each one's turn.
 * @throws ProblemError, RequestError
 */
function inputOf({ name, devices, operation, options }: ApiJobBody, principal: Principal): JobInput {
  const { tenant } = principal;
  if (operation.kind === 'tenant') checkAdministersFleet(principal);
  return {
    ...(name === undefined ? {} : { name }),
    ...(tenant === undefined ? {} : { tenant }),
    devices:
      'filter' in devices && tenant !== undefined
        ? { filter: { ...devices.filter, tenant: ownTenant(devices.filter.tenant, tenant) } }
        : devices,
    operation: operationOf(operation),
    ...options,
  };
}

/** Who asks for another one's gets none. */
function ownTenant(asked: readonly string[] | undefined, tenant: string): string[] {
  return asked === undefined || asked.includes(tenant) ? [tenant] : [];
}

/** @throws ProblemError */
function checkAdministersFleet(principal: Principal): void {
  checkFleet(principal);
  if (isAllowed(principal, 'administer')) return;
  throw new ProblemError(
    'not_allowed',
    `it takes administer to say whose devices are, and '${principal.name}' may not`,
  );
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
  mask: Mask = (shown) => shown,
): AsyncGenerator<string> {
  yield csvLine(['endpoint', 'state', 'reason', 'command', 'result', 'updatedAt']);
  let cursor: string | undefined;
  do {
    const page = await jobs.devices(id, {
      limit: CSV_PAGE,
      ...states,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield page.items.map((device) => csvOfDevice(mask(presentJobDevice(device)))).join('');
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

function unknownJob(id: string): ProblemError {
  return new ProblemError('unknown_job', `no job has the id '${id}'`);
}
