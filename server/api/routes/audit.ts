import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { ApiDependencies } from '../dependencies.ts';
import { presentAuditEntry } from '../people-presenters.ts';
import { cursor, limit, problemResponses } from '../route-schemas.ts';
import { AuditPageSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const text = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 500, description }));
const time = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }));

/** What was done, by whom. */
export const auditRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (app, { stores }) => {
  app.get(
    '/api/audit',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'searchAudit',
        summary: 'What was done, by whom, on what, from where, and how it ended; newest first',
        description: 'Every request that acts, and every log-in. All that is given has to fit.',
        tags: ['people'],
        querystring: Type.Object(
          {
            actor: text('Name of who did it; of a token `<user>/<name>`'),
            action: text('The operation, as it is called here: `switchCarrier`'),
            target: text('On what: an endpoint name, a user, an id'),
            source: text('Address that asked'),
            outcome: Type.Optional(
              Type.Union([Type.Literal('done'), Type.Literal('refused'), Type.Literal('failed')]),
            ),
            from: time('Not before, ms since the epoch'),
            to: time('Before, ms since the epoch'),
            limit: limit(1000, 100),
            cursor,
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(AuditPageSchema), ...problemResponses },
      },
    },
    async ({ query }) => {
      const { items, next } = await stores.audit.search({ ...query, limit: query.limit ?? 100 });
      return { items: items.map(presentAuditEntry), next: next ?? null };
    },
  );
};
