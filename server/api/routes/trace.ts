import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { UnknownDeviceError } from '../../errors.ts';
import { HISTORY_MESSAGES } from '../../trace/device-history.ts';
import type { DeviceTrace } from '../../trace/device-traces.ts';
import type { PayloadContext } from '../../trace/payload.ts';
import { encodePcapng } from '../../trace/pcapng.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ProblemError } from '../problems.ts';
import { EndpointParams, limit, problemResponses } from '../route-schemas.ts';
import { TraceAnswerSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';
import { presentTrace } from '../trace-presenters.ts';
import { traceText } from '../trace-text.ts';

const tags = ['trace'];

/** The CoAP messages of a device. */
export const traceRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { stores, traces, registry, lookupFor, about },
) => {
  const read = async (endpoint: string, query: { after?: number; limit: number }): Promise<DeviceTrace> => {
    if (traces === undefined) {
      throw new ProblemError('trace_off', 'no messages are kept: SIMYARD_TRACE_BYTES is 0');
    }
    const trace = await traces.read(endpoint, query);
    // One that tries to register in vain has messages, and is no device yet.
    if (trace.messages.length === 0 && (await stores.devices.get(endpoint)) === undefined) {
      throw new UnknownDeviceError(endpoint);
    }
    return trace;
  };
  const contextOf = ({ registration }: DeviceTrace): PayloadContext => ({
    registry: registration === undefined ? registry : (lookupFor?.(registration) ?? registry),
    rootPath: registration?.rootPath ?? '/',
  });

  app.get(
    '/api/devices/:endpoint/trace',
    {
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
    async ({ params: { endpoint }, query: { after, limit: wanted = 100 } }) => {
      const trace = await read(endpoint, { limit: wanted, ...(after === undefined ? {} : { after }) });
      return presentTrace(trace, contextOf(trace));
    },
  );

  const file = (contentType: string, extension: string) => ({
    'content-type': contentType,
    'content-disposition': `attachment; filename="trace.${extension}"`,
    'cache-control': 'no-store',
  });

  app.get(
    '/api/devices/:endpoint/trace/pcapng',
    {
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
      const { messages, epoch } = await read(endpoint, { limit: HISTORY_MESSAGES });
      const captured = messages.map((message) => message.captured);
      reply.headers(file('application/x-pcapng', 'pcapng'));
      const capture = encodePcapng(captured, about.coapAddress, epoch, `Simyard ${about.version}`);
      return reply.send(capture as unknown as string);
    },
  );

  app.get(
    '/api/devices/:endpoint/trace/text',
    {
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
      const trace = await read(endpoint, { limit: HISTORY_MESSAGES });
      const { since, items } = presentTrace(trace, contextOf(trace));
      reply.headers(file('text/plain; charset=utf-8', 'txt'));
      return reply.send(traceText(endpoint, since, items));
    },
  );
};
