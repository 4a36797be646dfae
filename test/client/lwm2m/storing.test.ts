import { afterEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import { deviceObject } from '../../../objects/device.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import type { Notification } from '../../support/client/scripted-server.ts';

// Notification Storing When Disabled or Offline, resource 6 of the Server object.

const battery = '/3/0/9';
let world: ClientWorld;
let client: Lwm2mClient;
let level: number;

afterEach(() => expect(world.faults).toEqual([]));

async function start(options: Parameters<ClientWorld['client']>[0] = {}): Promise<void> {
  world = new ClientWorld();
  client = world.client(options);
  level = 80;
  client.tree.add(instance(deviceObject, 0, { batteryLevel: { read: () => level } }));
  client.start();
  await world.registered();
}

async function changes(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    level--;
    client.tree.changed([battery]);
    await world.clock.run(1_000);
  }
}

const values = (told: readonly Notification[], format: number = ContentFormat.SENML_CBOR) =>
  told.flatMap(({ payload }) => world.server.records(battery, payload, format).map(({ value }) => value));

describe('notifications that fall due while the client is off the network', () => {
  it('are kept, and told with their times when it is back', async () => {
    await start();
    const { told } = await world.settle(world.server.observe(battery));
    await world.settle(client.pause());
    const began = world.clock.wallTime() / 1_000;
    await changes(3);
    expect(told).toEqual([]);
    client.resume();
    await world.clock.run(5_000);
    const records = told.flatMap(({ payload }) => world.server.records(battery, payload));
    expect(records.map(({ value }) => value)).toEqual([79, 78, 77]);
    expect(records.map(({ time }) => Math.round((time ?? 0) - began))).toEqual([0, 1, 2]);
  });

  it('are told one by one where the format has no times', async () => {
    await start();
    const { told } = await world.settle(world.server.observe(battery, { accept: ContentFormat.TEXT }));
    await world.settle(client.pause());
    await changes(3);
    client.resume();
    await world.clock.run(5_000);
    expect(told.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(['79', '78', '77']);
  });

  it('are as many as the client has room for: the oldest go first', async () => {
    await start();
    const { told } = await world.settle(world.server.observe(battery));
    await world.settle(client.pause());
    await changes(30);
    client.resume();
    await world.clock.run(5_000);
    expect(values(told)).toEqual(Array.from({ length: 20 }, (_, i) => 69 - i));
  });

  it('are dropped where storing is off, and what comes then is told again', async () => {
    await start({ account: { notificationStoring: false } });
    const { told } = await world.settle(world.server.observe(battery));
    await world.settle(client.pause());
    await changes(3);
    client.resume();
    await world.clock.run(5_000);
    expect(told).toEqual([]);
    await changes(1);
    expect(values(told)).toEqual([76]);
  });

  it('are dropped from when the server writes so', async () => {
    await start();
    await world.settle(world.server.writeText('/1/0/6', '0'));
    const { told } = await world.settle(world.server.observe(battery));
    await world.settle(client.pause());
    await changes(2);
    client.resume();
    await world.clock.run(5_000);
    expect(told).toEqual([]);
  });

  it('are the newest alone from 1.2 on, where hqmax does not ask for more', async () => {
    await start({ version: '1.2' });
    const { told } = await world.settle(world.server.observe(battery));
    await world.settle(client.pause());
    await changes(3);
    client.resume();
    await world.clock.run(5_000);
    expect(values(told)).toEqual([77]);
  });
});

it('while the server is disabled they are kept for when it observes again', async () => {
  await start();
  await world.settle(world.server.observe(battery));
  await world.settle(world.server.writeText('/1/0/5', '60'));
  await world.settle(world.server.execute('/1/0/4'));
  await world.until('deregistered', () => world.server.of('deregister').length === 1);
  await changes(3);
  await world.registered(2);
  const { told } = await world.settle(world.server.observe(battery));
  await world.clock.run(5_000);
  expect(values(told)).toEqual([79, 78, 77]);
});
