import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ServerObject } from '../../lwm2m/server-object.ts';
import { requestOptions } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { EndpointParams, noContent, problemResponses, timeout } from '../route-schemas.ts';
import { DisableBodySchema, MuteSendBodySchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['server-object'];
const instance = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: 65534,
    description: "Instance of the device's Server object; found out where absent",
  }),
);
const OfInstance = Type.Object({ instance, timeout }, { additionalProperties: false });

/** What a server may ask of its own instance of the Server object (OMA-TS-LightweightM2M_Core Appendix E.2). */
export const serverObjectRoutes: FastifyPluginAsyncTypebox<
  ApiDependencies & { readonly closing: AbortSignal }
> = async (app, { requests, stores, closing, shortServerId }) => {
  const server = new ServerObject({ requests, registrations: stores.registrations, shortServerId });

  app.post(
    '/api/devices/:endpoint/server/update-trigger',
    {
      schema: {
        operationId: 'triggerUpdate',
        summary: 'Have the device update its registration now',
        tags,
        params: EndpointParams,
        querystring: OfInstance,
        body: Type.Null(),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query }, reply) => {
      await server.triggerUpdate(endpoint, { ...query, ...requestOptions(query, reply, closing) });
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/devices/:endpoint/server/disable',
    {
      schema: {
        operationId: 'disable',
        summary: 'Have the device leave this server for a time, and come back by itself',
        tags,
        params: EndpointParams,
        querystring: OfInstance,
        body: Type.Union([ref(DisableBodySchema), Type.Null()]),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query, body }, reply) => {
      await server.disable(endpoint, body?.seconds, { ...query, ...requestOptions(query, reply, closing) });
      return reply.code(204).send(null);
    },
  );

  app.put(
    '/api/devices/:endpoint/server/mute-send',
    {
      schema: {
        operationId: 'muteSend',
        summary: 'Forbid or allow the device to send readings that nobody observes',
        tags,
        params: EndpointParams,
        querystring: OfInstance,
        body: ref(MuteSendBodySchema),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query, body }, reply) => {
      await server.muteSend(endpoint, body.muted, { ...query, ...requestOptions(query, reply, closing) });
      return reply.code(204).send(null);
    },
  );
};
