import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { RequestError } from '../../../protocol/errors.ts';
import { UnknownDeviceError } from '../../errors.ts';
import { eventTypes, type LivePosition } from '../../events.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { parsePosition } from '../event-frames.ts';
import type { EventStreams } from '../event-streams.ts';
import type { HttpMetrics } from '../http-metrics.ts';
import { presentEvent } from '../presenters.ts';
import { EndpointParams, limit, problemResponses } from '../route-schemas.ts';
import { EventsAnswerSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

interface EventRouteOptions extends ApiDependencies {
  readonly streams: EventStreams;
  readonly httpMetrics: HttpMetrics;
}

const tags = ['events'];
const streamTypes: readonly string[] = ['readings', ...eventTypes];

export const eventRoutes: FastifyPluginAsyncTypebox<EventRouteOptions> = async (
  app,
  { stores, streams, httpMetrics },
) => {
  app.get(
    '/api/events',
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamEvents',
        summary: 'Everything that happens, live, as server-sent events',
        description:
          'The first event is `hello` with the position where the stream begins. Each event has an `id`; ' +
          'send the last one back as Last-Event-ID (browsers do) or `after`, and the stream goes on from ' +
          `there. \`gap\` says that something is no longer kept: load anew. Types: ${streamTypes.join(', ')}.`,
        tags,
        produces: ['text/event-stream'],
        querystring: Type.Object(
          {
            endpoint: Type.Optional(Type.String({ minLength: 1, description: 'Only of this device' })),
            types: Type.Optional(Type.String({ maxLength: 500, description: 'Only these types, by comma' })),
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
    (request, reply) => {
      const { endpoint, types, after } = request.query;
      const start = startPosition(request.headers['last-event-id'], after);
      const wanted = types === undefined || types === '' ? undefined : parseTypes(types);
      streams.admit();
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
        ...(start === undefined ? {} : { after: start }),
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(wanted === undefined ? {} : { types: wanted }),
        onError: (error) => request.log.error({ err: error }, 'an event stream broke off'),
      });
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
function parseTypes(text: string): ReadonlySet<string> {
  const types = text.split(',');
  const unknown = types.find((type) => !streamTypes.includes(type));
  if (unknown !== undefined) {
    throw new RequestError(`types: '${unknown}' is none of ${streamTypes.join(', ')}`);
  }
  return new Set(types);
}
