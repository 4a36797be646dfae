import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { instance, type ObjectInstance } from '../../../client/lwm2m/object-tree.ts';
import { ReadingQueue } from '../../../client/lwm2m/reading-queue.ts';
import { iotSensorObject } from '../../../objects/iot-sensor.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import { type Notification, describe as told } from '../../support/client/scripted-server.ts';

const path = '/42770/0/2';

let world: ClientWorld;
let client: Lwm2mClient;
let sensor: ObjectInstance<'value'>;
let value: number;
let queue: ReadingQueue;

beforeEach(async () => {
  world = new ClientWorld();
  client = world.client({ version: '1.2' });
  value = 20;
  queue = new ReadingQueue();
  sensor = instance(iotSensorObject, 0, { value: { read: () => value } }) as ObjectInstance<'value'>;
  client.tree.add(sensor as ObjectInstance<never>);
  client.addStream({ path, queue, takeNow: () => ({ time: world.clock.wallTime() * 1_000, value }) });
  client.start();
  await world.registered();
});

afterEach(async () => {
  expect(world.faults).toEqual([]);
  await world.settle(client.close());
});

const ask = <T>(promise: Promise<T>): Promise<T> => world.settle(promise);
const attributes = async (...query: string[]): Promise<void> => {
  expect(told(await ask(world.server.send(Code.PUT, path, { query })))).toBe('2.04');
};
const values = (list: readonly Notification[]): unknown[][] =>
  list.map(({ payload }) => world.server.records(path, payload).map((record) => record.value));

/** The sensor takes samples, ten a second. */
async function sample(...samples: number[]): Promise<void> {
  for (const each of samples) {
    value = each;
    queue.push(world.clock.wallTime() * 1_000, each);
    sensor.changed('value');
    client.readingsAdded();
    await world.clock.run(100);
  }
}

describe('readings of a sensor', () => {
  it('are all told, in packs, where nothing says which are worth it', async () => {
    await attributes('pmin=1');
    const { told: list } = await ask(world.server.observe(path));
    await sample(21, 22, 23, 24);
    await world.clock.run(2_000);
    expect(values(list)).toEqual([[21, 22, 23, 24]]);
  });

  it('are told one by one, those that are worth it, where a condition was written before', async () => {
    await attributes('gt=30');
    const { told: list } = await ask(world.server.observe(path));
    await sample(21, 31, 32, 29, 28, 35);
    await world.clock.run(1_000);
    expect(values(list)).toEqual([[31], [29], [35]]);
  });

  it('are told one by one from when a condition is written, counted from the last pack, and in packs again when it is removed', async () => {
    const { told: list } = await ask(world.server.observe(path));
    await sample(21, 22);
    await world.clock.run(1_000);
    await attributes('st=5');
    await sample(23, 25, 28);
    await world.clock.run(1_000);
    await attributes('st');
    await sample(29, 30);
    await world.clock.run(1_000);
    expect(values(list)).toEqual([[21, 22], [28], [29, 30]]);
  });

  it('go to the newest observation alone, after a registration that was made anew and a second Observe', async () => {
    const lists: (readonly Notification[])[] = [];
    const observe = async (): Promise<void> => {
      lists.push((await ask(world.server.observe(path))).told);
    };
    await observe();
    client.reregister();
    await world.registered(2);
    await observe();
    await observe();
    await sample(21, 22);
    await world.clock.run(1_000);
    await attributes('st=5');
    await sample(23, 28);
    await world.clock.run(1_000);
    await attributes('st');
    await sample(29, 30);
    await world.clock.run(1_000);
    expect(lists.map(values)).toEqual([[], [], [[21, 22], [28], [29, 30]]]);
    expect(client.observations).toBe(1);
  });

  it('keep to the periods and conditions of the request', async () => {
    const packs = await ask(world.server.observe(path, { query: ['pmin=2'] }));
    const began = world.clock.now();
    await sample(21, 22, 23);
    await world.clock.run(3_000);
    expect(values(packs.told)).toEqual([[21, 22, 23]]);
    expect((packs.told[0]?.at ?? 0) - began).toBeGreaterThanOrEqual(1_900);
    const single = await ask(world.server.observe(path, { query: ['lt=10'] }));
    await sample(15, 9, 8, 20);
    await world.clock.run(1_000);
    expect(values(single.told)).toEqual([[9], [20]]);
  });

  it('end with the observation, however they were told', async () => {
    await attributes('st=5');
    const { told: list, cancel } = await ask(world.server.observe(path));
    await ask(cancel());
    await attributes('st');
    await sample(40, 50);
    await world.clock.run(1_000);
    expect([list, client.observations]).toEqual([[], 0]);
  });
});
