import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { systemClock } from '../../protocol/clock.ts';
import { auditRequests } from './auditing.ts';
import { authenticate } from './authentication.ts';
import { closeInTime } from './closing.ts';
import { serveConsole } from './console.ts';
import { keepDeadlines } from './deadlines.ts';
import type { ApiDependencies } from './dependencies.ts';
import { EventStreams } from './event-streams.ts';
import { HttpMetrics } from './http-metrics.ts';
import { answerOnce } from './idempotency.ts';
import { acceptJsonOnly } from './json-bodies.ts';
import { refuseLongPaths, routerParamLength } from './long-paths.ts';
import { identifierMask, maskAnswers } from './masks.ts';
import { describeApi } from './openapi.ts';
import { refuseOtherMethods } from './other-methods.ts';
import { limitRates } from './rate-limits.ts';
import { answerErrors, answerUnreadable, logRequests } from './request-errors.ts';
import { holdWherePreferred } from './respond-async.ts';
import { attributeRoutes } from './routes/attributes.ts';
import { auditRoutes } from './routes/audit.ts';
import { bootstrapRoutes } from './routes/bootstrap.ts';
import { carrierRoutes } from './routes/carrier.ts';
import { clusterRoutes } from './routes/cluster.ts';
import { commandRoutes } from './routes/commands.ts';
import { compositeRoutes } from './routes/composite.ts';
import { credentialRoutes } from './routes/credentials.ts';
import { deviceRoutes } from './routes/devices.ts';
import { eventRoutes } from './routes/events.ts';
import { exportRoutes } from './routes/export.ts';
import { jobRoutes } from './routes/jobs.ts';
import { loginRoutes } from './routes/login.ts';
import { objectModelRoutes } from './routes/object-models.ts';
import { objectRoutes } from './routes/objects.ts';
import { observationPolicyRoutes } from './routes/observation-policies.ts';
import { observationRoutes } from './routes/observations.ts';
import { presenceRoutes } from './routes/presence.ts';
import { profileRoutes } from './routes/profiles.ts';
import { providerLoginRoutes } from './routes/provider-login.ts';
import { readingRoutes } from './routes/readings.ts';
import { requestRoutes } from './routes/requests.ts';
import { serverRoutes } from './routes/server.ts';
import { serverObjectRoutes } from './routes/server-object.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { statisticsRoutes } from './routes/statistics.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { traceRoutes } from './routes/trace.ts';
import { userRoutes } from './routes/users.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { guardRequests } from './security.ts';
import { closeSilentConnections } from './silent-connections.ts';
import { rememberSources } from './sources.ts';
import { keepTenantsApart } from './tenant-guard.ts';
import { validationError, validatorCompiler } from './validation.ts';

/** Bytes of a request's body. */
const BODY_LIMIT = 1024 * 1024;
/** How long a client may take to send a request, ms: one that trickles must not hold a connection for ever. */
const REQUEST_TIMEOUT_MS = 60_000;
/** How often Node looks for requests whose time is over, ms. Its own 30 s would let them have half as long again. */
const REQUEST_CHECK_MS = 5_000;
/** The version that `/api` is: both names lead to the same routes. */
const VERSION = '/api/v1/';
const MAX_EVENT_STREAMS = 4096;
const NO_LIMIT = { rate: 0, burst: 0 };

/**
 * Builds the HTTP API, the pages about it, and the console; the caller listens. Closing it ends the
 * event streams, and waits for requests that are under way.
 */
export async function buildApi(deps: ApiDependencies): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { connectionsCheckingInterval: REQUEST_CHECK_MS },
    rewriteUrl: ({ url = '/' }) => (url.startsWith(VERSION) ? `/api/${url.slice(VERSION.length)}` : url),
    routerOptions: { maxParamLength: routerParamLength },
    return503OnClosing: true,
    trustProxy: deps.trustedProxies?.length ? [...deps.trustedProxies] : false,
    schemaErrorFormatter: validationError,
    clientErrorHandler: answerUnreadable,
    frameworkErrors: answerErrors,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  // The presenters name what an answer holds, and the tests hold every answer against its schema.
  app.setSerializerCompiler(() => JSON.stringify);
  app.setErrorHandler(answerErrors);

  const clock = deps.clock ?? systemClock;
  const mask = identifierMask(deps.registry);
  const streams = new EventStreams(
    deps.live,
    clock,
    mask,
    deps.maxEventStreams ?? MAX_EVENT_STREAMS,
    deps.streamsPerCaller,
  );
  const httpMetrics = new HttpMetrics(() => streams.size);
  const closing = closeInTime(app, clock);
  closeSilentConnections(app);
  app.addHook('preClose', () => streams.close());

  logRequests(app);
  httpMetrics.observe(app);
  rememberSources(app);
  guardRequests(app, deps.allowedHosts);
  limitRates(app, deps.rateLimit ?? NO_LIMIT, clock);
  authenticate(app, deps);
  keepTenantsApart(app, deps.tenancy);
  auditRequests(app, deps.audit);
  maskAnswers(app, mask);
  refuseLongPaths(app);
  acceptJsonOnly(app);
  await describeApi(app, deps.about.version);

  keepDeadlines(app, clock, deps.requestTimeout);
  answerOnce(app, deps.stores.idempotency, clock, deps.processes);
  holdWherePreferred(app, deps);
  const refuseOthers = refuseOtherMethods(app);
  const options = { ...deps, closing, mask };
  await app.register(deviceRoutes, deps);
  await app.register(credentialRoutes, deps);
  await app.register(presenceRoutes, deps);
  await app.register(objectRoutes, options);
  await app.register(observationRoutes, options);
  await app.register(observationPolicyRoutes, options);
  await app.register(objectModelRoutes, deps);
  await app.register(attributeRoutes, options);
  await app.register(compositeRoutes, options);
  await app.register(serverObjectRoutes, options);
  await app.register(profileRoutes, deps);
  await app.register(carrierRoutes, deps);
  await app.register(commandRoutes, deps);
  await app.register(requestRoutes, deps);
  await app.register(jobRoutes, options);
  await app.register(readingRoutes, deps);
  await app.register(bootstrapRoutes, options);
  await app.register(webhookRoutes, deps);
  await app.register(exportRoutes, options);
  await app.register(traceRoutes, deps);
  await app.register(eventRoutes, { ...deps, streams, httpMetrics });
  await app.register(statisticsRoutes, deps);
  await app.register(serverRoutes, { ...deps, httpMetrics });
  await app.register(clusterRoutes, deps);
  await app.register(loginRoutes, deps);
  await app.register(providerLoginRoutes, deps);
  await app.register(userRoutes, deps);
  await app.register(sessionRoutes, deps);
  await app.register(tokenRoutes, deps);
  await app.register(auditRoutes, deps);
  refuseOthers();
  await serveConsole(app, deps.consoleRoot);
  await app.ready();
  return app;
}
