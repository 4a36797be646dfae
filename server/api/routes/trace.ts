import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { HISTORY_MESSAGES } from '../../trace/device-history.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { TraceContents } from '../device-trace.ts';
import { ProblemError } from '../problems.ts';
import { EndpointParams, limit, problemResponses } from '../route-schemas.ts';
import { TraceAnswerSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['trace'];

/** The CoAP messages of a device, as they are: identifiers in them cannot be masked, so they are not for who may only look. */
export const traceRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (app, { traces }) => {
  const contents = (): TraceContents => {
    if (traces === undefined) {
      throw new ProblemError('trace_off', 'no messages are kept: SIMYARD_TRACE_BYTES is 0');
    }
    return traces;
  };

  app.get(
    '/api/devices/:endpoint/trace',
    {
      config: { needs: 'operate' },
      schema: {
        operationId: 'getTrace',
        summary: 'The last CoAP messages of the device, decoded, oldest first',
        description:
          'The newest `limit`; with `after`, those that follow that message. Live they come on the event stream, by ' +
          '`watch=trace@<endpoint>`. Messages are shown as they are, tokens and registration locations among them.',
        tags,
        params: EndpointParams,
        querystring: Type.Object(
          {
            limit: limit(HISTORY_MESSAGES, 100),
            after: Type.Optional(
              Type.Integer({ minimum: 0, maximum: 999_999_999_999_999, description: 'Id of a message' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(TraceAnswerSchema), ...problemResponses },
      },
    },
    ({ params: { endpoint }, query: { after, limit: wanted = 100 } }) =>
      contents().json(endpoint, { limit: wanted, ...(after === undefined ? {} : { after }) }),
  );

  const file = (contentType: string, extension: string) => ({
    'content-type': contentType,
    'content-disposition': `attachment; filename="trace.${extension}"`,
    'cache-control': 'no-store',
  });

  app.get(
    '/api/devices/:endpoint/trace/pcapng',
    {
      config: { needs: 'operate' },
      schema: {
        operationId: 'getTracePcapng',
        summary: 'The last CoAP messages of the device as a capture file for Wireshark',
        tags,
        params: EndpointParams,
        produces: ['application/x-pcapng'],
        response: {
          200: Type.String({
            format: 'binary',
            description: 'Raw IP with UDP; the addresses are the true ones',
          }),
          ...problemResponses,
        },
      },
    },
    async ({ params: { endpoint } }, reply) => {
      const capture = await contents().pcapng(endpoint);
      reply.headers(file('application/x-pcapng', 'pcapng'));
      return reply.send(Buffer.from(capture.buffer, capture.byteOffset, capture.length) as unknown as string);
    },
  );

  app.get(
    '/api/devices/:endpoint/trace/text',
    {
      config: { needs: 'operate' },
      schema: {
        operationId: 'getTraceText',
        summary: 'The last CoAP messages of the device as text, to be read and sent on',
        tags,
        params: EndpointParams,
        produces: ['text/plain'],
        response: { 200: Type.String({ description: 'A line for each message' }), ...problemResponses },
      },
    },
    async ({ params: { endpoint } }, reply) => {
      const text = await contents().text(endpoint);
      reply.headers(file('text/plain; charset=utf-8', 'txt'));
      return reply.send(text);
    },
  );
};
