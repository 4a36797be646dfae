import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { Code, formatCode } from '../../../protocol/coap/message.ts';
import { decodeContent, encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { recordsOf } from '../../interop/leshan/all-types.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import { type Notification, describe as told } from '../../support/client/scripted-server.ts';
import { TypesObject, typesRegistry } from '../../support/client/types-object.ts';

const values = {
  0: 'text',
  1: 50,
  3: 20.5,
  4: false,
  11: { 0: 50, 1: 60 },
  14: { 0: false, 1: true },
};

let world: ClientWorld;
let client: Lwm2mClient;
let types: TypesObject;

beforeEach(async () => {
  world = new ClientWorld();
  client = world.client({ lookup: typesRegistry, version: '1.2', lifetime: 86_400 });
  types = new TypesObject(client.tree, values);
  client.start();
  await world.registered();
});

afterEach(() => expect(world.faults).toEqual([]));

const ask = <T>(promise: Promise<T>): Promise<T> => world.settle(promise);
const attributes = async (path: string, ...query: string[]): Promise<void> => {
  expect(told(await ask(world.server.send(Code.PUT, path, { query })))).toBe('2.04');
};
const observe = (path: string, query: string[] = [], accept: number = ContentFormat.SENML_CBOR) =>
  ask(world.server.observe(path, { accept, query }));
const records = (
  path: string,
  { payload }: Notification,
  format: number = ContentFormat.SENML_CBOR,
): LwM2mRecord[] => decodeContent(format, path, payload, typesRegistry);
/** Values of one path, notification by notification. */
const told1 = (path: string, list: readonly Notification[]): unknown[] =>
  list.flatMap((each) => records(path, each).map(({ value }) => value));
/** Changes a value again and again, a second between. */
async function play(path: string, ...steps: (number | string | boolean)[]): Promise<void> {
  for (const value of steps) {
    types.set(path, value);
    await world.clock.run(1_000);
  }
}
const float = '/42771/0/3';
const integer = '/42771/0/1';
const flag = '/42771/0/4';
const many = '/42771/0/11';

describe('what is told of one resource', () => {
  it.each([
    [['gt=30'], [25, 29, 31, 40, 30, 20], [31, 30]],
    [['lt=10'], [11, 10, 9.5, 3, 10, 20], [9.5, 10]],
    [
      ['gt=30', 'lt=10'],
      [31, 20, 9, 15, 25],
      [31, 20, 9, 15],
    ],
    [['st=5'], [21, 25, 25.5, 29, 20.4], [25.5, 20.4]],
    [
      ['gt=40', 'lt=0', 'st=10'],
      [30, 30.5, 39, 41, 45],
      [30.5, 41],
    ],
    [['gt=-5.5'], [-5.5, -6, -5.4], [-5.5, -5.4]],
  ])('by %s of %s is %s', async (query, steps, expected) => {
    await attributes(float, ...query);
    const { told: list } = await observe(float);
    await play(float, ...steps);
    expect(told1(float, list)).toEqual(expected);
  });

  it.each([
    ['edge=1', [true, false, true, true, false], [true, true]],
    ['edge=0', [true, false, false, true, false], [false, false]],
  ])('by %s of %s is %s', async (query, steps, expected) => {
    await attributes(flag, query);
    const { told: list } = await observe(flag);
    await play(flag, ...steps);
    expect(told1(flag, list)).toEqual(expected);
  });

  it('is counted from what was told last, by pmax included', async () => {
    await attributes(float, 'st=5', 'pmax=3');
    const { told: list } = await observe(float);
    await play(float, 24, 24, 24, 28, 29);
    expect(told1(float, list)).toEqual([24, 29]);
  });

  it('waits for pmin, and is then the newest value although it has come back', async () => {
    await attributes(float, 'gt=30', 'pmin=10');
    const { told: list } = await observe(float);
    await play(float, 35, 20);
    expect(list).toEqual([]);
    await world.clock.run(8_000);
    expect(told1(float, list)).toEqual([20]);
  });

  it('is everything where conditions that are inherited contradict each other', async () => {
    await attributes(many, 'gt=10');
    await attributes(`${many}/0`, 'lt=20');
    const { told: list } = await observe(`${many}/0`);
    types.set(
      many,
      new Map([
        [0, 51],
        [1, 60],
      ]),
    );
    await world.until('told', () => list.length === 1);
  });

  it('of a resource instance goes by its own attributes', async () => {
    await attributes(many, 'st=10');
    await attributes(`${many}/1`, 'st=2');
    const { told: list } = await observe(many);
    types.set(
      many,
      new Map([
        [0, 55],
        [1, 61],
      ]),
    );
    await world.clock.run(1_000);
    expect(list).toEqual([]);
    types.set(
      many,
      new Map([
        [0, 55],
        [1, 62],
      ]),
    );
    await world.until('told', () => list.length === 1);
    expect(told1(many, list)).toEqual([55, 62]);
    types.set(
      many,
      new Map([
        [0, 64],
        [1, 62],
      ]),
    );
    await world.clock.run(1_000);
    expect(list).toHaveLength(1);
    types.set(
      many,
      new Map([
        [0, 65],
        [1, 62],
      ]),
    );
    await world.until('told', () => list.length === 2);
  });

  it('of resource instances is also that one comes or goes', async () => {
    await attributes(many, 'st=100');
    const { told: list } = await observe(many);
    types.set(many, new Map([[0, 50]]));
    await world.until('gone', () => list.length === 1);
    types.set(
      many,
      new Map([
        [0, 50],
        [5, 0],
      ]),
    );
    await world.until('came', () => list.length === 2);
    expect(told1(many, list)).toEqual([50, 50, 0]);
  });
});

describe('what is told of an instance', () => {
  it('goes by the attributes of each resource', async () => {
    await attributes(float, 'st=5');
    const { told: list } = await observe('/42771/0');
    await play(float, 21, 22, 23);
    expect(list).toEqual([]);
    await play(integer, 51);
    expect(list).toHaveLength(1);
    await play(float, 27);
    expect(list).toHaveLength(1);
    await play(float, 28);
    expect(list).toHaveLength(2);
    expect(records('/42771/0', list[1] as Notification)).toContainEqual({ path: integer, value: 51 });
  });

  it('keeps to the minimum period of the resource that has changed', async () => {
    await attributes('/42771/0', 'pmin=20');
    await attributes(float, 'pmin=5');
    const { told: list } = await observe('/42771/0');
    const began = world.clock.now();
    await play(integer, 51);
    await play(float, 30);
    await world.until('told', () => list.length === 1);
    expect(Math.round(((list[0] as Notification).at - began) / 1_000)).toBe(5);
  });

  it('comes as often as the shortest maximum period below says', async () => {
    await attributes(float, 'pmax=7');
    const { told: list } = await observe('/42771');
    await world.clock.run(22_000);
    expect(list).toHaveLength(3);
  });

  it('is that an instance comes or goes, for who observes the object', async () => {
    const { told: list } = await observe('/42771');
    const payload = encodeContent(ContentFormat.TLV, '/42771', recordsOf(1, { 0: 'new' }), typesRegistry);
    await ask(world.server.send(Code.POST, '/42771', { format: ContentFormat.TLV, payload }));
    await world.until('told', () => list.length === 1);
    expect(records('/42771', list[0] as Notification)).toContainEqual({ path: '/42771/1/0', value: 'new' });
    await ask(world.server.send(Code.DELETE, '/42771/1'));
    await world.until('told', () => list.length === 2);
  });

  it('is 4.04, and the end, when it is deleted', async () => {
    const { told: list } = await observe('/42771/0');
    await ask(world.server.send(Code.DELETE, '/42771/0'));
    await world.until('told', () => list.length === 1);
    await world.clock.run(1_000);
    expect([formatCode((list[0] as Notification).code), client.observations]).toEqual(['4.04', 0]);
  });
});

describe('con', () => {
  it('0 has notifications sent without confirmation, 1 with', async () => {
    const { told: list } = await observe(integer);
    await play(integer, 1);
    await attributes(integer, 'con=0');
    await play(integer, 2);
    await attributes(integer, 'con=1');
    await play(integer, 3);
    expect(list.map(({ confirmable }) => confirmable)).toEqual([true, false, true]);
  });

  it('1 of one resource has the whole instance confirmed', async () => {
    await attributes('/42771', 'con=0');
    await attributes(float, 'con=1');
    const whole = await observe('/42771/0');
    const alone = await observe(integer);
    await play(integer, 1);
    expect(whole.told.map(({ confirmable }) => confirmable)).toEqual([true]);
    expect(alone.told.map(({ confirmable }) => confirmable)).toEqual([false]);
  });
});

describe('evaluation periods', () => {
  it('epmax: values that nobody announces are looked at so often', async () => {
    await attributes(float, 'epmax=10', 'gt=30');
    const { told: list } = await observe(float);
    types.setSilently(float, 29);
    await world.clock.run(10_500);
    expect(list).toEqual([]);
    types.setSilently(float, 31);
    await world.clock.run(9_000);
    expect(list).toEqual([]);
    await world.clock.run(1_000);
    expect(told1(float, list)).toEqual([31]);
    await world.clock.run(30_000);
    expect(list).toHaveLength(1);
  });

  it('epmin: changes are not looked at sooner after the last look', async () => {
    await attributes(float, 'epmin=10', 'gt=30');
    const { told: list } = await observe(float);
    await play(float, 40, 20);
    await world.clock.run(10_000);
    expect(list).toEqual([]);
    await play(float, 40);
    expect(list).toEqual([]);
    await world.clock.run(8_000);
    expect(told1(float, list)).toEqual([40]);
  });
});

describe('attributes in the request (ETS 312, 313)', () => {
  it('hold for that observation alone, before what was written', async () => {
    await attributes(float, 'st=1', 'pmax=5');
    const own = await observe(float, ['gt=30', 'pmin=2']);
    const whole = await observe('/42771/0');
    await play(float, 25, 26, 31);
    await world.clock.run(1_000);
    expect(told1(float, own.told)).toEqual([31]);
    expect(whole.told.length).toBeGreaterThanOrEqual(3);
    await world.clock.run(30_000);
    expect(own.told).toHaveLength(1);
    const links = await ask(world.server.discover(float));
    expect(new TextDecoder().decode(links.payload)).toBe('</42771/0/3>;pmax=5;st=1');
  });

  it('fall back on the default periods of the Server object, and on nothing else', async () => {
    await ask(world.server.writeText('/1/0/3', '20'));
    await attributes(float, 'pmax=5');
    const { told: list } = await observe(float, ['pmin=1']);
    await world.clock.run(41_000);
    expect(list).toHaveLength(2);
  });

  it.each([
    ['/42771/0', 'gt=5', '4.00 gt is for numeric resources, which /42771/0 is not'],
    ['/42771/0/1', 'edge=1', '4.00 edge is for boolean resources, which /42771/0/1 is not'],
    ['/42771/0/1', 'often=1', "4.00 'often' is no notification attribute"],
    ['/42771/0/22', 'pmin=1', '4.05 Secret cannot be read'],
  ])('of %s that do not fit, %s, decline the request: %s', async (path, query, expected) => {
    expect(told((await observe(path, [query])).first)).toBe(expected);
    expect(client.observations).toBe(0);
  });

  it('that contradict each other decline the request', async () => {
    expect(told((await observe(float, ['gt=1', 'lt=5'])).first)).toBe(
      '4.00 lt must lie below gt, by two steps',
    );
  });
});

describe('what could not be told', () => {
  const away = async (work: () => Promise<void>): Promise<void> => {
    await ask(client.pause());
    await work();
    client.resume();
    await world.clock.run(1_000);
  };
  const timed = (path: string, list: readonly Notification[]): [unknown, number | undefined][] =>
    list.flatMap((each) =>
      records(path, each).map(({ value, time }): [unknown, number | undefined] => [value, time]),
    );

  it('is the newest state, without hqmax', async () => {
    const { told: list } = await observe(float);
    await away(() => play(float, 1, 2, 3));
    expect(told1(float, list)).toEqual([3]);
  });

  it('is the newest so many values with their times, with hqmax, in one notification', async () => {
    await attributes(float, 'hqmax=3');
    const { told: list } = await observe(float);
    const began = world.clock.wallTime() / 1_000;
    await away(() => play(float, 1, 2, 3, 4, 5));
    expect(list).toHaveLength(1);
    expect(timed(float, list)).toEqual([
      [3, began + 2],
      [4, began + 3],
      [5, began + 4],
    ]);
    await play(float, 6);
    expect(told1(float, list.slice(1))).toEqual([6]);
  });

  it('is worth telling by the same conditions', async () => {
    await attributes(float, 'hqmax=10', 'st=5');
    const { told: list } = await observe(float);
    await away(() => play(float, 22, 26, 27, 33, 20));
    expect(told1(float, list)).toEqual([26, 33, 20]);
  });

  it('goes out moment by moment in a format without times', async () => {
    await attributes(float, 'hqmax=3');
    const { told: list } = await observe(float, [], ContentFormat.TEXT);
    await away(() => play(float, 1, 2, 3, 4));
    expect(list.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(['2', '3', '4']);
  });

  it('of an instance is only what has a history', async () => {
    await attributes(float, 'hqmax=2');
    const { told: list } = await observe('/42771/0');
    await away(async () => {
      await play(integer, 1);
      await play(float, 1, 2);
    });
    expect([...new Set(list.flatMap((each) => records('/42771/0', each).map(({ path }) => path)))]).toEqual([
      float,
    ]);
    expect(told1('/42771/0', list)).toEqual([1, 2]);
  });

  it('is nothing with hqmax=0, nor where the Server object stores no notifications', async () => {
    await attributes(float, 'hqmax=0');
    const first = await observe(float);
    await away(() => play(float, 1, 2));
    await attributes(float, 'hqmax=5');
    await ask(world.server.writeText('/1/0/6', '0'));
    await away(() => play(float, 3, 4));
    expect(first.told).toEqual([]);
    await play(float, 5);
    expect(told1(float, first.told)).toEqual([5]);
  });

  it('survives that the observation is lost in silence, and is told to the next one', async () => {
    await attributes(float, 'hqmax=10');
    await observe(float);
    world.link.filter = () => true;
    await play(float, 1, 2, 3);
    await world.until('given up', () => client.observations === 0);
    world.link.filter = undefined;
    await world.registered(2);
    const { told: list } = await observe(float);
    await world.until('told', () => list.length === 1);
    expect(told1(float, list)).toEqual([1, 2, 3]);
  });

  it('of a change during a notification that takes long is kept as well', async () => {
    await attributes(float, 'hqmax=10');
    const { told: list } = await observe(float);
    world.link.filter = () => true;
    await play(float, 1, 2, 3);
    world.link.filter = undefined;
    await world.clock.run(20_000);
    expect(told1(float, list)).toEqual([1, 2, 3]);
  });
});

it('a value that changes a hundred times a second costs nothing while nobody observes', async () => {
  const { observations } = client.sessions[0] as (typeof client.sessions)[number];
  let asked = 0;
  client.tree.listen({
    onChange: (paths) => {
      asked += paths.length;
      observations.changed(paths);
    },
    onInstancesChange: () => {},
    isObserved: () => observations.size > 0,
  });
  const device = client.tree.instance(42_771, 0);
  for (let i = 0; i < 100; i++) device?.changed('float', 'integer');
  expect(asked).toBe(0);
  await observe(float);
  device?.changed('float', 'integer');
  expect(asked).toBe(2);
});
