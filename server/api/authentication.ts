import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Identity } from '../people/identities.ts';
import type { People } from '../people/people.ts';
import { isAllowed, localPrincipal, type Needs, type Principal } from '../people/principal.ts';
import { ProblemError } from './problems.ts';
import { routeOf } from './route-of.ts';
import { sessionCookie } from './session-cookie.ts';
import { isLoopbackAddress, sourceOf } from './sources.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes it. Not there for a public route, where nobody need be. */
    readonly principal: Principal;
  }
  interface FastifyContextConfig {
    /** What the route takes; by its method where absent: GET and HEAD `read`, others `operate`. */
    needs?: Needs;
  }
}

/** What the console sends with whatever acts, and no page elsewhere can: a foreign header needs a leave that is never given. */
export const consoleHeader = 'x-simyard-console';

/** By what somebody showed who he is; by nothing, where no log-in is needed. */
type Means = 'bearer' | 'cookie' | 'nothing';

interface Known {
  readonly identity: Identity;
  readonly means: Means;
  /** Undefined where nothing was shown. */
  readonly secret?: string;
}

const known = Symbol('known');

declare module 'fastify' {
  interface FastifyRequest {
    [known]?: Known;
  }
}

export interface AuthenticationOptions {
  readonly people: Pick<People, 'identities'>;
  /** False: who shows nothing, and is on this machine, may do everything. */
  readonly loginRequired: boolean;
  /** From the settings: good for /metrics alone. */
  readonly metricsToken?: string | undefined;
}

const metrics: Identity = {
  principal: { id: 'token:metrics', kind: 'token', name: 'metrics', role: 'viewer', scopes: ['metrics'] },
  mustChange: false,
};

const local: Identity = { principal: localPrincipal, mustChange: false };

/** What is for everybody: the console's files, which have nothing of anybody's in them, and the pages about the API. */
const isPublicPath = (url: string): boolean =>
  ['/', '/*', '/healthz', '/openapi.json'].includes(url) || url === '/docs' || url.startsWith('/docs/');

/**
 * Finds out who makes each request, and refuses what he may not do. To be called before the routes are registered: those that do
 * not say what they need get it from their method, so that none is open by having been forgotten.
 */
export function authenticate(app: FastifyInstance, options: AuthenticationOptions): void {
  const { people, loginRequired, metricsToken } = options;
  app.addHook('onRoute', (route: RouteOptions) => {
    const needs = route.config?.needs ?? (isPublicPath(route.url) ? 'public' : needsOfMethod(route.method));
    route.config = { ...route.config, needs };
  });
  app.decorateRequest('principal', {
    getter(this: FastifyRequest): Principal {
      const found = this[known];
      if (found === undefined)
        throw new Error(`${this.method} ${this.routeOptions.url} is public: nobody need be there`);
      return found.identity.principal;
    },
  });
  app.addHook('onRequest', (request, reply, done) => {
    const needs = request.is404 ? 'public' : neededBy(request);
    if (needs === 'public') {
      done();
      return undefined;
    }
    const isMetrics = needs === 'metrics' && showsToken(request, metricsToken);
    if (!isMetrics && secretOf(request) !== undefined) {
      return identify(request, people, loginRequired).then((found) => admit(request, reply, needs, found));
    }
    admit(
      request,
      reply,
      needs,
      isMetrics ? { identity: metrics, means: 'bearer' } : unnamed(request, loginRequired),
    );
    done();
    return undefined;
  });
}

/** Takes down who makes the request. @throws ProblemError nobody does, or he may not */
function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  needs: Exclude<Needs, 'public'>,
  found: Known | undefined,
): void {
  if (found === undefined) throw notLoggedIn(request, reply);
  request[known] = found;
  checkConsole(request, found);
  const { principal, mustChange } = found.identity;
  if (mustChange && needs !== 'self') {
    throw new ProblemError('password_change_required', 'the password has to be changed first');
  }
  if (!isAllowed(principal, needs)) {
    throw new ProblemError(
      'not_allowed',
      `it takes ${needs}, and '${principal.name}' is ${described(principal)}`,
    );
  }
}

/** Who makes the request; undefined for nobody, which is on public routes alone. */
export function identityOf(request: FastifyRequest): Identity | undefined {
  return request[known]?.identity;
}

/** Whether who made a request that goes on for long, as an event stream, may still. @throws StoreUnavailableError */
export async function isStillAllowed(
  request: FastifyRequest,
  people: Pick<People, 'identities'>,
): Promise<boolean> {
  const found = request[known];
  if (found?.secret === undefined) return found !== undefined;
  const now = await people.identities.of(found.secret);
  if (now === undefined || now.mustChange) return false;
  const { role, tenant } = found.identity.principal;
  return now.principal.role === role && now.principal.tenant === tenant;
}

/** For a public route that wants to know nevertheless, as the log-in does, which ends the session of before. */
export async function identify(
  request: FastifyRequest,
  people: Pick<People, 'identities'>,
  loginRequired: boolean,
): Promise<Known | undefined> {
  const shown = secretOf(request);
  if (shown !== undefined) {
    const identity = await people.identities.of(shown.secret);
    if (identity !== undefined) return { identity, ...shown };
    // Who shows a token means to be somebody. A cookie may be one of before, or another server's on this host.
    if (shown.means === 'bearer') return undefined;
  }
  return unnamed(request, loginRequired);
}

/** Who makes a request that shows nothing of its maker. */
function unnamed(request: FastifyRequest, loginRequired: boolean): Known | undefined {
  return loginRequired || !isOnThisMachine(request) ? undefined : { identity: local, means: 'nothing' };
}

function secretOf(request: FastifyRequest): { readonly secret: string; readonly means: Means } | undefined {
  // RFC 6750 §2.1
  const bearer = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return { secret: bearer, means: 'bearer' };
  const cookie = sessionCookie(request);
  return cookie === undefined ? undefined : { secret: cookie, means: 'cookie' };
}

/** In a time that tells nothing of the token. */
function showsToken(request: FastifyRequest, token: string | undefined): boolean {
  const shown = secretOf(request);
  if (token === undefined || shown?.means !== 'bearer') return false;
  const [a, b] = [shown.secret, token].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

/** What proxies add to a request, beside all that begins with `x-forwarded-`. */
const proxyHeaders: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-original-forwarded-for',
  'cf-connecting-ip',
  'true-client-ip',
  'fastly-client-ip',
]);

/**
 * What came through a proxy comes from anywhere, although the proxy is here. One that adds nothing cannot be told from
 * a program of this machine: there SIMYARD_LOGIN has to say that a log-in is required.
 */
function isOnThisMachine(request: FastifyRequest): boolean {
  const isForwarded = Object.keys(request.headers).some(
    (name) => proxyHeaders.has(name) || name.startsWith('x-forwarded-'),
  );
  return !isForwarded && isLoopbackAddress(sourceOf(request));
}

/** A GET that is held until its device can be asked makes a command. */
function neededBy(request: FastifyRequest): Needs {
  const { needs = 'administer' } = routeOf(request).config;
  return needs === 'read' && /respond-async/i.test(String(request.headers.prefer)) ? 'operate' : needs;
}

function needsOfMethod(method: RouteOptions['method']): Needs {
  return [method].flat().every((name) => name === 'GET' || name === 'HEAD') ? 'read' : 'operate';
}

/**
 * A browser sends the cookie by itself, so whoever made it send the request must be a page of ours. SameSite=Strict keeps the
 * cookie from requests of other sites, the check of Origin those of other ports and names; this header, those of browsers that
 * send no Origin, for only a script of this very origin can add one without a preflight, which is never answered.
 */
function checkConsole(request: FastifyRequest, { means }: Known): void {
  if (means !== 'cookie' || request.method === 'GET' || request.method === 'HEAD') return;
  if (request.headers[consoleHeader] !== undefined) return;
  throw new ProblemError(
    'console_header_missing',
    `a request that is made by a cookie and acts needs the header ${consoleHeader}; programs use Authorization: Bearer`,
  );
}

/** RFC 6750 §3 */
function notLoggedIn(request: FastifyRequest, reply: FastifyReply): ProblemError {
  const isShown = secretOf(request)?.means === 'bearer';
  reply.header('www-authenticate', `Bearer realm="simyard"${isShown ? ', error="invalid_token"' : ''}`);
  return new ProblemError(
    'not_logged_in',
    isShown ? 'the token is none, or none any more' : 'log in by POST /api/login, or show a token',
  );
}

function described({ role, scopes }: Principal): string {
  const article = role === 'viewer' ? 'a' : 'an';
  return scopes === undefined
    ? `${article} ${role}`
    : `${article} ${role} with ${scopes.join(', ') || 'no scope'}`;
}
