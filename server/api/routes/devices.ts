import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { systemClock } from '../../../protocol/clock.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { UnknownDeviceError } from '../../errors.ts';
import type { PresenceState } from '../../lwm2m/presence.ts';
import { type Device, type DeviceState, deviceState } from '../../ports/device-store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import {
  deviceFilterParameters,
  facetParameter,
  facetsOf,
  fieldsOf,
  fieldsParameter,
  filterOfQuery,
  sortOf,
  sortParameter,
} from '../device-filters.ts';
import { presentDevice, presentFacets, presentFields, presentPresence } from '../presenters.ts';
import { ProblemError } from '../problems.ts';
import { cursor, EndpointParams, limit, noContent, problemResponses } from '../route-schemas.ts';
import { DeviceFacetsSchema, DevicePageSchema, DevicePatchSchema, DeviceSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';
import { checkFleet } from '../tenant-guard.ts';
import { filterFor } from '../visible-devices.ts';

const tags = ['devices'];

export const deviceRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { stores, entries, listening, clock = systemClock },
) => {
  const inList = (device: Device, now: number) => {
    const state = deviceState(device, now);
    const { registration } = device;
    if (registration === undefined) return presentDevice(device, state);
    return presentDevice(device, state, presentPresence(asOf(state, listening.state(registration, device))));
  };

  app.get(
    '/api/devices',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'listDevices',
        summary: 'Devices that are known: searched, filtered, sorted',
        description:
          'Devices match that match every parameter. `next` goes on behind the last device of the page, wherever ' +
          'others have moved to meanwhile; repeat the other parameters with it, of which `sort` may be left out.',
        tags,
        querystring: Type.Object(
          {
            ...deviceFilterParameters,
            sort: sortParameter,
            fields: fieldsParameter,
            limit: limit(1000, 100),
            cursor,
            offset: Type.Optional(
              Type.Integer({
                minimum: 0,
                maximum: 100_000_000,
                description: 'So many are passed over; not beside a cursor',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(DevicePageSchema), ...problemResponses },
      },
    },
    async ({ query, principal }) => {
      const now = clock.wallTime();
      if (query.cursor !== undefined && query.offset !== undefined) {
        throw new RequestError('either `cursor` or `offset`');
      }
      const page = await stores.devices.list({
        filter: filterFor(principal, filterOfQuery(query)),
        now,
        limit: query.limit ?? 100,
        ...(query.sort === undefined ? {} : sortOf(query.sort)),
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
        ...(query.offset === undefined ? {} : { offset: query.offset }),
      });
      const fields = query.fields === undefined ? undefined : fieldsOf(query.fields);
      const items = page.items.map((device) => inList(device, now));
      return {
        items: fields === undefined ? items : items.map((item) => presentFields(item, fields)),
        total: page.total,
        next: page.next ?? null,
      };
    },
  );

  app.get(
    '/api/devices/facets',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'countDevices',
        summary: 'How many devices match, by the values that they have',
        description: 'The parameters beside `by` are those of the list.',
        tags,
        querystring: Type.Object(
          { by: facetParameter, ...deviceFilterParameters },
          { additionalProperties: false },
        ),
        response: { 200: ref(DeviceFacetsSchema), ...problemResponses },
      },
    },
    async ({ query: { by, ...query }, principal }) => {
      const filter = filterFor(principal, filterOfQuery(query));
      return presentFacets(await stores.devices.facets(facetsOf(by), filter, clock.wallTime()));
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
      const { registration } = device;
      if (registration === undefined) return presentDevice(device, deviceState(device, clock.wallTime()));
      const saving = await listening.powerSaving(params.endpoint);
      const presence = listening.state(registration, device, saving);
      return presentDevice(device, presence.awake ? 'awake' : 'asleep', presentPresence(presence, saving));
    },
  );

  app.patch(
    '/api/devices/:endpoint',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'changeDevice',
        summary: 'Say whose the device is',
        description:
          'By administrators without a tenant alone. The device, and all that is known of it, is that tenant’s from ' +
          'then on: its history too. Commands that wait for it go on.',
        tags,
        params: EndpointParams,
        body: ref(DevicePatchSchema),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint }, body, principal }, reply) => {
      checkFleet(principal);
      if (!(await entries.setTenant(endpoint, body.tenant))) throw new UnknownDeviceError(endpoint);
      return reply.code(204).send(null);
    },
  );

  app.delete(
    '/api/devices/:endpoint',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'removeDevice',
        summary: 'Forget a device that is not registered, with its readings',
        tags,
        params: EndpointParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint } }, reply) => {
      if (!(await entries.remove(endpoint))) {
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

/**
 * Presence as it was when the store found the device in this state: what was heard in the last seconds is known
 * here before it is there, and a list of those that sleep must not have one that says it is awake.
 */
function asOf(state: DeviceState, presence: PresenceState): PresenceState {
  if (presence.awake === (state === 'awake')) return presence;
  const { awakeUntil: _, ...rest } = presence;
  return { ...rest, awake: state === 'awake' };
}
