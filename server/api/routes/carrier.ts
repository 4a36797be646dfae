import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { ApiDependencies } from '../dependencies.ts';
import { commandKeyOf, keepsKey } from '../idempotency.ts';
import { presentCarrier, presentCommand } from '../presenters.ts';
import { EndpointParams, problemResponses } from '../route-schemas.ts';
import { CarrierAnswerSchema, CarrierBodySchema, CommandSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['carrier'];

export const carrierRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (app, { commands }) => {
  app.get(
    '/api/devices/:endpoint/carrier',
    {
      schema: {
        operationId: 'getCarrier',
        summary: "The SIM's carrier, as the device last told it",
        tags,
        params: EndpointParams,
        response: { 200: ref(CarrierAnswerSchema), ...problemResponses },
      },
    },
    async ({ params }) => presentCarrier(await commands.carrierStatus(params.endpoint)),
  );

  app.post(
    '/api/devices/:endpoint/carrier',
    {
      config: keepsKey,
      schema: {
        operationId: 'switchCarrier',
        summary: 'Switch the carrier, or disconnect',
        description:
          'Answers at once with a command, which lives on until the card has answered: ' +
          'follow it by GET or by its events.',
        tags,
        params: EndpointParams,
        body: ref(CarrierBodySchema),
        response: { 202: ref(CommandSchema), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const idempotencyKey = commandKeyOf(request);
      const { command } = await commands.switchCarrier(params.endpoint, {
        carrier: body.carrier,
        ...(body.slot === undefined ? {} : { slot: body.slot }),
        ...(body.timeToLive === undefined ? {} : { timeToLive: body.timeToLive }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
      return reply
        .code(202)
        .header('location', `/api/commands/${encodeURIComponent(command.id)}`)
        .send(presentCommand(command));
    },
  );
};
