import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Principal } from '../../people/principal.ts';
import { isAllowed } from '../../people/principal.ts';
import { nameOfSession, providedUser, type Session } from '../../ports/user-store.ts';
import { noteAudit } from '../auditing.ts';
import { identityOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentSession } from '../people-presenters.ts';
import { ProblemError } from '../problems.ts';
import { noContent, problemResponses } from '../route-schemas.ts';
import { SessionsAnswerSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['people'];
const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });

/** Who is logged in: one's own sessions, and for administrators everybody's. */
export const sessionRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (app, { people }) => {
  app.get(
    '/api/sessions',
    {
      config: { needs: 'read', tenants: 'own' },
      schema: {
        operationId: 'listSessions',
        summary: 'Who is logged in: oneself; for administrators, everybody',
        tags,
        response: { 200: ref(SessionsAnswerSchema), ...problemResponses },
      },
    },
    async (request) => {
      const { principal } = request;
      const present = identityOf(request)?.session?.id;
      const sessions = await people.sessions(seesAll(principal) ? undefined : userOf(principal));
      return {
        items: sessions
          .filter((session) => isSeen(principal, session))
          .map((session) => presentSession(session, present)),
      };
    },
  );

  app.delete(
    '/api/sessions/:id',
    {
      // Of one's own; of others' it takes an administrator.
      config: { needs: 'read', tenants: 'own' },
      schema: {
        operationId: 'endSession',
        summary: 'Log somebody out',
        tags,
        params: IdParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const session = await people.session(id);
      if (session === undefined || !isSeen(request.principal, session)) {
        throw new ProblemError('unknown_session', `there is no session '${id}'`);
      }
      noteAudit(request, { target: nameOfSession(session) });
      await people.logout(id);
      return reply.code(204).send(null);
    },
  );
};

/** An administrator of one tenant has nothing to do with people. */
function seesAll(principal: Principal): boolean {
  return principal.tenant === undefined && isAllowed(principal, 'administer');
}

function isSeen(principal: Principal, { user }: Session): boolean {
  return seesAll(principal) || user === userOf(principal);
}

/** As sessions have it: of a token the user whose it is. */
function userOf({ kind, name, owner }: Principal): string {
  if (kind === 'oidc') return providedUser(name);
  return kind === 'token' ? (owner ?? '') : name;
}
