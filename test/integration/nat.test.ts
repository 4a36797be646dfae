import { afterEach, describe, expect, it } from 'vitest';
import { volatileJournal } from '../../client/modem/command-journal.ts';
import { Modem } from '../../client/modem/modem.ts';
import { volatileCardMemory } from '../../client/sim/virtual-card/card-memory.ts';
import { VirtualCard } from '../../client/sim/virtual-card/virtual-card.ts';
import type { ApiCommand, ApiDevice, ApiDevicePage } from '../../server/api/schemas.ts';
import { compareWithLog, logReadings } from '../support/log-readings.ts';
import { RecordingPort } from '../support/recording-port.ts';
import { ServerWorld } from '../support/server-world.ts';

const MODEM = 'modem';
const INSIDE = '10.0.0.1:5683';
const CARRIERS = ['T-Mobile', 'Verizon', 'AT&T'];

let world: ServerWorld;
let modem: Modem;
let port: RecordingPort;
let registrations = 0;
let ports = 0;

afterEach(async () => {
  await world.wait(modem.close({ deregister: false }));
  await world.close();
});

/** A modem with one sensor, behind a NAT, on a link that doubles and reorders. */
async function open(hertz: number): Promise<void> {
  world = await ServerWorld.open();
  world.link.quality = { delay: 30, duplicate: 0.01, reorder: 0.05, jitter: 60, seed: 7 };
  registrations = 0;
  ports = 0;
  port = new RecordingPort(world.link.port(INSIDE));
  rebind();
  modem = new Modem({
    port,
    card: new VirtualCard({ serial: 1, memory: volatileCardMemory(), clock: world.clock }),
    journal: volatileJournal(),
    clock: world.clock,
    name: MODEM,
    servers: [
      { uri: 'coap://server:5683', resolve: async () => 'server:5683', account: { lifetime: 86_400 } },
    ],
    rates: { imu: 0, gyro: 0, temperature: hertz },
    packInterval: 500,
    seed: 1,
    serial: '1',
    firmware: '0',
    events: {
      onState: (state) => {
        if (state === 'registering') registrations++;
      },
      onFault: (error) => {
        throw error;
      },
    },
  });
  await world.wait(modem.start());
  await world.until('it is registered', async () => {
    const { total } = await world.api.get<ApiDevicePage>('/api/devices');
    return total === 1;
  });
  await world.until('its carriers are known', async () => {
    const { slots } = await world.api.get<{ slots: { available: unknown[] }[] }>(
      `/api/devices/${MODEM}/carrier`,
    );
    return (slots[0]?.available.length ?? 0) > 0;
  });
}

/** The NAT gives the modem another port. What is sent to the one before goes nowhere. */
function rebind(): void {
  world.link.masquerade(INSIDE, `192.0.2.1:${40_000 + ports++}`);
}

/** Switches, and says how many simulated ms it took until the modem had the command. */
async function switchTo(carrier: string): Promise<number> {
  const { id } = await world.wait(world.api.post<ApiCommand>(`/api/devices/${MODEM}/carrier`, { carrier }));
  const done = await world.until('the switch is done', async () => {
    const command = await world.api.get<ApiCommand>(`/api/commands/${id}`);
    return command.state === 'done' ? command : undefined;
  });
  // Its result may come before the answer to the Execute.
  const at = (...states: readonly string[]): number => {
    const step = done.history.find(({ state }) => states.includes(state));
    if (step === undefined) throw new Error(`it never was ${states.join(' or ')}`);
    return step.at;
  };
  return at('accepted', 'done') - at('queued');
}

const device = (): Promise<ApiDevice> => world.api.get<ApiDevice>(`/api/devices/${MODEM}`);

async function expectNothingLost(): Promise<void> {
  const logged = (await logReadings(world.stores.log)).get(MODEM);
  expect(compareWithLog(port.acknowledged, logged)).toEqual({ missing: [], twice: [] });
}

describe('a modem behind a NAT that gives it another port every ten seconds', () => {
  it('keeps its registration, has each switch within two seconds, and loses no reading', async () => {
    await open(2);
    await world.until('its readings are observed', () => port.acknowledged.length > 0);
    const since = (await device()).registration?.registeredAt;
    expect(since).toBeDefined();
    const times: number[] = [];
    for (let minute = 0; minute < 10; minute++) {
      for (let i = 0; i < 6; i++) {
        // At whatever moment between two notifications; but where one is under way its ACK is lost with the port, and
        // a device that keeps NSTART says nothing for ACK_TIMEOUT then: it does not send every second.
        await world.pass(i * 83);
        await world.until('nothing waits for its ACK', () => !port.waits);
        rebind();
        // Just after the port has changed, and then later and later.
        await world.pass(minute * 1_000);
        if (i === 0) times.push(await switchTo(CARRIERS[minute % 3] as string));
        await world.pass(10_000 - minute * 1_000 - i * 83);
      }
    }
    expect(times).toHaveLength(10);
    expect(Math.max(...times)).toBeLessThanOrEqual(2_000);
    expect((await device()).registration?.registeredAt).toBe(since);
    expect(registrations).toBe(1);
    expect(port.acknowledged.length).toBeGreaterThan(1_000);
    await expectNothingLost();
  });

  it('has a switch as soon as it sends again, where the port changed under a notification', async () => {
    await open(2);
    await world.until('its readings are observed', () => port.acknowledged.length > 0);
    const times: number[] = [];
    for (const carrier of [...CARRIERS, ...CARRIERS]) {
      await world.until('a notification waits for its ACK', () => port.waits);
      rebind();
      times.push(await switchTo(carrier));
      await world.pass(10_000);
    }
    // ACK_TIMEOUT times ACK_RANDOM_FACTOR, the way there and back, and what the packs wait.
    expect(Math.max(...times)).toBeLessThanOrEqual(3_500);
    expect(registrations).toBe(1);
    await expectNothingLost();
  });

  it('has a switch within two seconds after five minutes in which only the server spoke', async () => {
    await open(0);
    await world.until('it is observed', async () => {
      const { items } = await world.api.get<{ items: unknown[] }>(`/api/devices/${MODEM}/observations`);
      return items.length >= 2;
    });
    // What is left to observe are carriers, of which there is nothing to tell.
    await world.wait(world.api.delete(`/api/devices/${MODEM}/observations/4/0/2`));
    // The next signal strength ends that observation.
    await world.pass(20_000);
    let spoke = 0;
    world.link.filter = (data, from) => {
      const header = data[0] ?? 0;
      // Whatever is neither an ACK nor an RST.
      if (from !== 'server:5683' && ((header >> 4) & 3) < 2) spoke++;
      return false;
    };
    for (let i = 0; i < 30; i++) {
      await world.pass(10_000);
      await world.wait(world.api.get(`/api/devices/${MODEM}/objects/3/0/13`));
    }
    expect(spoke).toBe(0);
    expect(await switchTo('T-Mobile')).toBeLessThanOrEqual(2_000);
    expect(registrations).toBe(1);
    await expectNothingLost();
  });
});
