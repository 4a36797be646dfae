import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { systemClock } from '../../../protocol/clock.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { type MetricName, metricNames } from '../../statistics/metrics.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { problemResponses } from '../route-schemas.ts';
import { OverviewSchema, StatisticsSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';
import { presentOverview, presentStatistics, presentTenantOverview } from '../statistics-presenters.ts';

const tags = ['statistics'];
const DAY = 86_400_000;
const metric = `(${metricNames.join('|')})`;

/** A time, ms since the epoch: of this age of the world. */
function time(description: string) {
  return Type.Optional(Type.Integer({ minimum: 0, maximum: 32_503_680_000_000, description }));
}

export const statisticsRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { statistics, clock = systemClock },
) => {
  app.get(
    '/api/overview',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'getOverview',
        summary: 'The fleet in figures, and the same a week before',
        description:
          'To principals with a tenant: that tenant’s devices. What is counted for all alone is null there.',
        tags,
        querystring: Type.Object(
          {
            since: time(
              "From when carrier switches are counted: the reader's midnight; a day ago where absent",
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(OverviewSchema), ...problemResponses },
      },
    },
    async ({ query, principal: { tenant } }) => {
      if (tenant !== undefined) return presentTenantOverview(await statistics.ofTenant(tenant));
      return presentOverview(await statistics.overview(query.since ?? clock.wallTime() - DAY));
    },
  );

  app.get(
    '/api/statistics',
    {
      schema: {
        operationId: 'getStatistics',
        summary: 'Figures of the fleet over time',
        description:
          'Of what there is (known, registered, awake, asleep, lost, left) the last of each step; of what happens ' +
          '(readings, notifications, switches-ack, switches-nack, switches-other, events) its sum. Minutes are kept ' +
          'for two weeks, hours for thirteen months.',
        tags,
        querystring: Type.Object(
          {
            metrics: Type.String({
              pattern: `^${metric}(,${metric})*$`,
              description: `By comma: ${metricNames.join(', ')}`,
            }),
            from: time('Inclusive; a day before `to` where absent'),
            to: time('Exclusive; now where absent'),
            points: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: 2000,
                description: 'At most so many steps; 288 where absent',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(StatisticsSchema), ...problemResponses },
      },
    },
    async ({ query }) => {
      const to = query.to ?? clock.wallTime();
      const from = query.from ?? to - DAY;
      if (from >= to) throw new RequestError('`from` must be before `to`');
      const metrics = query.metrics.split(',') as MetricName[];
      return presentStatistics(await statistics.series(metrics, from, to, query.points ?? 288));
    },
  );
};
