import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import {
  type LoginUnderWay,
  ProviderRefusedError,
  ProviderUnavailableError,
} from '../../people/identity-provider.ts';
import { noteAudit, noteProblem } from '../auditing.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ProblemError } from '../problems.ts';
import { problemResponses } from '../route-schemas.ts';
import { LoginWaysSchema } from '../schemas.ts';
import { setLoginCookie, setSessionCookie, takeLoginCookie } from '../session-cookie.ts';
import { ref } from '../shared-schemas.ts';
import { sourceOf } from '../sources.ts';

const tags = ['people'];

interface KeptLogin extends LoginUnderWay {
  readonly to: string;
}

/** Logging in at an identity provider: the way there, and the way back. */
export const providerLoginRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { people, provider },
) => {
  app.get(
    '/api/login',
    {
      config: { needs: 'public' },
      schema: {
        operationId: 'getLoginWays',
        summary: 'How one may log in',
        tags,
        security: [],
        response: { 200: ref(LoginWaysSchema), ...problemResponses },
      },
    },
    async () => ({ password: true, ...(provider !== undefined && { provider: provider.label }) }),
  );

  app.get(
    '/api/login/provider',
    {
      config: { needs: 'public' },
      schema: {
        operationId: 'loginAtProvider',
        summary: 'Send the browser to the identity provider',
        tags,
        security: [],
        querystring: Type.Object(
          {
            to: Type.Optional(
              Type.String({ maxLength: 1000, description: 'Page of the console to go to afterwards' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 302: Type.Null({ description: 'To the provider' }), ...problemResponses },
      },
    },
    async ({ query }, reply) => {
      if (provider === undefined) throw noProvider();
      try {
        const { url, login } = await provider.begin();
        setLoginCookie(reply, JSON.stringify({ ...login, to: pageOf(query.to) } satisfies KeptLogin));
        return goTo(reply, url);
      } catch (error) {
        if (error instanceof ProviderUnavailableError) throw unavailable(error);
        throw error;
      }
    },
  );

  app.get(
    '/api/login/provider/callback',
    {
      config: { needs: 'public', audited: true },
      schema: {
        operationId: 'loginFromProvider',
        summary: 'Where the identity provider sends the browser back',
        tags,
        security: [],
        response: { 302: Type.Null({ description: 'To the console' }), ...problemResponses },
      },
    },
    async (request, reply) => {
      if (provider === undefined) throw noProvider();
      noteAudit(request, { actor: { kind: 'nobody', name: '' } });
      const kept = parseKept(takeLoginCookie(request, reply));
      try {
        if (kept === undefined)
          throw new ProviderRefusedError('this browser has begun no log-in, or long ago');
        const query = request.url.split('?')[1] ?? '';
        const { name, role, tenant } = await provider.finish(query, kept);
        const provided = { role, ...(tenant !== undefined && { tenant }) };
        noteAudit(request, {
          actor: { kind: 'oidc', name, ...(tenant !== undefined && { tenant }) },
          target: name,
          detail: provided,
        });
        const place = { source: sourceOf(request), agent: request.headers['user-agent'] };
        const { session, secret } = await people.begin(name, place, provided);
        setSessionCookie(reply, secret, session.lastsUntil, session.createdAt);
        return goTo(reply, kept.to);
      } catch (error) {
        if (error instanceof ProviderUnavailableError) throw unavailable(error);
        if (!(error instanceof ProviderRefusedError)) throw error;
        // A person stands before it: he gets a page that says so, and not a problem document.
        request.log.info({ reason: error.message }, 'a log-in at the identity provider came to nothing');
        noteProblem(request, 'login_failed');
        noteAudit(request, { outcome: 'refused', detail: { reason: error.message } });
        return goTo(reply, '/?login=refused');
      }
    },
  );
};

function goTo(reply: FastifyReply, url: string): FastifyReply {
  return reply.code(302).header('location', url).send(null);
}

/** A page of the console: never another site's (`//host`, `/\host`). */
function pageOf(to: string | undefined): string {
  return to !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(to) ? to : '/';
}

function parseKept(text: string | undefined): KeptLogin | undefined {
  if (text === undefined) return undefined;
  let kept: Partial<Record<keyof KeptLogin, unknown>> | null;
  try {
    kept = JSON.parse(text);
  } catch {
    // Whatever it is, it is not what was set here.
    return undefined;
  }
  const { state, nonce, verifier, to } = kept ?? {};
  const texts = [state, nonce, verifier, to];
  if (!texts.every((one) => typeof one === 'string' && one !== '')) return undefined;
  return { state: String(state), nonce: String(nonce), verifier: String(verifier), to: pageOf(String(to)) };
}

function noProvider(): ProblemError {
  return new ProblemError(
    'no_provider',
    'this server knows no identity provider: log in by name and password',
  );
}

function unavailable(error: ProviderUnavailableError): ProblemError {
  return new ProblemError('provider_unavailable', error.message);
}
