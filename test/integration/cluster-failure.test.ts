import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../protocol/coap/message.ts';
import type { ApiCluster, ApiCommand, ApiEvent } from '../../server/api/schemas.ts';
import { ClusterWorld, type TestNode } from '../support/cluster-world.ts';
import type { ScriptedDevice } from '../support/server-world.ts';
import { until } from '../support/until.ts';

const LINKS = '</1/0>,</3/0>';
const REBOOT = 'POST /3/0/4';
const WRITE = 'PUT /3/0/14';
/** A node counts as gone after ten seconds; the machine may be slow. */
const LIMIT = 60_000;
const changed: Parameters<ScriptedDevice['answers']['set']>[1] = (request) =>
  request.respond({ code: Code.CHANGED });

let world: ClusterWorld;

beforeEach(async () => {
  world = await ClusterWorld.open({ durable: true });
}, LIMIT);
afterEach(() => world.close(), LIMIT);

async function pair(flags: readonly string[] = []): Promise<[TestNode, TestNode]> {
  const one = await world.node('one', flags);
  const two = await world.node('two', flags);
  await world.together(one, two);
  return [one, two];
}

/** Nodes that devices reach at one address. */
const sharing = ['--coap-address', 'coap://127.0.0.1:5683'];

function hold(node: TestNode, request: object): Promise<ApiCommand> {
  return node.api.post<ApiCommand>('/api/devices/d/requests', request);
}

async function state(node: TestNode, { id }: ApiCommand): Promise<string> {
  return (await node.api.get<ApiCommand>(`/api/commands/${id}`)).state;
}

describe('a node that is killed', () => {
  it(
    'leaves its devices to one that shares its address, which asks them at once',
    async () => {
      const [one, two] = await pair(sharing);
      const device = await world.device('d', one.coap);
      device.has('/3/0/9', () => [{ path: '/3/0/9', value: 7 }]);
      await device.register(LINKS);
      await one.kill();
      expect(await two.api.get('/api/devices/d/objects/3/0/9')).toMatchObject({ value: 7 });
      const { nodes } = await two.api.get<ApiCluster>('/api/cluster');
      expect(nodes.find(({ name }) => name === 'two')?.devices).toBe(1);
    },
    LIMIT,
  );

  it(
    'leaves devices that know its address alone to nobody, until they speak to another one',
    async () => {
      const [one, two] = await pair();
      const device = await world.device('d', one.coap);
      device.has('/3/0/9', () => [{ path: '/3/0/9', value: 7 }]);
      device.answers.set(REBOOT, changed);
      await device.register(LINKS);
      await one.kill();
      await expect(two.api.get('/api/devices/d/objects/3/0/9')).rejects.toThrow(/503.*device_node_gone/);
      const command = await hold(two, { operation: 'execute', path: '/3/0/4' });
      device.server = two.coap;
      expect((await device.request(Code.POST, device.location)).code).toBe(Code.CHANGED);
      expect(await two.api.get('/api/devices/d/objects/3/0/9')).toMatchObject({ value: 7 });
      await until('it is done', async () => (await state(two, command)) === 'done', LIMIT);
      expect(device.asked.filter((asked) => asked === REBOOT)).toHaveLength(1);
    },
    LIMIT,
  );

  it(
    'has its commands carried on: what may be done twice is sent again, of what may not nobody can tell',
    async () => {
      const [one, two] = await pair(sharing);
      const device = await world.device('d', one.coap);
      await device.register(LINKS);
      // The device takes it, and is slow to answer.
      device.answers.set(WRITE, () => undefined);
      const write = await hold(one, { operation: 'write', path: '/3/0/14', value: '+01' });
      await until('it is sent', () => device.asked.includes(WRITE));
      await one.kill();
      device.answers.set(WRITE, changed);
      await until('it is done', async () => (await state(two, write)) === 'done', LIMIT);

      const three = await world.node('three', sharing);
      device.server = three.coap;
      await device.request(Code.POST, device.location);
      device.answers.set(REBOOT, () => undefined);
      const reboot = await hold(two, { operation: 'execute', path: '/3/0/4' });
      await until('it is sent', () => device.asked.includes(REBOOT));
      await three.kill();
      device.answers.set(REBOOT, changed);
      await until('it has ended', async () => (await state(two, reboot)) === 'unknown', LIMIT);
      expect(device.asked.filter((asked) => asked === REBOOT)).toHaveLength(1);
      await until(
        'the end of both is told',
        async () => {
          const { items } = await two.api.get<{ items: ApiEvent[] }>('/api/event-log?types=node');
          const told = items.map(({ data }) => data['node'] as { name: string; state: string });
          return ['one', 'three'].every((name) =>
            told.some((one) => one.name === name && one.state === 'gone'),
          );
        },
        LIMIT,
      );
    },
    LIMIT,
  );

  it(
    'takes its own place when it starts again, although it has not said goodbye',
    async () => {
      const [one, two] = await pair();
      const device = await world.device('d', one.coap);
      device.has('/3/0/9', () => [{ path: '/3/0/9', value: 7 }]);
      await device.register(LINKS);
      await one.kill();
      const again = await world.node('one', [], Number(one.coap.split(':')[1]));
      expect(await two.api.get('/api/devices/d/objects/3/0/9')).toMatchObject({ value: 7 });
      const { nodes } = await again.api.get<ApiCluster>('/api/cluster');
      expect(nodes.map(({ name }) => name)).toEqual(['one', 'two']);
    },
    LIMIT,
  );

  it(
    'leaves the lead to another one, which ends registrations once',
    async () => {
      const [one, two] = await pair(sharing);
      const device = await world.device('d', two.coap);
      await one.kill();
      await device.register(LINKS, ['lt=1', 'lwm2m=1.1', 'b=U']);
      const ended = await until(
        'it has expired',
        async () => {
          const { items } = await two.api.get<{ items: ApiEvent[] }>('/api/event-log?types=expired');
          return items.length > 0 && items;
        },
        LIMIT,
      );
      expect(ended.map(({ endpoint }) => endpoint)).toEqual(['d']);
    },
    LIMIT,
  );
});

describe('a name', () => {
  it(
    'is one node: a second process of that name is refused',
    async () => {
      await world.node('one');
      await expect(world.node('one')).rejects.toThrow(/'one' lives already/);
    },
    LIMIT,
  );
});

describe('a Redis that is killed', () => {
  it(
    'is said to devices and people, and when it is back all goes on',
    async () => {
      const [one, two] = await pair();
      const device = await world.device('d', one.coap);
      device.has('/3/0/9', () => [{ path: '/3/0/9', value: 7 }]);
      await device.register(LINKS);
      await world.redis.kill();
      await expect(two.api.get('/api/devices/d/objects/3/0/9')).rejects.toThrow(/503.*store_unavailable/);
      const refused = await device.request(Code.POST, device.location);
      expect(refused.code).toBe(Code.SERVICE_UNAVAILABLE);
      await world.redis.start();
      await until(
        'the device is asked by way of the other node',
        () =>
          two.api.get('/api/devices/d/objects/3/0/9').then(
            () => true,
            (error: Error) => {
              expect(error.message).toMatch(/503/);
              return false;
            },
          ),
        LIMIT,
      );
      expect((await device.request(Code.POST, device.location)).code).toBe(Code.CHANGED);
      for (const { api } of [one, two]) {
        await until(
          'both are members',
          async () => (await api.get<ApiCluster>('/api/cluster')).nodes.length === 2,
          LIMIT,
        );
      }
      device.answers.set(REBOOT, changed);
      const command = await hold(two, { operation: 'execute', path: '/3/0/4' });
      await until('it is done', async () => (await state(two, command)) === 'done', LIMIT);
    },
    LIMIT,
  );
});
