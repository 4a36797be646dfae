import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { UnknownDeviceError } from '../../errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentPresence } from '../presenters.ts';
import { ProblemError } from '../problems.ts';
import { EndpointParams, noContent, problemResponses } from '../route-schemas.ts';
import { AwakeTimeBodySchema, PresenceSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['devices'];

/** Whether a device listens, and for how long after it was heard. */
export const presenceRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { stores, listening },
) => {
  app.get(
    '/api/devices/:endpoint/presence',
    {
      schema: {
        operationId: 'getPresence',
        summary: 'Whether the device listens now, and what it says of how it saves power',
        tags,
        params: EndpointParams,
        response: { 200: ref(PresenceSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint } }) => {
      const device = await stores.devices.get(endpoint);
      if (device === undefined) throw new UnknownDeviceError(endpoint);
      if (device.registration === undefined) {
        throw new ProblemError('not_registered', `device '${endpoint}' is not registered now`);
      }
      const saving = await listening.powerSaving(endpoint);
      return presentPresence(listening.state(device.registration, device, saving), saving);
    },
  );

  app.put(
    '/api/devices/:endpoint/presence',
    {
      schema: {
        operationId: 'setAwakeTime',
        summary: 'Set how long the device listens after it was heard, or let the server learn it anew',
        tags,
        params: EndpointParams,
        body: ref(AwakeTimeBodySchema),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint }, body }, reply) => {
      if (!(await listening.configure(endpoint, body.awakeTime))) throw new UnknownDeviceError(endpoint);
      return reply.code(204).send(null);
    },
  );
};
