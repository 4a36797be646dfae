import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { systemClock } from '../../../protocol/clock.ts';
import { deviceCounts } from '../../statistics/device-counts.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { HttpMetrics } from '../http-metrics.ts';
import { ProblemError } from '../problems.ts';
import { problemResponses } from '../route-schemas.ts';
import { HealthSchema, ServerSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['server'];

/** The server itself: what it is, whether it is ready, and its figures. */
export const serverRoutes: FastifyPluginAsyncTypebox<
  ApiDependencies & { readonly httpMetrics: HttpMetrics }
> = async (app, { about, stores, ready, metrics, httpMetrics, clock = systemClock }) => {
  app.get(
    '/api/server',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'getServer',
        summary: 'Version, address and size of this server',
        tags,
        response: { 200: ref(ServerSchema), ...problemResponses },
      },
    },
    async ({ principal: { tenant } }) => {
      const { known, registered } = await deviceCounts(stores.devices, clock.wallTime(), tenant);
      const { version, node, coapUri, coapsUri, bootstrapUri, bootstrapsUri, store } = about;
      const startedAt = Math.round(about.startedAt);
      return {
        version,
        node,
        startedAt,
        now: Math.round(clock.wallTime()),
        ...(coapUri === undefined ? {} : { coapUri }),
        ...(coapsUri === undefined ? {} : { coapsUri }),
        ...(bootstrapUri === undefined ? {} : { bootstrapUri }),
        ...(bootstrapsUri === undefined ? {} : { bootstrapsUri }),
        store,
        devices: { known, registered },
      };
    },
  );

  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'getHealth',
        summary: 'Whether the server can do its work: 200, or 503 with the reason',
        tags,
        response: { 200: ref(HealthSchema), ...problemResponses },
      },
    },
    async () => {
      try {
        await ready();
      } catch (error) {
        throw new ProblemError('not_ready', error instanceof Error ? error.message : String(error));
      }
      return { status: 'ready' as const };
    },
  );

  app.get(
    '/metrics',
    {
      config: { needs: 'metrics' },
      schema: {
        operationId: 'getMetrics',
        summary: 'Figures in the text format of Prometheus',
        tags,
        produces: ['text/plain'],
        response: { 200: Type.String({ description: 'Prometheus text format 0.0.4' }), ...problemResponses },
      },
    },
    async (_request, reply) => {
      const [server, http] = await Promise.all([metrics(), httpMetrics.text()]);
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(joined(server, http));
    },
  );
};

function joined(...texts: readonly string[]): string {
  return texts
    .filter((text) => text !== '')
    .map((text) => (text.endsWith('\n') ? text : `${text}\n`))
    .join('');
}
