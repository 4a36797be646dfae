import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volatileJournal } from '../../client/modem/command-journal.ts';
import { Modem, type ModemOptions } from '../../client/modem/modem.ts';
import { DetectedCard } from '../../client/sim/detected-card.ts';
import { installApplications } from '../../client/sim/virtual-card/applications.ts';
import type { CardKind } from '../../client/sim/virtual-card/card-contents.ts';
import { VirtualCard } from '../../client/sim/virtual-card/virtual-card.ts';
import type { ApiCarrierAnswer, ApiCommand, ApiDevice } from '../../server/api/schemas.ts';
import { GATEWAY, ServerWorld } from '../support/server-world.ts';

const gateway = { address: '192.0.2.1', port: 6001 };
const address = '198.51.100.7';

let folder: string;
let world: ServerWorld;
let card: VirtualCard;
let modem: Modem;
let faults: unknown[];
let lines: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-applet-'));
  const file = join(folder, 'devices.json');
  const sensors = { 3: { kind: 'temperature', units: 'Cel', scale: 0.001 } };
  writeFileSync(file, JSON.stringify({ devices: [{ endpoint: 'card-1', sources: [address], sensors }] }));
  world = await ServerWorld.open(undefined, ':memory:', ['--gateway-devices', file]);
  faults = [];
  lines = [];
});

afterEach(async () => {
  await world.wait(modem.close());
  await world.close();
  rmSync(folder, { recursive: true });
  expect(faults).toEqual([]);
});

/** A modem with a card of that kind; its card's channel has another port of the same address. */
async function start(kind: CardKind, options: Partial<ModemOptions> = {}): Promise<void> {
  let port = 40_000;
  card = new VirtualCard({ serial: 42, kind, clock: world.clock });
  installApplications(card, gateway);
  modem = new Modem({
    port: world.link.port(`${address}:5683`),
    card,
    journal: volatileJournal(),
    clock: world.clock,
    name: 'modem-1',
    servers: [{ uri: 'coap://server', resolve: async () => 'server:5683' }],
    openCard: (parts) => new DetectedCard({ ...parts, kind: 'auto', gateway }),
    toolkit: {},
    openCardSocket: async () => world.link.port(`${address}:${port++}`),
    seed: 1,
    serial: '000000042',
    firmware: '1.2.3',
    rates: { imu: 0, gyro: 0, temperature: 1 },
    events: {
      onLog: (line) => void lines.push(line),
      onFault: (error) => void faults.push(error),
    },
    ...options,
  });
  await world.wait(modem.start());
  for (const endpoint of ['modem-1', 'card-1']) {
    await world.until(`${endpoint} is there, and its carriers`, async () => {
      const { state } = await world.api
        .get<ApiDevice>(`/api/devices/${endpoint}`)
        .catch(() => ({ state: '' }));
      return state === 'awake' && (await carrierOf(endpoint)).slots[0]?.available.length === 3;
    });
  }
}

const carrierOf = (endpoint: string) => world.api.get<ApiCarrierAnswer>(`/api/devices/${endpoint}/carrier`);
const shows = (endpoint: string, carrier: string) =>
  world.until(`${endpoint} is on ${carrier}`, async () => (await carrierOf(endpoint)).current === carrier);

/** A switch by REST, and the command as it ended. */
async function switchTo(endpoint: string, carrier: string): Promise<ApiCommand> {
  const { id } = await world.wait(
    world.api.post<ApiCommand>(`/api/devices/${endpoint}/carrier`, { carrier }),
  );
  return world.until('the command ends', async () => {
    const command = await world.api.get<ApiCommand>(`/api/commands/${id}`);
    return ['done', 'failed', 'unknown', 'expired'].includes(command.state) && command;
  });
}

/** Packets of the card's channel, and which way they went. */
const packets = () =>
  world.link.log
    .filter(({ from, to }) => from === GATEWAY || to === GATEWAY)
    .map(({ data, to }) => `${to === GATEWAY ? '↑' : '↓'} ${Buffer.from(data).toString('hex')}`);

describe('a card with the carrier applet, in a modem', () => {
  it('switches by itself when the gateway says so: its own ACK, another ICCID', async () => {
    await start('applet');
    world.link.recording = true;
    const command = await switchTo('card-1', 'Verizon');
    expect(command).toMatchObject({
      state: 'done',
      reason: 'the card acknowledged',
      result: { answer: 'ACK', carrier: 'Verizon' },
    });
    expect(packets().slice(0, 2)).toEqual(['↓ 1020', '↑ 1102']);
    expect(card.enabledProfile?.name).toBe('Verizon');
    // What the modem tells its LwM2M server follows.
    await shows('modem-1', 'Verizon');
    const [slot] = (await carrierOf('modem-1')).slots;
    expect(slot).toMatchObject({ iccid: card.profiles[2]?.iccid, imsi: card.profiles[2]?.imsi });
    expect(lines).toContain('the card is on Verizon now, by itself');
  });

  it('is handed the switch of the LwM2M server, and the gateway hears of it', async () => {
    await start('applet');
    world.link.recording = true;
    const command = await switchTo('modem-1', 'T-Mobile');
    expect(command).toMatchObject({
      state: 'done',
      result: { answer: 'ACK', carrier: 'T-Mobile', iccid: card.profiles[1]?.iccid },
    });
    await shows('card-1', 'T-Mobile');
    expect(packets()[0]).toBe('↑ 1101');
  });

  it('that refuses ends both kinds of switch with its reason', async () => {
    await start('applet');
    card.faults.set({ kind: 'policy' });
    expect(await switchTo('card-1', 'Verizon')).toMatchObject({
      state: 'failed',
      reason: 'the card refused; it is on AT&T',
    });
    expect(await switchTo('modem-1', 'Verizon')).toMatchObject({
      state: 'failed',
      reason: 'the applet refused: it is on AT&T',
    });
  });

  it('goes back where the new carrier has no network, and says NACK', async () => {
    await start('applet', { noNetwork: ['Verizon'] });
    const command = await switchTo('card-1', 'Verizon');
    expect(command).toMatchObject({ state: 'failed', reason: 'the card refused; it is on AT&T' });
    await shows('modem-1', 'AT&T');
    expect(card.enabledProfile?.name).toBe('AT&T');
  });

  it('disconnects after its ACK, and is back on its carrier when it is time', async () => {
    await start('applet', { reconnectAfter: 30 });
    expect(await switchTo('card-1', 'Disconnect')).toMatchObject({ state: 'done', result: { carrier: '' } });
    await world.pass(35_000);
    await shows('card-1', 'AT&T');
    await shows('modem-1', 'AT&T');
  });

  it('sends readings up, which are charted at the time that they were taken', async () => {
    await start('applet', { cardReadings: 1 });
    await world.pass(5_000);
    const sensor = modem.sensors.find(({ model }) => model.kind === 'temperature');
    const { items } = await world.api.get<{ items: { path: string; value: number; takenAt: number }[] }>(
      '/api/devices/card-1/readings',
    );
    const shown = items.find(({ path }) => path === '/42770/3/2');
    expect(shown?.value).toBeCloseTo(sensor?.latest.value ?? Number.NaN, 1);
    expect((sensor?.latest.time ?? 0) / 1_000 - (shown?.takenAt ?? 0)).toBeLessThan(2_500);
    expect(Number.isInteger((shown?.takenAt ?? 0.5) / 1_000)).toBe(true);
  });
});

describe('an eUICC that has the applet too, in a modem', () => {
  it('is switched by ES10c and by its applet, and both servers follow', async () => {
    await start('euicc');
    expect(await switchTo('card-1', 'Verizon')).toMatchObject({
      state: 'done',
      result: { answer: 'ACK', carrier: 'Verizon' },
    });
    await shows('modem-1', 'Verizon');
    expect((await carrierOf('modem-1')).slots[0]?.iccid).toBe(card.profiles[2]?.iccid);
    expect(await switchTo('modem-1', 'T-Mobile')).toMatchObject({ state: 'done' });
    // The applet says where it is when its channel is open again.
    await shows('card-1', 'T-Mobile');
    expect(card.enabledProfile?.name).toBe('T-Mobile');
  });
});

describe('a card with the old applet, in a modem', () => {
  it('acknowledges, and is shown as it is: another carrier, the same ICCID', async () => {
    await start('legacy');
    expect(await switchTo('modem-1', 'T-Mobile')).toMatchObject({
      state: 'done',
      result: { answer: 'ACK', carrier: 'T-Mobile', iccid: card.profiles[0]?.iccid },
      reason: `the applet acknowledged; the ICCID of the card did not change (${card.profiles[0]?.iccid})`,
    });
    await shows('card-1', 'T-Mobile');
  });

  it('is handed the gateway’s perform, and its ACK goes back', async () => {
    await start('legacy');
    expect(await switchTo('card-1', 'Verizon')).toMatchObject({
      state: 'done',
      result: { answer: 'ACK', carrier: 'Verizon' },
    });
    await shows('modem-1', 'Verizon');
    expect((await carrierOf('modem-1')).slots[0]?.iccid).toBe(card.profiles[0]?.iccid);
  });
});
