import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { RequestError } from '../../../protocol/errors.ts';
import { UnknownDeviceError } from '../../errors.ts';
import { eventTypes, type LivePosition, type LiveWish } from '../../events.ts';
import { isAllowed, type Principal } from '../../people/principal.ts';
import { isStillAllowed } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { parsePosition } from '../event-frames.ts';
import type { EventStreams } from '../event-streams.ts';
import type { HttpMetrics } from '../http-metrics.ts';
import { presentEvent } from '../presenters.ts';
import { ProblemError } from '../problems.ts';
import { EndpointParams, limit, problemResponses } from '../route-schemas.ts';
import { EventPageSchema, EventsAnswerSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';
import { callerOf } from '../sources.ts';
import { seesMasked, visibleEvents } from '../visible-devices.ts';
import { visiblePage } from '../visible-pages.ts';

interface EventRouteOptions extends ApiDependencies {
  readonly streams: EventStreams;
  readonly httpMetrics: HttpMetrics;
}

const tags = ['events'];
/** Of one stream: a console watches a handful. */
const MAX_WATCHES = 100;
const streamTypes: readonly string[] = ['readings', ...eventTypes];

const eventType = `(${eventTypes.join('|')})`;

export const eventRoutes: FastifyPluginAsyncTypebox<EventRouteOptions> = async (
  app,
  { stores, streams, httpMetrics, people, tenancy },
) => {
  /**
   * Messages are told as they are, with all that is in them: not to who may only look. And whose the devices are has to
   * be known beforehand, for what passes by is in no log.
   * @throws ProblemError
   */
  const checkTraced = async (principal: Principal, wishes: readonly LiveWish[]): Promise<void> => {
    const traced = wishes.flatMap(({ endpoint, types }) =>
      endpoint !== undefined && types?.has('trace') === true ? [endpoint] : [],
    );
    if (traced.length === 0) return;
    if (!isAllowed(principal, 'operate')) {
      throw new ProblemError('not_allowed', 'messages of devices are told to who may operate them alone');
    }
    if (principal.tenant !== undefined) await tenancy.recall(traced);
  };

  app.get(
    '/api/events',
    {
      exposeHeadRoute: false,
      config: { tenants: 'own' },
      schema: {
        operationId: 'streamEvents',
        summary: 'Everything that happens, live, as server-sent events',
        description:
          'The first event is `hello` with the position where the stream begins. Each event has an `id`; ' +
          'send the last one back as Last-Event-ID (browsers do) or `after`, and the stream goes on from ' +
          'there. `gap` says that something is no longer kept: load anew. `behind` says that the client reads too ' +
          'slowly and is given what it missed from the logs, `level` that it is live again. One stream can serve ' +
          'many views by several `watch`. Types: ' +
          `${streamTypes.join(', ')}; and \`trace\` in a \`watch\` of one device.`,
        tags,
        produces: ['text/event-stream'],
        querystring: Type.Object(
          {
            endpoint: Type.Optional(Type.String({ minLength: 1, description: 'Only of this device' })),
            types: Type.Optional(Type.String({ maxLength: 500, description: 'Only these types, by comma' })),
            watch: Type.Optional(
              Type.Array(Type.String({ minLength: 1, maxLength: 1000 }), {
                maxItems: MAX_WATCHES,
                description:
                  '`<types>@<endpoint>`, or `<types>` for all devices; types by comma, or `*`. May be repeated: an ' +
                  'event that several name comes once. Counts beside `endpoint` and `types`, where those are given',
              }),
            ),
            after: Type.Optional(Type.String({ maxLength: 40, description: 'Position to go on from' })),
          },
          { additionalProperties: false },
        ),
        headers: Type.Object({
          'last-event-id': Type.Optional(
            Type.String({ description: 'Position to go on from; counts before `after`' }),
          ),
        }),
        response: { 200: Type.String({ description: 'The stream' }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { after } = request.query;
      const { principal } = request;
      const start = startPosition(request.headers['last-event-id'], after);
      const wishes = readWishes(request.query);
      await checkTraced(principal, wishes);
      const caller = callerOf(request.ip);
      streams.admit(caller);
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
      });
      httpMetrics.count('GET', '/api/events', 200);
      request.log.debug({ url: request.url, streams: streams.size + 1 }, 'an event stream begins');
      streams.open(reply.raw, {
        caller,
        ...(start === undefined ? {} : { after: start }),
        wishes,
        tenant: principal.tenant,
        masked: seesMasked(principal),
        onError: (error) => request.log.error({ err: error }, 'an event stream broke off'),
        mayGoOn: () => isStillAllowed(request, people),
      });
    },
  );

  app.get(
    '/api/event-log',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'listEvents',
        summary: 'What happened, newest first',
        description: `Types: ${eventTypes.join(', ')}.`,
        tags,
        querystring: Type.Object(
          {
            types: Type.Optional(
              Type.String({
                pattern: `^${eventType}(,${eventType})*$`,
                description: 'Only these types, by comma',
              }),
            ),
            endpoint: Type.Optional(Type.String({ minLength: 1, description: 'Only of this device' })),
            trouble: Type.Optional(
              Type.Boolean({ description: 'Only what an operator should look at; `false` is as if absent' }),
            ),
            before: Type.Optional(
              Type.Integer({ minimum: 1, description: '`next` of the page before: only what was before it' }),
            ),
            limit: limit(1000, 100),
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(EventPageSchema), ...problemResponses },
      },
    },
    async ({ query: { types, endpoint, trouble, before, ...query }, principal }) => {
      const size = query.limit ?? 100;
      const wanted = {
        ...(types === undefined ? {} : { types: types.split(',') }),
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(trouble === true ? { trouble } : {}),
      };
      const page = await visiblePage(
        { limit: size, ...(before === undefined ? {} : { cursor: String(before) }) },
        async (part) => {
          const older = part.cursor === undefined ? {} : { before: Number(part.cursor) };
          const events = await stores.events.latest({ ...wanted, ...older, limit: part.limit + 1 });
          const items = events.slice(0, part.limit);
          const last = items.at(-1);
          return { items, ...(events.length > part.limit && last ? { next: String(last.id) } : {}) };
        },
        (events) => visibleEvents(principal, events, tenancy),
      );
      return {
        items: page.items.map(presentEvent),
        next: page.next === undefined ? null : Number(page.next),
      };
    },
  );

  app.get(
    '/api/devices/:endpoint/events',
    {
      schema: {
        operationId: 'listDeviceEvents',
        summary: 'What happened to one device, newest first',
        tags,
        params: EndpointParams,
        querystring: Type.Object({ limit: limit(1000, 100) }, { additionalProperties: false }),
        response: { 200: ref(EventsAnswerSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query }) => {
      if ((await stores.devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
      const events = await stores.events.latest({ endpoint, limit: query.limit ?? 100 });
      return { items: events.map(presentEvent) };
    },
  );
};

/**
 * A browser repeats the URL when it connects again, so what it heard last counts before `after`. To an
 * id that is not ours it cannot be told to stop sending it: it is treated as a place that is lost.
 * @throws RequestError for an `after` that is no position
 */
function startPosition(
  lastEventId: string | undefined,
  after: string | undefined,
): LivePosition | 'lost' | undefined {
  if (lastEventId !== undefined && lastEventId !== '') return parsePosition(lastEventId) ?? 'lost';
  if (after === undefined || after === '') return undefined;
  const position = parsePosition(after);
  if (position === undefined) throw new RequestError(`after: '${after}' is no position: <event>-<log>`);
  return position;
}

/** @throws RequestError */
function readWishes(query: {
  readonly endpoint?: string;
  readonly types?: string;
  readonly watch?: readonly string[];
}): LiveWish[] {
  const { endpoint, types, watch = [] } = query;
  const wishes = watch.map(parseWatch);
  const named = types !== undefined && types !== '';
  if (endpoint !== undefined || named || wishes.length === 0) {
    wishes.unshift({
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(named ? { types: parseTypes(types, 'types') } : {}),
    });
  }
  return wishes;
}

/**
 * `<types>` or `<types>@<endpoint>`: no type has an `@`, an endpoint name may.
 * @throws RequestError
 */
function parseWatch(text: string): LiveWish {
  const at = text.indexOf('@');
  const endpoint = at < 0 ? undefined : text.slice(at + 1);
  if (endpoint === '') throw new RequestError(`watch: '${text}' names no device behind the @`);
  const types = at < 0 ? text : text.slice(0, at);
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(types === '*' ? {} : { types: parseTypes(types, 'watch', endpoint === undefined ? [] : ['trace']) }),
  };
}

/** @throws RequestError */
function parseTypes(text: string, parameter: string, more: readonly string[] = []): ReadonlySet<string> {
  const types = text.split(',');
  const known = [...streamTypes, ...more];
  const unknown = types.find((type) => !known.includes(type));
  if (unknown !== undefined) {
    throw new RequestError(`${parameter}: '${unknown}' is none of ${known.join(', ')}`);
  }
  return new Set(types);
}
