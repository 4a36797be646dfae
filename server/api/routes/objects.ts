import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { systemClock } from '../../../protocol/clock.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { NotRegisteredError, UnknownDeviceError } from '../../errors.ts';
import { requestOptions } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { deviceModel } from '../device-model.ts';
import { executeArguments, newInstanceRecords, objectPath, writeContent } from '../object-content.ts';
import { presentLink, presentReadResult } from '../presenters.ts';
import {
  EndpointParams,
  format,
  noContent,
  PathParams,
  problemResponses,
  timeout,
} from '../route-schemas.ts';
import {
  CreateBodySchema,
  CreatedSchema,
  ExecuteBodySchema,
  LinksAnswerSchema,
  ReadResultSchema,
  WriteBodySchema,
} from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['objects'];
const OfDevice = Type.Object({ format, timeout }, { additionalProperties: false });
const OnlyTimeout = Type.Object({ timeout }, { additionalProperties: false });

export const objectRoutes: FastifyPluginAsyncTypebox<
  ApiDependencies & { readonly closing: AbortSignal }
> = async (app, deps) => {
  const { stores, requests, closing, clock = systemClock } = deps;

  app.get(
    '/api/devices/:endpoint/objects',
    {
      schema: {
        operationId: 'listObjects',
        summary: 'Objects and instances that the device listed when it registered',
        tags,
        params: EndpointParams,
        response: { 200: ref(LinksAnswerSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint } }) => {
      const device = await stores.devices.get(endpoint);
      if (device === undefined) throw new UnknownDeviceError(endpoint);
      if (device.registration === undefined) throw new NotRegisteredError(endpoint);
      const model = await deviceModel(deps, endpoint);
      return { items: device.registration.links.map((link) => presentLink(link, model)) };
    },
  );

  app.get(
    '/api/devices/:endpoint/objects/*',
    {
      schema: {
        operationId: 'readObject',
        summary: 'Read from the device',
        tags,
        params: PathParams,
        querystring: OfDevice,
        response: { 200: ref(ReadResultSchema), ...problemResponses },
      },
    },
    async ({ params, query }, reply) => {
      const path = objectPath(params['*']).canonical;
      const result = await requests.read(params.endpoint, path, requestOptions(query, reply, closing));
      return presentReadResult(result, await deviceModel(deps, params.endpoint), clock.wallTime());
    },
  );

  app.get(
    '/api/devices/:endpoint/discover/*',
    {
      schema: {
        operationId: 'discoverObject',
        summary: 'Ask the device what is below a path, with the attributes of each',
        tags,
        params: PathParams,
        querystring: Type.Object(
          {
            timeout,
            depth: Type.Optional(
              Type.Integer({
                minimum: 0,
                maximum: 3,
                description: "Levels below the path (LwM2M 1.2); the device's choice where absent",
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(LinksAnswerSchema), ...problemResponses },
      },
    },
    async ({ params, query }, reply) => {
      const path = objectPath(params['*']).canonical;
      const links = await requests.discover(params.endpoint, path, {
        ...requestOptions(query, reply, closing),
        ...(query.depth === undefined ? {} : { depth: query.depth }),
      });
      const model = await deviceModel(deps, params.endpoint);
      return { items: links.map((link) => presentLink(link, model)) };
    },
  );

  app.put(
    '/api/devices/:endpoint/objects/*',
    {
      schema: {
        operationId: 'writeObject',
        summary: 'Write to the device',
        tags,
        params: PathParams,
        querystring: Type.Object(
          {
            format,
            timeout,
            mode: Type.Optional(
              Type.Union([Type.Literal('replace'), Type.Literal('update')], {
                description: '`update` keeps what is not named; `replace` where absent',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        body: ref(WriteBodySchema),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params, query, body }, reply) => {
      const path = objectPath(params['*']);
      const content = writeContent(path, body, await deviceModel(deps, params.endpoint));
      await requests.write(params.endpoint, path.canonical, content, {
        ...requestOptions(query, reply, closing),
        ...(query.mode === undefined ? {} : { mode: query.mode }),
      });
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/devices/:endpoint/objects/*',
    {
      schema: {
        operationId: 'executeOrCreate',
        summary: 'On a resource: Execute. On an object or an instance: Create',
        description:
          'Execute takes `{"args": "0=\'1\'"}`, `{"arguments": ["1"]}` or nothing and answers 204. ' +
          'Create takes `{"values": {...}}` and answers 201.',
        tags,
        params: PathParams,
        querystring: OfDevice,
        body: Type.Union([ref(ExecuteBodySchema), ref(CreateBodySchema), Type.Null()]),
        response: { 201: ref(CreatedSchema), 204: noContent, ...problemResponses },
      },
    },
    async ({ params, query, body }, reply) => {
      const path = objectPath(params['*']);
      const options = requestOptions(query, reply, closing);
      if (path.ids.length >= 3) {
        if (body !== null && 'values' in body) {
          throw new RequestError(
            `${path.canonical} is a resource, which is executed: 'values' create an instance`,
          );
        }
        await requests.execute(params.endpoint, path.canonical, executeArguments(body), options);
        return reply.code(204).send(null);
      }
      if (body === null || !('values' in body)) {
        throw new RequestError(`to create an instance of ${path.canonical} give its {"values": {...}}`);
      }
      const device = await stores.devices.get(params.endpoint);
      const links = device?.registration?.links ?? [];
      const model = await deviceModel(deps, params.endpoint);
      const records = newInstanceRecords(path, body.values, model, links);
      const created = await requests.create(params.endpoint, path.canonical, records, options);
      const location = `/api/devices/${encodeURIComponent(params.endpoint)}/objects${created}`;
      return reply.code(201).header('location', location).send({ path: created });
    },
  );

  app.delete(
    '/api/devices/:endpoint/objects/*',
    {
      schema: {
        operationId: 'deleteObject',
        summary: 'Delete an instance, or an instance of a resource, on the device',
        tags,
        params: PathParams,
        querystring: OnlyTimeout,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params, query }, reply) => {
      const path = objectPath(params['*']).canonical;
      await requests.delete(params.endpoint, path, requestOptions(query, reply, closing));
      return reply.code(204).send(null);
    },
  );
};
