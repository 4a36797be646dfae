import { describe, expect, test } from 'vitest';
import type { StrayDatagram } from '../../../protocol/coap/exchange.ts';
import { messageIdsOf, StrayRouter, tokenPrefixOf } from '../../../server/cluster/shared-port.ts';
import { NodeUnreachableError } from '../../../server/ports/cluster-ports.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';
import { until } from '../../support/until.ts';

const HERE = 'coap://192.0.2.1:5683';
const stray: StrayDatagram = { data: Uint8Array.of(0x60, 0, 0, 1), peer: '192.0.2.9:1', identity: undefined };

type Handlers = Readonly<Record<string, (args: readonly unknown[]) => unknown>>;

/** Nodes by name and slot, as their calls reach each other. */
function cluster(nodes: readonly { readonly name: string; readonly slot: number; readonly coap?: string }[]) {
  const members = nodes.map(({ coap = HERE, ...node }) => ({ ...node, coap }));
  const served = new Map<string, Handlers>();
  const took: string[] = [];
  const unanswered: unknown[] = [];
  const dead = new Set<string>();
  /** Members that have come since the last look. */
  const unseen = new Set<string>();
  const looks: string[] = [];
  const clock = new FakeClock();
  const join = (name: string, takes = true): StrayRouter => {
    const self = members.find((node) => node.name === name);
    if (self === undefined) throw new Error(`no node ${name}`);
    const invoke = async (node: string, method: string, args: readonly unknown[]): Promise<unknown> => {
      if (dead.has(node)) throw new NodeUnreachableError(`no node ${node}`);
      return served.get(node)?.[method]?.(args);
    };
    const router = new StrayRouter({
      rpc: {
        call: (node, _service, method, args) => invoke(node, method, args),
        tell: (node, _service, method, args) => invoke(node, method, args).then(() => true),
        serve: (service, handlers) => {
          expect(service).toBe('datagrams');
          served.set(name, handlers);
        },
      },
      members: {
        self,
        list: () => members.filter(({ name: other }) => !unseen.has(other)),
        refresh: async () => {
          looks.push(name);
          unseen.clear();
        },
      },
      clock,
      onUnreachable: (error) => unanswered.push(error),
      onAdopted: ({ peer }) => took.push(`${name} ${peer}`),
    });
    router.attach({ takeStray: ({ identity }) => takes && identity?.name !== 'refused' });
    return router;
  };
  return { join, took, unanswered, dead, unseen, looks, clock };
}

const offered = (router: StrayRouter, token: number, what = stray): Promise<boolean> =>
  new Promise((resolve) => router.response(Uint8Array.of(token, 5), what, resolve));

describe('the slot of a node', () => {
  test('is what its tokens begin with', () => {
    expect(tokenPrefixOf(255)).toEqual(Uint8Array.of(255));
  });

  test('gives it a sixteenth of the message ids, and sixteen neighbours have all of them', () => {
    const parts = Array.from({ length: 16 }, (_, slot) => messageIdsOf(slot));
    expect(parts.map(({ first }) => first)).toEqual(parts.map((_, slot) => slot * 4_096));
    expect(parts.reduce((sum, { count }) => sum + count, 0)).toBe(65_536);
    expect(messageIdsOf(19)).toEqual(messageIdsOf(3));
  });
});

describe('what came to the wrong node', () => {
  test('goes to the one at the same address that has the message id, and to no other', () => {
    const { join, took } = cluster([
      { name: 'a', slot: 0 },
      { name: 'b', slot: 1 },
      { name: 'c', slot: 17, coap: 'coap://192.0.2.2:5683' },
      { name: 'd', slot: 2 },
    ]);
    const a = join('a');
    for (const name of ['b', 'c', 'd']) join(name);
    a.reply(4_096, stray);
    a.reply(8_191, stray);
    a.reply(8_192, stray);
    // Of nobody.
    a.reply(65_535, stray);
    // Its own: there is nobody else to pass it to.
    a.reply(0, stray);
    expect(took).toEqual(['b 192.0.2.9:1', 'b 192.0.2.9:1', 'd 192.0.2.9:1']);
  });

  test('goes to all that share the part, where there are more nodes than parts', () => {
    const { join, took } = cluster([
      { name: 'a', slot: 0 },
      { name: 'b', slot: 1 },
      { name: 'c', slot: 17 },
    ]);
    const a = join('a');
    for (const name of ['b', 'c']) join(name);
    a.reply(5_000, stray);
    expect(took).toEqual(['b 192.0.2.9:1', 'c 192.0.2.9:1']);
  });

  test('is offered to the one whose token it bears, which says whether it takes it', async () => {
    const { join, took } = cluster([
      { name: 'a', slot: 0 },
      { name: 'b', slot: 1 },
      { name: 'c', slot: 17 },
    ]);
    const a = join('a');
    join('b', false);
    join('c');
    expect(await offered(a, 17)).toBe(true);
    expect(await offered(a, 1)).toBe(false);
    expect(await offered(a, 9)).toBe(false);
    const identity = { kind: 'psk', name: 'refused' } as const;
    expect(await offered(a, 17, { ...stray, identity })).toBe(false);
    expect(took).toEqual(['c 192.0.2.9:1']);
  });

  test('is nobody’s where the node does not answer', async () => {
    const { join, dead, unanswered } = cluster([
      { name: 'a', slot: 0 },
      { name: 'b', slot: 1 },
    ]);
    const a = join('a');
    dead.add('b');
    expect(await offered(a, 1)).toBe(false);
    a.reply(4_096, stray);
    await until('both are told of', () => unanswered.length === 2);
    expect(unanswered.every((error) => error instanceof NodeUnreachableError)).toBe(true);
  });

  test('waits for another look where its node has come just now; who forges tokens has no more looks for it', async () => {
    const { join, took, unseen, looks, clock } = cluster([
      { name: 'a', slot: 0 },
      { name: 'b', slot: 1 },
    ]);
    const a = join('a');
    join('b');
    unseen.add('b');
    a.reply(4_096, stray);
    expect(await offered(a, 1)).toBe(true);
    await until('both have been taken', () => took.length === 2);
    expect(looks).toEqual(['a']);
    for (let token = 10; token < 20; token++) expect(await offered(a, token)).toBe(false);
    expect(looks).toEqual(['a']);
    clock.advance(500);
    expect(await offered(a, 10)).toBe(false);
    expect(looks).toEqual(['a', 'a']);
  });

  test('is dropped where more than so many are on their way already, until those have arrived', async () => {
    const { join, took } = cluster([
      { name: 'a', slot: 0 },
      { name: 'b', slot: 1 },
    ]);
    const a = join('a');
    join('b');
    for (let i = 0; i < 1_100; i++) a.reply(4_096, stray);
    await until('they have arrived', () => took.length >= 1_024);
    expect(took).toHaveLength(1_024);
    await until('there is room again', () => {
      a.reply(4_096, stray);
      return took.length > 1_024;
    });
  });
});
