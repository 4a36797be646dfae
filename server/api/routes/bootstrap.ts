import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ServerObject } from '../../lwm2m/server-object.ts';
import { bootstrapStates } from '../../ports/bootstrap-store.ts';
import { presentBootstrapProfile, presentBootstrapSession, profileInput } from '../bootstrap-presenters.ts';
import { requestOptions } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ProblemError } from '../problems.ts';
import { cursor, EndpointParams, limit, noContent, problemResponses, timeout } from '../route-schemas.ts';
import {
  BootstrapAssignmentBodySchema,
  BootstrapAssignmentsAnswerSchema,
  BootstrapProfileBodySchema,
  BootstrapProfileSchema,
  BootstrapProfilesAnswerSchema,
  BootstrapSessionSchema,
  BootstrapSessionsAnswerSchema,
  bootstrapProfileId,
  DeviceBootstrapSchema,
} from '../schemas.ts';
import { ref } from '../shared-schemas.ts';
import { statesOf } from '../states.ts';
import { visiblePage } from '../visible-pages.ts';

const tags = ['bootstrap'];
const IdParams = Type.Object({ id: bootstrapProfileId });
/** Sessions of one device that are shown with it. */
const sessionsShown = 10;

/** What devices are given by the bootstrap server, which device gets what, and how each bootstrap went. */
export const bootstrapRoutes: FastifyPluginAsyncTypebox<
  ApiDependencies & { readonly closing: AbortSignal }
> = async (app, { bootstrap, requests, stores, closing, shortServerId, tenancy }) => {
  const server = new ServerObject({ requests, registrations: stores.registrations, shortServerId });

  app.get(
    '/api/bootstrap/profiles',
    {
      schema: {
        operationId: 'listBootstrapProfiles',
        summary: 'What devices are given by bootstraps',
        tags,
        response: { 200: ref(BootstrapProfilesAnswerSchema), ...problemResponses },
      },
    },
    async () => ({ items: (await bootstrap.list()).map(presentBootstrapProfile) }),
  );

  app.get(
    '/api/bootstrap/profiles/:id',
    {
      schema: {
        operationId: 'getBootstrapProfile',
        summary: 'One bootstrap profile',
        tags,
        params: IdParams,
        response: { 200: ref(BootstrapProfileSchema), ...problemResponses },
      },
    },
    async ({ params: { id } }) => {
      const listed = await bootstrap.get(id);
      if (listed === undefined) throw unknownProfile(id);
      return presentBootstrapProfile(listed);
    },
  );

  app.put(
    '/api/bootstrap/profiles/:id',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'putBootstrapProfile',
        summary: 'Make or change a bootstrap profile',
        description: 'Devices get it with their next bootstrap; none is bootstrapped by it.',
        tags,
        params: IdParams,
        body: ref(BootstrapProfileBodySchema),
        response: { 200: ref(BootstrapProfileSchema), 201: ref(BootstrapProfileSchema), ...problemResponses },
      },
    },
    async ({ params: { id }, body }, reply) => {
      const { listed, created } = await bootstrap.put(id, profileInput(body));
      return reply.code(created ? 201 : 200).send(presentBootstrapProfile(listed));
    },
  );

  app.delete(
    '/api/bootstrap/profiles/:id',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'removeBootstrapProfile',
        summary: 'Remove a bootstrap profile, or restore the one that the server brings along',
        description: '409 where a device is assigned to it.',
        tags,
        params: IdParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      if (!(await bootstrap.remove(id))) throw unknownProfile(id);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/api/bootstrap/assignments',
    {
      schema: {
        operationId: 'listBootstrapAssignments',
        summary: 'Devices to which a profile was assigned by itself',
        tags,
        querystring: Type.Object(
          { profile: Type.Optional(bootstrapProfileId), limit: limit(500, 100), cursor },
          { additionalProperties: false },
        ),
        response: { 200: ref(BootstrapAssignmentsAnswerSchema), ...problemResponses },
      },
    },
    async ({ query }) => {
      const { items, next } = await bootstrap.assignments({
        limit: query.limit ?? 100,
        ...(query.profile === undefined ? {} : { profile: query.profile }),
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      });
      return { items: items.map(({ endpoint, profile }) => ({ endpoint, profile })), next: next ?? null };
    },
  );

  app.get(
    '/api/bootstrap/sessions',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'listBootstrapSessions',
        summary: 'Bootstraps, under way and ended, newest first; the newest of each device are kept',
        tags,
        querystring: Type.Object(
          {
            endpoint: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
            state: Type.Optional(
              Type.String({ maxLength: 100, description: `By comma: ${bootstrapStates.join(', ')}` }),
            ),
            limit: limit(200, 50),
            cursor,
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(BootstrapSessionsAnswerSchema), ...problemResponses },
      },
    },
    async ({ query, principal }) => {
      const states = query.state === undefined ? undefined : statesOf(query.state, bootstrapStates);
      const { items, next } = await visiblePage(
        { limit: query.limit ?? 50, ...(query.cursor === undefined ? {} : { cursor: query.cursor }) },
        (page) =>
          bootstrap.sessions({
            ...page,
            ...(query.endpoint === undefined ? {} : { endpoint: query.endpoint }),
            ...(states === undefined ? {} : { states }),
          }),
        (found) => tenancy.visible(principal, found),
      );
      return { items: items.map(presentBootstrapSession), next: next ?? null };
    },
  );

  app.get(
    '/api/bootstrap/sessions/:id',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'getBootstrapSession',
        summary: 'One bootstrap, step by step',
        tags,
        params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }),
        response: { 200: ref(BootstrapSessionSchema), ...problemResponses },
      },
    },
    async ({ params: { id }, principal }) => {
      const session = await bootstrap.session(id);
      const [visible] = session === undefined ? [] : await tenancy.visible(principal, [session]);
      if (visible === undefined) {
        throw new ProblemError('unknown_bootstrap', `there is no bootstrap '${id.slice(0, 64)}'`);
      }
      return presentBootstrapSession(visible);
    },
  );

  app.get(
    '/api/devices/:endpoint/bootstrap',
    {
      schema: {
        operationId: 'getDeviceBootstrap',
        summary: 'What a device gets by a bootstrap, and how those that it had went',
        description: 'The device need not be known yet.',
        tags,
        params: EndpointParams,
        response: { 200: ref(DeviceBootstrapSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint } }) => {
      const [choice, { items }] = await Promise.all([
        bootstrap.chosen(endpoint),
        bootstrap.sessions({ endpoint, limit: sessionsShown }),
      ]);
      return {
        assigned: choice.assigned ?? null,
        profile: choice.profile === undefined ? null : { id: choice.profile.id, name: choice.profile.name },
        ...(choice.profile === undefined ? { reason: choice.reason } : {}),
        sessions: items.map(presentBootstrapSession),
      };
    },
  );

  app.put(
    '/api/devices/:endpoint/bootstrap/profile',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'assignBootstrapProfile',
        summary: 'Assign a bootstrap profile to a device by itself, whatever the rules say',
        tags,
        params: EndpointParams,
        body: ref(BootstrapAssignmentBodySchema),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint }, body }, reply) => {
      await bootstrap.assign(endpoint, body.profile);
      return reply.code(204).send(null);
    },
  );

  app.delete(
    '/api/devices/:endpoint/bootstrap/profile',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'unassignBootstrapProfile',
        summary: 'Let the rules say again what a device gets',
        tags,
        params: EndpointParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint } }, reply) => {
      if (!(await bootstrap.unassign(endpoint))) {
        throw new ProblemError(
          'unknown_bootstrap_profile',
          `no bootstrap profile is assigned to '${endpoint}'`,
        );
      }
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/devices/:endpoint/bootstrap',
    {
      schema: {
        operationId: 'triggerBootstrap',
        summary: 'Have the device ask its bootstrap server for a bootstrap now',
        description:
          'Executes Bootstrap-Request Trigger of its Server object; what follows is in the sessions.',
        tags,
        params: EndpointParams,
        querystring: Type.Object(
          {
            instance: Type.Optional(
              Type.Integer({
                minimum: 0,
                maximum: 65_534,
                description: "Instance of the device's Server object; found out where absent",
              }),
            ),
            timeout,
          },
          { additionalProperties: false },
        ),
        body: Type.Null(),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query }, reply) => {
      await server.triggerBootstrap(endpoint, { ...query, ...requestOptions(query, reply, closing) });
      return reply.code(204).send(null);
    },
  );
};

function unknownProfile(id: string): ProblemError {
  return new ProblemError('unknown_bootstrap_profile', `there is no bootstrap profile '${id.slice(0, 64)}'`);
}
