import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { UnknownDeviceError } from '../../errors.ts';
import type { PowerSaving } from '../../lwm2m/power-saving.ts';
import type { Device } from '../../ports/device-store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentDevice, presentPresence } from '../presenters.ts';
import { ProblemError } from '../problems.ts';
import { cursor, EndpointParams, limit, noContent, problemResponses } from '../route-schemas.ts';
import { DevicePageSchema, DeviceSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['devices'];

export const deviceRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { stores, listening },
) => {
  const present = (device: Device, saving?: PowerSaving) => {
    const { registration } = device;
    if (registration === undefined) return presentDevice(device);
    return presentDevice(device, presentPresence(listening.state(registration, device, saving), saving));
  };

  app.get(
    '/api/devices',
    {
      schema: {
        operationId: 'listDevices',
        summary: 'Devices that are known, by endpoint name',
        tags,
        querystring: Type.Object(
          {
            limit: limit(1000, 100),
            cursor,
            q: Type.Optional(
              Type.String({
                maxLength: 255,
                description:
                  'A part of the endpoint name, or the start of ICCID, IMSI, IMEI or serial number',
              }),
            ),
            state: Type.Optional(Type.Union([Type.Literal('registered'), Type.Literal('unregistered')])),
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(DevicePageSchema), ...problemResponses },
      },
    },
    async ({ query }) => {
      const page = await stores.devices.list({
        limit: query.limit ?? 100,
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
        ...(query.q === undefined || query.q === '' ? {} : { search: query.q }),
        ...(query.state === undefined ? {} : { state: query.state }),
      });
      return {
        items: page.items.map((device) => present(device)),
        total: page.total,
        next: page.next ?? null,
      };
    },
  );

  app.get(
    '/api/devices/:endpoint',
    {
      schema: {
        operationId: 'getDevice',
        summary: 'One device',
        tags,
        params: EndpointParams,
        response: { 200: ref(DeviceSchema), ...problemResponses },
      },
    },
    async ({ params }) => {
      const device = await stores.devices.get(params.endpoint);
      if (device === undefined) throw new UnknownDeviceError(params.endpoint);
      return present(device, await listening.powerSaving(params.endpoint));
    },
  );

  app.delete(
    '/api/devices/:endpoint',
    {
      schema: {
        operationId: 'removeDevice',
        summary: 'Forget a device that is not registered, with its readings',
        tags,
        params: EndpointParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint } }, reply) => {
      if (!(await stores.devices.remove(endpoint))) {
        if ((await stores.devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
        throw new ProblemError(
          'device_registered',
          `'${endpoint}' is registered: it would come back at once`,
        );
      }
      return reply.code(204).send(null);
    },
  );
};
