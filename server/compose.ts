import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { createObjectRegistry, standardObjects } from '../objects/registry.ts';
import type { Clock } from '../protocol/clock.ts';
import type { DatagramPort } from '../protocol/coap/datagram-port.ts';
import { createCoapEndpoint } from '../protocol/coap/endpoint.ts';
import { Direction } from '../protocol/coap/tapped-port.ts';
import type { OwnIdentity } from '../protocol/dtls/types.ts';
import { allowHosts } from './api/allowed-hosts.ts';
import { traceContents } from './api/device-trace.ts';
import { buildApi } from './api/index.ts';
import { presentEvent, presentLiveReadings, presentRegistration } from './api/presenters.ts';
import { presentLiveTrace } from './api/trace-presenters.ts';
import { composeBootstrap } from './bootstrap/compose-bootstrap.ts';
import { credentialKeys } from './bootstrap/credential-keys.ts';
import { composeCluster } from './cluster/compose-cluster.ts';
import { composeDevices, type Devices } from './cluster/compose-devices.ts';
import { composeLeader } from './cluster/compose-leader.ts';
import { followCluster } from './cluster/follow-cluster.ts';
import { atOnce } from './cluster/leader-service.ts';
import { ownedServices, ownedTraces } from './cluster/owned-services.ts';
import { sharePort } from './cluster/shared-port.ts';
import { sharedTraces } from './cluster/shared-traces.ts';
import { composeCommands } from './commands/compose-commands.ts';
import type { CommandDispatcher } from './commands/dispatcher.ts';
import type { Config } from './config.ts';
import { readAuthorities } from './enrolment/authorities.ts';
import { composeEnrolment } from './enrolment/compose-enrolment.ts';
import { composeGateway, requestsBeyond } from './gateway/compose-gateway.ts';
import { GatewayCounts } from './gateway/counts.ts';
import { consoleRoot, packageVersion } from './installation.ts';
import { composeLeshan, composeLeshanFeed } from './leshan/compose-leshan.ts';
import { announce, coapsAddressOf, coapUriOf, listen } from './listen.ts';
import { LiveHub } from './live/hub.ts';
import { EventPublisher } from './live/publisher.ts';
import { deviceInterface } from './lwm2m/device-interface.ts';
import { DeviceLifecycle, hasMoved } from './lwm2m/device-lifecycle.ts';
import { DeviceModels } from './lwm2m/device-models.ts';
import { DeviceOperations } from './lwm2m/device-operations.ts';
import { DeviceReach } from './lwm2m/device-reach.ts';
import { ListeningTimes } from './lwm2m/listening-times.ts';
import { ObjectModels } from './lwm2m/object-models.ts';
import { composePolicies, type OpenedPolicies, openPolicyBook } from './lwm2m/observation-policies.ts';
import { ObservationService } from './lwm2m/observation-service.ts';
import { PresenceWindows } from './lwm2m/presence-windows.ts';
import { Profiles } from './lwm2m/profiles.ts';
import { RegistrationInterface, type RegistrationListener } from './lwm2m/registration-interface.ts';
import { SendInterface } from './lwm2m/send-interface.ts';
import { registerDtlsMetrics } from './metrics/dtls-metrics.ts';
import { registerGatewayMetrics } from './metrics/gateway-metrics.ts';
import { registerMetrics } from './metrics/register.ts';
import { Timings } from './metrics/timings.ts';
import { readObjectFolder } from './object-folder.ts';
import { composePeople } from './people/compose-people.ts';
import { DeviceEntries } from './people/device-entries.ts';
import { Tenancy } from './people/tenancy.ts';
import type { Registration } from './ports/registration-store.ts';
import type { Stores } from './ports/stores.ts';
import type { LogPosition } from './ports/telemetry-log.ts';
import type { Sealer } from './secrets/sealer.ts';
import { composeStatistics } from './statistics/compose-statistics.ts';
import { SwitchCounter } from './statistics/switch-counter.ts';
import { steadyClock } from './steady-clock.ts';
import { TelemetryIngest } from './telemetry/ingest.ts';
import { inventoryAttribute } from './telemetry/inventory-attribute.ts';
import { levelling } from './telemetry/led-projection.ts';
import { levelWithLog, withMethods } from './telemetry/level-with-log.ts';
import { PROJECTION, Projection } from './telemetry/projection.ts';
import { rememberReads } from './telemetry/remember-reads.ts';
import { UnreadableLog } from './telemetry/unreadable-log.ts';
import { composeTrace } from './trace/compose-trace.ts';
import {
  composeBootstrapTransport,
  composeSessionEnds,
  composeTransport,
} from './transport/compose-transport.ts';
import { composeWebhooks } from './webhooks/index.ts';

/** Sockets, or what a test has in their place. Undefined: not open. */
interface ServerSockets {
  readonly coap: DatagramPort | undefined;
  readonly coaps: DatagramPort | undefined;
}

/** What the server is put together on, and how it is taken apart again. */
export interface Foundation {
  readonly config: Config;
  readonly stores: Stores;
  /** Of CoAP, and of CoAP over DTLS. */
  readonly sockets: ServerSockets;
  /** The same of the bootstrap server. */
  readonly bootstrapSockets: ServerSockets;
  /** Of the gateway; undefined: not open. */
  readonly gatewaySocket: DatagramPort | undefined;
  /** Keeps what is secret in the stores. */
  readonly sealer: Sealer;
  /** What the server proves itself by, where not by a pre-shared key. */
  readonly serverIdentity: OwnIdentity | undefined;
  readonly log: Logger;
  readonly clock: Clock;
  /** When the process began, ms since the epoch. */
  readonly startedAt: number;
  /** Takes what ends a part: the part that was started last ends first. */
  readonly onClose: (step: () => Promise<unknown>) => void;
  /** Tells the person who starts the server a line that no log may have. */
  readonly tell: (line: string) => void;
  /** Another process has taken this node's place: the server has to end. */
  readonly onEvicted: (reason: string) => void;
}

/** What listens. */
export interface Listening {
  /** Of the REST API and the console. */
  readonly httpAddress: string;
  /** `coap://host:port`; undefined where nothing is served without security. */
  readonly coapUri?: string;
  /** `coaps://host:port`; undefined where DTLS is not open. */
  readonly coapsUri?: string;
  /** `host:port` of the bootstrap server without security, where it listens. */
  readonly bootstrapAddress?: string;
  /** The same over DTLS. */
  readonly bootstrapsAddress?: string;
  /** `host:port` of the gateway, where it is open. */
  readonly gatewayAddress?: string;
  /** Of the Leshan-compatible interface, where it is open. */
  readonly leshanAddress?: string;
}

/** Wires the parts to each other, and starts them: transport, then API. */
export async function compose(foundation: Foundation): Promise<Listening> {
  const { config, stores, log, clock, startedAt, onClose } = foundation;
  const registry = createObjectRegistry(
    standardObjects({ carrier: config.carrierObject, iotSensor: config.sensorObject }),
  );
  const deviceModels = new DeviceModels(registry);
  const lookupFor = (registration: Registration) => deviceModels.lookupFor(registration);
  const version = packageVersion();
  const { sockets, bootstrapSockets } = foundation;
  const coapUri = coapUriOf('coap', config.coapAddress, sockets.coap);
  const coapsUri = coapUriOf('coaps', coapsAddressOf(config, sockets.coaps), sockets.coaps);
  const clustering = await composeCluster(foundation, { coap: coapUri ?? coapsUri ?? '', version });
  const { seat, sharing } = clustering;
  const metrics = new Registry();
  const timings = new Timings(metrics);
  // Before what is kept in memory of the stores: from there on changes that other nodes make are followed.
  const tenancy = new Tenancy({ ...stores });
  const hub = await LiveHub.open(stores.events, stores.log, clock, tenancy);
  const book = await openPolicyBook(stores, config);
  // Where several nodes append to the logs, all that is live comes by the feeds, in the order of the logs.
  const told = sharing === undefined ? hub : { publishEvent: () => undefined };
  const events = new EventPublisher(stores.events, told, log.child({ part: 'events' }));
  onClose(() => events.flush());
  const entries = new DeviceEntries({ ...stores, events, clock });
  const ends = composeSessionEnds({ stores, seat });
  const enrolment = composeEnrolment({
    stores,
    ends,
    serverIdentity: foundation.serverIdentity,
    events,
    clock,
    log: log.child({ part: 'enrolment' }),
    authorities: readAuthorities(config.deviceCa),
    setTenant: (endpoint, tenant) => entries.setTenant(endpoint, tenant),
    onCutOff: (registration) => deregistered(registration),
  });
  const leshan = composeLeshanFeed(foundation);
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
    attributesOf: (path) => inventoryAttribute(path, config.carrierObject),
    onAttributes: (endpoint, attributes) => {
      events.publish('device', endpoint, clock.wallTime(), { attributes });
    },
  });
  // Behind all that may append still.
  if (sharing === undefined) onClose(() => projection.close());
  const level = levelling({
    log: stores.log,
    shared: sharing !== undefined,
    projection,
    led: clustering.led('projection', ['flushTo'], projection, atOnce),
    logger: telemetryLog,
    clock,
  });
  const levelStores = levelWithLog(
    stores,
    level,
    sharing === undefined ? (endpoint, prefix) => projection.lastValues(endpoint, prefix) : undefined,
  );

  const transport = composeTransport(
    { ...foundation, seat, ends, log: log.child({ part: 'transport' }) },
    enrolment.portOptions('server'),
  );
  const { port: traced, traces } = composeTrace({
    ...foundation,
    port: transport.port,
    hub,
    contextOf: (registration) => ({
      registry: registration === undefined ? registry : deviceModels.lookupFor(registration),
      rootPath: registration?.rootPath ?? '/',
    }),
    present: presentLiveTrace,
    ...sharedTraces(clustering, { stores, clock, log: log.child({ part: 'trace' }) }),
  });

  // Dispatcher, lifecycle and observations need each other; what is called before `wired` is set is a bug.
  let wired:
    | {
        readonly dispatcher: CommandDispatcher;
        readonly lifecycle: DeviceLifecycle;
        readonly policies: OpenedPolicies;
        readonly listening: ListeningTimes;
        readonly devices: Devices;
      }
    | undefined;
  const parts = (): NonNullable<typeof wired> => {
    if (wired === undefined) throw new Error('a device was heard before the server was put together');
    return wired;
  };

  const unreadable = new UnreadableLog(telemetryLog, clock);
  const ingest = new TelemetryIngest({
    log: timings.log(stores.log),
    clock,
    sensorObject: config.sensorObject,
    isAwaited: (pack) => parts().dispatcher.isAwaited(pack),
    onArriving: (pack) => parts().dispatcher.arriving(pack),
    onPack: (pack, position) => {
      if (sharing === undefined) {
        hub.publishPack(pack, position);
        projection.appended(pack, position);
      }
      parts().listening.observed(pack);
    },
    onReport: leshan === undefined ? undefined : (report) => leshan.reported(report),
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
    onListening: (name, until) => {
      parts().lifecycle.listening(name, until);
      leshan?.listening(name, until);
    },
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
    slot: seat.slot,
    lookupFor,
    onHeard: (id, name, doubt) => parts().lifecycle.heard(id, name, doubt),
    onLost: (observation, reason) => parts().policies.reconciler.lost(observation, reason),
    onMoved: (id, address, from) => {
      traces?.arrived(from.endpoint, address, from.address);
      parts().lifecycle.moved(id, address);
    },
    onDisplaced: (name, address) => traces?.displaced(name, address),
    onTakenOver: (device, former) => parts().devices.onMovedHere?.(device, former),
  });

  const deregistered = (registration: Registration): void => {
    traces?.ended(registration);
    reach.ended(registration.id);
    parts().lifecycle.deregistered(registration);
    parts().devices.ended(registration);
    leshan?.deregistered(registration);
  };

  const bootstrapTransport = composeBootstrapTransport(
    { sockets: bootstrapSockets, clock, log: log.child({ part: 'bootstrap' }), ends },
    enrolment.portOptions('bootstrap'),
  );
  const bootstrap = composeBootstrap({
    config,
    port: bootstrapTransport?.port,
    stores,
    keys: credentialKeys({ credentials: stores.credentials, clock, onChanged: enrolment.keyChanged }),
    addresses: { coap: coapUri, coaps: coapsUri },
    registry,
    onRefused: (refusal, address, identity) =>
      enrolment.refusals.refused('bootstrap', refusal, address, identity),
    events,
    clock,
    log: log.child({ part: 'bootstrap' }),
  });
  onClose(() => bootstrap.close());

  // What ends by time must not end because the system's clock steps.
  const steady = steadyClock(clock);
  const registrationListener: RegistrationListener = {
    registered: (registration, replaced) => {
      traces?.registered(registration, replaced);
      if (replaced === undefined) reach.registered(registration);
      else {
        // First what it was to be asked for its former registration: it would go on where the device is now.
        parts().lifecycle.replaced(replaced);
        reach.replaced(replaced, registration);
      }
      parts().lifecycle.registered(registration, replaced);
      bootstrap.registered(registration);
      parts().listening.registered(registration);
      leshan?.registered(registration, replaced);
    },
    updated: (registration, previous, update) => {
      traces?.registered(registration, previous);
      if (hasMoved(registration, previous)) reach.moved(registration.id, registration.address);
      reach.registered(registration);
      parts().lifecycle.updated(registration, previous);
      leshan?.updated(registration, update);
    },
    deregistered,
    displaced: (registration, address) => {
      traces?.displaced(registration.endpoint, address);
      parts().lifecycle.displaced(registration);
    },
  };
  const registrationInterface = new RegistrationInterface({
    registrations: stores.registrations,
    profiles: new Profiles(stores.profiles, steady),
    clock: steady,
    log: log.child({ part: 'registration' }),
    node: config.node,
    grace: config.lifetimeGrace,
    transportAddress: (peer) => transport.port.transportAddress(peer),
    binding: enrolment.binding('server'),
    onRefused: (refusal, peer, identity) => {
      const address = transport.port.transportAddress(peer) ?? peer;
      enrolment.refusals.refused('server', refusal, address, identity);
    },
    onAnswered: (code, duration) => timings.registration(code, duration),
    listener: registrationListener,
  });

  const sendInterface = new SendInterface({
    reach,
    registrations: stores.registrations,
    ingest,
    lookupFor,
    clock,
    log: log.child({ part: 'send' }),
    onHeard: (id, name) => parts().lifecycle.heard(id, name, false),
    onMoved: (registration, to) => observations.heardAt(registration, to),
  });

  const shared = sharePort(seat, {
    clock,
    log: log.child({ part: 'shared-port' }),
    onAdopted: ({ data, peer }) => traces?.tap(Direction.IN, data, peer),
  });
  const endpoint = createCoapEndpoint({
    port: traced,
    clock,
    ...shared.options,
    handler: deviceInterface({
      rd: (request) => registrationInterface.handle(request),
      dp: (request) => sendInterface.handle(request),
    }),
    resolveObservation: observations.resolve,
    onFault: (error) => log.error({ error }, 'a CoAP handler met a bug'),
    onTransportError: (error, peer) => log.debug({ error, peer }, 'a datagram could not be delivered'),
  });
  onClose(() => endpoint.close());
  shared.attach(endpoint);
  observations.attach(endpoint);

  const gatewayFoundation = {
    config,
    port: foundation.gatewaySocket,
    stores: levelStores,
    ingest,
    listener: registrationListener,
    binding: enrolment.binding('server'),
    onHeard: (id: string, name: string) => parts().lifecycle.heard(id, name, false),
    registry,
    steady,
    isLevel:
      sharing === undefined
        ? (position: LogPosition) => projection.covers(position)
        : async (position: LogPosition) => (await stores.log.cursor(PROJECTION)) >= position,
    log: log.child({ part: 'gateway' }),
    onClose,
  };
  const gateway = await composeGateway(gatewayFoundation);
  const directRequests = new DeviceOperations({
    reach,
    endpoint: timings.endpoint(endpoint),
    stores,
    lookupFor,
    observations,
    clock,
    onRead: rememberReads({
      lastValues: stores.lastValues,
      clock,
      sensorObject: config.sensorObject,
      log: telemetryLog,
    }),
    onChosen: (registration, target, wanted) => parts().policies.service.chosen(registration, target, wanted),
    node: sharing,
    timeout: config.requestTimeout,
  });
  const ownRequests = requestsBeyond(gateway, directRequests, gatewayFoundation);
  const devices = composeDevices({
    seat,
    stores,
    requests: ownRequests,
    requestTimeout: config.requestTimeout,
    clock,
    log: log.child({ part: 'cluster' }),
    parts: () => ({ ...parts(), reconciler: parts().policies.reconciler, observations, reach }),
    onReleased: (name) => gateway?.released(name),
    isAwake: (registration) => presence.state(registration).awake,
  });
  const { requests } = devices;

  const switches = new SwitchCounter();

  const policies = composePolicies({
    stores,
    book,
    lookupFor,
    requests: ownRequests,
    observations,
    presence,
    node: sharing,
    events,
    clock,
    log: log.child({ part: 'policies' }),
  });
  onClose(async () => policies.close());

  const listening = new ListeningTimes({
    stores: levelStores,
    presence,
    requests: ownRequests,
    log: log.child({ part: 'presence' }),
  });
  const services = ownedServices({
    clustering,
    stores,
    takeFromGone: devices.takeFromGone,
    policies: policies.service,
    book,
    listening,
    clock,
  });

  const commands = composeCommands({
    config,
    stores,
    levelStores,
    requests,
    ownRequests,
    place: devices.place,
    others: devices.others,
    onUnreachable: (name) => led.unreachable(name),
    registry,
    lookupFor,
    policies: services.policies,
    entries,
    tenancy,
    events,
    clock,
    steady,
    log,
    onStep: (command) => {
      switches.step(command);
      timings.command(command);
    },
  });
  const { dispatcher } = commands;
  onClose(() => commands.close());

  const lifecycle = new DeviceLifecycle({
    observations,
    reconciler: policies.reconciler,
    devices: stores.devices,
    node: config.node,
    events,
    clock,
    log: log.child({ part: 'devices' }),
    present: presentRegistration,
    onReachable: (name, anew) => dispatcher.reachable(name, anew),
    onMoved: (id, address) => reach.moved(id, address),
    onElsewhere: devices.onElsewhere,
    onTakenOver: devices.onTakenOver,
    onArrived: (name) => projection.forget(name),
  });
  onClose(() => lifecycle.close());
  wired = { dispatcher, lifecycle, policies, listening, devices };

  const webhooks = composeWebhooks({
    stores,
    live: hub,
    tenancy,
    events,
    present: { event: presentEvent, readings: presentLiveReadings },
    clock: steady,
    log: log.child({ part: 'webhooks' }),
    allow: config.webhookAllow,
    onDuration: (duration) => timings.webhook(duration),
    version,
    onClose,
  });
  const led = composeLeader({
    clustering,
    jobs: commands.jobs,
    stores,
    projection,
    jobRunner: commands.jobRunner,
    webhooks,
    config,
    clock: steady,
    log,
    onExpired: (registration) => {
      reach.ended(registration.id);
      traces?.ended(registration);
      lifecycle.expired(registration);
      devices.ended(registration);
      leshan?.deregistered(registration);
    },
  });
  const { statistics, sampler } = composeStatistics({
    stores,
    ingest,
    switches,
    events,
    clock,
    log: log.child({ part: 'statistics' }),
    seat,
  });
  onClose(() => sampler.close());

  followCluster({
    ...foundation,
    clustering,
    hub,
    projection,
    dispatcher,
    policies,
    models,
    jobRunner: commands.jobRunner,
    enrolment,
  });
  await commands.start();
  policies.start();
  await clustering.start();

  registerMetrics(metrics, {
    coap: endpoint.statistics,
    registration: registrationInterface.refusals,
    ingest: ingest.statistics,
    stores,
    webhooks,
    clock,
    about: { version },
    policies: policies.reconciler,
    projection,
    hub,
    events,
    enrolment,
  });
  registerGatewayMetrics(metrics, gateway?.counts ?? new GatewayCounts());
  const secured = { server: transport.secured, bootstrap: bootstrapTransport?.secured };
  registerDtlsMetrics(
    metrics,
    new Map(
      Object.entries(secured).flatMap(([port, source]) => (source === undefined ? [] : [[port, source]])),
    ),
  );
  const about = {
    version,
    node: config.node,
    startedAt,
    coapAddress: endpoint.local,
    store: stores.description,
    ...(coapUri === undefined ? {} : { coapUri }),
    ...(coapsUri === undefined ? {} : { coapsUri }),
    ...bootstrapUrisOf(bootstrapSockets),
  };
  const { people, audit, provider } = await composePeople({
    ...foundation,
    log: log.child({ part: 'people' }),
  });
  const api = await buildApi({
    people,
    audit,
    provider,
    loginRequired: config.people.loginRequired,
    metricsToken: config.people.metricsToken,
    trustedProxies: config.trustedProxies,
    log: log.child({ part: 'api' }),
    stores: levelStores,
    requests,
    commands: commands.service,
    heldRequests: commands.heldRequests,
    credentials: enrolment,
    jobs: withMethods(commands.jobs, led.jobs),
    listening: services.listening,
    policies: services.policies,
    tenancy,
    entries,
    models,
    live: hub,
    traces:
      traces === undefined
        ? undefined
        : ownedTraces(
            { clustering, stores, takeFromGone: devices.takeFromGone },
            traceContents({ stores, traces, registry, lookupFor, about }),
          ),
    bootstrap: bootstrap.service,
    webhooks: led.webhooks,
    processes: seat.process,
    statistics,
    registry,
    lookupFor,
    shortServerId: config.shortServerId,
    metrics: () => metrics.metrics(),
    ready: () => stores.check(),
    about,
    cluster: clustering.cluster(() => projection.lag),
    settings: config.inForce,
    rateLimit: { rate: config.rateLimit, burst: config.rateBurst },
    streamsPerCaller: config.streamsPerAddress,
    requestTimeout: config.requestTimeout,
    allowedHosts: allowHosts({ listenHost: config.httpHost, names: config.allowedHosts }),
    consoleRoot: consoleRoot(),
    clock,
  });
  onClose(() => api.close());
  const leshanAddress = await composeLeshan(foundation, leshan, {
    stores: levelStores,
    requests,
    listening: services.listening,
    live: hub,
    lookupFor,
    coapAddress: sockets.coap?.local,
    coapsAddress: sockets.coaps?.local,
  });
  const httpAddress = await listen(api, config);
  await clustering.listening(httpAddress, events);

  announce(config, log, stores, {
    coap: sockets.coap?.local,
    coaps: sockets.coaps?.local,
    http: httpAddress,
  });
  return {
    httpAddress,
    ...(coapUri === undefined ? {} : { coapUri }),
    ...(coapsUri === undefined ? {} : { coapsUri }),
    ...(bootstrapSockets.coap === undefined ? {} : { bootstrapAddress: bootstrapSockets.coap.local }),
    ...(bootstrapSockets.coaps === undefined ? {} : { bootstrapsAddress: bootstrapSockets.coaps.local }),
    ...(gateway === undefined ? {} : { gatewayAddress: gateway.local }),
    ...(leshanAddress === undefined ? {} : { leshanAddress }),
  };
}

/** Where devices find the bootstrap server: at this machine's name where it listens on all of its addresses. */
function bootstrapUrisOf({ coap, coaps }: ServerSockets): {
  readonly bootstrapUri?: string;
  readonly bootstrapsUri?: string;
} {
  const plain = coapUriOf('coap', undefined, coap);
  const secured = coapUriOf('coaps', undefined, coaps);
  return {
    ...(plain === undefined ? {} : { bootstrapUri: plain }),
    ...(secured === undefined ? {} : { bootstrapsUri: secured }),
  };
}
