import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedDevice } from '../../client/flow-device/simulated-device.ts';
import { systemClock } from '../../protocol/clock.ts';
import type { DatagramPort } from '../../protocol/coap/datagram-port.ts';
import { createUdpPort, type UdpPort } from '../../protocol/coap/udp-port.ts';
import type { ApiCarrierAnswer, ApiCommand, ApiDevice, ApiReading } from '../../server/api/schemas.ts';
import { ClusterWorld, type TestNode } from '../support/cluster-world.ts';
import { until } from '../support/until.ts';

let folder: string;
let world: ClusterWorld;
let one: TestNode;
let two: TestNode;
let port: UdpPort;
let device: SimulatedDevice;
/** Where the device sends to: a balancer may lead it to any node. */
let towards: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-gateway-'));
  const file = join(folder, 'devices.json');
  writeFileSync(file, JSON.stringify({ devices: [{ endpoint: 'field-1', sources: ['127.0.0.1'] }] }));
  world = await ClusterWorld.open();
  const flags = ['--gateway-devices', file];
  [one, two] = await Promise.all([world.node('one', flags), world.node('two', flags)]);
  await world.together(one, two);
  port = await createUdpPort({ host: '127.0.0.1', port: 0 });
  towards = one.gateway;
  const balanced: DatagramPort = { ...port, send: (data) => port.send(data, towards) };
  device = new SimulatedDevice({
    port: balanced,
    server: 'the balancer',
    clock: systemClock,
    sensors: [],
    carrier: 0,
    carriers: [0, 1, 2],
    switchTime: 50,
  });
}, 60_000);
afterEach(async () => {
  device.close();
  await port.close();
  await world.close();
  rmSync(folder, { recursive: true });
}, 60_000);

const at = (node: TestNode) => node.api.get<ApiDevice>('/api/devices/field-1');
const ownedBy = (node: TestNode) =>
  until(`the device is at ${node.name}`, async () => (await at(one)).registration?.node === node.name);
const listed = (node: TestNode) =>
  until('the carriers are listed', async () => {
    const { slots } = await node.api.get<ApiCarrierAnswer>('/api/devices/field-1/carrier');
    return slots[0]?.available.length === 3;
  });
const switchAt = (node: TestNode, carrier: string) =>
  node.api.post<ApiCommand>('/api/devices/field-1/carrier', { carrier });
const ended = (node: TestNode, id: string) =>
  until('the command ends', async () => {
    const command = await node.api.get<ApiCommand>(`/api/commands/${id}`);
    return ['done', 'failed', 'unknown', 'expired'].includes(command.state) && command;
  });

describe('a device behind the gateway of two nodes on one Redis', () => {
  it('is switched at either node, by the one that has it', async () => {
    device.start();
    await ownedBy(one);
    await listed(two);
    const byOther = await ended(two, (await switchAt(two, 'Verizon')).id);
    expect(byOther).toMatchObject({ state: 'done', result: { answer: 'ACK', carrier: 'Verizon' } });
    const byOwner = await ended(two, (await switchAt(one, 'T-Mobile')).id);
    expect(byOwner).toMatchObject({ state: 'done', result: { carrier: 'T-Mobile' } });
    expect(device.requests).toEqual([2, 1]);
  });

  it('goes to the node that hears it, with its address, its sensors and its carrier', async () => {
    device.start();
    device.send(1, 10);
    await ownedBy(one);
    await listed(two);
    await ended(one, (await switchAt(one, 'Verizon')).id);
    towards = two.gateway;
    device.send(3, 20);
    await ownedBy(two);
    await ended(one, (await switchAt(one, 'AT&T')).id);
    expect(device.requests).toEqual([2, 0]);
    expect((await at(one)).registration?.address).toBe(port.local);
    await until('both sensors are listed', async () => {
      const paths = (await at(one)).registration?.objects.map(({ path }) => path) ?? [];
      return paths.includes('/42770/1') && paths.includes('/42770/3');
    });
    for (const node of [one, two]) {
      const { items } = await until(`the readings are there at ${node.name}`, async () => {
        const found = await node.api.get<{ items: ApiReading[] }>(
          '/api/devices/field-1/readings?path=/42770/3/2',
        );
        return found.items.length > 0 && found;
      });
      expect(items.map(({ value }) => value)).toEqual([20]);
    }
    towards = one.gateway;
    device.send(1, 11);
    await ownedBy(one);
    expect(await ended(two, (await switchAt(two, 'T-Mobile')).id)).toMatchObject({ state: 'done' });
  });

  it('answers to another node than the one that has asked, and the switch ends', async () => {
    device.start();
    await ownedBy(one);
    await listed(one);
    device.mute = true;
    const { id } = await switchAt(one, 'Verizon');
    await until('it was asked', () => device.requests.length === 1);
    // The answer to it takes another way, as behind a balancer that has forgotten the flow.
    towards = two.gateway;
    device.mute = false;
    device.answer(2);
    const command = await ended(one, id);
    expect(command).toMatchObject({ state: 'done', result: { carrier: 'Verizon' } });
    await ownedBy(two);
    expect(device.requests).toEqual([2]);
  });

  it('is switched by the other node when the one that had it is gone and it is heard there', async () => {
    device.start();
    await ownedBy(one);
    await listed(two);
    await one.kill();
    const { id } = await switchAt(two, 'Verizon');
    towards = two.gateway;
    device.send(1, 1);
    expect(await ended(two, id)).toMatchObject({ state: 'done', result: { carrier: 'Verizon' } });
    expect(device.requests).toEqual([2]);
  });
});
