import { afterEach, expect, test } from 'vitest';
import { volatileJournal } from '../../client/modem/command-journal.ts';
import { Modem } from '../../client/modem/modem.ts';
import { volatileCardMemory } from '../../client/sim/virtual-card/card-memory.ts';
import { VirtualCard } from '../../client/sim/virtual-card/virtual-card.ts';
import { createDtlsClientPort } from '../../protocol/dtls/client-port.ts';
import type { ApiCommand, ApiDevice } from '../../server/api/schemas.ts';
import { compareWithLog, logReadings } from '../support/log-readings.ts';
import { RecordingPort } from '../support/recording-port.ts';
import { SECURED_SERVER, ServerWorld } from '../support/server-world.ts';

const MODEM = 'modem';
const INSIDE = '10.0.0.1:5684';
const KEY = '0f'.repeat(16);
const CARRIERS = ['T-Mobile', 'Verizon', 'AT&T'];

let world: ServerWorld;
let modem: Modem;
let port: RecordingPort;
let ports = 0;
const handshakes: string[] = [];
const registrations: string[] = [];

afterEach(async () => {
  await world.wait(modem.close({ deregister: false }));
  await world.close();
});

/** The NAT gives the modem another port. What is sent to the one before goes nowhere. */
function rebind(): void {
  world.link.masquerade(INSIDE, `192.0.2.1:${40_000 + ports++}`);
}

async function open(): Promise<void> {
  world = await ServerWorld.open();
  world.link.quality = { delay: 30, duplicate: 0.01, reorder: 0.05, jitter: 60, seed: 7 };
  await world.wait(
    world.api.post('/api/credentials', { endpoint: MODEM, type: 'psk', identity: 'id', key: KEY }),
  );
  const secured = createDtlsClientPort({
    port: world.link.port(INSIDE),
    clock: world.clock,
    events: { onEstablished: (peer) => void handshakes.push(peer) },
  });
  secured.secure(SECURED_SERVER, {
    kind: 'psk',
    identity: Buffer.from('id'),
    key: Buffer.from(KEY, 'hex'),
  });
  port = new RecordingPort(secured);
  rebind();
  modem = new Modem({
    port,
    card: new VirtualCard({ serial: 1, memory: volatileCardMemory(), clock: world.clock }),
    journal: volatileJournal(),
    clock: world.clock,
    name: MODEM,
    servers: [
      {
        uri: `coaps://${SECURED_SERVER}`,
        resolve: async () => SECURED_SERVER,
        account: { lifetime: 86_400 },
      },
    ],
    rates: { imu: 0, gyro: 0, temperature: 2 },
    packInterval: 500,
    seed: 1,
    serial: '1',
    firmware: '0',
    events: {
      onState: (state) => {
        if (state === 'registering') registrations.push(state);
      },
      onFault: (error) => {
        throw error;
      },
    },
  });
  await world.wait(modem.start());
  await world.until('its carriers are known', async () => {
    const known = await world.api
      .get<{ slots: { available: unknown[] }[] }>(`/api/devices/${MODEM}/carrier`)
      .catch(() => undefined);
    return (known?.slots[0]?.available.length ?? 0) > 0;
  });
}

async function switchTo(carrier: string): Promise<void> {
  const { id } = await world.wait(world.api.post<ApiCommand>(`/api/devices/${MODEM}/carrier`, { carrier }));
  await world.until('the switch is done', async () => {
    const { state } = await world.api.get<ApiCommand>(`/api/commands/${id}`);
    return state === 'done';
  });
}

const expectNothingLost = async (): Promise<void> => {
  const logged = (await logReadings(world.stores.log)).get(MODEM);
  expect(compareWithLog(port.acknowledged, logged)).toEqual({ missing: [], twice: [] });
};

test('a modem on DTLS whose NAT changes its port every ten seconds shakes hands once, switches carriers and loses nothing', async () => {
  await open();
  await world.until('its readings are observed', () => port.acknowledged.length > 0);
  for (let minute = 0; minute < 5; minute++) {
    for (let i = 0; i < 6; i++) {
      rebind();
      // Just after the port has changed, and then later and later: the server speaks first, or the device does.
      await world.pass(minute * 1_500);
      if (i === 0) await switchTo(CARRIERS[minute % 3] as string);
      await world.pass(10_000 - minute * 1_500);
    }
  }
  expect(handshakes).toEqual([SECURED_SERVER]);
  expect(registrations).toHaveLength(1);
  expect(port.acknowledged.length).toBeGreaterThan(400);
  await expectNothingLost();
  const { registration } = await world.api.get<ApiDevice>(`/api/devices/${MODEM}`);
  expect(registration?.address).toMatch(/^192\.0\.2\.1:\d+$/);
});
