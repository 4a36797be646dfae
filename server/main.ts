import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { createObjectRegistry, standardObjects } from '../objects/registry.ts';
import { type Clock, systemClock } from '../protocol/clock.ts';
import type { DatagramPort } from '../protocol/coap/datagram-port.ts';
import { createCoapEndpoint } from '../protocol/coap/endpoint.ts';
import { allowHosts } from './api/allowed-hosts.ts';
import { performHeldRequest } from './api/held-requests.ts';
import { buildApi } from './api/index.ts';
import { presentCommand, presentRegistration } from './api/presenters.ts';
import type { ApiHeldRequestBody } from './api/schemas.ts';
import { CarrierService } from './commands/carrier-service.ts';
import { CarrierSwitch } from './commands/carrier-switch.ts';
import { CommandDispatcher } from './commands/dispatcher.ts';
import { HeldRequest } from './commands/held-request.ts';
import { RequestService } from './commands/request-service.ts';
import { type Config, ConfigError, HelpRequested, loadConfig } from './config.ts';
import { openEmbeddedStores } from './embedded/index.ts';
import { announce, listen, openUdpPort } from './listen.ts';
import { LiveHub } from './live/hub.ts';
import { EventPublisher } from './live/publisher.ts';
import { createLog } from './log.ts';
import { deviceInterface } from './lwm2m/device-interface.ts';
import { DeviceLifecycle } from './lwm2m/device-lifecycle.ts';
import { DeviceModels } from './lwm2m/device-models.ts';
import { DeviceOperations } from './lwm2m/device-operations.ts';
import { DeviceReach } from './lwm2m/device-reach.ts';
import { RegistrationExpiry } from './lwm2m/expiry.ts';
import { ListeningTimes } from './lwm2m/listening-times.ts';
import { ObjectModels } from './lwm2m/object-models.ts';
import { composePolicies, type OpenedPolicies, openPolicyBook } from './lwm2m/observation-policies.ts';
import { ObservationService } from './lwm2m/observation-service.ts';
import { PresenceWindows } from './lwm2m/presence-windows.ts';
import { Profiles } from './lwm2m/profiles.ts';
import { RegistrationInterface } from './lwm2m/registration-interface.ts';
import { SendInterface } from './lwm2m/send-interface.ts';
import { registerMetrics } from './metrics.ts';
import { readObjectFolder } from './object-folder.ts';
import type { Command } from './ports/command-queue.ts';
import type { DeviceAttributes } from './ports/device-store.ts';
import { StoreUnavailableError } from './ports/errors.ts';
import type { Stores } from './ports/stores.ts';
import { steadyClock } from './steady-clock.ts';
import { TelemetryIngest } from './telemetry/ingest.ts';
import { Projection } from './telemetry/projection.ts';
import { newestValues, packReadings } from './telemetry/readings.ts';
import { Retention } from './telemetry/retention.ts';
import { UnreadableLog } from './telemetry/unreadable-log.ts';

/** A server that runs. */
export interface RunningServer {
  /** Of the REST API and the console. */
  readonly httpAddress: string;
  /** `coap://host:port` */
  readonly coapUri: string;
  /** Idempotent: stops listening, lets go of what is under way, closes the store. */
  close(): Promise<void>;
}

/** Parts that may come from elsewhere: a test owns time and the network, another engine the stores. */
export interface ServerParts {
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly stores?: Stores;
  readonly port?: DatagramPort;
}

/**
 * Puts the server together and starts it: stores, then transport, then API; closed in reverse.
 * @throws Error with one clear line where a port is taken or the store cannot be opened.
 */
export async function startServer(config: Config, given: ServerParts = {}): Promise<RunningServer> {
  const { log = createLog(config.logLevel), clock = systemClock } = given;
  const startedAt = Math.floor(clock.wallTime());
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (let step = closing.pop(); step !== undefined; step = closing.pop()) {
      try {
        await step();
      } catch (error) {
        log.error({ error }, 'closing: a part did not end well');
      }
    }
  };
  try {
    const stores =
      given.stores ??
      (await openEmbeddedStores({
        path: config.data,
        onFault: (error) => log.error({ error }, 'a database thread met a bug'),
      }));
    closing.push(() => stores.close());
    const port = given.port ?? (await openUdpPort(config, log));
    closing.push(() => port.close());
    return await compose(config, stores, port, log, clock, startedAt, closing, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function compose(
  config: Config,
  stores: Stores,
  port: DatagramPort,
  log: Logger,
  clock: Clock,
  startedAt: number,
  closing: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<RunningServer> {
  const registry = createObjectRegistry(
    standardObjects({ carrier: config.carrierObject, iotSensor: config.sensorObject }),
  );
  const deviceModels = new DeviceModels(registry);
  const book = await openPolicyBook(stores, config);
  const hub = await LiveHub.open(stores.events, stores.log);
  const events = new EventPublisher(stores.events, hub, log.child({ part: 'events' }));
  closing.push(() => events.flush());
  const models = new ObjectModels({
    registry,
    store: stores.objectModels,
    own: new Set([config.carrierObject, config.sensorObject]),
    events,
    clock,
  });
  await models.open(
    config.objects === undefined ? [] : readObjectFolder(config.objects),
    log.child({ part: 'objects' }),
  );

  const telemetryLog = log.child({ part: 'telemetry' });
  const projection = new Projection({
    log: stores.log,
    history: stores.history,
    lastValues: stores.lastValues,
    devices: stores.devices,
    clock,
    logger: telemetryLog,
    attributesOf: (path) => attributeOf(path, config.carrierObject),
    onAttributes: (endpoint, attributes) => {
      events.publish('device', endpoint, clock.wallTime(), { attributes });
    },
  });
  await projection.start();
  closing.push(() => projection.close());

  // Who reads finds what was acknowledged until then, and not what the projection last came to.
  const levelStores: Stores = {
    ...stores,
    history: {
      ...stores.history,
      query: (query) => projection.flush().then(() => stores.history.query(query)),
    },
    lastValues: {
      ...stores.lastValues,
      get: (endpoint, prefix) => projection.flush().then(() => stores.lastValues.get(endpoint, prefix)),
    },
  };

  // Dispatcher, lifecycle and observations need each other; what is called before `wired` is set is a bug.
  let wired:
    | {
        readonly dispatcher: CommandDispatcher;
        readonly lifecycle: DeviceLifecycle;
        readonly policies: OpenedPolicies;
        readonly listening: ListeningTimes;
      }
    | undefined;
  const parts = (): NonNullable<typeof wired> => {
    if (wired === undefined) throw new Error('a device was heard before the server was put together');
    return wired;
  };

  const unreadable = new UnreadableLog(telemetryLog, clock);
  const ingest = new TelemetryIngest({
    log: stores.log,
    clock,
    sensorObject: config.sensorObject,
    onPack: (pack, position) => {
      hub.publishPack(pack, position);
      projection.appended(pack, position);
      parts().dispatcher.observed(pack);
      parts().listening.observed(pack);
    },
    onUndecodable: (source, error, payload) => unreadable.tell(source, error, payload),
    onStoreError: ({ endpoint }, error) => {
      telemetryLog.debug({ endpoint, error }, 'the store did not take readings; the device sends them again');
    },
  });

  const presence = new PresenceWindows({
    clock,
    window: config.awakeTime,
    log: log.child({ part: 'presence' }),
    load: ({ endpoint: name }) => parts().listening.of(name),
    onAwake: (name) => parts().dispatcher.reachable(name, false),
    onLearnt: (name, window) => {
      stores.devices.setAwakeTimes(name, { learnt: window }).catch((error: unknown) => {
        log.warn({ error, endpoint: name }, 'how long a device listens was not stored');
      });
    },
  });
  const reach = new DeviceReach({ clock, presence });

  const observations = new ObservationService({
    reach,
    observations: stores.observations,
    registrations: stores.registrations,
    ingest,
    events,
    clock,
    log: log.child({ part: 'observations' }),
    node: config.node,
    lookupFor: (registration) => deviceModels.lookupFor(registration),
    onHeard: (id, name, doubt) => parts().lifecycle.heard(id, name, doubt),
    onLost: (observation, reason) => parts().policies.reconciler.lost(observation, reason),
    onMoved: (id, address) => parts().lifecycle.moved(id, address),
  });

  // What ends by time must not end because the system's clock steps.
  const steady = steadyClock(clock);
  const afterAbsence = await RegistrationExpiry.isAfterAbsence(stores.registrations, steady);
  const registrationInterface = new RegistrationInterface({
    registrations: stores.registrations,
    profiles: new Profiles(stores.profiles, steady),
    clock: steady,
    log: log.child({ part: 'registration' }),
    node: config.node,
    grace: config.lifetimeGrace,
    listener: {
      registered: (registration, replaced) => {
        if (replaced === undefined) reach.registered(registration);
        else reach.replaced(replaced, registration);
        parts().lifecycle.registered(registration, replaced);
        parts().listening.registered(registration);
      },
      updated: (registration, previous) => {
        if (registration.address !== previous.address) reach.moved(registration.id, registration.address);
        reach.registered(registration);
        parts().lifecycle.updated(registration, previous);
      },
      deregistered: (registration) => {
        reach.ended(registration.id);
        parts().lifecycle.deregistered(registration);
      },
    },
  });

  const sendInterface = new SendInterface({
    reach,
    registrations: stores.registrations,
    ingest,
    lookupFor: (registration) => deviceModels.lookupFor(registration),
    log: log.child({ part: 'send' }),
    onHeard: (id, name) => parts().lifecycle.heard(id, name, false),
  });

  const endpoint = createCoapEndpoint({
    port,
    clock,
    handler: deviceInterface({
      rd: (request) => registrationInterface.handle(request),
      dp: (request) => sendInterface.handle(request),
    }),
    resolveObservation: observations.resolve,
    onFault: (error) => log.error({ error }, 'a CoAP handler met a bug'),
    onTransportError: (error, peer) => log.debug({ error, peer }, 'a datagram could not be delivered'),
  });
  closing.push(() => endpoint.close());
  observations.attach(endpoint);

  const requests = new DeviceOperations({
    reach,
    endpoint,
    stores,
    lookupFor: (registration) => deviceModels.lookupFor(registration),
    observations,
    clock,
    onRead: async (name, records) => {
      const receivedAt = Math.round(clock.wallTime() * 1000);
      const { sensorObject } = config;
      const { pack } = packReadings({ endpoint: name, receivedAt, fresh: true, records, sensorObject });
      try {
        await stores.lastValues.set(name, newestValues(pack));
      } catch (error) {
        // The caller gets what it asked for; what is shown to others is older for now.
        if (!(error instanceof StoreUnavailableError)) throw error;
        telemetryLog.debug({ endpoint: name, error }, 'what was read is not among the last values');
      }
    },
    onChosen: (registration, target, wanted) => parts().policies.service.chosen(registration, target, wanted),
    timeout: config.requestTimeout,
  });

  const onStep = (command: Command): void => {
    events.publish('command', command.endpoint, clock.wallTime(), { command: presentCommand(command) });
  };
  const dispatcher = new CommandDispatcher({
    queue: stores.commands,
    kinds: {
      'carrier-switch': new CarrierSwitch({
        requests,
        clock: steady,
        log: log.child({ part: 'commands' }),
        carrierObject: config.carrierObject,
      }),
      request: new HeldRequest({
        perform: ({ endpoint: name, parameters }, options) =>
          performHeldRequest(
            {
              stores: levelStores,
              requests,
              registry,
              lookupFor: (registration) => deviceModels.lookupFor(registration),
              clock,
            },
            name,
            parameters as ApiHeldRequestBody,
            options,
          ),
      }),
    },
    reachability: async (name) => {
      const registration = await stores.registrations.byEndpoint(name);
      if (registration === undefined) return 'unregistered';
      return presence.state(registration).awake ? 'awake' : 'asleep';
    },
    clock: steady,
    log: log.child({ part: 'commands' }),
    onStep,
  });
  closing.push(() => dispatcher.close());

  const policies = composePolicies({
    stores,
    book,
    requests,
    observations,
    presence,
    events,
    clock,
    log: log.child({ part: 'policies' }),
  });
  closing.push(async () => policies.close());

  const lifecycle = new DeviceLifecycle({
    observations,
    reconciler: policies.reconciler,
    devices: stores.devices,
    events,
    clock,
    log: log.child({ part: 'devices' }),
    present: presentRegistration,
    onReachable: (name, anew) => dispatcher.reachable(name, anew),
    onMoved: (id, address) => reach.moved(id, address),
    onArrived: (name) => projection.forget(name),
  });
  closing.push(() => lifecycle.close());
  const listening = new ListeningTimes({
    stores: levelStores,
    presence,
    requests,
    log: log.child({ part: 'presence' }),
  });
  wired = { dispatcher, lifecycle, policies, listening };

  const expiry = new RegistrationExpiry({
    registrations: stores.registrations,
    clock: steady,
    log: log.child({ part: 'expiry' }),
    afterAbsence,
    onExpired: (registration) => {
      reach.ended(registration.id);
      lifecycle.expired(registration);
    },
  });
  expiry.start();
  closing.push(() => expiry.close());

  const retention = new Retention(
    stores,
    steady,
    telemetryLog,
    {
      maxAge: config.readingsMaxAge,
      maxBytes: config.readingsMaxBytes,
      commandsMaxAge: config.commandsMaxAge,
      commandsMaxCount: config.commandsMaxCount,
    },
    () => projection.flush(),
  );
  retention.start();
  closing.push(() => retention.close());

  const commands = new CarrierService({
    stores: levelStores,
    requests,
    clock: steady,
    carrierObject: config.carrierObject,
    onStep,
    onQueued: (name) => dispatcher.kick(name),
  });
  const heldRequests = new RequestService({
    stores,
    clock: steady,
    onStep,
    onQueued: (name) => dispatcher.kick(name),
  });
  await dispatcher.start();
  policies.start();

  const metrics = new Registry();
  registerMetrics(metrics, {
    coap: endpoint.statistics,
    ingest: ingest.statistics,
    devices: stores.devices,
    policies: policies.reconciler,
    projection,
    hub,
    events,
  });
  const coapUri = `coap://${endpoint.local}`;
  const api = await buildApi({
    log: log.child({ part: 'api' }),
    stores: levelStores,
    requests,
    commands,
    heldRequests,
    listening,
    policies: policies.service,
    models,
    live: hub,
    registry,
    lookupFor: (registration) => deviceModels.lookupFor(registration),
    shortServerId: config.shortServerId,
    metrics: () => metrics.metrics(),
    ready: () => stores.check(),
    about: {
      version: packageVersion(),
      node: config.node,
      startedAt,
      coapAddress: endpoint.local,
      store: stores.description,
      coapUri,
    },
    allowedHosts: allowHosts({ listenHost: config.httpHost, names: config.allowedHosts }),
    consoleRoot: consoleRoot(),
    clock,
  });
  closing.push(() => api.close());
  const httpAddress = await listen(api, config);

  announce(config, log, stores, endpoint, httpAddress);
  return { httpAddress, coapUri, close };
}

/** Which attribute of the inventory a resource is: the first SIM slot and the first bearer count. */
function attributeOf(path: string, carrierObjectId: number): keyof DeviceAttributes | undefined {
  if (path === '/4/0/2') return 'signal';
  const carrier = `/${carrierObjectId}/0/`;
  if (!path.startsWith(carrier)) return undefined;
  const names: Readonly<Record<string, keyof DeviceAttributes>> = {
    '0': 'carrier',
    '7': 'iccid',
    '8': 'imsi',
  };
  return names[path.slice(carrier.length)];
}

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

function consoleRoot(): string | undefined {
  const folder = fileURLToPath(new URL('../web/dist', import.meta.url));
  return existsSync(`${folder}/index.html`) ? folder : undefined;
}

/** The process: settings, start, and an end that loses nothing. */
async function main(): Promise<void> {
  let config: Config;
  try {
    config = loadConfig();
  } catch (error) {
    if (error instanceof HelpRequested) {
      process.stdout.write(`${error.message}\n`);
      return;
    }
    if (error instanceof ConfigError) return fail(error.message);
    throw error;
  }
  const log = createLog(config.logLevel);
  let server: RunningServer;
  try {
    server = await startServer(config, { log });
  } catch (error) {
    if (error instanceof ConfigError || error instanceof StoreUnavailableError) return fail(error.message);
    log.fatal({ error }, 'the server cannot start');
    return fail(error instanceof Error ? error.message : String(error));
  }
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      log.warn({ signal }, 'stopped at once');
      process.exit(1);
    }
    stopping = true;
    log.info({ signal }, 'closing');
    server.close().then(
      () => log.info('closed'),
      (error: unknown) => {
        log.fatal({ error }, 'closing failed');
        process.exitCode = 1;
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function fail(message: string): void {
  process.stderr.write(`simyard: ${message}\n`);
  process.exitCode = 1;
}

if (import.meta.main) await main();
