import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { UnknownDeviceError } from '../../errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { checkHeldRequest } from '../held-requests.ts';
import { commandKeyOf, keepsKey } from '../idempotency.ts';
import { presentCommand } from '../presenters.ts';
import { EndpointParams, problemResponses } from '../route-schemas.ts';
import { CommandSchema, HeldRequestBodySchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

/** Requests that are held until the device can be asked. */
export const requestRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (app, deps) => {
  app.post(
    '/api/devices/:endpoint/requests',
    {
      config: keepsKey,
      schema: {
        operationId: 'holdRequest',
        summary: 'Hold a request until the device can be asked',
        description:
          'Answers at once with a command, which is on disk: it survives a restart of the server, waits while the ' +
          'device sleeps or is away, and goes out in the order of the device’s commands. Follow it by GET or by ' +
          'its events; its `result` is what the route of that operation answers.',
        tags: ['commands'],
        params: EndpointParams,
        body: ref(HeldRequestBodySchema),
        response: { 202: ref(CommandSchema), ...problemResponses },
      },
    },
    async (request, reply) => {
      const {
        params: { endpoint },
        body,
      } = request;
      if ((await deps.stores.devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
      await checkHeldRequest(deps, endpoint, body);
      const { timeToLive, ...parameters } = body;
      const idempotencyKey = commandKeyOf(request);
      const { command } = await deps.heldRequests.hold(endpoint, {
        parameters,
        ...(timeToLive === undefined ? {} : { timeToLive }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
      return reply
        .code(202)
        .header('location', `/api/commands/${encodeURIComponent(command.id)}`)
        .send(presentCommand(command));
    },
  );
};
