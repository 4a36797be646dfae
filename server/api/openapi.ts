import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { documented, flattenedSchemas } from './shared-schemas.ts';
import { openTo } from './tenant-guard.ts';

/** The nouns, in the order of the page. */
const tags = [
  { name: 'devices', description: 'The inventory: devices known, registered now or not' },
  { name: 'bootstrap', description: 'What devices are given by the bootstrap server, and how it went' },
  { name: 'credentials', description: 'What devices prove themselves by, and which names are theirs' },
  { name: 'objects', description: 'Read, Write, Execute, Create, Delete, Discover on a device' },
  { name: 'object-models', description: 'Object definitions: what the server knows of objects' },
  { name: 'observations', description: 'What a device reports by itself' },
  { name: 'composite', description: 'Several places of one device by one message' },
  { name: 'server-object', description: 'What a device does for this server: update, leave, be silent' },
  { name: 'profiles', description: 'What the profile ids of LwM2M 1.2 stand for' },
  { name: 'carrier', description: "The SIM's carrier, and switching it" },
  { name: 'commands', description: 'Durable commands to devices' },
  { name: 'jobs', description: 'One operation on many devices' },
  { name: 'readings', description: 'What sensors said, by the time that it was taken' },
  { name: 'trace', description: 'The CoAP messages of a device, as they passed' },
  { name: 'events', description: 'What happens, live, and what happened' },
  { name: 'webhooks', description: 'Who is told what happens, by HTTP' },
  { name: 'statistics', description: 'The fleet in figures, now and over time' },
  {
    name: 'people',
    description: 'Who may use the server: users, log-ins, tokens; and what was done by whom',
  },
  { name: 'server', description: 'The server itself' },
];

/** The scripts of Swagger UI are our own files; it draws with inline styles and images. */
const docsContentPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Must come before the routes: they are collected as they are added. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  for (const schema of flattenedSchemas()) app.addSchema(schema);
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Simyard',
        version,
        description:
          'OMA LwM2M device management. Times are milliseconds since the Unix epoch. Endpoint names are ' +
          'URL-encoded in paths. Errors are RFC 9457 problem details with a `code`. `x-needs` is what a route takes (public, ' +
          'self, metrics, read, operate, administer), `x-tenants` what callers with a tenant get of it: what is of their ' +
          'devices (device), of their tenant (own), the same as all (shared, anybody), or nothing (fleet).',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [
        {
          url: '/',
          description:
            'This server. Everything below `/api` is there below `/api/v1` too: that is its version',
        },
      ],
      tags,
      // By either; and by neither on a server that listens on loopback alone.
      security: [{ bearer: [] }, { session: [] }, {}],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API token, or the token of a log-in' },
          session: { type: 'apiKey', in: 'cookie', name: 'simyard_session', description: 'Of a log-in' },
        },
      },
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, i) =>
        typeof json.$id === 'string' ? json.$id : `schema-${i}`,
    },
    transform: ({ schema, url, route: { config = {} } }) => ({
      schema: {
        ...(documented(withoutEmptyBody(namedWildcard(schema))) as FastifySchema),
        'x-needs': config.needs,
        'x-tenants': openTo(url, config),
      },
      url: url.replace('*', ':path'),
    }),
    transformObject: (source) => {
      const document = 'openapiObject' in source ? source.openapiObject : source.swaggerObject;
      for (const operations of Object.values(document.paths ?? {})) {
        for (const operation of Object.values(operations ?? {})) sayOptional(operation);
      }
      return document;
    },
  });
  await app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsContentPolicy,
    // Without the bar that would load any other document.
    uiConfig: {
      deepLinking: true,
      tryItOutEnabled: true,
      layout: 'BaseLayout',
      validatorUrl: null,
      // Sent to the browser as text: what is tried there acts by the cookie of who is logged in.
      requestInterceptor: (request) => {
        request.headers['x-simyard-console'] = 'docs';
        return request;
      },
    },
    theme: { title: 'Simyard API' },
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

/** The router calls a wildcard `*`; in the document it is `{path}`. */
function namedWildcard(schema: FastifySchema): FastifySchema {
  const params = schema?.params as { readonly properties?: Record<string, unknown> } | undefined;
  if (params?.properties === undefined || !('*' in params.properties)) return schema;
  const { '*': path, ...others } = params.properties;
  return {
    ...schema,
    params: { ...params, properties: { ...others, path }, required: [...Object.keys(others), 'path'] },
  };
}

/** A route that takes no body checks for `null`; to the document that is a route without one. */
function withoutEmptyBody(schema: FastifySchema): FastifySchema {
  const { body, ...rest } = schema ?? {};
  return (body as { readonly type?: unknown } | undefined)?.type === 'null' ? rest : schema;
}

interface DescribedBody {
  required?: boolean;
  content?: Record<string, { schema?: { anyOf?: { readonly type?: unknown }[] } }>;
}

/** A body that may be `null` may be left out. */
function sayOptional(operation: unknown): void {
  const body = (operation as { readonly requestBody?: DescribedBody } | null)?.requestBody;
  for (const { schema } of Object.values(body?.content ?? {})) {
    const optional = schema?.anyOf?.some(({ type }) => type === 'null') === true;
    if (body !== undefined && optional) body.required = false;
  }
}
