import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { RequestError } from '../../../protocol/errors.ts';
import { UnknownDeviceError } from '../../errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { objectPath } from '../object-content.ts';
import { presentReading } from '../presenters.ts';
import { EndpointParams, limit, problemResponses } from '../route-schemas.ts';
import { ReadingsAnswerSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';
import { parseTime } from '../times.ts';

const time = (description: string) => Type.Optional(Type.String({ maxLength: 40, description }));

export const readingRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (app, { stores }) => {
  app.get(
    '/api/devices/:endpoint/readings',
    {
      schema: {
        operationId: 'listReadings',
        summary: 'Readings of one resource, oldest first; without one, the newest of every path',
        description:
          'With the path of a resource: its readings in the range, by the time that they were taken; where ' +
          'there are more than `limit`, the newest. With no path, or that of an object or an instance: the ' +
          'newest reading of every resource below it; `from`, `to` and `limit` are refused there.',
        tags: ['readings'],
        params: EndpointParams,
        querystring: Type.Object(
          {
            path: Type.Optional(Type.String({ maxLength: 30, description: 'As `/3303/0/5700`' })),
            from: time('Inclusive. Milliseconds since the epoch, or ISO 8601'),
            to: time('Exclusive. Milliseconds since the epoch, or ISO 8601'),
            limit: limit(10_000, 1000),
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
        if (from !== undefined || to !== undefined || query.limit !== undefined) {
          throw new RequestError("'from', 'to' and 'limit' need the 'path' of one resource");
        }
        const values = await stores.lastValues.get(endpoint, path?.canonical);
        return { items: values.map((value) => presentReading(value.path, value)) };
      }
      const readings = await stores.history.query({
        endpoint,
        path: path.canonical,
        limit: query.limit ?? 1000,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      });
      return { items: readings.map((reading) => presentReading(path.canonical, reading)) };
    },
  );
};
