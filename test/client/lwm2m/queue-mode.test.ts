import { afterEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import { deviceObject } from '../../../objects/device.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import { ClientWorld } from '../../support/client/client-world.ts';

let world: ClientWorld;
let client: Lwm2mClient;
let level = 80;

async function start(options: Parameters<ClientWorld['client']>[0] = {}): Promise<void> {
  world = new ClientWorld();
  client = world.client({ account: { queueMode: true }, awakeTime: 10_000, lifetime: 300, ...options });
  client.tree.add(instance(deviceObject, 0, { batteryLevel: { read: () => level } }));
  client.start();
  await world.registered();
}

afterEach(() => expect(world.faults).toEqual([]));

describe('a client in queue mode (ETS 108)', () => {
  it('says so when it registers', async () => {
    await start();
    expect(world.server.requests[0]?.query).toEqual(['ep=modem-1', 'lt=300', 'lwm2m=1.1', 'b=U', 'Q']);
  });

  it('hears nothing once it has been silent for its awake time', async () => {
    await start();
    await world.clock.run(9_000);
    expect(client.isAwake).toBe(true);
    expect((await world.settle(world.server.read('/3/0/9'))).code).toBe(Code.CONTENT);
    await world.clock.run(9_000);
    expect((await world.settle(world.server.read('/3/0/9'))).code).toBe(Code.CONTENT);
    await world.clock.run(10_500);
    expect(client.isAwake).toBe(false);
    const asleep = world.server.read('/3/0/9');
    await expect(world.settle(asleep, 100_000)).rejects.toThrow(TimeoutError);
  });

  it('wakes for an Update, and hears then', async () => {
    await start();
    await world.until('updated', () => world.server.of('update').length === 1);
    expect(client.isAwake).toBe(true);
    expect((await world.settle(world.server.read('/3/0/9'))).code).toBe(Code.CONTENT);
  });

  it('wakes to notify, and to send', async () => {
    await start();
    const { told } = await world.settle(world.server.observe('/3/0/9'));
    await world.clock.run(60_000);
    expect(client.isAwake).toBe(false);
    level = 79;
    client.tree.changed(['/3/0/9']);
    await world.clock.run(100);
    expect(told).toHaveLength(1);
    expect((await world.settle(world.server.read('/3/0/9'))).code).toBe(Code.CONTENT);
    await world.clock.run(60_000);
    expect(client.isAwake).toBe(false);
    expect(await world.settle(client.send(['/3/0/9']))).toMatchObject([{ result: 'accepted' }]);
    expect(client.isAwake).toBe(true);
  });

  it('stays awake while it waits for an answer', async () => {
    await start({ awakeTime: 1_000 });
    await world.clock.run(5_000);
    expect(client.isAwake).toBe(false);
    world.server.script.push('silence');
    client.registration.update();
    await world.clock.run(1_900);
    expect(client.isAwake).toBe(true);
  });

  it('stays awake for MAX_TRANSMIT_WAIT where it is not told otherwise', async () => {
    world = new ClientWorld();
    client = world.client({ account: { queueMode: true }, lifetime: 86_400 });
    client.start();
    await world.registered();
    await world.clock.run(92_900);
    expect(client.isAwake).toBe(true);
    await world.clock.run(200);
    expect(client.isAwake).toBe(false);
  });
});

it('a client without queue mode never sleeps', async () => {
  await start({ account: { queueMode: false }, lifetime: 86_400 });
  await world.clock.run(3_600_000);
  expect((await world.settle(world.server.read('/3/0/9'))).code).toBe(Code.CONTENT);
});
