import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volatileJournal } from '../../client/modem/command-journal.ts';
import { Modem, type ModemOptions } from '../../client/modem/modem.ts';
import { ReadingLog } from '../../client/reading-log.ts';
import { RebindingPort } from '../../client/rebinding-port.ts';
import { VirtualCard } from '../../client/sim/virtual-card/virtual-card.ts';
import { decodePack } from '../../server/telemetry/pack.ts';
import { registry } from '../support/client/client-world.ts';
import { ScriptedServer } from '../support/client/scripted-server.ts';
import { ServerWorld } from '../support/server-world.ts';

// Every reading that our modem takes is in our server's log, once, whatever happens to either.

/** An object that the policy does not observe by itself. */
const unobserved = { carrier: 42_769, iotSensor: 33_000 };
let imu = '/42770/0/2';
const serverAddress = 'server:5683';
/** µs between samples. */
const period = 100_000;

let folder: string;
let world: ServerWorld;
let modem: Modem;
let faults: unknown[];
let ports = 0;

beforeEach(async () => {
  imu = '/42770/0/2';
  folder = mkdtempSync(join(tmpdir(), 'simyard-our-modem-'));
  faults = [];
  world = await ServerWorld.open((stores) => stores, join(folder, 'server'));
});

afterEach(async () => {
  await modem.close({ deregister: false });
  await world.close();
  rmSync(folder, { recursive: true });
  expect(faults).toEqual([]);
});

async function start(options: Partial<ModemOptions> = {}): Promise<void> {
  modem = new Modem({
    port: world.link.port(`modem:${++ports}`),
    clock: world.clock,
    name: 'modem-1',
    servers: [{ uri: `coap://${serverAddress}`, resolve: async () => serverAddress }],
    card: new VirtualCard({ serial: 42, switchLatency: 300, clock: world.clock }),
    journal: volatileJournal(),
    seed: 1,
    serial: '000000042',
    firmware: '1.2.3',
    rates: { imu: 1e6 / period, gyro: 0, temperature: 0 },
    events: { onFault: (error) => void faults.push(error) },
    ...options,
  });
  await world.wait(modem.start());
  await world.wait(modem.client.registration.registered());
}

/** Times in µs of what the server has of the sensor, with how often. */
async function logged(): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for (let after = 0; ; ) {
    const entries = await world.wait(Promise.resolve(world.stores.log.read(after, 1_000)));
    for (const { endpoint, receivedAt, body } of entries) {
      for (const { path, takenAt } of decodePack(endpoint, receivedAt, body).series) {
        if (path !== imu) continue;
        for (const time of takenAt) found.set(time, (found.get(time) ?? 0) + 1);
      }
    }
    const last = entries.at(-1);
    if (last === undefined) return found;
    after = last.position;
  }
}

/** All samples from the first to the last of them, each once; single readings that answer an Observe are besides. */
async function expectAll(atLeast: number): Promise<void> {
  const found = await logged();
  const samples = [...found].filter(([time]) => time % period === 0).sort(([a], [b]) => a - b);
  const gaps = samples.filter(([time], i) => i > 0 && time - (samples[i - 1]?.[0] ?? 0) !== period);
  expect(gaps).toEqual([]);
  expect(samples.filter(([, count]) => count > 1)).toEqual([]);
  expect(samples.length).toBeGreaterThan(atLeast);
}

describe('readings by Send', () => {
  it('are all there, over a bad link and a restart of the server (ETS 306)', async () => {
    imu = '/33000/0/2';
    await start({ report: 'send', customObjects: unobserved });
    await world.pass(5_000);
    world.link.quality = { delay: 50, loss: 0.1, duplicate: 0.1, reorder: 0.1, jitter: 200, seed: 5 };
    await world.pass(30_000);
    await world.restart();
    await world.pass(30_000);
    world.link.quality = { delay: 2 };
    await world.pass(20_000);
    await expectAll(700);
    expect(modem.client.readings.packsRefused).toBe(0);
  });
});

describe('readings that are observed', () => {
  it('are all there from a modem whose address changes every ten seconds', async () => {
    const open = async () => world.link.port(`modem:${++ports}`);
    const port = new RebindingPort({ first: await open(), open, every: 10_000, clock: world.clock });
    await start({ port });
    await world.pass(95_000);
    expect(ports).toBeGreaterThan(9);
    await expectAll(850);
  });

  it('go to two servers, ours and another, all of them to each', async () => {
    const otherAddress = '192.0.2.9:5683';
    const other = new ScriptedServer(registry, () => world.clock.now());
    other.endpoint = world.endpoint(otherAddress, { handler: other.handle });
    await start({
      servers: [serverAddress, otherAddress].map((address) => ({
        uri: `coap://${address}`,
        resolve: async () => address,
      })),
    });
    await world.until('registered there', () => other.of('register').length === 1);
    const { told } = await world.wait(other.observe(imu));
    await world.pass(20_000);
    await expectAll(150);
    const times = told.flatMap(({ payload }) =>
      other.records(imu, payload).map((record) => Math.round((record.time ?? 0) * 1e6)),
    );
    for (let i = 1; i < times.length; i++) expect((times[i] ?? 0) - (times[i - 1] ?? 0)).toBe(period);
    expect(times.length).toBeGreaterThan(150);
    // The other server may read what is ours, and no more.
    const answer = await world.wait(other.writeText('/42770/0/7', '1'));
    expect(new TextDecoder().decode(answer.payload)).toMatch(/^no right to write/);
  });

  it('are all there from a modem that was killed while the server was away, and none is there twice', async () => {
    const openReadings = (streams: readonly string[]): ReadingLog =>
      new ReadingLog({
        path: join(folder, 'readings.log'),
        clock: world.clock,
        streams,
        onFailure: (error) => void faults.push(error),
      });
    await start({ openReadings });
    await world.until('observed', () => modem.client.observations > 0);
    await world.pass(5_000);
    world.link.filter = () => true;
    await world.pass(10_000);
    // Killed: nothing is flushed, said or closed any more.
    const killed = modem;
    world.link.filter = undefined;
    const silenced = `modem:${ports}`;
    world.link.filter = (_data, from, to) => from === silenced || to === silenced;
    await start({ openReadings });
    await world.pass(20_000);
    const found = await logged();
    const samples = [...found.keys()].filter((time) => time % period === 0).sort((a, b) => a - b);
    const missing = samples.filter((time, i) => i > 0 && time - (samples[i - 1] ?? 0) !== period);
    expect(missing).toEqual([]);
    expect([...found.values()].filter((count) => count > 1)).toEqual([]);
    expect(samples.length).toBeGreaterThan(300);
    await killed.close({ deregister: false });
  });
});
