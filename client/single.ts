import { systemClock } from '../protocol/clock.ts';
import { formatCode, isSuccess } from '../protocol/coap/message.ts';
import { buildModem } from './build-modem.ts';
import type { ModemSettings } from './command-line.ts';
import type { Log } from './log.ts';
import { machinePower } from './modem/device/power-source.ts';
import type { Modem, ModemEvents } from './modem/modem.ts';
import { awaitServers, serverNames } from './server-names.ts';
import type { CardAddress } from './sim/card-address.ts';
import { cardSerialOf } from './sim/virtual-card/card-profiles.ts';

/** How often the readings that were acknowledged are told, ms. */
const summaryInterval = 10_000;

/** One modem that tells what it does. Resolves when it runs; the function ends it. */
export async function runSingle(
  mode: {
    readonly endpoint: string;
    readonly state: string | undefined;
    readonly card: CardAddress;
  },
  settings: ModemSettings,
  log: Log,
  onFault: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const { endpoint } = mode;
  const servers = await awaitServers(settings, (reason) => log('warn', endpoint, `${reason}; tried again`));
  const sendOnce = sendAtStart(
    () => modem,
    settings.sendAtStart,
    (message) => log('info', endpoint, message),
    onFault,
  );
  const power = machinePower(systemClock);
  const modem: Modem = await buildModem(
    {
      name: endpoint,
      serial: cardSerialOf(endpoint),
      state: mode.state,
      card: mode.card,
      receiveBufferSize: 1024 * 1024,
      ...(power === undefined ? {} : { power }),
    },
    settings,
    servers,
    modemEvents(endpoint, settings.servers.length !== 1, log, onFault, (shortServerId) =>
      sendOnce(shortServerId),
    ),
  );
  log('info', endpoint, `${serverNames(settings)}, ${mode.state ?? 'nothing is kept'}`);
  log('info', endpoint, `battery: ${power === undefined ? 'simulated' : 'of this machine'}`);
  await modem.start();
  const { current, identity } = modem.carrier;
  log(
    'info',
    endpoint,
    identity === undefined
      ? 'card without a carrier'
      : `on ${current}, ICCID ${identity.iccid ?? 'unknown'}, IMSI ${identity.imsi ?? 'unknown'}`,
  );
  const summary = setInterval(() => summarise(modem, endpoint, log), summaryInterval);
  return async () => {
    clearInterval(summary);
    await modem.close();
    tellReadings(modem, endpoint, log);
  };
}

function modemEvents(
  endpoint: string,
  severalServers: boolean,
  log: Log,
  onFault: (error: unknown) => void,
  onRegistered: (shortServerId: number) => void,
): ModemEvents {
  /** Of each registration, by short server id. */
  const locations = new Map<number, string>();
  return {
    onFault,
    onLog: (message) => log('info', endpoint, message),
    onState(state, detail, shortServerId) {
      const at = severalServers ? ` (server ${shortServerId})` : '';
      const known = locations.get(shortServerId) === detail;
      if (state === 'registered' && known) log('info', endpoint, `registration updated${at}`);
      else if (state === 'registered') log('info', endpoint, `registered at ${detail}${at}`);
      else if (state === 'waiting') log('warn', endpoint, `not registered: ${detail}${at}`);
      else if (state === 'deregistering') log('info', endpoint, `deregistering${at}`);
      else log('debug', endpoint, `${state}${at}`);
      if (state === 'registered' || state === 'registering') locations.set(shortServerId, detail);
      if (state === 'registered') onRegistered(shortServerId);
    },
    onBootstrap(state, detail) {
      const troubled = state === 'waiting' || state === 'failed';
      log(troubled ? 'warn' : 'info', endpoint, `bootstrap ${state}${detail === '' ? '' : `: ${detail}`}`);
    },
    onObserve: (path, packs) => log('info', endpoint, `observed: ${path}${packs ? ', in packs' : ''}`),
    onOperation(operation, path, code, diagnostic) {
      const said = diagnostic === '' ? '' : ` ${diagnostic}`;
      log(isSuccess(code) ? 'debug' : 'info', endpoint, `${operation} ${path}: ${formatCode(code)}${said}`);
    },
    onDelivered: (path, readings) => log('debug', endpoint, `pack of ${readings} acknowledged: ${path}`),
  };
}

function summarise(modem: Modem, endpoint: string, log: Log): void {
  if (modem.client.readings.pending > 0 || modem.client.readings.packsDelivered > 0) {
    tellReadings(modem, endpoint, log);
  }
}

function tellReadings(modem: Modem, endpoint: string, log: Log): void {
  const { readingsDelivered, packsDelivered, pending, dropped } = modem.client.readings;
  const lost = dropped === 0 ? '' : `, ${dropped} lost to full queues`;
  log(
    'info',
    endpoint,
    `${readingsDelivered} readings acknowledged in ${packsDelivered} packs, ${pending} wait${lost}`,
  );
}

/** Sends what is at these paths to each server, when the modem is registered there for the first time. */
function sendAtStart(
  modem: () => Modem,
  paths: readonly string[],
  tell: (message: string) => void,
  onFault: (error: unknown) => void,
): (shortServerId: number) => void {
  const sent = new Set<number>();
  return (shortServerId) => {
    if (paths.length === 0 || sent.has(shortServerId)) return;
    sent.add(shortServerId);
    modem()
      .client.sessions.find((session) => session.shortServerId === shortServerId)
      ?.sendPaths(paths)
      .then(({ result, detail }) =>
        tell(`sent ${paths.join(' ')}: ${detail === '' ? result : `${result}, ${detail}`}`),
      )
      .catch(onFault);
  };
}
