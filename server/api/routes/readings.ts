import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { systemClock } from '../../../protocol/clock.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { UnknownDeviceError } from '../../errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { objectPath } from '../object-content.ts';
import { presentReading, presentSeries } from '../presenters.ts';
import { cursor, EndpointParams, limit, problemResponses } from '../route-schemas.ts';
import { ReadingSeriesSchema, ReadingsAnswerSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';
import { parseTime } from '../times.ts';

const time = (description: string) => Type.Optional(Type.String({ maxLength: 40, description }));

export const readingRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { stores, clock = systemClock },
) => {
  app.get(
    '/api/devices/:endpoint/readings',
    {
      schema: {
        operationId: 'listReadings',
        summary: 'Readings of one resource, oldest first; without one, the newest of every path',
        description:
          'With the path of a resource: its readings in the range, by the time that they were taken; where ' +
          'there are more than `limit`, the newest, and `next` leads to those before. With no path, or that of an ' +
          'object or an instance: the newest reading of every resource below it; `from`, `to`, `limit` and `cursor` ' +
          'are refused there.',
        tags: ['readings'],
        params: EndpointParams,
        querystring: Type.Object(
          {
            path: Type.Optional(Type.String({ maxLength: 30, description: 'As `/3303/0/5700`' })),
            from: time('Inclusive. Milliseconds since the epoch, or ISO 8601'),
            to: time('Exclusive. Milliseconds since the epoch, or ISO 8601'),
            limit: limit(10_000, 1000),
            cursor,
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(ReadingsAnswerSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query }) => {
      const path = query.path === undefined || query.path === '/' ? undefined : objectPath(query.path);
      const from = query.from === undefined ? undefined : parseTime(query.from, 'from');
      const to = query.to === undefined ? undefined : parseTime(query.to, 'to');
      if (from !== undefined && to !== undefined && from > to) throw new RequestError("'from' is after 'to'");
      if ((await stores.devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);

      if (path === undefined || path.ids.length < 3) {
        if ([from, to, query.limit, query.cursor].some((given) => given !== undefined)) {
          throw new RequestError("'from', 'to', 'limit' and 'cursor' need the 'path' of one resource");
        }
        const values = await stores.lastValues.get(endpoint, path?.canonical);
        return { items: values.map((value) => presentReading(value.path, value)), next: null };
      }
      const { items, next } = await stores.history.page({
        endpoint,
        path: path.canonical,
        limit: query.limit ?? 1000,
        order: 'newest',
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      });
      return { items: items.map((reading) => presentReading(path.canonical, reading)), next: next ?? null };
    },
  );

  app.get(
    '/api/devices/:endpoint/readings/series',
    {
      schema: {
        operationId: 'getReadingSeries',
        summary: 'Readings of one resource for a chart: a range in at most so many points, oldest first',
        description:
          'Each reading by itself where the range has at most `points` (`step` is then 0). Otherwise minimum, ' +
          'maximum, mean and last of each step of time, the shortest step that makes few enough; longer ones where ' +
          'the readings are no longer kept. Steps begin at multiples of their length since 1970, and the range is ' +
          'extended to whole ones. Booleans count as 0 and 1; texts and numbers that are not finite do not count.',
        tags: ['readings'],
        params: EndpointParams,
        querystring: Type.Object(
          {
            path: Type.String({ maxLength: 30, description: 'Of a resource, as `/3303/0/5700`' }),
            from: Type.String({
              maxLength: 40,
              description: 'Inclusive. Milliseconds since the epoch, or ISO 8601',
            }),
            to: time('Exclusive; now where absent. Milliseconds since the epoch, or ISO 8601'),
            points: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: 10_000,
                description: 'At most so many items; 1000 where absent',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(ReadingSeriesSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query }) => {
      const path = objectPath(query.path);
      if (path.ids.length < 3) throw new RequestError("'path' must be that of one resource");
      const from = parseTime(query.from, 'from');
      const to = query.to === undefined ? clock.wallTime() * 1000 : parseTime(query.to, 'to');
      if (query.to !== undefined && from > to) throw new RequestError("'from' is after 'to'");
      if ((await stores.devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
      const points = query.points ?? 1000;
      const series = await stores.history.series({ endpoint, path: path.canonical, from, to, points });
      return presentSeries(path.canonical, series);
    },
  );
};
