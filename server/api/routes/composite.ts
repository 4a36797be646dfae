import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { systemClock } from '../../../protocol/clock.ts';
import { requestOptions } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { deviceModel } from '../device-model.ts';
import { compositeChanges, compositePathList } from '../object-content.ts';
import { presentCompositeResult } from '../presenters.ts';
import { ProblemError } from '../problems.ts';
import { active, EndpointParams, format, noContent, problemResponses, timeout } from '../route-schemas.ts';
import { CompositeBodySchema, CompositeResultSchema, ObserveBodySchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['composite'];

const paths = Type.String({
  minLength: 1,
  maxLength: 8192,
  description: 'By comma: `/3/0/9,/4/0/2`; objects, instances, resources or resource instances, `/` for all',
});
const OfPaths = Type.Object({ paths, format, timeout }, { additionalProperties: false });

/** Several places of one device by one message, OMA-TS-LightweightM2M_Core §6.3.8, §6.3.9, §6.4.4, §6.4.5. */
export const compositeRoutes: FastifyPluginAsyncTypebox<
  ApiDependencies & { readonly closing: AbortSignal }
> = async (app, deps) => {
  const { requests, closing, clock = systemClock } = deps;

  app.get(
    '/api/devices/:endpoint/composite',
    {
      schema: {
        operationId: 'readComposite',
        summary: 'Read several paths by one message',
        description: 'What the device does not have is left out of the answer.',
        tags,
        params: EndpointParams,
        querystring: OfPaths,
        response: { 200: ref(CompositeResultSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query }, reply) => {
      const options = requestOptions(query, reply, closing);
      const result = await requests.readComposite(endpoint, compositePathList(query.paths), options);
      return presentCompositeResult(result, await deviceModel(deps, endpoint), clock.wallTime());
    },
  );

  app.put(
    '/api/devices/:endpoint/composite',
    {
      schema: {
        operationId: 'writeComposite',
        summary: 'Write several resources by one message: all or nothing',
        tags,
        params: EndpointParams,
        querystring: Type.Object({ format, timeout }, { additionalProperties: false }),
        body: ref(CompositeBodySchema),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query, body }, reply) => {
      const changes = compositeChanges(body.values, await deviceModel(deps, endpoint));
      await requests.writeComposite(endpoint, changes, requestOptions(query, reply, closing));
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/devices/:endpoint/composite-observations',
    {
      schema: {
        operationId: 'observeComposite',
        summary: 'Observe several paths together; answers with their values now',
        description:
          'Each report of the device has the values of all of them. An observation of the same paths is replaced.',
        tags,
        params: EndpointParams,
        querystring: OfPaths,
        body: Type.Union([ref(ObserveBodySchema), Type.Null()]),
        response: { 200: ref(CompositeResultSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query, body }, reply) => {
      const result = await requests.observeComposite(endpoint, compositePathList(query.paths), {
        ...requestOptions(query, reply, closing),
        ...(body?.attributes === undefined ? {} : { attributes: body.attributes }),
      });
      return presentCompositeResult(result, await deviceModel(deps, endpoint), clock.wallTime());
    },
  );

  app.delete(
    '/api/devices/:endpoint/composite-observations',
    {
      schema: {
        operationId: 'cancelComposite',
        summary: 'End the observation of these paths together',
        tags,
        params: EndpointParams,
        querystring: Type.Object({ paths, timeout, active }, { additionalProperties: false }),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query }, reply) => {
      const ended = await requests.cancelComposite(endpoint, compositePathList(query.paths), {
        ...requestOptions(query, reply, closing),
        ...(query.active === undefined ? {} : { active: query.active }),
      });
      if (!ended) {
        throw new ProblemError('not_observed', `${query.paths} is not observed together on '${endpoint}'`);
      }
      return reply.code(204).send(null);
    },
  );
};
