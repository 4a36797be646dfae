import type { FastifyInstance, HTTPMethods } from 'fastify';
import { ProblemError } from './problems.ts';

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Answers 405 with `Allow` (RFC 9110 §15.5.6) where a path is known and its method is not. Must come
 * before the routes, which it collects; the function that it returns, after them.
 */
export function refuseOtherMethods(app: FastifyInstance): () => void {
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const offered = known.get(url) ?? new Set();
    for (const name of [method].flat()) offered.add(name);
    known.set(url, offered);
  });
  return () => {
    for (const [url, offered] of [...known]) {
      const allow = methods.filter((method) => offered.has(method)).join(', ');
      const refused = methods.filter((method) => !offered.has(method));
      if (refused.length === 0) continue;
      app.route({
        url,
        method: refused,
        schema: { hide: true },
        // Before anything of the request is read: what it holds does not matter.
        onRequest: async (request, reply) => {
          reply.header('allow', allow);
          throw new ProblemError('method_not_allowed', `${request.method} is not offered there: ${allow}`);
        },
        handler: async () => undefined,
      });
    }
  };
}
