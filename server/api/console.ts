import { sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from './problems.ts';

/** Only what comes from here: no inline script or style, no data: address, no other origin. */
const consoleContentPolicy =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const notBuilt = `The console is not built. 'npm start' builds it and starts everything.

/docs          the API, to try in the browser
/openapi.json  the same for programs
/healthz       whether the server is ready
/metrics       figures for Prometheus
`;

/** Serves the console's files, and its page for every path that is the console's own to interpret. */
export async function serveConsole(app: FastifyInstance, root: string | undefined): Promise<void> {
  if (root === undefined) {
    app.get('/', { schema: { hide: true } }, (_request, reply) =>
      reply.type('text/plain; charset=utf-8').send(notBuilt),
    );
    app.setNotFoundHandler(noSuchRoute);
    return;
  }
  await app.register(fastifyStatic, {
    root,
    preCompressed: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      // File names under assets/ carry a hash of their content: what has the same name is the same.
      const hashed = path.includes(`${sep}assets${sep}`);
      reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      reply.header('content-security-policy', consoleContentPolicy);
    },
  });
  app.setNotFoundHandler((request, reply) =>
    isConsolePage(request) ? reply.sendFile('index.html') : noSuchRoute(request, reply),
  );
}

function noSuchRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = problem('route_not_found', `${request.method} ${request.url.split('?')[0]} is not there`);
  return reply.code(answer.status).type('application/problem+json').send(answer);
}

/** A browser that goes to a page asks for HTML; a missing script or a mistyped API path does not. */
function isConsolePage(request: FastifyRequest): boolean {
  const reads = request.method === 'GET' || request.method === 'HEAD';
  const path = request.url.split('?')[0] ?? '';
  return reads && !/^\/api(\/|$)/.test(path) && (request.headers.accept ?? '').includes('text/html');
}
