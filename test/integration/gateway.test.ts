import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedDevice, type SimulatedDeviceOptions } from '../../client/flow-device/simulated-device.ts';
import type { ApiCarrierAnswer, ApiCommand, ApiDevice } from '../../server/api/schemas.ts';
import { GATEWAY, ServerWorld } from '../support/server-world.ts';

const DEVICES = {
  devices: [
    { endpoint: 'field-1', sources: ['198.51.100.7'] },
    { endpoint: 'field-2', sources: ['10.8.0.0/16'], timeZone: '+02:00' },
  ],
};

let folder: string;
let world: ServerWorld;

const open = async (devices: unknown, data = ':memory:'): Promise<ServerWorld> => {
  const file = join(folder, 'devices.json');
  writeFileSync(file, JSON.stringify(devices));
  return ServerWorld.open(undefined, data, ['--gateway-devices', file]);
};

const device = (address: string, options: Partial<SimulatedDeviceOptions> = {}): SimulatedDevice =>
  new SimulatedDevice({
    port: world.link.port(address),
    server: GATEWAY,
    clock: world.clock,
    sensors: [],
    carrier: 0,
    carriers: [0, 1, 2],
    switchTime: 200,
    ...options,
  });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-gateway-'));
  world = await open(DEVICES);
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const state = async (endpoint: string) => (await world.api.get<ApiDevice>(`/api/devices/${endpoint}`)).state;
const registered = (endpoint: string) =>
  world.until(`${endpoint} is registered`, async () => (await state(endpoint)) === 'awake');
const ended = (id: string) =>
  world.until('the command ends', async () => {
    const command = await world.api.get<ApiCommand>(`/api/commands/${id}`);
    return ['done', 'failed', 'unknown', 'expired'].includes(command.state) && command;
  });
const switchTo = (carrier: string, endpoint = 'field-1') =>
  world.wait(world.api.post<ApiCommand>(`/api/devices/${endpoint}/carrier`, { carrier }));

describe('a device behind the gateway', () => {
  it('is in the inventory before it is heard, and registered once it is', async () => {
    expect(await state('field-1')).toBe('known');
    device('198.51.100.7:6002').start();
    await registered('field-1');
    const { registration } = await world.api.get<ApiDevice>('/api/devices/field-1');
    expect(registration).toMatchObject({ address: '198.51.100.7:6002', secure: false });
    expect(registration?.objects.map(({ path }) => path)).toEqual(['/42769/0']);
  });

  it('switches its carrier, and the command ends with its ACK', async () => {
    const one = device('198.51.100.7:6002');
    one.start();
    await registered('field-1');
    await world.until('the carriers are listed', async () => {
      const { slots } = await world.api.get<ApiCarrierAnswer>('/api/devices/field-1/carrier');
      return slots[0]?.available.length === 3;
    });
    const { id } = await switchTo('Verizon');
    const command = await ended(id);
    expect(command).toMatchObject({
      state: 'done',
      reason: 'the card acknowledged',
      result: { answer: 'ACK', carrier: 'Verizon' },
    });
    expect(command.history.map(({ state }) => state)).toEqual(['queued', 'sent', 'accepted', 'done']);
    expect(one.requests).toEqual([2]);
  });
});
