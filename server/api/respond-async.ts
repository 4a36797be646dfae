import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { inTime } from './deadlines.ts';
import type { ApiDependencies } from './dependencies.ts';
import { checkHeldRequest } from './held-requests.ts';
import { commandKeyOf } from './idempotency.ts';
import { objectPath } from './object-content.ts';
import { preferencesOf } from './prefer.ts';
import { presentCommand } from './presenters.ts';
import { routeOf } from './route-of.ts';
import { type ApiHeldRequestBody, CommandSchema } from './schemas.ts';
import { ref } from './shared-schemas.ts';

interface Parts {
  /** What stands at `*`, as a path. */
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
}

type Held = { readonly operation: ApiHeldRequestBody['operation'] } & Readonly<Record<string, unknown>>;
type AsHeld = (parts: Parts) => Held;

const listed = ({ paths }: Parts['query']): readonly string[] =>
  String(paths)
    .split(',')
    .map((path) => path.trim());

/** What each route of an operation on a device is as a held request. */
const routes: Readonly<Record<string, AsHeld>> = {
  'GET /api/devices/:endpoint/objects/*': ({ path, query }) => ({
    operation: 'read',
    path,
    format: query.format,
  }),
  'PUT /api/devices/:endpoint/objects/*': ({ path, query, body }) => ({
    operation: 'write',
    path,
    format: query.format,
    mode: query.mode,
    ...body,
  }),
  'POST /api/devices/:endpoint/objects/*': ({ path, query, body }) => {
    const operation = objectPath(path).ids.length >= 3 ? 'execute' : 'create';
    return { operation, path, format: query.format, ...body };
  },
  'DELETE /api/devices/:endpoint/objects/*': ({ path }) => ({ operation: 'delete', path }),
  'GET /api/devices/:endpoint/discover/*': ({ path, query }) => ({
    operation: 'discover',
    path,
    depth: query.depth,
  }),
  'PUT /api/devices/:endpoint/attributes/*': ({ path, body }) => ({
    operation: 'write-attributes',
    path,
    attributes: body,
  }),
  'POST /api/devices/:endpoint/observations/*': ({ path, query, body }) => ({
    operation: 'observe',
    path,
    format: query.format,
    ...body,
  }),
  'DELETE /api/devices/:endpoint/observations/*': ({ path, query }) => ({
    operation: 'cancel',
    path,
    active: query.active,
  }),
  'GET /api/devices/:endpoint/composite': ({ query }) => ({
    operation: 'read-composite',
    paths: listed(query),
    format: query.format,
  }),
  'PUT /api/devices/:endpoint/composite': ({ query, body }) => ({
    operation: 'write-composite',
    format: query.format,
    ...body,
  }),
  'POST /api/devices/:endpoint/composite-observations': ({ query, body }) => ({
    operation: 'observe-composite',
    paths: listed(query),
    format: query.format,
    ...body,
  }),
  'DELETE /api/devices/:endpoint/composite-observations': ({ query }) => ({
    operation: 'cancel-composite',
    paths: listed(query),
    active: query.active,
  }),
};

const headers = Type.Object({
  prefer: Type.Optional(
    Type.String({
      maxLength: 1000,
      description:
        '`respond-async` (RFC 7240 §4.1): the request is held, and answered with 202 and a command. ' +
        '`wait=10` (§4.3): seconds that the device has, where `timeout` does not say',
    }),
  ),
});

/**
 * Has every route of an operation on a device hold the request where its caller prefers that (`Prefer:
 * respond-async`, RFC 7240 §4.1), and its description say so. To be called before the routes are registered.
 */
export function holdWherePreferred(app: FastifyInstance, deps: ApiDependencies): void {
  app.addHook('onRoute', (route: RouteOptions) => {
    const held = routes[`${route.method} ${route.url}`];
    if (held === undefined) return;
    const schema = (route.schema ?? {}) as { headers?: TSchema; response?: object };
    route.schema = {
      ...route.schema,
      headers: schema.headers ?? headers,
      response: { ...schema.response, 202: ref(CommandSchema) },
    };
  });
  app.addHook('preHandler', (request, reply, done) => {
    const held =
      request.headers.prefer === undefined ? undefined : routes[`${request.method} ${routeOf(request).url}`];
    if (held !== undefined && preferencesOf(request).respondAsync) return hold(request, reply, held);
    done();
    return undefined;
  });
  const hold = async (request: FastifyRequest, reply: FastifyReply, held: AsHeld): Promise<FastifyReply> => {
    const { endpoint, '*': below = '' } = request.params as { endpoint: string; '*'?: string };
    const parameters = withoutAbsent(
      held({
        path: below === '' ? '' : objectPath(below).canonical,
        query: (request.query ?? {}) as Parts['query'],
        body: (request.body ?? {}) as Parts['body'],
      }),
    ) as ApiHeldRequestBody;
    await checkHeldRequest(deps, endpoint, parameters);
    const idempotencyKey = commandKeyOf(request);
    const { command } = await inTime(
      request,
      deps.heldRequests.hold(endpoint, {
        parameters,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      }),
    );
    return reply
      .code(202)
      .header('location', `/api/commands/${encodeURIComponent(command.id)}`)
      .header('preference-applied', 'respond-async')
      .send(presentCommand(command));
  };
}

function withoutAbsent(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
