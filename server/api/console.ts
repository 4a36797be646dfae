import { sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from './problems.ts';
import { answerErrors } from './request-errors.ts';

/** Only what comes from here: no inline script or style, no data: address, no other origin. */
const consoleContentPolicy =
  "default-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

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
  // A scope of its own, for its error handler.
  await app.register(async (files) => {
    await files.register(fastifyStatic, {
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
    files.setNotFoundHandler(pageOrNothing);
    files.setErrorHandler((error, request, reply) =>
      isNoFileName(error) ? pageOrNothing(request, reply) : answerErrors(error, request, reply),
    );
  });
}

function pageOrNothing(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return isConsolePage(request) ? reply.code(200).sendFile('index.html') : noSuchRoute(request, reply);
}

/** A path that cannot be a file's (`..`, an empty part, NUL, a name too long for the system) is one that is not there. */
function isNoFileName(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'FST_STATIC_FORBIDDEN_PATH';
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
