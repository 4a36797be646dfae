/**
 * How long until all devices are back after an outage: simulated for any number of them, and for some thousands
 * with real clients and a real server that is killed, beside the simulation of the same.
 * node scripts/run.mjs bench/storm.ts [--real N] [--outage S] [--update-interval S] [--redis-url URL]
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { seededRandom } from '../client/modem/signals.ts';
import { freePort, startServerProcess } from '../test/support/server-process.ts';
import { BenchProcess } from './process.ts';
import type { StormCommand, StormReport } from './storm/devices.ts';
import { type ServerCosts, type Storm, simulateStorm } from './storm/simulation.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

const { values } = parseArgs({
  options: {
    real: { type: 'string', default: '0' },
    outage: { type: 'string', default: '120' },
    'update-interval': { type: 'string', default: '60' },
    'redis-url': { type: 'string' },
    register: { type: 'string', default: '50' },
    update: { type: 'string', default: '40' },
  },
});
const real = Number(values.real);
const outage = Number(values.outage);
const updateInterval = Number(values['update-interval']);
/** Clients in one process: more would wait for its processor, and not for the server. */
const perProcess = 5_000;
const patience = 300_000;

/** µs as bench/redis.ts measures them; the buffer of 4 MiB that the server asks for, at what the kernel counts for a small datagram. */
const costs: ServerCosts = {
  register: Number(values.register),
  update: Number(values.update),
  duplicate: 8,
  buffer: 5_000,
  latency: 0.002,
};

function line(what: string, devices: number, back: ArrayLike<number>, more: string): string {
  const at = (share: number): string =>
    (back[Math.min(back.length - 1, Math.floor(back.length * share))] ?? Number.NaN).toFixed(1);
  return `| ${what} | ${devices.toLocaleString('en')} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${more} |`;
}

const head = [
  '| storm | devices per process | half are back, s | 99 % | all | datagrams, dropped, repeated |',
  '|---|--:|--:|--:|--:|---|',
];

function simulated(
  what: string,
  storm: Omit<Storm, 'random' | 'server' | 'updateInterval'> & Partial<Storm>,
): string {
  const result = simulateStorm({ updateInterval, server: costs, random: seededRandom(1), ...storm });
  const { datagrams, dropped, duplicates } = result;
  const share = (part: number): string => `${((100 * part) / datagrams).toFixed(0)} %`;
  const more = `${(datagrams / storm.devices).toFixed(1)} each, ${share(dropped)}, ${share(duplicates)}`;
  return line(what, storm.devices, result.back, more);
}

/** The same with real clients and a real server. */
async function measure(devices: number): Promise<{ readonly row: string; readonly outage: number }> {
  const folder = temporaryFolder('simyard-storm-');
  const port = await freePort();
  const options = {
    data: join(folder, 'data'),
    coapPort: port,
    httpPort: await freePort(),
    flags: [
      '--log-level',
      'error',
      ...(values['redis-url'] === undefined ? [] : ['--redis-url', values['redis-url']]),
    ],
    limit: patience,
  };
  let server = await startServerProcess(options);
  const processes: BenchProcess[] = [];
  const askAll = async (command: StormCommand): Promise<StormReport[]> =>
    Promise.all(processes.map((process) => process.ask<StormReport>(command)));
  const waitFor = async (
    what: string,
    met: (reports: readonly StormReport[]) => boolean,
  ): Promise<readonly StormReport[]> => {
    for (const end = performance.now() + patience; performance.now() < end; ) {
      const reports = await askAll({ kind: 'ask' });
      if (met(reports)) return reports;
      await sleep(200);
    }
    throw new Error(`waited in vain: ${what}`);
  };
  try {
    for (let first = 0; first < devices; first += perProcess) {
      const process = new BenchProcess('./storm/devices.ts');
      processes.push(process);
      const count = Math.min(perProcess, devices - first);
      await process.ask({ kind: 'open', first, count, port, updateInterval } satisfies StormCommand);
    }
    await askAll({ kind: 'start', rate: 500 });
    const registered = (reports: readonly StormReport[]): number =>
      reports.reduce((sum, report) => sum + report.registered, 0);
    await waitFor('all are registered', (reports) => registered(reports) === devices);
    // Long enough that the Updates are spread as they are in a fleet that has run for a while.
    await sleep(updateInterval * 1_000);
    await server.kill('SIGKILL');
    const killed = performance.now();
    await sleep(outage * 1_000);
    server = await startServerProcess(options);
    const away = (performance.now() - killed) / 1_000;
    await askAll({ kind: 'mark' });
    const reports = await waitFor(
      'all are back',
      (all) => all.reduce((sum, { back }) => sum + back.length, 0) === devices,
    );
    const back = Float64Array.from(reports.flatMap((report) => report.back.map((ms) => ms / 1_000))).sort();
    return { row: line('measured', devices, back, 'real clients, real server'), outage: away };
  } finally {
    await Promise.all(processes.map((process) => process.stop()));
    await server.kill('SIGKILL');
    removeFolder(folder);
  }
}

const lines = [...head];
if (real > 0) {
  process.stderr.write(`${real} real clients; the server is away for ${outage} s …\n`);
  const measured = await measure(real);
  lines.push(measured.row, simulated('simulated, the same', { devices: real, outage: measured.outage }));
} else {
  for (const devices of [15_000, 100_000, 300_000, 1_000_000]) {
    lines.push(
      simulated(`the server was away for ${outage} s, and knows its devices`, { devices, outage }),
      simulated('and has forgotten them', { devices, outage, forgetful: true }),
      simulated('power came back: all at once', { devices, outage: 0, powerCut: { within: 1 } }),
      simulated('power came back: within a minute', { devices, outage: 0, powerCut: { within: 60 } }),
    );
  }
}
process.stdout.write(
  `${lines.join('\n')}\n\nA server process needs ${costs.register} µs for a Register, ${costs.update} µs for an Update; Updates every ${updateInterval} s.\n`,
);
