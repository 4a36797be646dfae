import { expect, test } from 'vitest';
import { ClusterMembers, MEMBER_TTL } from '../../../server/cluster/members.ts';
import { ConflictError } from '../../../server/errors.ts';
import { createLog } from '../../../server/log.ts';
import type { MemberNode, Membership, NodeInfo } from '../../../server/ports/cluster-ports.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const log = createLog('silent');

function info(name: string, coap = `coap://${name}:5683`): NodeInfo {
  return {
    name,
    incarnation: `${name}-1`,
    version: '1',
    startedAt: 1,
    state: 'up',
    coap,
    http: '',
    cores: 1,
    load: { cpu: 0, memory: 0, eventLoopDelay: 0 },
  };
}

/** Lets time pass, with all that follows from each moment. */
async function pass(clock: FakeClock, milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 250) {
    await clock.run(Math.min(250, left));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** Members in memory, by the clock. */
class MemoryMembership implements Membership {
  readonly #clock: FakeClock;
  readonly nodes = new Map<string, { node: MemberNode; until: number }>();
  away = false;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async join(node: NodeInfo, ttl: number, options: { takeOver?: boolean; slot?: number } = {}) {
    const known = this.nodes.get(node.name);
    if (known !== undefined && known.until > this.#clock.now() && options.takeOver !== true) {
      throw new ConflictError('it lives');
    }
    const taken = [...this.nodes.values()].map(({ node: { slot } }) => slot);
    const wanted = options.slot ?? 0;
    const slot = taken.includes(wanted) ? Math.max(...taken) + 1 : wanted;
    const member = { ...node, slot, seenAt: this.#clock.now() };
    this.nodes.set(node.name, { node: member, until: this.#clock.now() + ttl });
    return member;
  }

  async beat(node: NodeInfo, ttl: number): Promise<boolean> {
    if (this.away) throw new StoreUnavailableError('away');
    const known = this.nodes.get(node.name);
    if (known?.node.incarnation !== node.incarnation) return false;
    known.until = this.#clock.now() + ttl;
    known.node = { ...known.node, ...node };
    return true;
  }

  async leave({ name }: Pick<NodeInfo, 'name'>): Promise<void> {
    this.nodes.delete(name);
  }

  async list(): Promise<readonly MemberNode[]> {
    return [...this.nodes.values()].map(({ node }) => node);
  }

  async addresses(): Promise<ReadonlyMap<string, string>> {
    return new Map([['long-gone', 'coap://shared:5683']]);
  }

  async bury(): Promise<readonly MemberNode[]> {
    const gone = [...this.nodes.values()].filter(({ until }) => until <= this.#clock.now());
    for (const { node } of gone) this.nodes.delete(node.name);
    return gone.map(({ node }) => node);
  }
}

function open(name = 'one', listens: (name: string) => boolean = () => true, coap?: string) {
  const clock = new FakeClock();
  const membership = new MemoryMembership(clock);
  const told: string[] = [];
  const members = new ClusterMembers({
    membership,
    clock,
    log,
    info: () => info(name, coap),
    takeOver: true,
    listens: async (asked) => listens(asked),
    onChanged: (gone) => told.push(...gone.map(({ name: one }) => `gone: ${one}`)),
    onBuried: (node) => told.push(`buried: ${node.name}`),
    onSilent: () => told.push('silent'),
    onEvicted: (reason) => told.push(`evicted: ${reason}`),
  });
  return { clock, membership, members, told };
}

test('a node beats for as long as it lives, and leaves', async () => {
  const { clock, membership, members } = open();
  await members.join();
  await pass(clock, 10 * MEMBER_TTL);
  expect(await membership.bury()).toEqual([]);
  await members.close();
  expect(await membership.list()).toEqual([]);
});

test('one that does not beat is buried when its time is over', async () => {
  const { clock, membership, members, told } = open();
  await members.join();
  await membership.join(info('other'), MEMBER_TTL);
  await pass(clock, 2_500);
  expect(members.isThere('other')).toBe(true);
  await pass(clock, MEMBER_TTL + 2_500);
  expect(told).toEqual(['buried: other', 'gone: other']);
  expect(members.get('other')).toBeUndefined();
});

test('after an outage of the store nobody is buried before all had the time to say that they live', async () => {
  const { clock, membership, members, told } = open();
  await members.join();
  await membership.join(info('other'), MEMBER_TTL);
  await pass(clock, 2_500);
  membership.away = true;
  await pass(clock, 3 * MEMBER_TTL);
  membership.away = false;
  // The other one needs a while until it is connected again.
  await pass(clock, MEMBER_TTL - 4_000);
  expect(await membership.beat(info('other'), MEMBER_TTL)).toBe(true);
  await pass(clock, 6_000);
  expect(told).toEqual([]);
});

test('a node that listens no more counts as gone before its time is over, and is back when it listens again', async () => {
  let listens = true;
  const { clock, membership, members, told } = open('one', () => listens);
  await members.join();
  await membership.join(info('other'), 3_600_000);
  await pass(clock, 2_500);
  listens = false;
  await pass(clock, 3_000);
  expect(members.isThere('other')).toBe(true);
  await pass(clock, 2_000);
  expect(members.isThere('other')).toBe(false);
  expect(told).toEqual(['silent']);
  listens = true;
  await pass(clock, 2_500);
  expect(members.isThere('other')).toBe(true);
});

test('one that is not connected for a moment, as after a restart of the store, does not count as gone', async () => {
  let listens = false;
  const { clock, membership, members, told } = open('one', () => listens);
  await membership.join(info('other'), 3_600_000);
  await members.join();
  const gone = members.isGone('other');
  await pass(clock, 1_200);
  listens = true;
  await pass(clock, 1_000);
  expect(await gone).toBe(false);
  expect(told).toEqual([]);
});

test('one that was killed and started again within its time is another process: the former is gone', async () => {
  const { clock, membership, members, told } = open();
  await members.join();
  await membership.join(info('other'), 3_600_000);
  await pass(clock, 2_500);
  await membership.join({ ...info('other'), incarnation: 'other-2' }, 3_600_000, { takeOver: true });
  await pass(clock, 2_500);
  expect(told).toEqual(['gone: other']);
  expect(members.isThere('other')).toBe(true);
});

test('a node that was taken for gone comes back in its slot', async () => {
  const { clock, membership, members, told } = open();
  await members.join();
  membership.nodes.clear();
  await pass(clock, 2_500);
  expect((await membership.list()).map(({ name, slot }) => `${name} ${slot}`)).toEqual(['one 0']);
  expect(told.filter((line) => line.startsWith('evicted'))).toEqual([]);
});

test('one whose slot has gone to another node while it was held up has to end: its tokens are that one’s', async () => {
  const { clock, membership, members, told } = open();
  await members.join();
  membership.nodes.clear();
  await membership.join(info('thief'), 3_600_000);
  await pass(clock, 2_500);
  expect(told).toContain('evicted: its slot has gone to another node while it was held up');
});

test('one whose name has gone to another process has to end', async () => {
  const { clock, membership, members, told } = open();
  await members.join();
  membership.nodes.clear();
  await membership.join({ ...info('one'), incarnation: 'another' }, 3_600_000);
  await pass(clock, 2_500);
  expect(told).toContain("evicted: another process is node 'one' now");
});

test('nodes share an address where theirs are equal, also with one that is gone', async () => {
  const { members, membership } = open('one', () => true, 'coap://shared:5683');
  await membership.join(info('other'), MEMBER_TTL);
  await members.join();
  expect(members.sharesAddress('other')).toBe(false);
  expect(members.sharesAddress('one')).toBe(true);
  expect(members.sharesAddress('long-gone')).toBe(true);
  expect(members.sharesAddress('nobody')).toBe(false);
});
