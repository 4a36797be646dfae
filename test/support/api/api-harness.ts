import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { systemClock } from '../../../protocol/clock.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import { allowHosts } from '../../../server/api/allowed-hosts.ts';
import type { ApiDependencies } from '../../../server/api/dependencies.ts';
import { traceContents } from '../../../server/api/device-trace.ts';
import { checkHeldRequest, checkRequest } from '../../../server/api/held-requests.ts';
import { buildApi } from '../../../server/api/index.ts';
import { jobDevices } from '../../../server/api/job-devices.ts';
import { presentJob } from '../../../server/api/job-presenters.ts';
import { presentEvent, presentLiveReadings } from '../../../server/api/presenters.ts';
import type { ApiHeldRequestBody } from '../../../server/api/schemas.ts';
import { namedSchemas } from '../../../server/api/shared-schemas.ts';
import { BootstrapService } from '../../../server/bootstrap/bootstrap-service.ts';
import { defaultProfile } from '../../../server/bootstrap/default-profile.ts';
import { singleNode } from '../../../server/cluster/single-node.ts';
import { CarrierService } from '../../../server/commands/carrier-service.ts';
import { RequestService } from '../../../server/commands/request-service.ts';
import { loadConfig } from '../../../server/config.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { composeEnrolment } from '../../../server/enrolment/compose-enrolment.ts';
import type { JobRunner } from '../../../server/jobs/job-runner.ts';
import { composeJobs } from '../../../server/jobs/jobs.ts';
import { LiveHub } from '../../../server/live/hub.ts';
import { EventPublisher } from '../../../server/live/publisher.ts';
import { ListeningTimes } from '../../../server/lwm2m/listening-times.ts';
import { ObjectModels } from '../../../server/lwm2m/object-models.ts';
import { composePolicies, openPolicyBook } from '../../../server/lwm2m/observation-policies.ts';
import { PresenceWindows } from '../../../server/lwm2m/presence-windows.ts';
import { AuditTrail } from '../../../server/people/audit-trail.ts';
import { DeviceEntries } from '../../../server/people/device-entries.ts';
import { PasswordHasher } from '../../../server/people/password.ts';
import { People } from '../../../server/people/people.ts';
import { Tenancy } from '../../../server/people/tenancy.ts';
import type { Command } from '../../../server/ports/command-queue.ts';
import type { Registration } from '../../../server/ports/registration-store.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { FleetStatistics } from '../../../server/statistics/fleet-statistics.ts';
import { DeviceTraces } from '../../../server/trace/device-traces.ts';
import { FlightRecorder } from '../../../server/trace/flight-recorder.ts';
import { createAddressPolicy } from '../../../server/webhooks/address-policy.ts';
import { createSender } from '../../../server/webhooks/sender.ts';
import { WebhookService } from '../../../server/webhooks/service.ts';
import { ScriptedRequests } from './scripted-requests.ts';

/** One line of the log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly err?: { readonly message: string; readonly stack: string };
  readonly [key: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: LightMyRequestResponse['headers'];
  readonly text: string;
  /** Parsed, where it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape, checked against their schema here
  readonly body: any;
}

type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE' | 'HEAD';

/** The API on the real embedded stores in memory, with devices by script. */
export class ApiHarness {
  readonly app: FastifyInstance;
  readonly stores: Stores;
  readonly hub: LiveHub;
  readonly requests: ScriptedRequests;
  /** Takes datagrams by its `tap`. */
  readonly traces: DeviceTraces;
  readonly log: LogLine[];
  readonly people: People;
  readonly #jobs: JobRunner;
  readonly #closeWebhooks: () => Promise<void>;
  #base: Promise<string> | undefined;

  private constructor(
    app: FastifyInstance,
    stores: Stores,
    hub: LiveHub,
    requests: ScriptedRequests,
    traces: DeviceTraces,
    log: LogLine[],
    people: People,
    jobs: JobRunner,
    closeWebhooks: () => Promise<void>,
  ) {
    this.#closeWebhooks = closeWebhooks;
    this.app = app;
    this.stores = stores;
    this.hub = hub;
    this.requests = requests;
    this.traces = traces;
    this.log = log;
    this.people = people;
    this.#jobs = jobs;
  }

  static async open(overrides: Partial<ApiDependencies> = {}): Promise<ApiHarness> {
    const log: LogLine[] = [];
    const logger = pino({ level: 'debug' }, { write: (line) => log.push(JSON.parse(line)) });
    const stores = await openEmbeddedStores({ path: ':memory:' });
    const tenancy = new Tenancy({ ...stores });
    const hub = await LiveHub.open(stores.events, stores.log, systemClock, tenancy);
    const requests = new ScriptedRequests();
    const onStep = (command: Command): void => jobs.runner.stepped(command);
    const commands = new CarrierService({
      stores,
      requests,
      clock: systemClock,
      carrierObject: 42769,
      onStep,
      onQueued: () => undefined,
    });
    const times = { onStep, onQueued: () => undefined };
    const heldRequests = new RequestService({ stores, clock: systemClock, ...times });
    const presence = new PresenceWindows({
      clock: systemClock,
      window: 93_000,
      log: logger,
      load: async () => ({}),
      onLearnt: () => undefined,
    });
    const listening = new ListeningTimes({ stores, presence, requests, log: logger });
    const registry = createObjectRegistry(standardObjects());
    const events = new EventPublisher(stores.events, hub, logger);
    const entries = new DeviceEntries({ ...stores, events, clock: systemClock });
    const models = new ObjectModels({
      registry,
      store: stores.objectModels,
      own: new Set([42769, 42770]),
      events,
      clock: systemClock,
    });
    const { service: policies } = composePolicies({
      stores,
      book: await openPolicyBook(stores, { carrierObject: 42769, sensorObject: 42770 }),
      lookupFor: () => registry,
      requests,
      observations: {
        observe: () => Promise.reject(new TimeoutError('there is no device here')),
        cancel: async () => false,
        stored: (id) => stores.observations.byRegistration(id),
        liveSince: () => [],
        adopt: () => undefined,
        abandon: () => undefined,
      },
      events,
      clock: systemClock,
      log: logger,
    });
    const needs = { stores, requests, registry, clock: systemClock };
    const jobs = composeJobs({
      stores,
      devices: jobDevices(stores.devices, systemClock),
      commands,
      requests: heldRequests,
      policies,
      entries,
      tenancy,
      checkRequest: (endpoint, request) => checkHeldRequest(needs, endpoint, request as ApiHeldRequestBody),
      check: (operation) => {
        if (operation.kind === 'request') checkRequest(operation.request as ApiHeldRequestBody, registry);
      },
      clock: systemClock,
      log: logger,
      onStep,
      onProgress: (job) => events.publish('job', undefined, Date.now(), { job: presentJob(job) }),
    });
    const live = overrides.live ?? hub;
    const sender = createSender({ policy: createAddressPolicy(['loopback']), userAgent: 'Simyard/1.2.3' });
    const webhooks = new WebhookService({
      stores,
      live,
      tenancy,
      events,
      send: sender,
      present: { event: presentEvent, readings: presentLiveReadings },
      clock: overrides.clock ?? systemClock,
      log: logger,
    });
    await webhooks.start();
    const closeWebhooks = async (): Promise<void> => {
      await webhooks.close();
      sender.close();
    };
    const traces = new DeviceTraces({
      recorder: new FlightRecorder(1024 * 1024, 1),
      clock: systemClock,
      stores,
      onLive: () => undefined,
      onError: (error) => logger.error({ err: error }, 'a trace'),
    });
    const people = new People({
      users: stores.users,
      clock: overrides.clock ?? systemClock,
      log: logger,
      sessionIdle: 3_600_000,
      sessionMaxAge: 86_400_000,
      // The least that there is: what it costs is no matter of these tests.
      hasher: new PasswordHasher({ memory: 8, passes: 1, parallelism: 1 }),
    });
    const app = await buildApi({
      people,
      audit: new AuditTrail(stores.audit, overrides.clock ?? systemClock, logger, 'n1'),
      loginRequired: false,
      traces: traceContents({
        stores,
        traces,
        registry,
        lookupFor: undefined,
        about: { coapAddress: '127.0.0.1:5683', version: '1.2.3' },
      }),
      jobs: jobs.service,
      heldRequests,
      listening,
      credentials: composeEnrolment({
        stores,
        events,
        clock: systemClock,
        log: logger,
        setTenant: (endpoint, tenant) => entries.setTenant(endpoint, tenant),
        onCutOff: () => undefined,
      }),
      log: logger,
      stores,
      requests,
      commands,
      policies,
      tenancy,
      entries,
      live: hub,
      bootstrap: new BootstrapService({
        store: stores.bootstrap,
        devices: stores.devices,
        builtIn: defaultProfile(undefined, true),
        registry,
        events,
        clock: overrides.clock ?? systemClock,
        longest: 300_000,
      }),
      webhooks,
      statistics: new FleetStatistics(
        stores,
        { pending: () => [], rates: { readings: 0, notifications: 0 } },
        overrides.clock ?? systemClock,
      ),
      registry,
      models,
      metrics: async () => '# TYPE simyard_test gauge\nsimyard_test 1\n',
      ready: () => stores.check(),
      about: {
        version: '1.2.3',
        node: 'n1',
        startedAt: 1_767_225_600_000,
        coapAddress: '127.0.0.1:5683',
        store: stores.description,
        coapUri: 'coap://127.0.0.1:5683',
      },
      cluster: singleNode({
        stores,
        load: { read: () => ({ cpu: 0.25, memory: 100_000_000, eventLoopDelay: 1.5 }) },
        lag: () => 0,
        node: { name: 'n1', version: '1.2.3', startedAt: 1_767_225_600_000, coap: 'coap://127.0.0.1:5683' },
        http: () => 'http://127.0.0.1:8080',
      }),
      settings: loadConfig({}, []).inForce,
      allowedHosts: allowHosts({ listenHost: '127.0.0.1' }),
      consoleRoot: undefined,
      ...overrides,
    });
    return new ApiHarness(app, stores, hub, requests, traces, log, people, jobs.runner, closeWebhooks);
  }

  /** One request; the answer is held against the schema that the OpenAPI document gives for it. */
  async call(
    method: Method,
    url: string,
    options: Omit<InjectOptions, 'method' | 'url'> = {},
  ): Promise<Answer> {
    const response = await this.app.inject({ ...options, method, url });
    const type = String(response.headers['content-type'] ?? '');
    const body: unknown =
      method !== 'HEAD' && /^application\/(problem\+)?json/.test(type) ? response.json() : undefined;
    const answer = { status: response.statusCode, headers: response.headers, text: response.body, body };
    const fault = answerFault(this.app, method, url, answer);
    if (fault !== undefined) throw new Error(`${method} ${url} answered ${answer.status}: ${fault}`);
    return answer;
  }

  /** A device that registers now. */
  async register(endpoint: string, overrides: Partial<Registration> = {}): Promise<Registration> {
    const registration = registrationOf(endpoint, overrides);
    await this.stores.registrations.register(registration);
    return registration;
  }

  /** Base URL of a real socket on a free port of loopback. */
  base(): Promise<string> {
    this.#base ??= this.app.listen({ host: '127.0.0.1', port: 0 });
    return this.#base;
  }

  async close(): Promise<void> {
    this.traces.close();
    await this.app.close();
    await this.#jobs.close();
    await this.#closeWebhooks();
    await this.stores.close();
  }
}

export function registrationOf(endpoint: string, overrides: Partial<Registration> = {}): Registration {
  const now = Date.now();
  return {
    id: `secret-${Buffer.from(endpoint).toString('hex')}`,
    endpoint,
    address: '127.0.0.1:40000',
    lifetime: 300,
    version: '1.1',
    binding: 'U',
    queueMode: false,
    rootPath: '/',
    links: [
      { target: '/1/0', attributes: {} },
      { target: '/3/0', attributes: {} },
      { target: '/42769/0', attributes: { ver: '1.0' } },
      { target: '/42770/0', attributes: {} },
      { target: '/42770/2', attributes: {} },
    ],
    contentFormats: [112],
    additional: {},
    registeredAt: now,
    updatedAt: now,
    expiresAt: now + 360_000,
    node: 'n1',
    ...overrides,
  };
}

interface Operation {
  readonly responses?: Readonly<
    Record<
      string,
      { readonly content?: Readonly<Record<string, { readonly schema?: { readonly $ref?: string } }>> }
    >
  >;
}

/** Why the answer is not what the document promises; undefined where it is. */
function answerFault(app: FastifyInstance, method: string, url: string, answer: Answer): string | undefined {
  if (answer.body === undefined) return undefined;
  const path = url.split('?')[0] ?? '';
  const operation = operationOf(app, method, path);
  const responses = operation?.responses ?? {};
  const declared = responses[String(answer.status)] ?? responses[`${String(answer.status)[0]}XX`];
  if (operation !== undefined && declared === undefined) return 'the status is not documented';
  const given = declared?.content?.['application/json']?.schema?.$ref?.split('/').at(-1);
  // Refusals are problems, but for a route that says otherwise of one status.
  const reference = answer.status >= 400 ? (given ?? 'Problem') : given;
  const schema: TSchema | undefined = reference === undefined ? undefined : namedSchemas.get(reference);
  if (schema === undefined) return operation === undefined ? undefined : 'the document has no schema for it';
  const validator = Compile(schema);
  return validator.Check(answer.body) ? undefined : JSON.stringify(validator.Errors(answer.body));
}

function operationOf(app: FastifyInstance, method: string, path: string): Operation | undefined {
  const found = Object.entries(app.swagger().paths ?? {})
    .filter(([template]) => templatePattern(template).test(path))
    // The most specific: fewest parameters first.
    .sort(([a], [b]) => a.split('{').length - b.split('{').length)[0];
  const operations = found?.[1] as Readonly<Record<string, Operation>> | undefined;
  return operations?.[method === 'HEAD' ? 'get' : method.toLowerCase()];
}

function templatePattern(template: string): RegExp {
  const pattern = template.replace(/\{path\}/g, '.+').replace(/\{[^}]+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`);
}
