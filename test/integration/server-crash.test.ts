import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volatileJournal } from '../../client/modem/command-journal.ts';
import { Modem } from '../../client/modem/modem.ts';
import { volatileCardMemory } from '../../client/sim/virtual-card/card-memory.ts';
import { VirtualCard } from '../../client/sim/virtual-card/virtual-card.ts';
import { systemClock } from '../../protocol/clock.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import type { ApiCommand, ApiDevice, ApiDevicePage } from '../../server/api/schemas.ts';
import { openEmbeddedStores } from '../../server/embedded/index.ts';
import { decodePack } from '../../server/telemetry/pack.ts';
import { RecordingPort } from '../support/recording-port.ts';
import { ApiClient, freePort, type ProjectProcess, startServerProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';

const MODEMS = 6;
const KILLS = 4;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-crash-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Running {
  readonly name: string;
  readonly modem: Modem;
  readonly port: RecordingPort;
  registrations: number;
}

async function startModem(index: number, coapPort: number): Promise<Running> {
  const port = new RecordingPort(await createUdpPort({ host: '127.0.0.1', port: 0 }));
  const running: Running = {
    name: `modem-${index}`,
    port,
    registrations: 0,
    modem: new Modem({
      port,
      card: new VirtualCard({ serial: index, memory: volatileCardMemory() }),
      journal: volatileJournal(),
      clock: systemClock,
      name: `modem-${index}`,
      servers: [{ uri: `coap://127.0.0.1:${coapPort}`, resolve: async () => `127.0.0.1:${coapPort}` }],
      rates: { imu: 200, gyro: 100, temperature: 20 },
      packInterval: 50,
      seed: index,
      serial: String(index),
      firmware: '0',
      events: {
        onState(state) {
          if (state === 'registering') running.registrations++;
        },
        onFault(error) {
          throw error;
        },
      },
    }),
  };
  await running.modem.start();
  return running;
}

/** Everything in the log, by device: `path takenAt` of each reading with how often it is there. */
async function readLog(data: string): Promise<Map<string, Map<string, number>>> {
  const stores = await openEmbeddedStores({ path: data });
  const found = new Map<string, Map<string, number>>();
  try {
    for (let after = 0; ; ) {
      const entries = await stores.log.read(after, 1_000);
      for (const { endpoint, receivedAt, body } of entries) {
        const readings = found.get(endpoint) ?? new Map<string, number>();
        found.set(endpoint, readings);
        for (const { path, takenAt } of decodePack(endpoint, receivedAt, body).series) {
          for (const time of takenAt) {
            const key = `${path} ${time}`;
            readings.set(key, (readings.get(key) ?? 0) + 1);
          }
        }
      }
      const last = entries.at(-1);
      if (last === undefined) return found;
      after = last.position;
    }
  } finally {
    await stores.close();
  }
}

describe('a server that is killed with -9 under load, and started again', () => {
  it('has every acknowledged reading once, knows its devices and commands, and needs no new registration', async () => {
    const options = {
      data: join(folder, 'data'),
      coapPort: await freePort(),
      httpPort: await freePort(),
    };
    const api = new ApiClient(options.httpPort);
    let server: ProjectProcess = await startServerProcess(options);
    const modems: Running[] = [];
    try {
      // One that comes and goes, so that a command has to wait for it.
      const away = await startModem(99, options.coapPort);
      await until(
        'the device is known',
        async () => (await api.get<ApiDevicePage>('/api/devices')).total === 1,
      );
      await until('its carriers are known', async () => {
        const { slots } = await api.get<{ slots: { available: unknown[] }[] }>(
          '/api/devices/modem-99/carrier',
        );
        return (slots[0]?.available.length ?? 0) > 0;
      });
      await away.modem.close();
      const waiting = await api.post<ApiCommand>('/api/devices/modem-99/carrier', { carrier: 'Verizon' });

      for (let index = 0; index < MODEMS; index++) modems.push(await startModem(index, options.coapPort));
      await until('all are registered', async () => {
        const page = await api.get<ApiDevicePage>('/api/devices?state=registered');
        return page.total === MODEMS;
      });
      const total = (): number => modems.reduce((sum, { port }) => sum + port.acknowledged.length, 0);
      for (let kill = 0; kill < KILLS; kill++) {
        const before = total();
        await until('readings are acknowledged', () => total() > before + 500 * (kill + 1));
        await server.kill('SIGKILL');
        server = await startServerProcess(options);
      }
      const afterLast = total();
      await until('readings go on', () => total() > afterLast + 500);

      expect(await api.get<ApiCommand>(`/api/commands/${waiting.id}`)).toMatchObject({ state: 'queued' });
      const devices = await api.get<ApiDevicePage>('/api/devices?state=registered');
      expect(devices.items.map(({ endpoint }) => endpoint)).toEqual(
        modems.map((_, index) => `modem-${index}`),
      );
      expect(modems.map(({ registrations }) => registrations)).toEqual(modems.map(() => 1));

      // The one that was away comes back, and gets its command.
      const back = await startModem(99, options.coapPort);
      modems.push(back);
      await until('the command is done', async () => {
        const { state } = await api.get<ApiCommand>(`/api/commands/${waiting.id}`);
        return state === 'done';
      });
      expect((await api.get<ApiDevice>('/api/devices/modem-99')).endpoint).toBe('modem-99');
    } finally {
      await Promise.all(modems.map(({ modem }) => modem.close()));
      await server.kill('SIGTERM');
    }

    const log = await readLog(options.data);
    for (const { name, port } of modems) {
      const readings = log.get(name) ?? new Map<string, number>();
      const lost = port.acknowledged.filter(({ path, takenAt }) => !readings.has(`${path} ${takenAt}`));
      expect(lost).toEqual([]);
      const sensors = [...readings].filter(([key, count]) => key.includes('/2 ') && count > 1);
      expect(sensors).toEqual([]);
    }
  }, 120_000);
});
