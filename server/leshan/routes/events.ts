import type { FastifyPluginAsync } from 'fastify';
import { type LeshanQuery, parameter } from '../call.ts';
import type { LeshanRouteOptions } from '../dependencies.ts';
import type { LeshanEventStreams } from '../event-streams.ts';

interface EventRouteOptions extends LeshanRouteOptions {
  readonly streams: LeshanEventStreams;
}

/** What happens, as server-sent events: of one client, or of all. */
export const eventRoutes: FastifyPluginAsync<EventRouteOptions> = async (app, { streams }) => {
  for (const url of ['/api/event', '/api/event/*']) {
    app.get<{ Querystring: LeshanQuery }>(url, { exposeHeadRoute: false }, (request, reply) => {
      const endpoint = parameter(request.query, 'ep');
      streams.admit();
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
      });
      // The client knows by the head that from here on nothing is missed.
      reply.raw.flushHeaders();
      streams.open(reply.raw, endpoint === '' ? undefined : endpoint);
    });
  }
};
