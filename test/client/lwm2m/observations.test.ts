import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import { deviceObject } from '../../../objects/device.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { observe as observeOf } from '../../../protocol/coap/options.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import type { Notification } from '../../support/client/scripted-server.ts';

let world: ClientWorld;
let client: Lwm2mClient;
let level: number;
let memory: number;
let change: (value: number) => void;

beforeEach(async () => {
  world = new ClientWorld();
  client = world.client();
  level = 100;
  memory = 1;
  const device = instance(deviceObject, 0, {
    batteryLevel: { read: () => level },
    memoryFree: { read: () => memory },
  });
  change = (value) => {
    level = value;
    memory = value * 2;
    device.changed('batteryLevel', 'memoryFree');
  };
  client.tree.add(device);
  client.start();
  await world.registered();
});

afterEach(() => expect(world.faults).toEqual([]));

const text = ({ payload }: { payload: Uint8Array }): string => new TextDecoder().decode(payload);
const texts = (told: readonly Notification[]): string[] => told.map(text);

const observe = (path: string, accept: number = ContentFormat.TEXT) =>
  world.settle(world.server.observe(path, { accept }));
const attributes = (path: string, ...query: string[]) =>
  world.settle(world.server.send(Code.PUT, path, { query }));

describe('an observer', () => {
  it('gets the value at once, and each change in a confirmable notification', async () => {
    const { first, told } = await observe('/3/0/9');
    expect([text(first), observeOf(first.options) !== undefined]).toEqual(['100', true]);
    change(99);
    await world.until('told', () => told.length === 1);
    change(98);
    await world.until('told', () => told.length === 2);
    expect(texts(told)).toEqual(['99', '98']);
    expect(told.every((notification) => notification.confirmable)).toBe(true);
    expect(told.map((notification) => notification.format)).toEqual([ContentFormat.TEXT, ContentFormat.TEXT]);
  });

  it('of an instance gets all that changed in one notification', async () => {
    const { told } = await observe('/3/0', ContentFormat.SENML_CBOR);
    change(50);
    await world.clock.run(60_000);
    expect(told).toHaveLength(1);
    expect(world.server.decode('/3/0', told[0]?.payload ?? new Uint8Array(0))).toEqual({
      '/3/0/9': 50,
      '/3/0/10': 100,
    });
  });

  it('of an object is told of changes in its instances', async () => {
    const { told } = await observe('/3', ContentFormat.TLV);
    change(7);
    await world.until('told', () => told.length === 1);
    expect(world.server.decode('/3', told[0]?.payload ?? new Uint8Array(0), ContentFormat.TLV)).toEqual({
      '/3/0/9': 7,
      '/3/0/10': 14,
    });
  });

  it('gets the newest value when changes come faster than it acknowledges', async () => {
    const { told } = await observe('/3/0/9');
    for (const value of [1, 2, 3, 4]) change(value);
    await world.clock.run(60_000);
    expect(texts(told).at(-1)).toBe('4');
    expect(told.length).toBeLessThan(4);
  });

  it('hears nothing of what it does not observe', async () => {
    const { told } = await observe('/1/0/1');
    change(5);
    await world.clock.run(60_000);
    expect(told).toEqual([]);
  });

  it('hears of a Write of the server itself', async () => {
    const { told } = await observe('/1/0/5');
    await world.settle(world.server.writeText('/1/0/5', '60'));
    await world.until('told', () => told.length === 1);
    expect(texts(told)).toEqual(['60']);
  });

  it('is declined where nothing can be read', async () => {
    const { first } = await world.settle(world.server.observe('/3/0/9', { accept: 9999 }));
    expect(first.code).toBe(Code.NOT_ACCEPTABLE);
    expect(observeOf(first.options)).toBeUndefined();
    expect(client.observations).toBe(0);
  });
});

describe('notification attributes', () => {
  it('pmin: never sooner than that after the last', async () => {
    await attributes('/3/0/9', 'pmin=10');
    const { told } = await observe('/3/0/9');
    const began = world.clock.now();
    change(1);
    await world.clock.run(9_000);
    expect(told).toEqual([]);
    change(2);
    await world.until('told', () => told.length === 1);
    expect((told[0]?.at ?? 0) - began).toBeGreaterThanOrEqual(9_950);
    expect(texts(told)).toEqual(['2']);
    change(3);
    await world.clock.run(9_000);
    expect(told).toHaveLength(1);
    await world.until('told', () => told.length === 2);
  });

  it('pmax: at least that often, changed or not', async () => {
    await attributes('/3', 'pmax=30');
    const { told } = await observe('/3/0/9');
    await world.clock.run(95_000);
    expect(texts(told)).toEqual(['100', '100', '100']);
  });

  it('those of a resource come before those of its instance and object', async () => {
    await attributes('/3', 'pmax=30');
    await attributes('/3/0/9', 'pmax=1000');
    const { told } = await observe('/3/0/9');
    await world.clock.run(95_000);
    expect(told).toEqual([]);
  });

  it('a pmax below pmin is passed over', async () => {
    await attributes('/3/0/9', 'pmin=60', 'pmax=10');
    const { told } = await observe('/3/0/9');
    await world.clock.run(200_000);
    expect(told).toEqual([]);
  });

  it('take effect on what is observed already', async () => {
    const { told } = await observe('/3/0/9');
    await attributes('/3/0/9', 'pmax=5');
    await world.clock.run(6_000);
    expect(texts(told)).toEqual(['100']);
  });

  it('fall back on the default periods of the Server object', async () => {
    await world.settle(world.server.writeText('/1/0/3', '20'));
    const { told } = await observe('/3/0/9');
    await world.clock.run(45_000);
    expect(told).toHaveLength(2);
  });

  it('do not turn a very long period into none', async () => {
    await attributes('/3/0/9', 'pmax=9999999999');
    const { told } = await observe('/3/0/9');
    await world.clock.run(100_000);
    expect(told).toEqual([]);
  });
});

describe('an observation ends', () => {
  it('with Observe 1', async () => {
    const { told, cancel } = await observe('/3/0/9');
    await world.settle(cancel());
    change(1);
    await world.clock.run(60_000);
    expect([told, client.observations]).toEqual([[], 0]);
  });

  it('with RST', async () => {
    const { told } = await world.settle(
      world.server.observe('/3/0/9', {
        accept: ContentFormat.TEXT,
        decide: (notification) => notification.reject(),
      }),
    );
    change(1);
    await world.until('reset', () => client.observations === 0);
    change(2);
    await world.clock.run(60_000);
    expect(texts(told)).toEqual(['1']);
  });

  it('with RST of a server that has lost its memory, and an Update finds that out at once', async () => {
    await observe('/3/0/9');
    await world.settle(world.server.endpoint.close());
    world.startServer();
    world.server.script.push({ code: Code.NOT_FOUND });
    change(1);
    await world.registered(2);
    expect(world.server.requests.map((request) => request.kind)).toEqual(['register', 'update', 'register']);
    expect(world.clock.now()).toBeLessThan(10_000);
  });

  it('when the same server observes the same path again: it gets each change once', async () => {
    const before = await observe('/3/0/9');
    const after = await observe('/3/0/9');
    change(1);
    await world.clock.run(60_000);
    expect([texts(before.told), texts(after.told)]).toEqual([[], ['1']]);
  });

  it('when nobody acknowledges, and then the client registers anew so that the server can begin again', async () => {
    await observe('/3/0/9');
    world.link.filter = () => true;
    change(1);
    await world.until('given up', () => client.observations === 0);
    world.link.filter = undefined;
    await world.registered(2);
    expect(world.server.of('register')).toHaveLength(2);
    const { told } = await observe('/3/0/9');
    change(2);
    await world.until('told', () => told.length === 1);
  });
});

it('an observation that was lost while the client was silent makes it register anew', async () => {
  await observe('/3/0/9');
  change(1);
  await client.pause();
  world.link.filter = () => true;
  await world.clock.run(300_000);
  expect(client.observations).toBe(0);
  world.link.filter = undefined;
  client.resume();
  await world.registered(2);
  expect(world.server.requests.map((request) => request.kind)).toEqual(['register', 'register']);
});

describe('deliver', () => {
  it('tells observers at once, whatever pmin says, and knows when they have it', async () => {
    await attributes('/3/0', 'pmin=600');
    const { told } = await observe('/3/0/9');
    level = 3;
    expect(await world.settle(client.deliver('/3/0'))).toBe(true);
    expect(texts(told)).toEqual(['3']);
  });

  it('sends the present state after a notification that is under way', async () => {
    const { told } = await observe('/3/0/9');
    change(1);
    level = 2;
    const delivered = client.deliver('/3/0');
    expect(await world.settle(delivered)).toBe(true);
    expect(texts(told).at(-1)).toBe('2');
  });

  it('says so when nobody observes, and when nobody answers', async () => {
    expect(await world.settle(client.deliver('/3/0'))).toBe(false);
    await observe('/3/0/9');
    world.link.filter = () => true;
    expect(await world.settle(client.deliver('/3/0'))).toBe(false);
  });
});

describe('what somebody waits for', () => {
  it('is told before what waits for its turn with the server', async () => {
    const waiting = new ClientWorld();
    const device = instance(deviceObject, 0, {
      batteryLevel: { read: () => level },
      memoryFree: { read: () => level },
      memoryTotal: { read: () => level },
    });
    const modem = waiting.client({ first: '/3/0/9' });
    modem.tree.add(device);
    modem.start();
    await waiting.registered();
    const order: string[] = [];
    const observed: { readonly told: readonly unknown[] }[] = [];
    for (const path of ['/3/0/10', '/3/0/21', '/3/0/9']) {
      const decide = (notification: { accept(): void }): void => {
        order.push(path);
        notification.accept();
      };
      observed.push(
        await waiting.settle(waiting.server.observe(path, { accept: ContentFormat.TEXT, decide })),
      );
    }
    level = 5;
    device.changed('memoryFree', 'memoryTotal', 'batteryLevel');
    await waiting.until('told', () => observed.every(({ told }) => told.length === 1));
    expect(order).toEqual(['/3/0/10', '/3/0/9', '/3/0/21']);
    expect(waiting.faults).toEqual([]);
  });
});
