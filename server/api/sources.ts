import type { FastifyInstance, FastifyRequest } from 'fastify';
import { callerOf } from './rate-limits.ts';

/** Of a caller whose connection was gone before anybody asked where it came from. */
const UNKNOWN = 'unknown';

const sources = new WeakMap<FastifyRequest, string>();

/** Takes down from where each request comes while its connection is there: a socket that is closed has no address any more. */
export function rememberSources(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    sourceOf(request);
  });
}

/** The address that asks, as `callerOf` names it; `unknown` where there is none. */
export function sourceOf(request: FastifyRequest): string {
  const known = sources.get(request);
  if (known !== undefined) return known;
  // Fastify's type does not say that it may be missing.
  const address = request.ip as string | undefined;
  const source = address === undefined ? UNKNOWN : callerOf(address);
  sources.set(request, source);
  return source;
}
