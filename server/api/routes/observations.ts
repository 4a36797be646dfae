import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { systemClock } from '../../../protocol/clock.ts';
import { UnknownDeviceError } from '../../errors.ts';
import { requestOptions } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { deviceModel } from '../device-model.ts';
import { objectPath } from '../object-content.ts';
import { presentObservation, presentReadResult } from '../presenters.ts';
import { ProblemError } from '../problems.ts';
import {
  active,
  EndpointParams,
  format,
  noContent,
  PathParams,
  problemResponses,
  timeout,
} from '../route-schemas.ts';
import { ObservationsAnswerSchema, ObserveBodySchema, ReadResultSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['observations'];

export const observationRoutes: FastifyPluginAsyncTypebox<
  ApiDependencies & { readonly closing: AbortSignal }
> = async (app, deps) => {
  const { stores, requests, closing, clock = systemClock } = deps;

  app.get(
    '/api/devices/:endpoint/observations',
    {
      schema: {
        operationId: 'listObservations',
        summary: 'What is observed on the device',
        tags,
        params: EndpointParams,
        response: { 200: ref(ObservationsAnswerSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint } }) => {
      const device = await stores.devices.get(endpoint);
      if (device === undefined) throw new UnknownDeviceError(endpoint);
      if (device.registration === undefined) return { items: [] };
      const observations = await stores.observations.byRegistration(device.registration.id);
      return { items: observations.map(presentObservation) };
    },
  );

  app.post(
    '/api/devices/:endpoint/observations/*',
    {
      schema: {
        operationId: 'observe',
        summary: 'Observe a path; answers with its value now',
        description:
          'What the device reports from then on comes as readings. An observation of the same path is replaced. ' +
          '`attributes` hold for this observation where the device speaks LwM2M 1.2; on an older one they are ' +
          'written to the path before it is observed, and removed when the observation is ended. What is observed ' +
          'so is wanted of the device from then on, also when it registers anew.',
        tags,
        params: PathParams,
        querystring: Type.Object({ format, timeout }, { additionalProperties: false }),
        body: Type.Union([ref(ObserveBodySchema), Type.Null()]),
        response: { 200: ref(ReadResultSchema), ...problemResponses },
      },
    },
    async ({ params, query, body }, reply) => {
      const path = objectPath(params['*']).canonical;
      const result = await requests.observe(params.endpoint, path, {
        ...requestOptions(query, reply, closing),
        ...(body?.attributes === undefined ? {} : { attributes: body.attributes }),
      });
      return presentReadResult(result, await deviceModel(deps, params.endpoint), clock.wallTime());
    },
  );

  app.delete(
    '/api/devices/:endpoint/observations/*',
    {
      schema: {
        operationId: 'cancelObservation',
        summary: 'End an observation',
        tags,
        params: PathParams,
        querystring: Type.Object({ timeout, active }, { additionalProperties: false }),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params, query }, reply) => {
      const path = objectPath(params['*']).canonical;
      const ended = await requests.cancelObservation(params.endpoint, path, {
        ...requestOptions(query, reply, closing),
        ...(query.active === undefined ? {} : { active: query.active }),
      });
      if (!ended) throw new ProblemError('not_observed', `${path} is not observed on '${params.endpoint}'`);
      return reply.code(204).send(null);
    },
  );
};
