import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { LoginRefusedError } from '../../people/errors.ts';
import type { Identity } from '../../people/identities.ts';
import type { LoginPlace } from '../../people/people.ts';
import { noteAudit } from '../auditing.ts';
import { identify, identityOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentMe } from '../people-presenters.ts';
import { ProblemError } from '../problems.ts';
import { noContent, problemResponses } from '../route-schemas.ts';
import { LoginAnswerSchema, LoginBodySchema, MeSchema, PasswordChangeSchema } from '../schemas.ts';
import { clearSessionCookie, setSessionCookie } from '../session-cookie.ts';
import { ref } from '../shared-schemas.ts';
import { sourceOf } from '../sources.ts';

const tags = ['people'];

/** Logging in and out, and what concerns oneself. */
export const loginRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { people, loginRequired },
) => {
  app.post(
    '/api/login',
    {
      config: { needs: 'public', keepsNothing: true },
      schema: {
        operationId: 'login',
        summary: 'Log in by name and password',
        description:
          'The session is in a cookie, which a browser sends by itself; its token is in the answer too, for ' +
          '`Authorization: Bearer`. Guesses are slowed down by name and by address: 429 with Retry-After.',
        tags,
        security: [],
        body: ref(LoginBodySchema),
        response: { 200: ref(LoginAnswerSchema), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { username, password } = request.body;
      const name = username.trim().toLowerCase();
      noteAudit(request, { actor: { kind: 'nobody', name }, target: name });
      const begun = await people.login(name, password, placeOf(request));
      const { user, session, secret } = begun;
      noteAudit(request, {
        actor: { kind: 'user', name, ...(user.tenant !== undefined && { tenant: user.tenant }) },
      });
      // The browser has one cookie: what it had before is of no use to anybody any more.
      const before = await identify(request, people, true);
      if (before?.means === 'cookie' && before.identity.session !== undefined) {
        await people.logout(before.identity.session.id);
      }
      setSessionCookie(reply, secret, session.lastsUntil, session.createdAt);
      const identity = await people.identities.of(secret);
      if (identity === undefined)
        throw new LoginRefusedError('the user has been removed or disabled meanwhile');
      return { token: secret, expiresAt: session.endsAt, user: presentMe(identity) };
    },
  );

  app.post(
    '/api/logout',
    {
      config: { needs: 'self' },
      schema: {
        operationId: 'logout',
        summary: 'End the session by which this is asked',
        tags,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { session } = known(request);
      if (session !== undefined) await people.logout(session.id);
      clearSessionCookie(reply);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/api/me',
    {
      config: { needs: 'self' },
      schema: {
        operationId: 'getMe',
        summary: 'Who makes the request, and what he may do',
        tags,
        response: { 200: ref(MeSchema), ...problemResponses },
      },
    },
    async (request) => ({ ...presentMe(known(request)), loginRequired }),
  );

  app.put(
    '/api/me/password',
    {
      config: { needs: 'self', keepsNothing: true },
      schema: {
        operationId: 'changePassword',
        summary: 'Change one’s own password',
        description: 'One’s other sessions end.',
        tags,
        body: ref(PasswordChangeSchema),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { current, password } = request.body;
      try {
        await people.changePassword(known(request), current, password, placeOf(request));
      } catch (error) {
        // Who is logged in stays so: 401 would say that he is not.
        if (error instanceof LoginRefusedError) {
          throw new ProblemError('wrong_password', 'current: that is not the present password');
        }
        throw error;
      }
      return reply.code(204).send(null);
    },
  );
};

function placeOf(request: FastifyRequest): LoginPlace {
  return { source: sourceOf(request), agent: request.headers['user-agent'] };
}

/** The route takes somebody: who was not found out did not get here. */
function known(request: FastifyRequest): Identity {
  const identity = identityOf(request);
  if (identity === undefined) throw new Error(`${request.url} was reached by nobody`);
  return identity;
}
