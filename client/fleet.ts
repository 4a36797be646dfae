import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildModem } from './build-modem.ts';
import { folderName, type ModemSettings } from './command-line.ts';
import type { Log } from './log.ts';
import type { Modem } from './modem/modem.ts';
import { awaitServers, serverNames } from './server-names.ts';
import { cardSerialLimit, cardSerialOf } from './sim/virtual-card/card-profiles.ts';

const summaryInterval = 5_000;
/** New modems are begun this often, ms; as many at once as the ramp asks for. */
const rampStep = 20;
/** Modems that deregister at the same time. */
const closingAtOnce = 1_000;
const receiveBufferSize = 65_536;

/** Many modems in this process, begun at the rate of the ramp. Resolves at once; the function ends them. */
export async function runFleet(
  mode: {
    readonly count: number;
    readonly prefix: string;
    readonly ramp: number;
    readonly state: string | undefined;
  },
  settings: ModemSettings,
  log: Log,
  onFault: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const { count, prefix } = mode;
  const servers = await awaitServers(settings, (reason) => log('warn', 'fleet', `${reason}; tried again`));
  const modems: Modem[] = [];
  const stopping = new AbortController();
  const firstSerial = cardSerialOf(prefix);
  log('info', 'fleet', `${count} modems ${prefix}1 to ${prefix}${count}, ${serverNames(settings)}`);

  const begin = async (index: number): Promise<void> => {
    const name = `${prefix}${index}`;
    const modem = await buildModem(
      {
        name,
        number: index,
        serial: (firstSerial + index) % cardSerialLimit,
        state: mode.state === undefined ? undefined : join(mode.state, folderName(name)),
        card: { kind: 'virtual', file: undefined },
        receiveBufferSize,
      },
      settings,
      servers,
      {
        onFault,
        onLog: (message) => log('debug', name, message),
        onState(state, detail) {
          if (state === 'waiting') log('debug', name, `not registered: ${detail}`);
        },
      },
    );
    modems.push(modem);
    await modem.start();
  };
  const ramp = async (): Promise<void> => {
    const began = performance.now();
    for (let begun = 0; begun < count && !stopping.signal.aborted; ) {
      const due = Math.min(count, Math.ceil(((performance.now() - began + rampStep) * mode.ramp) / 1_000));
      const batch = Array.from({ length: due - begun }, (_, i) => begin(begun + i + 1));
      begun = due;
      await Promise.all(batch);
      await sleep(rampStep);
    }
  };
  const ramping = ramp().catch((error: unknown) => {
    // Mostly EMFILE: each modem has a socket, and the system allows a process so many (ulimit -n).
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    log('error', 'fleet', `no more than ${modems.length} modems: ${error.message}`);
  });
  ramping.catch(onFault);
  let before = 0;
  const summary = setInterval(() => {
    before = summarise(modems, count, before, log);
  }, summaryInterval);
  return async () => {
    clearInterval(summary);
    stopping.abort();
    await ramping;
    const left = [...modems];
    const closers = Array.from({ length: closingAtOnce }, async () => {
      for (let modem = left.pop(); modem !== undefined; modem = left.pop()) await modem.close();
    });
    await Promise.all(closers);
    summarise(modems, count, before, log);
  };
}

/** One line; returns the readings acknowledged so far. */
function summarise(modems: readonly Modem[], count: number, before: number, log: Log): number {
  const states = { registered: 0, registering: 0, waiting: 0 };
  let delivered = 0;
  let pending = 0;
  let dropped = 0;
  for (const { client } of modems) {
    const state = client.sessions[0]?.registration.state;
    if (state === 'registered' || state === 'updating') states.registered++;
    else if (state === 'registering') states.registering++;
    else if (state === 'waiting') states.waiting++;
    delivered += client.readings.readingsDelivered;
    pending += client.readings.pending;
    dropped += client.readings.dropped;
  }
  const rate = Math.round((delivered - before) / (summaryInterval / 1_000));
  const lost = dropped === 0 ? '' : `, ${dropped} lost`;
  log(
    'info',
    'fleet',
    `${states.registered} of ${count} registered, ${states.registering} registering, ${states.waiting} waiting; ` +
      `${delivered} readings acknowledged (${rate}/s), ${pending} wait${lost}`,
  );
  return delivered;
}
