import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { closeInTime } from '../api/closing.ts';
import { refuseLongPaths, routerParamLength } from '../api/long-paths.ts';
import { answerUnreadable, logRequests } from '../api/request-errors.ts';
import { guardRequests } from '../api/security.ts';
import { closeSilentConnections } from '../api/silent-connections.ts';
import type { LeshanDependencies } from './dependencies.ts';
import { LeshanEventStreams } from './event-streams.ts';
import { LeshanRefusal, refusalOf } from './refusals.ts';
import { clientRoutes } from './routes/clients.ts';
import { eventRoutes } from './routes/events.ts';
import { serverRoutes } from './routes/server.ts';
import { requireToken } from './token.ts';

/** As those of the API of our own. */
const BODY_LIMIT = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;
const REQUEST_CHECK_MS = 5_000;

/**
 * Builds the interface that scripts for the demo server of Eclipse Leshan speak; the caller listens. Closing it ends
 * the event streams, and waits for requests that are under way.
 */
export async function buildLeshanApi(deps: LeshanDependencies): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { connectionsCheckingInterval: REQUEST_CHECK_MS },
    routerOptions: { maxParamLength: routerParamLength },
    return503OnClosing: true,
    clientErrorHandler: answerUnreadable,
    frameworkErrors: answerRefusal,
  });
  app.setErrorHandler(answerRefusal);
  app.setNotFoundHandler(() => {
    throw new LeshanRefusal(404, 'Not Found');
  });
  // Bodies are read by those who know what they are; a foreign page is kept out by its Origin.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  const { clock, feed, token } = deps;
  const closing = closeInTime(app, clock);
  closeSilentConnections(app);
  const streams = new LeshanEventStreams(feed, deps.live, clock, deps.log);
  app.addHook('preClose', () => streams.close());

  logRequests(app);
  guardRequests(app, deps.allowedHosts);
  if (token !== undefined) requireToken(app, token);
  refuseLongPaths(app);

  const options = { ...deps, closing };
  await app.register(clientRoutes, options);
  await app.register(eventRoutes, { ...options, streams });
  await app.register(serverRoutes, options);
  await app.ready();
  return app;
}

function answerRefusal(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const refusal = refusalOf(error);
  if (refusal === undefined) {
    const { method, url } = request;
    request.log.error({ err: error, method, url }, 'a request failed by a fault');
  }
  const { status, message } =
    refusal ?? new LeshanRefusal(500, 'Unexpected exception: the server has a fault');
  reply.code(status).type('text/plain; charset=UTF-8').send(message);
}
