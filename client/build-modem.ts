import { join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { systemClock } from '../protocol/clock.ts';
import type { PeerAddress } from '../protocol/coap/datagram-port.ts';
import { createUdpPort, type UdpPort } from '../protocol/coap/udp-port.ts';
import type { ClientCredentials } from '../protocol/dtls/types.ts';
import { RequestError } from '../protocol/errors.ts';
import { credentialsOfAccount } from './account-credentials.ts';
import { fileAccounts } from './account-file.ts';
import { AtomicFile, StateFileError } from './atomic-file.ts';
import { type BootstrapSettings, bootstrapAccount } from './bootstrap-flag.ts';
import type { ModemSettings } from './command-line.ts';
import { UsageError } from './flag-values.ts';
import { KeptSessions } from './kept-sessions.ts';
import type { SecurityAccount } from './lwm2m/accounts.ts';
import type { BootstrapClientOptions } from './lwm2m/bootstrapping.ts';
import { volatileAccounts } from './lwm2m/kept-accounts.ts';
import type { ServerOptions } from './lwm2m/server-session.ts';
import type { SwitchStep } from './modem/carrier-snapshot.ts';
import { fileJournal, volatileJournal } from './modem/command-journal.ts';
import type { PowerSource } from './modem/device/power-source.ts';
import { FileFlash } from './modem/firmware/file-flash.ts';
import { type FirmwareParts, flashCapacity } from './modem/firmware/modem-firmware.ts';
import { fileFirmware } from './modem/firmware/record.ts';
import { fileSettings } from './modem/kept-settings.ts';
import { Modem, type ModemEvents, type ModemOptions } from './modem/modem.ts';
import { ReadingLog } from './reading-log.ts';
import { RebindingPort } from './rebinding-port.ts';
import { SecuredPort } from './secured-port.ts';
import { localHostFor, type NamedHost, resolveServer } from './server-address.ts';
import { securityModes } from './server-credentials.ts';
import { parseServerAddress, type ServerSettings } from './server-flag.ts';
import type { CardAddress } from './sim/card-address.ts';
import type { CardTransport } from './sim/card-transport.ts';
import { fileCarrierIds } from './sim/carrier-ids.ts';
import { DetectedCard } from './sim/detected-card.ts';
import { openPcscCard } from './sim/pcsc/open-reader.ts';
import { TracedTransport } from './sim/traced-transport.ts';
import { installApplications } from './sim/virtual-card/applications.ts';
import { fileCardMemory, volatileCardMemory } from './sim/virtual-card/card-memory.ts';
import { openVirtualCard } from './sim/virtual-card/open-virtual-card.ts';
import { VirtualCard } from './sim/virtual-card/virtual-card.ts';
import { StateLock } from './state-lock.ts';

export interface ModemIdentity {
  readonly name: string;
  /** Of a new card, and of the modem itself. */
  readonly serial: number;
  /** Which one of a fleet it is, from 1. */
  readonly number?: number;
  /** Folder of the journal, and of the card unless it has a file of its own; undefined: nothing is kept. */
  readonly state: string | undefined;
  readonly card: CardAddress;
  /** Bytes that the system holds for the modem's socket. */
  readonly receiveBufferSize: number;
  /** Default: a simulated battery. */
  readonly power?: PowerSource;
}

/**
 * Puts a modem together, with its socket open, its card in, and its state folder held until it is closed.
 * Not started. `servers` are their addresses as far as they are known yet.
 * @throws StateFileError the folder is another process's; the system's errors
 */
export async function buildModem(
  identity: ModemIdentity,
  settings: ModemSettings,
  servers: readonly (PeerAddress | undefined)[],
  events: ModemEvents,
): Promise<Modem> {
  const { state, name } = identity;
  const lock = state === undefined ? undefined : new StateLock(state, name);
  try {
    return await assemble(identity, settings, servers, events, () => lock?.release());
  } catch (error) {
    lock?.release();
    throw error;
  }
}

async function assemble(
  identity: ModemIdentity,
  settings: ModemSettings,
  servers: readonly (PeerAddress | undefined)[],
  events: ModemEvents,
  release: () => void,
): Promise<Modem> {
  const { state } = identity;
  const card = openCard(identity, settings, events);
  const open = (): Promise<UdpPort> =>
    createUdpPort({
      host: localHostFor(servers),
      port: 0,
      receiveBufferSize: identity.receiveBufferSize,
    });
  const first = await open();
  const plain =
    settings.rebindEvery === undefined
      ? first
      : new RebindingPort({ first, open, every: settings.rebindEvery, clock: systemClock });
  const secured =
    settings.bootstrap !== undefined || settings.servers.some(({ credentials }) => credentials !== undefined)
      ? new SecuredPort({
          port: plain,
          clock: systemClock,
          sessions:
            state === undefined ? undefined : new KeptSessions(new AtomicFile(join(state, 'sessions.json'))),
          ...(events.onLog === undefined ? {} : { onLog: events.onLog }),
        })
      : undefined;
  return new Modem({
    port: secured ?? plain,
    card,
    ...cardOptions(identity, settings),
    journal:
      state === undefined ? volatileJournal() : fileJournal(new AtomicFile(join(state, 'journal.json'))),
    clock: systemClock,
    name: identity.name,
    servers: settings.servers.map((server) => serverOptions(server, settings, identity, secured)),
    ...(settings.bootstrap === undefined
      ? {}
      : { bootstrap: bootstrapOptions(settings.bootstrap, settings, identity, secured) }),
    sharedRights: settings.sharedRights,
    awakeTime: settings.awakeTime,
    report: settings.report,
    rootPath: settings.rootPath,
    packs: settings.packs,
    packInterval: settings.packInterval,
    rates: settings.rates,
    queueLimit: settings.queueLimit,
    attachTime: settings.attachTime,
    cardDeadline: settings.cardTimeout,
    cardPatience: 3 * settings.cardTimeout,
    noNetwork: settings.noNetwork,
    networkTimeout: settings.networkTimeout,
    customObjects: settings.customObjects,
    seed: identity.serial,
    serial: String(identity.serial).padStart(9, '0'),
    firmware: packageJson.version,
    firmwareParts: firmwareParts(state, settings),
    ...(state === undefined ? {} : { settings: fileSettings(new AtomicFile(join(state, 'settings.json'))) }),
    ...(identity.power === undefined ? {} : { power: identity.power }),
    events,
    release,
    ...(settings.reconnectAfter === undefined ? {} : { reconnectAfter: settings.reconnectAfter }),
    ...(state === undefined || !settings.storeReadings ? {} : { openReadings: readingLogAt(state, events) }),
    ...(settings.crashAt === undefined ? {} : { reach: crashAt(settings.crashAt) }),
  });
}

/** @throws CardTransportError there is nothing to reach a reader by; StateFileError the card is another process's */
function openCard(identity: ModemIdentity, settings: ModemSettings, events: ModemEvents): CardTransport {
  const { card: address } = identity;
  const card =
    address.kind === 'pcsc'
      ? openPcscCard(address.reader, systemClock)
      : openVirtual(identity, address.file, settings, events);
  if (!settings.traceApdu) return card;
  return new TracedTransport(card, (line) => events.onLog?.(line));
}

function openVirtual(
  { serial, number, state }: ModemIdentity,
  given: string | undefined,
  settings: ModemSettings,
  { onLog }: ModemEvents,
): VirtualCard {
  const file = given ?? (state === undefined ? undefined : join(state, 'card.json'));
  const { cardKind, gateway } = settings;
  const options = {
    serial,
    initialProfile: settings.carrier,
    switchLatency: settings.switchLatency,
    ...(cardKind === 'auto' ? {} : { kind: cardKind }),
  };
  // Of a fleet nobody looks for files of faults, and the state folders are locked already.
  const card =
    number === undefined
      ? openVirtualCard(file, {
          ...options,
          ...(gateway === undefined ? {} : { gateway }),
          ...(onLog === undefined ? {} : { onLog }),
        })
      : new VirtualCard({
          ...options,
          memory: file === undefined ? volatileCardMemory() : fileCardMemory(new AtomicFile(file)),
        });
  if (number !== undefined) installApplications(card, gateway);
  if (cardKind !== 'auto' && card.kind !== cardKind) {
    void card.close();
    throw new StateFileError(`the card in ${file} is of the kind ${card.kind}, not ${cardKind}`);
  }
  for (const fault of settings.cardFaults.faults) card.faults.set(fault);
  if (settings.cardFaults.random !== undefined) card.faults.random = settings.cardFaults.random;
  return card;
}

/** What a modem makes of its card. */
function cardOptions(
  { state, number }: ModemIdentity,
  settings: ModemSettings,
): Pick<ModemOptions, 'carrierIds' | 'openCard' | 'toolkit' | 'cardReadings' | 'cardNetworks'> {
  const ids = state === undefined ? undefined : fileCarrierIds(new AtomicFile(join(state, 'carriers.json')));
  const { cardKind: kind, gateway, cardReadings, cardNetworks } = settings;
  // The eUICCs of a simulated fleet have no applets: what is not asked for is not polled a hundred thousand times.
  if (number !== undefined && kind === 'auto' && gateway === undefined) {
    return ids === undefined ? {} : { carrierIds: ids };
  }
  return {
    openCard: (parts) =>
      new DetectedCard({
        ...parts,
        kind,
        ...(ids === undefined ? {} : { ids }),
        ...(gateway === undefined ? {} : { gateway }),
      }),
    toolkit: {},
    ...(cardReadings === undefined ? {} : { cardReadings }),
    ...(cardNetworks === undefined ? {} : { cardNetworks }),
  };
}

/** How the modem is bootstrapped: its accounts outlive the process where there is a folder for them. */
function bootstrapOptions(
  bootstrap: BootstrapSettings,
  settings: ModemSettings,
  { name, number, state }: Pick<ModemIdentity, 'name' | 'number' | 'state'>,
  secured: SecuredPort | undefined,
): BootstrapClientOptions {
  const own = bootstrap.credentials?.({ endpoint: name, ...(number === undefined ? {} : { number }) });
  /** The same account has the same credentials: nothing changes with each Register. */
  const made = new WeakMap<SecurityAccount, ClientCredentials>();
  return {
    account: bootstrapAccount(bootstrap, own),
    storage:
      state === undefined ? volatileAccounts() : fileAccounts(new AtomicFile(join(state, 'accounts.json'))),
    pack: bootstrap.pack,
    connect: async (account) => {
      const peer = await resolveServer(hostOf(account));
      const credentials = account.isBootstrap ? own : (made.get(account) ?? credentialsOfAccount(account));
      if (credentials === undefined) return peer;
      made.set(account, credentials);
      secured?.secure(account.uri, peer, credentials);
      return peer;
    },
    server: {
      version: settings.version,
      account: {
        ...(settings.queueMode ? { queueMode: true } : {}),
        ...(settings.notificationStoring ? {} : { notificationStoring: false }),
      },
      ...(settings.updateInterval === undefined ? {} : { updateInterval: settings.updateInterval }),
      ...(settings.profiles === undefined ? {} : { profiles: settings.profiles }),
    },
  };
}

/** @throws RequestError what a bootstrap server wrote is no address */
function hostOf({ uri }: SecurityAccount): NamedHost {
  try {
    return parseServerAddress('the address of a server', uri);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new RequestError(error.message);
  }
}

function serverOptions(
  server: ServerSettings,
  settings: ModemSettings,
  { name, number }: Pick<ModemIdentity, 'name' | 'number'>,
  secured: SecuredPort | undefined,
): ServerOptions {
  const credentials = server.credentials?.({ endpoint: name, ...(number === undefined ? {} : { number }) });
  return {
    uri: server.uri,
    resolve: async () => {
      const peer = await resolveServer(server);
      if (credentials !== undefined) secured?.secure(server.uri, peer, credentials);
      return peer;
    },
    ...(credentials === undefined ? {} : { securityMode: securityModes[credentials.kind] }),
    shortServerId: server.shortServerId,
    instanceId: server.instanceId,
    version: server.version,
    account: {
      // Only what was asked for: what servers wrote is kept otherwise.
      ...(server.lifetime === undefined ? {} : { lifetime: server.lifetime }),
      ...(settings.queueMode ? { queueMode: true } : {}),
      ...(settings.notificationStoring ? {} : { notificationStoring: false }),
      registrationPriorityOrder: server.priority,
      ...(server.delay === undefined ? {} : { initialRegistrationDelayTimer: server.delay }),
    },
    ...(settings.updateInterval === undefined ? {} : { updateInterval: settings.updateInterval }),
    ...(settings.profiles === undefined ? {} : { profiles: settings.profiles }),
  };
}

/** Readings that wait outlive the process where there is a folder for them. */
function readingLogAt(state: string, events: ModemEvents): (streams: readonly string[]) => ReadingLog {
  return (streams) =>
    new ReadingLog({
      path: join(state, 'readings.log'),
      clock: systemClock,
      streams,
      onFailure: (error) =>
        events.onLog?.(`readings that wait are in memory only from now on: ${error.message}`),
    });
}

/** Firmware that outlives the process where there is a folder for it. */
function firmwareParts(state: string | undefined, settings: ModemSettings): FirmwareParts {
  return {
    resolveHost: (host, port) => resolveServer({ host, port }),
    ...(settings.firmwareFault === undefined ? {} : { fault: settings.firmwareFault }),
    ...(state === undefined
      ? {}
      : {
          flash: new FileFlash(join(state, 'firmware.bin'), systemClock, flashCapacity),
          storage: fileFirmware(new AtomicFile(join(state, 'firmware.json'))),
        }),
  };
}

/** Steps before which something was sent that should be out on the network when the process dies. */
const afterSending: ReadonlySet<SwitchStep> = new Set(['answered', 'after-notify']);
const flushTime = 50;

/** Fault injection: at that step the process dies as by a power cut, and nothing of it goes on. */
function crashAt(step: SwitchStep): (reached: SwitchStep) => Promise<void> {
  return async (reached) => {
    if (reached !== step) return;
    const die = (): void => {
      process.kill(process.pid, 'SIGKILL');
    };
    if (afterSending.has(step)) setTimeout(die, flushTime);
    else die();
    await new Promise<never>(() => {});
  };
}
