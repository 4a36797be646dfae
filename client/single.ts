import { formatCode, isSuccess } from '../protocol/coap/message.ts';
import { awaitServer, buildModem } from './build-modem.ts';
import type { ModemSettings } from './command-line.ts';
import type { Log } from './log.ts';
import type { Modem, ModemEvents } from './modem/modem.ts';
import { cardSerialOf } from './sim/card-profiles.ts';

/** How often the readings that were acknowledged are told, ms. */
const summaryInterval = 10_000;

/** One modem that tells what it does. Resolves when it runs; the function ends it. */
export async function runSingle(
  mode: {
    readonly endpoint: string;
    readonly state: string | undefined;
    readonly cardFile: string | undefined;
  },
  settings: ModemSettings,
  log: Log,
  onFault: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const { endpoint } = mode;
  const server = await awaitServer(settings.server, (reason) =>
    log('warn', endpoint, `${reason}; tried again`),
  );
  const modem = await buildModem(
    {
      name: endpoint,
      serial: cardSerialOf(endpoint),
      state: mode.state,
      cardFile: mode.cardFile,
      receiveBufferSize: 1024 * 1024,
    },
    settings,
    server,
    modemEvents(endpoint, log, onFault),
  );
  log('info', endpoint, `server ${settings.server.uri}, ${mode.state ?? 'nothing is kept'}`);
  await modem.start();
  const { current, identity } = modem.carrier;
  log(
    'info',
    endpoint,
    identity === undefined
      ? 'card without a carrier'
      : `on ${current}, ICCID ${identity.iccid}, IMSI ${identity.imsi}`,
  );
  const summary = setInterval(() => summarise(modem, endpoint, log), summaryInterval);
  return async () => {
    clearInterval(summary);
    await modem.close();
    tellReadings(modem, endpoint, log);
  };
}

function modemEvents(endpoint: string, log: Log, onFault: (error: unknown) => void): ModemEvents {
  let location = '';
  return {
    onFault,
    onLog: (message) => log('info', endpoint, message),
    onState(state, detail) {
      if (state === 'registered' && detail === location) log('info', endpoint, 'registration updated');
      else if (state === 'registered') log('info', endpoint, `registered at ${detail}`);
      else if (state === 'waiting') log('warn', endpoint, `not registered: ${detail}`);
      else if (state === 'deregistering') log('info', endpoint, 'deregistering');
      else log('debug', endpoint, state);
      if (state === 'registered' || state === 'registering') location = detail;
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
