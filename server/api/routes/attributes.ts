import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { requestOptions } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { objectPath } from '../object-content.ts';
import { noContent, PathParams, problemResponses, timeout } from '../route-schemas.ts';
import { AttributeChangesSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

export const attributeRoutes: FastifyPluginAsyncTypebox<
  ApiDependencies & { readonly closing: AbortSignal }
> = async (app, { requests, closing }) => {
  app.put(
    '/api/devices/:endpoint/attributes/*',
    {
      schema: {
        operationId: 'writeAttributes',
        summary: 'Set or remove notification attributes of an object or of what is below one',
        description: 'Those that are not named stay; `null` removes one. Discover shows them.',
        tags: ['observations'],
        params: PathParams,
        querystring: Type.Object({ timeout }, { additionalProperties: false }),
        body: ref(AttributeChangesSchema),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params, query, body }, reply) => {
      const path = objectPath(params['*']).canonical;
      await requests.writeAttributes(params.endpoint, path, body, requestOptions(query, reply, closing));
      return reply.code(204).send(null);
    },
  );
};
