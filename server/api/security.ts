import type { FastifyInstance, FastifyRequest } from 'fastify';
import { hostname } from './allowed-hosts.ts';
import { ProblemError } from './problems.ts';

/** What no answer of ours needs more than: JSON is not rendered. The console and /docs set their own. */
const apiContentPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Headers of every answer; what may be kept by caches says so itself. */
const defaultHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': apiContentPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/**
 * Refuses what a web page elsewhere could make a browser send. On loopback being able to reach the port is all that
 * it takes, and elsewhere the browser sends the cookie by itself: a foreign page must not use its visitor's browser for that.
 */
export function guardRequests(app: FastifyInstance, allowedHosts: (host: string) => boolean): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(defaultHeaders);
    checkHost(request, allowedHosts);
    checkOrigin(request);
    checkFetchSite(request);
    done();
  });
}

/** DNS rebinding: the page's own name, pointed at this server, stands in Host. */
function checkHost(request: FastifyRequest, allowedHosts: (host: string) => boolean): void {
  const host = hostname(request.headers.host ?? '');
  if (host === undefined || !allowedHosts(host)) {
    throw new ProblemError('foreign_host', `'${request.headers.host ?? ''}' is not a name of this server`);
  }
}

/**
 * A browser names the page's origin (RFC 6454 §7) with whatever could change something. It must be this
 * server itself: the same host and port as in Host, which has been checked. `null` is no origin of ours.
 */
function checkOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  // No browser sends an empty one; a proxy for development may blank it.
  if (origin === undefined || origin === '') return;
  if (!isSameHost(origin, host ?? '')) {
    throw new ProblemError('foreign_origin', `a page of '${origin}' may not use this server`);
  }
}

/** Compares without the scheme, for a proxy before us may speak TLS; its default port is then 443. */
function isSameHost(origin: string, host: string): boolean {
  if (!/^https?:\/\//i.test(origin) || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  const here = `${protocol}//${host}`;
  return URL.canParse(here) && new URL(here).host === originHost;
}

/** Browsers that send no Origin (some forms, some redirects) still say this (Fetch Metadata). */
function checkFetchSite(request: FastifyRequest): void {
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (!reads && request.headers['sec-fetch-site'] === 'cross-site') {
    throw new ProblemError('foreign_origin', 'another site made this request');
  }
}
