import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { mostImportBytes } from '../../enrolment/credential-import.ts';
import { CredentialTakenError, UnknownCredentialError } from '../../enrolment/errors.ts';
import { requireEndpoint } from '../../lwm2m/registration-request.ts';
import type { CredentialFilter, Identity } from '../../ports/credential-store.ts';
import {
  credentialInput,
  presentCredential,
  presentIssued,
  rotationInput,
} from '../credential-presenters.ts';
import { csvLine } from '../csv.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ProblemError } from '../problems.ts';
import { answerErrors } from '../request-errors.ts';
import { cursor, EndpointParams, limit, noContent, problemResponses } from '../route-schemas.ts';
import {
  CredentialAccountSchema,
  CredentialBodySchema,
  CredentialImportSchema,
  CredentialRotationBodySchema,
  CredentialSelectionSchema,
  CredentialsAnswerSchema,
  CredentialTypeSchema,
  DeviceCredentialsSchema,
  IssuedCredentialSchema,
} from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['credentials'];
/** Credentials of one part of an export. */
const EXPORT_PAGE = 1_000;

const filters = {
  account: Type.Optional(CredentialAccountSchema),
  type: Type.Optional(CredentialTypeSchema),
  state: Type.Optional(Type.Enum(['active', 'revoked'] as const)),
  tenant: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'A part of the endpoint or of the identity, or the start of a number; upper or lower case',
    }),
  ),
};

const NOT_CSV =
  "a file of credentials is CSV and has to say so: curl -H 'content-type: text/csv' --data-binary @devices.csv";

/** What devices prove themselves by. Keys are taken, and given once where the server makes them; none is ever shown. */
export const credentialRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { credentials, stores },
) => {
  app.setErrorHandler((error, request, reply) => {
    const { code } = error as { readonly code?: unknown };
    const notCsv =
      request.routeOptions.url === '/api/credentials/import' && code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
    const isTaken = error instanceof CredentialTakenError;
    const isUnknown = error instanceof UnknownCredentialError;
    const told = notCsv
      ? new ProblemError('unsupported_media_type', NOT_CSV)
      : isTaken
        ? new ProblemError('credential_taken', error.message)
        : isUnknown
          ? new ProblemError('unknown_credential', error.message)
          : (error as Error);
    return answerErrors(told, request, reply);
  });

  /** Another tenant's device does not become his by an enrolment. @throws CredentialTakenError */
  const checkName = async (endpoint: string, tenant: string | undefined): Promise<void> => {
    requireEndpoint({ endpoint });
    if (tenant === undefined) return;
    const known = await stores.devices.tenants([endpoint]);
    if (known.has(endpoint) && known.get(endpoint) !== tenant) {
      throw new CredentialTakenError('the endpoint name is taken');
    }
  };

  app.get(
    '/api/credentials',
    {
      // Numbers of devices are searched by their starts, which would tell them to who may only look.
      config: { needs: 'operate', tenants: 'own' },
      schema: {
        operationId: 'listCredentials',
        summary: 'Credentials of devices, without their keys',
        tags,
        querystring: Type.Object(
          { ...filters, limit: limit(500, 100), cursor },
          { additionalProperties: false },
        ),
        response: { 200: ref(CredentialsAnswerSchema), ...problemResponses },
      },
    },
    async ({ query, principal }) => {
      const page = await credentials.service.list({
        filter: filterOf(query, principal.tenant),
        limit: query.limit ?? 100,
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      });
      return { items: page.items.map(presentCredential), next: page.next ?? null };
    },
  );

  app.post(
    '/api/credentials',
    {
      config: { needs: 'administer', keepsNothing: true, tenants: 'own' },
      schema: {
        operationId: 'createCredential',
        summary: 'Enrol a device: give it what it proves itself by',
        description:
          'From then on the endpoint name is that device’s: nobody else registers it. Where no key is given the server ' +
          'makes one; the answer tells it, once. 409 where the identity is taken, or the device has a credential for ' +
          'that account already.',
        tags,
        body: ref(CredentialBodySchema),
        response: { 201: ref(IssuedCredentialSchema), ...problemResponses },
      },
    },
    async ({ body, principal }, reply) => {
      await checkName(body.endpoint, principal.tenant);
      const issued = await credentials.service.create(credentialInput(body, principal.tenant));
      return reply
        .code(201)
        .header('location', `/api/credentials/${encodeURIComponent(body.endpoint)}`)
        .send(presentIssued(issued));
    },
  );

  app.get(
    '/api/credentials-export',
    {
      exposeHeadRoute: false,
      config: { needs: 'operate', tenants: 'own' },
      schema: {
        operationId: 'exportCredentials',
        summary: 'The states of all credentials as CSV, without keys, streamed',
        tags,
        produces: ['text/csv'],
        querystring: Type.Object(filters, { additionalProperties: false }),
        response: {
          200: Type.Unsafe<Readable>({ type: 'string', description: 'CSV' }),
          ...problemResponses,
        },
      },
    },
    async ({ query, principal }, reply) => {
      const lines = exportLines(credentials.service, filterOf(query, principal.tenant));
      // With the first part: a store that does not answer is found before anything is said.
      const first = await lines.next();
      return reply
        .type('text/csv; charset=utf-8; header=present')
        .header('content-disposition', 'attachment; filename="credentials.csv"')
        .send(Readable.from(continued(first, lines)));
    },
  );

  app.get(
    '/api/credentials/:endpoint',
    {
      config: { needs: 'operate' },
      schema: {
        operationId: 'getCredentials',
        summary: 'What a device proves itself by, without keys',
        tags,
        params: EndpointParams,
        response: { 200: ref(DeviceCredentialsSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint }, principal }) => {
      const found = await credentials.service.get(endpoint);
      const own = found.filter(({ tenant }) => principal.tenant === undefined || tenant === principal.tenant);
      if (own.length === 0) throw new UnknownCredentialError(endpoint);
      return { items: own.map(presentCredential) };
    },
  );

  app.post(
    '/api/credentials/:endpoint/rotate',
    {
      config: { needs: 'administer', keepsNothing: true },
      schema: {
        operationId: 'rotateCredential',
        summary: 'Give a device another key',
        description:
          'The former one is good until the device has used the new one, or the grace is over. Of a pre-shared key the ' +
          'new one has another identity, made by the server where none is given.',
        tags,
        params: EndpointParams,
        body: ref(CredentialRotationBodySchema),
        response: { 201: ref(IssuedCredentialSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint }, body, principal }, reply) => {
      await checkName(endpoint, principal.tenant);
      const issued = await credentials.service.rotate(endpoint, rotationInput(endpoint, body));
      return reply.code(201).send(presentIssued(issued));
    },
  );

  app.post(
    '/api/credentials/:endpoint/revoke',
    {
      config: { needs: 'operate' },
      schema: {
        operationId: 'revokeCredential',
        summary: 'Cut a device off: its sessions end, and it does not come in again',
        tags,
        params: EndpointParams,
        body: ref(CredentialSelectionSchema),
        response: { 200: ref(DeviceCredentialsSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint }, body, principal }) => {
      await checkName(endpoint, principal.tenant);
      const revoked = await credentials.service.revoke(endpoint, body);
      return { items: revoked.map(presentCredential) };
    },
  );

  app.delete(
    '/api/credentials/:endpoint',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'deleteCredentials',
        summary: 'Remove what a device proves itself by: its name and its identities are free',
        tags,
        params: EndpointParams,
        querystring: CredentialSelectionSchema,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query, principal }, reply) => {
      await checkName(endpoint, principal.tenant);
      if (!(await credentials.service.remove(endpoint, query))) throw new UnknownCredentialError(endpoint);
      return reply.code(204).send(null);
    },
  );

  await app.register(async (scope) => {
    // Here alone a body is CSV, and comes as it is read.
    scope.removeContentTypeParser('application/json');
    scope.addContentTypeParser('text/csv', async (_request: unknown, payload: Readable) => payload);
    scope.post(
      '/api/credentials/import',
      {
        bodyLimit: mostImportBytes,
        config: { needs: 'administer', keepsNothing: true, tenants: 'own' },
        schema: {
          operationId: 'importCredentials',
          summary: 'Enrol the devices of a CSV file',
          description:
            'Columns by name in the first line: `endpoint`, `identity`, `key` (hex), and where there are `serialNumber`, ' +
            '`mac`, `imei`, `iccid`, `account`, `tenant`. Where a row is bad nothing is stored, and the answer, a 422, ' +
            'lists all bad rows with their lines. With `dryRun` nothing is stored in any case. What is there already ' +
            'counts as unchanged: the same file may come again.',
          tags,
          consumes: ['text/csv'],
          querystring: Type.Object(
            {
              dryRun: Type.Optional(Type.Boolean({ description: 'Only tell what would be' })),
              account: Type.Optional(CredentialAccountSchema),
            },
            { additionalProperties: false },
          ),
          response: {
            200: ref(CredentialImportSchema),
            422: ref(CredentialImportSchema),
            ...problemResponses,
          },
        },
      },
      async (request, reply) => {
        const { query, principal } = request as unknown as {
          readonly query: { readonly dryRun?: boolean; readonly account?: 'server' | 'bootstrap' };
          readonly principal: { readonly tenant?: string };
        };
        if (!(request.body instanceof Readable)) throw new ProblemError('unsupported_media_type', NOT_CSV);
        const { dryRun = false, account = 'server' } = query;
        const result = await credentials.imports.run(request.body, {
          dryRun,
          account,
          ...(principal.tenant === undefined ? {} : { tenant: principal.tenant }),
        });
        const isRefused = !dryRun && result.errors.length > 0 && result.imported === 0;
        return reply.code(isRefused ? 422 : 200).send(result);
      },
    );
  });
};

interface FilterQuery extends Omit<CredentialFilter, 'kind'> {
  readonly type?: Identity['kind'];
}

/** Whoever has a tenant sees that one's, whatever he asks for. */
function filterOf(
  { account, type, state, tenant, search }: FilterQuery,
  own: string | undefined,
): CredentialFilter {
  const wanted = own ?? tenant;
  return {
    ...(account === undefined ? {} : { account }),
    ...(type === undefined ? {} : { kind: type }),
    ...(state === undefined ? {} : { state }),
    ...(wanted === undefined ? {} : { tenant: wanted }),
    ...(search === undefined ? {} : { search }),
  };
}

async function* exportLines(
  service: Pick<ApiDependencies['credentials']['service'], 'list'>,
  filter: CredentialFilter,
): AsyncGenerator<string, void, undefined> {
  const columns = [
    'endpoint',
    'account',
    'type',
    'identity',
    'state',
    'createdAt',
    'changedAt',
    'usedAt',
  ] as const;
  const more = ['validUntil', 'tenant', 'serialNumber', 'mac', 'imei', 'iccid'] as const;
  const times: readonly string[] = ['createdAt', 'changedAt', 'usedAt', 'validUntil'];
  let part = csvLine([...columns, ...more]);
  let next: string | undefined;
  do {
    const page = await service.list({
      filter,
      limit: EXPORT_PAGE,
      ...(next === undefined ? {} : { cursor: next }),
    });
    for (const credential of page.items) {
      const shown = presentCredential(credential);
      part += csvLine(
        [...columns, ...more].map((name) => {
          const value = shown[name] ?? '';
          return times.includes(name) && typeof value === 'number' ? new Date(value).toISOString() : value;
        }),
      );
    }
    yield part;
    part = '';
    next = page.next;
  } while (next !== undefined);
}

async function* continued<T>(
  first: IteratorResult<T, void>,
  rest: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}
