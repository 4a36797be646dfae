import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { systemClock } from '../../../protocol/clock.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { UnknownDeviceError } from '../../errors.ts';
import type { Principal } from '../../people/principal.ts';
import { sees } from '../../people/tenancy.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Mask } from '../masks.ts';
import { compositePathList } from '../object-content.ts';
import { exportReadings } from '../readings-export.ts';
import { problemResponses } from '../route-schemas.ts';
import { parseTime } from '../times.ts';
import { filterFor, seesMasked } from '../visible-devices.ts';

interface ExportRouteOptions extends ApiDependencies {
  /** Aborts what takes long when the server closes. */
  readonly closing: AbortSignal;
  readonly mask: Mask;
}

const formats = {
  csv: { type: 'text/csv; charset=utf-8; header=present', extension: 'csv' },
  ndjson: { type: 'application/x-ndjson', extension: 'ndjson' },
} as const;

const time = (description: string) => Type.Optional(Type.String({ maxLength: 40, description }));

export const exportRoutes: FastifyPluginAsyncTypebox<ExportRouteOptions> = async (
  app,
  { stores, mask, clock = systemClock, closing },
) => {
  app.get(
    '/api/readings/export',
    {
      exposeHeadRoute: false,
      config: { tenants: 'own' },
      schema: {
        operationId: 'exportReadings',
        summary: 'Readings of many devices and paths as CSV or NDJSON, streamed',
        description:
          'By device, then by path, each oldest first. CSV after RFC 4180 with a header line, times in UTC to the ' +
          'microsecond; a text that a spreadsheet would run as a formula has an apostrophe in front. NDJSON: a ' +
          'Reading with its `endpoint` on each line. Where the server cannot go on it breaks the connection: ' +
          'an answer that ended as HTTP says is whole.',
        tags: ['readings'],
        produces: ['text/csv', 'application/x-ndjson'],
        querystring: Type.Object(
          {
            endpoint: Type.Optional(
              Type.String({
                minLength: 1,
                maxLength: 20_000,
                description:
                  'Only of these devices, by comma. A name that has a comma itself can stand alone',
              }),
            ),
            path: Type.Optional(
              Type.String({
                maxLength: 2000,
                description: 'Only below these paths, by comma: of objects, instances, resources',
              }),
            ),
            from: time('Inclusive. Milliseconds since the epoch, or ISO 8601'),
            to: time('Exclusive. Milliseconds since the epoch, or ISO 8601'),
            format: Type.Optional(
              Type.Union([Type.Literal('csv'), Type.Literal('ndjson')], {
                description: '`csv` where absent',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Unsafe<Readable>({ type: 'string', description: 'The readings' }),
          ...problemResponses,
        },
      },
    },
    async (request, reply) => {
      const { query, principal } = request;
      const format = query.format ?? 'csv';
      const from = query.from === undefined ? undefined : parseTime(query.from, 'from');
      const to = query.to === undefined ? undefined : parseTime(query.to, 'to');
      if (from !== undefined && to !== undefined && from > to) throw new RequestError("'from' is after 'to'");
      const paths = query.path === undefined ? ['/'] : compositePathList(query.path);
      const endpoints = query.endpoint === undefined ? undefined : await devicesOf(principal, query.endpoint);
      const filter = filterFor(principal, {});
      const selection = { endpoints, filter, paths, from, to, now: clock.wallTime() };
      const parts = exportReadings(stores, selection, format, seesMasked(principal) ? mask : undefined);
      // What fails before the first part is answered as a problem.
      const first = await parts.next();
      const stream = Readable.from(continued(first, parts), { highWaterMark: 1 });
      stream.once('error', (error) => {
        request.log.warn({ err: error }, 'an export of readings was broken off');
      });
      const close = () => stream.destroy(new Error('the server is closing'));
      closing.addEventListener('abort', close, { once: true });
      stream.once('close', () => closing.removeEventListener('abort', close));
      const name = endpoints?.length === 1 ? `-${endpoints[0]?.replace(/[^\w.-]+/g, '_')}` : '';
      return reply
        .type(formats[format].type)
        .header('content-disposition', `attachment; filename="readings${name}.${formats[format].extension}"`)
        .send(stream);
    },
  );

  /** @throws UnknownDeviceError */
  async function devicesOf(principal: Principal, text: string): Promise<readonly string[]> {
    if (await isVisible(principal, text)) return [text];
    const endpoints = [...new Set(text.split(','))];
    for (const endpoint of endpoints) {
      if (!(await isVisible(principal, endpoint))) throw new UnknownDeviceError(endpoint);
    }
    return endpoints;
  }

  async function isVisible(principal: Principal, endpoint: string): Promise<boolean> {
    const device = await stores.devices.get(endpoint);
    return device !== undefined && sees(principal, device.tenant);
  }
};

async function* continued(
  first: IteratorResult<string, void>,
  rest: AsyncGenerator<string, void, undefined>,
): AsyncGenerator<string, void, undefined> {
  try {
    if (first.done !== true) yield first.value;
    yield* rest;
  } finally {
    // Who leaves before the second part has not begun to read the rest.
    await rest.return();
  }
}
