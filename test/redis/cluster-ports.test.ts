import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRedisAddress } from '../../redis/address.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { RedisLeases } from '../../redis/leases.ts';
import { RedisMembership } from '../../redis/members.ts';
import { RedisNodeBus } from '../../redis/node-bus.ts';
import { ConflictError } from '../../server/errors.ts';
import { type NodeInfo, NodeUnreachableError } from '../../server/ports/cluster-ports.ts';
import { startRedis, startRedisCluster } from '../support/redis.ts';
import { until } from '../support/until.ts';

const TTL = 60_000;
const text = (body: Uint8Array): string => new TextDecoder().decode(body);
const bytes = (words: string): Uint8Array => new TextEncoder().encode(words);

function info(name: string, coap = `coap://${name}:5683`): NodeInfo {
  return {
    name,
    incarnation: randomUUID(),
    version: '1.0.0',
    startedAt: 1,
    state: 'up',
    coap,
    http: `http://${name}:8080`,
    cores: 2,
    load: { cpu: 0, memory: 1, eventLoopDelay: 0 },
  };
}

const engines = [
  { name: 'a single Redis', start: () => startRedis() },
  { name: 'a Redis Cluster', start: () => startRedisCluster() },
];

describe.each(engines)('the cluster ports on $name', ({ start }) => {
  let server: { readonly url: string; close(): Promise<void> };
  const open: RedisConnection[] = [];

  beforeAll(async () => {
    server = await start();
  }, 120_000);
  afterAll(async () => {
    await Promise.all(open.map((connection) => connection.close()));
    await server?.close();
  }, 60_000);

  async function connect(prefix: string): Promise<RedisConnection> {
    const connection = await RedisConnection.open({
      address: parseRedisAddress(server.url),
      prefix,
      guard: true,
    });
    open.push(connection);
    return connection;
  }

  describe('NodeBus', () => {
    async function bus(prefix: string, node: string, told: string[] = []): Promise<RedisNodeBus> {
      const opened = new RedisNodeBus(await connect(prefix));
      await opened.open(node, {
        request: async (body, from) => {
          if (text(body) === 'silence') return new Promise(() => undefined);
          return bytes(`${node} answers ${from}: ${text(body)}`);
        },
        told: (body, from) => told.push(`${from}: ${text(body)}`),
      });
      return opened;
    }

    it('takes a request to the node that is named, and its answer back', async () => {
      const prefix = randomUUID();
      const [one, two] = await Promise.all([bus(prefix, 'one'), bus(prefix, 'two')]);
      const [there, back] = await Promise.all([
        one.request('two', bytes('hello'), 10_000),
        two.request('one', bytes('hi'), 10_000),
      ]);
      expect([text(there), text(back)]).toEqual(['two answers one: hello', 'one answers two: hi']);
      expect(text(await one.request('one', bytes('me'), 10_000))).toBe('one answers one: me');
    });

    it('says at once that nobody listens by a name', async () => {
      const one = await bus(randomUUID(), 'one');
      await expect(one.request('nobody', bytes('hello'), 600_000)).rejects.toThrow(NodeUnreachableError);
      expect(await one.tell('nobody', bytes('hello'))).toBe(false);
    });

    it('gives up on a node that does not answer in time', async () => {
      const one = await bus(randomUUID(), 'one');
      await expect(one.request('one', bytes('silence'), 20)).rejects.toThrow(/did not answer within 20 ms/);
    });

    it('tells one node, or all others', async () => {
      const prefix = randomUUID();
      const heard: string[][] = [[], [], []];
      const [one] = await Promise.all(
        ['one', 'two', 'three'].map((name, index) => bus(prefix, name, heard[index])),
      );
      expect(await one?.tell('two', bytes('you'))).toBe(true);
      await one?.tellAll(bytes('all'));
      await until('both have heard', () => heard[1]?.length === 2 && heard[2]?.length === 1);
      expect(heard).toEqual([[], ['one: you', 'one: all'], ['one: all']]);
    });

    it('keeps clusters of different prefixes apart', async () => {
      const [one] = await Promise.all([bus(randomUUID(), 'one'), bus(randomUUID(), 'two')]);
      expect(await one?.tell('two', bytes('hello'))).toBe(false);
    });
  });

  describe('Membership', () => {
    const membership = async (): Promise<RedisMembership> => new RedisMembership(await connect(randomUUID()));

    it('gives each node a slot of its own, the lowest that is free, and lists them by name', async () => {
      const members = await membership();
      const nodes = ['c', 'a', 'b'].map((name) => info(name));
      for (const node of nodes) await members.join(node, TTL);
      expect((await members.list()).map(({ name, slot }) => `${name}${slot}`)).toEqual(['a1', 'b2', 'c0']);
      await members.leave(nodes[1] as NodeInfo);
      expect((await members.join(info('d'), TTL)).slot).toBe(1);
    });

    it('gives nodes at one address slots that differ by 16, so that they share no message ids', async () => {
      const members = await membership();
      const shared = 'coap://lb:5683';
      for (let i = 0; i < 16; i++) await members.join(info(`other${i}`), TTL);
      const slots: number[] = [];
      for (let i = 0; i < 16; i++) slots.push((await members.join(info(`worker${i}`, shared), TTL)).slot);
      expect(new Set(slots.map((slot) => slot % 16)).size).toBe(16);
      expect(Math.min(...slots)).toBe(16);
    });

    it('refuses a second node of a name that lives, unless it is known to be gone', async () => {
      const members = await membership();
      const first = info('one');
      const { slot } = await members.join(first, TTL);
      const second = info('one');
      await expect(members.join(second, TTL)).rejects.toThrow(ConflictError);
      expect((await members.join(second, TTL, { takeOver: true })).slot).toBe(slot);
      // The one before has lost its place, and cannot take the other's away.
      expect(await members.beat(first, TTL)).toBe(false);
      await members.leave(first);
      expect(await members.beat(second, TTL)).toBe(true);
    });

    it('tells what a node said last of itself', async () => {
      const members = await membership();
      const node = info('one');
      const { seenAt } = await members.join(node, TTL);
      expect(await members.beat({ ...node, state: 'draining' }, TTL)).toBe(true);
      const [listed] = await members.list();
      expect(listed).toMatchObject({ ...node, state: 'draining', slot: 0 });
      expect(listed?.seenAt).toBeGreaterThanOrEqual(seenAt);
      expect(await members.beat(info('stranger'), TTL)).toBe(false);
    });

    it('buries a node whose time is over once, whoever asks', async () => {
      const members = await membership();
      const gone = info('gone');
      await members.join(gone, 1);
      await members.join(info('here'), TTL, { slot: 3 });
      const buried: string[] = [];
      await until('it is buried', async () => {
        const all = await Promise.all([members.bury(), members.bury(), members.bury()]);
        buried.push(...all.flat().map(({ name }) => name));
        return buried.length > 0;
      });
      expect(buried).toEqual(['gone']);
      expect((await members.list()).map(({ name }) => name)).toEqual(['here']);
      // Where it was is known still: another node at that address can go on with its devices.
      expect((await members.addresses()).get('gone')).toBe(gone.coap);
      expect(await members.beat(gone, TTL)).toBe(false);
      // It comes back as a new member, and in its slot where that is free.
      await members.leave(await members.join(gone, TTL, { slot: 7 }));
      expect((await members.join(gone, TTL, { slot: 7 })).slot).toBe(7);
      await members.leave(gone);
      await members.join(info('thief'), TTL, { slot: 7 });
      expect((await members.join(gone, TTL, { slot: 7 })).slot).toBe(0);
      await members.leave(gone);
      expect((await members.join(gone, TTL)).name).toBe('gone');
    });
  });

  describe('Leases', () => {
    const leases = async (): Promise<RedisLeases> => new RedisLeases(await connect(randomUUID()));

    it('have one holder, whose fencing number stays while it holds on', async () => {
      const all = await leases();
      expect(await all.take('leader', 'one', TTL)).toBe(1);
      expect(await all.take('leader', 'two', TTL)).toBeUndefined();
      expect(await all.take('leader', 'one', TTL)).toBe(1);
      expect(await all.holder('leader')).toBe('one');
      expect(await all.take('other', 'two', TTL)).toBe(1);
    });

    it('go to another with a higher number, when they are given back or run out', async () => {
      const all = await leases();
      await all.take('leader', 'one', TTL);
      await all.release('leader', 'two');
      expect(await all.holder('leader')).toBe('one');
      await all.release('leader', 'one');
      expect(await all.holder('leader')).toBeUndefined();
      expect(await all.take('leader', 'two', 1)).toBe(2);
      await until('it has run out', async () => (await all.take('leader', 'three', TTL)) === 3);
    });
  });
});
