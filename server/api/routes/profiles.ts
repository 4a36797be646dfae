import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { systemClock } from '../../../protocol/clock.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { isProfileId } from '../../lwm2m/profile-ids.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { objectLinksOf } from '../object-content.ts';
import { presentProfile } from '../presenters.ts';
import { ProblemError } from '../problems.ts';
import { noContent, problemResponses } from '../route-schemas.ts';
import { ProfileBodySchema, ProfileSchema, ProfilesAnswerSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['profiles'];
const IdParams = Type.Object({
  id: Type.String({ minLength: 1, description: '`6:27354b9a`, `oma:…` or `v:…`, URL-encoded' }),
});

/** What profile ids stand for, OMA-TS-LightweightM2M_Core-V1_2 §6.2.1. */
export const profileRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { stores, clock = systemClock },
) => {
  app.get(
    '/api/profiles',
    {
      config: { tenants: 'shared' },
      schema: {
        operationId: 'listProfiles',
        summary: 'Profile ids that devices may send in the place of their objects',
        tags,
        response: { 200: ref(ProfilesAnswerSchema), ...problemResponses },
      },
    },
    async () => ({ items: (await stores.profiles.list()).map(presentProfile) }),
  );

  app.put(
    '/api/profiles/:id',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'putProfile',
        summary: 'Say what a profile id stands for',
        tags,
        params: IdParams,
        body: ref(ProfileBodySchema),
        response: { 200: ref(ProfileSchema), ...problemResponses },
      },
    },
    async ({ params: { id }, body }) => {
      if (!isProfileId(id)) throw new RequestError(`'${id.slice(0, 64)}' is no profile id`);
      const profile = { id, links: objectLinksOf(body.objects), storedAt: Math.floor(clock.wallTime()) };
      await stores.profiles.put(profile);
      return presentProfile(profile);
    },
  );

  app.delete(
    '/api/profiles/:id',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'removeProfile',
        summary: 'Forget what a profile id stands for',
        description: 'Devices that are registered with it stay so.',
        tags,
        params: IdParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      if (!(await stores.profiles.remove(id))) {
        throw new ProblemError('unknown_profile', `there is no profile '${id.slice(0, 64)}'`);
      }
      return reply.code(204).send(null);
    },
  );
};
