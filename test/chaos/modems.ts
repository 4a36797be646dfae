/**
 * A process of modems, steered over IPC by modem-group.ts, which kills it. What the modems keep is in files, as
 * with a real modem's flash; what they saw acknowledged and executed is in the ledger.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicFile } from '../../client/atomic-file.ts';
import { fileJournal } from '../../client/modem/command-journal.ts';
import { fileSettings } from '../../client/modem/kept-settings.ts';
import { Modem } from '../../client/modem/modem.ts';
import { ReadingLog } from '../../client/reading-log.ts';
import { fileCardMemory } from '../../client/sim/virtual-card/card-memory.ts';
import { VirtualCard } from '../../client/sim/virtual-card/virtual-card.ts';
import { systemClock } from '../../protocol/clock.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import { LedgerWriter } from './ledger.ts';
import { WitnessPort } from './witness-port.ts';

export interface ModemsOptions {
  /** Of the modems' own folders. */
  readonly folder: string;
  readonly ledger: string;
  readonly prefix: string;
  /** Number of the first. */
  readonly first: number;
  readonly count: number;
  /** `127.0.0.1:port`: a Register goes to one of them by chance, as with a name that has several addresses. */
  readonly servers: readonly string[];
  /** Seconds. */
  readonly lifetime: number;
  readonly report: 'observe' | 'send';
  /** Samples a second of its one sensor. */
  readonly rate: number;
  /** ms between packs. */
  readonly packInterval: number;
  /** Modems begun a second. */
  readonly ramp: number;
}

export type ModemsCommand =
  | { readonly kind: 'begin'; readonly options: ModemsOptions }
  /** No new readings. */
  | { readonly kind: 'quiet' }
  | { readonly kind: 'report' };

export interface ModemsReport {
  /** Endpoint and Location-Path of those that are registered; the path is empty where it is not. */
  readonly locations: readonly (readonly [endpoint: string, location: string])[];
  /** Readings that wait, by endpoint, where any do. */
  readonly pending: readonly (readonly [endpoint: string, readings: number])[];
  /** Readings that a full queue has dropped. */
  readonly dropped: number;
  readonly delivered: number;
}

const rampStep = 20;
const receiveBufferSize = 65_536;

const modems = new Map<string, Modem>();
let quiet = false;

async function build(options: ModemsOptions, ledger: LedgerWriter, number: number): Promise<Modem> {
  const name = `${options.prefix}${number}`;
  const folder = join(options.folder, name);
  mkdirSync(folder, { recursive: true });
  const socket = await createUdpPort({ host: '127.0.0.1', port: 0, receiveBufferSize });
  const { servers } = options;
  let asked = number;
  const resolve = async (): Promise<string> => {
    const server = servers[asked % servers.length] as string;
    asked = Math.floor(Math.random() * servers.length);
    return server;
  };
  const modem: Modem = new Modem({
    port: new WitnessPort(socket, (path, times, values) => ledger.acknowledged(name, path, times, values)),
    card: new VirtualCard({
      serial: number,
      memory: fileCardMemory(new AtomicFile(join(folder, 'card.json'))),
      switchLatency: 50,
    }),
    journal: fileJournal(new AtomicFile(join(folder, 'journal.json'))),
    settings: fileSettings(new AtomicFile(join(folder, 'settings.json'))),
    openReadings: (streams) =>
      new ReadingLog({
        path: join(folder, 'readings.log'),
        clock: systemClock,
        streams,
        onFailure: fault,
      }),
    clock: systemClock,
    name,
    servers: [
      {
        uri: `coap://${servers[0]}`,
        resolve,
        account: { lifetime: options.lifetime },
        // A server that comes back is found within seconds, or a run of minutes would see little of it.
        maxBackOff: 5_000,
      },
    ],
    report: options.report,
    rates: { imu: options.rate, gyro: 0, temperature: 0 },
    packInterval: options.packInterval,
    attachTime: 20,
    seed: number,
    serial: String(number).padStart(9, '0'),
    firmware: '0',
    reach: async (step) => {
      if (step === 'before-apdu') ledger.executed(name, modem.carrier.lastCommand);
    },
    events: { onFault: fault },
  });
  return modem;
}

async function begin(options: ModemsOptions): Promise<void> {
  mkdirSync(options.folder, { recursive: true });
  const ledger = new LedgerWriter(options.ledger);
  const began = performance.now();
  for (let begun = 0; begun < options.count; ) {
    const due = Math.ceil(((performance.now() - began + rampStep) * options.ramp) / 1_000);
    for (; begun < Math.min(due, options.count); begun++) {
      const modem = await build(options, ledger, options.first + begun);
      modems.set(`${options.prefix}${options.first + begun}`, modem);
      if (quiet) silence(modem);
      await modem.start();
    }
    await sleep(rampStep);
  }
}

function silence(modem: Modem): void {
  for (const sensor of modem.sensors) sensor.period = 0;
}

function report(): ModemsReport {
  const all = [...modems];
  return {
    locations: all.map(([name, { client }]) => [name, client.registration.location ?? ''] as const),
    pending: all
      .map(([name, { client }]) => [name, client.readings.pending] as const)
      .filter(([, readings]) => readings > 0),
    dropped: all.reduce((sum, [, { client }]) => sum + client.readings.dropped, 0),
    delivered: all.reduce((sum, [, { client }]) => sum + client.readings.readingsDelivered, 0),
  };
}

function fault(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

process.on('message', (command: ModemsCommand) => {
  switch (command.kind) {
    case 'begin':
      begin(command.options).then(() => process.send?.('begun'), fault);
      return;
    case 'quiet':
      quiet = true;
      for (const modem of modems.values()) silence(modem);
      return;
    case 'report':
      process.send?.(report());
  }
});
// Nobody steers it any more.
process.on('disconnect', () => process.exit(0));
