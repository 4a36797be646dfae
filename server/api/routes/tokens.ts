import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { isAllowed, lesserRole, type Principal } from '../../people/principal.ts';
import { type ApiToken, scopes as allScopes, type Scope } from '../../ports/user-store.ts';
import { noteAudit } from '../auditing.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentToken } from '../people-presenters.ts';
import { ProblemError } from '../problems.ts';
import { noContent, problemResponses } from '../route-schemas.ts';
import { NewTokenAnswerSchema, NewTokenSchema, TokensAnswerSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['people'];
const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });

/** What programs show in place of a log-in: one's own tokens, and for administrators everybody's. */
export const tokenRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (app, { people }) => {
  app.get(
    '/api/tokens',
    {
      config: { needs: 'read', tenants: 'own' },
      schema: {
        operationId: 'listTokens',
        summary: 'The API tokens: one’s own; for administrators, all',
        tags,
        response: { 200: ref(TokensAnswerSchema), ...problemResponses },
      },
    },
    async ({ principal }) => ({
      items: (await people.tokens()).filter((token) => isSeen(principal, token)).map(presentToken),
    }),
  );

  app.post(
    '/api/tokens',
    {
      config: { needs: 'read', keepsNothing: true, tenants: 'own' },
      schema: {
        operationId: 'createToken',
        summary: 'Make a token for a program',
        description:
          'It may what its scopes say, and never more than who makes it. The token is in the answer, and is not told again.',
        tags,
        body: ref(NewTokenSchema),
        response: { 201: ref(NewTokenAnswerSchema), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { principal } = request;
      const { name, scopes, role = principal.role, expiresAt } = request.body;
      const tenant = principal.tenant ?? request.body.tenant;
      noteAudit(request, {
        target: name,
        detail: {
          scopes,
          role,
          ...(tenant !== undefined && { tenant }),
          ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
        },
      });
      checkMaker(principal, scopes, request.body.tenant);
      const owner = ownerOf(principal);
      const { token, secret } = await people.addToken({
        name,
        role: lesserRole(role, principal.role),
        scopes,
        ...(owner !== undefined && { user: owner }),
        ...(tenant !== undefined && { tenant }),
        ...(expiresAt !== undefined && { expiresAt }),
      });
      return reply
        .code(201)
        .header('location', `/api/tokens/${token.id}`)
        .send({ ...presentToken(token), token: secret });
    },
  );

  app.delete(
    '/api/tokens/:id',
    {
      config: { needs: 'read', tenants: 'own' },
      schema: {
        operationId: 'removeToken',
        summary: 'Make a token void',
        tags,
        params: IdParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const token = await people.token(id);
      const unknown = (): ProblemError => new ProblemError('unknown_token', `there is no token '${id}'`);
      if (token === undefined || !isSeen(request.principal, token)) throw unknown();
      noteAudit(request, {
        target: token.name,
        detail: { ...(token.user !== undefined && { user: token.user }) },
      });
      if (!(await people.removeToken(id))) throw unknown();
      return reply.code(204).send(null);
    },
  );
};

/** A token that gets out must not be able to make others that outlive it. @throws ProblemError */
function checkMaker(principal: Principal, scopes: readonly Scope[], tenant: string | undefined): void {
  if (principal.kind === 'oidc') {
    throw new ProblemError(
      'not_allowed',
      'a token is of a user of this server, and an identity provider says who you are',
    );
  }
  if (principal.kind === 'token' && !isAllowed(principal, 'administer')) {
    throw new ProblemError('not_allowed', 'a token makes others only with the scope administer');
  }
  const beyond = allScopes.filter((scope) => scopes.includes(scope) && !isAllowed(principal, scope));
  if (beyond.length > 0) {
    throw new ProblemError(
      'not_allowed',
      `'${principal.name}' may not ${beyond.join(', ')}, nor may a token of his`,
    );
  }
  if (principal.tenant !== undefined && tenant !== undefined && tenant !== principal.tenant) {
    throw new ProblemError('not_allowed', 'the token would be of another tenant');
  }
}

function ownerOf({ kind, name, owner }: Principal): string | undefined {
  if (kind === 'local') return undefined;
  return kind === 'token' ? owner : name;
}

function isSeen(principal: Principal, token: ApiToken): boolean {
  if (principal.tenant === undefined && isAllowed(principal, 'administer')) return true;
  const owner = ownerOf(principal);
  return owner !== undefined && token.user === owner;
}
