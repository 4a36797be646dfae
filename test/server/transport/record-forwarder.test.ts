import { beforeEach, describe, expect, test } from 'vitest';
import { NodeUnreachableError } from '../../../server/ports/cluster-ports.ts';
import type { StoredSession } from '../../../server/ports/session-store.ts';
import { type RecordCalls, RecordForwarder, withoutWay } from '../../../server/transport/foreign-records.ts';
import { HandOvers } from '../../../server/transport/hand-overs.ts';
import { SessionPlaces } from '../../../server/transport/session-places.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

type Handlers = Parameters<RecordCalls['serve']>[1];
const ID = '0011223344556677';
const record = Buffer.from('a record');
const source = '198.51.100.7:40001';

/** Nodes that call each other as over a bus: a node whose handlers are gone does not listen. */
class Bus {
  readonly handlers = new Map<string, Handlers>();
  readonly calls: string[] = [];

  of(self: string): RecordCalls {
    const ask = async (kind: string, node: string, method: string, args: readonly unknown[]) => {
      this.calls.push(`${kind} ${node} ${method}`);
      const handler = this.handlers.get(node)?.[method];
      return handler === undefined ? undefined : { answer: handler(args, { from: self }) };
    };
    return {
      serve: (_service, handlers) => void this.handlers.set(self, handlers),
      call: async (node, _service, method, args) => {
        const answered = await ask('call', node, method, args);
        if (answered === undefined) throw new NodeUnreachableError('not there', true);
        return answered.answer;
      },
      tell: async (node, _service, method, args) => (await ask('tell', node, method, args)) !== undefined,
    };
  }
}

describe('records at the wrong node', () => {
  let bus: Bus;
  let clock: FakeClock;
  let owner: string;
  let shared: boolean;
  /** Whether node two has the session in memory. */
  let has: boolean;
  let taken: string[];
  let sent: string[];
  let left: string[];
  let one: RecordForwarder;
  let two: RecordForwarder;

  const stored = (): StoredSession => ({
    ...{ id: ID, node: owner, fence: 1, account: 'server', identity: { kind: 'psk', name: 'i' } },
    ...{ state: new Uint8Array(), hasWindow: false },
  });
  const forward = (): Promise<boolean> => one.forward(Buffer.from(ID, 'hex'), record, source);

  beforeEach(() => {
    bus = new Bus();
    clock = new FakeClock();
    owner = 'two';
    shared = true;
    has = true;
    taken = [];
    sent = [];
    left = [];
    const make = (node: string): RecordForwarder =>
      new RecordForwarder({
        node,
        rpc: bus.of(node),
        members: {
          isThere: (name) => bus.handlers.has(name),
          isGone: async (name) => !bus.handlers.has(name),
          sharesAddress: () => shared,
        },
        places: new SessionPlaces({ store: { read: async () => stored() }, clock }),
        clock,
        onUnreachable: () => undefined,
      });
    one = make('one');
    two = make('two');
    const attach = (forwarder: RecordForwarder, node: string, holds: () => boolean): void =>
      forwarder.attach({
        dtls: {
          takeForeign: (data, from) => {
            if (holds()) taken.push(`${node} ${Buffer.from(data)} from ${from}`);
            return holds();
          },
        },
        handOvers: new HandOvers({
          clock,
          release: async (id) => void left.push(id),
          tell: (to, id) => forwarder.tellGone(to, id),
          onError: (error) => expect.unreachable(String(error)),
        }),
        socket: { send: (data, peer) => void sent.push(`${node} ${Buffer.from(data)} to ${peer}`) },
        send: (data, peer) => void sent.push(`${node} ${Buffer.from(data)} in ${peer}`),
      });
    attach(one, 'one', () => false);
    attach(two, 'two', () => has);
  });

  test('are handed to the node that has the session; of the next ones the store is not asked', async () => {
    for (let time = 0; time < 3; time++) expect(await forward()).toBe(true);
    expect(taken).toEqual(Array.from({ length: 3 }, () => `two a record from ${source}`));
    expect(bus.calls).toEqual(['call two take', 'tell two given', 'tell two given']);
  });

  test('are taken over where nobody has the session, or this node', async () => {
    owner = '';
    expect(await forward()).toBe(false);
    owner = 'one';
    await clock.run(60_000);
    expect(await forward()).toBe(false);
    expect(bus.calls).toEqual([]);
  });

  test('are taken over where the node is gone, or has lost the session', async () => {
    has = false;
    expect(await forward()).toBe(false);
    bus.handlers.delete('two');
    expect(await forward()).toBe(false);
    expect(taken).toEqual([]);
  });

  test('wait for a node that is saving its sessions, and are taken over when it has', async () => {
    two.leave();
    const forwarded = forward();
    await clock.run(250);
    owner = '';
    await clock.run(250);
    expect(await forwarded).toBe(false);
    expect(taken).toEqual([]);
  });

  test('a node that was told and has it no more says so, and the store is asked again', async () => {
    await forward();
    has = false;
    owner = 'one';
    expect(await forward()).toBe(true);
    await clock.run(1);
    expect(bus.calls.at(-1)).toBe('tell one gone');
    expect(await forward()).toBe(false);
  });

  test('one after the other by the same way lead the session there', async () => {
    for (let time = 0; time < 32; time++) await forward();
    expect(left).toEqual([]);
    await clock.run(500);
    expect(left).toEqual([ID]);
    expect(bus.calls.at(-1)).toBe('tell one gone');
  });

  test('the answer goes back by the same way where nodes have addresses of their own', async () => {
    shared = false;
    await forward();
    const [, from = ''] = taken[0]?.split(' from ') ?? [];
    expect(withoutWay(from)).toBe(source);
    expect(two.sendBack(Buffer.from('an answer'), from)).toBe(true);
    await clock.run(1);
    expect(sent).toEqual([`one an answer to ${source}`]);
    expect(two.sendBack(Buffer.from('an answer'), source)).toBe(false);
  });

  test('what is sent in a session that is elsewhere is sent there', async () => {
    expect(await one.isElsewhere(ID)).toBe(true);
    one.send(Buffer.from('a request'), ID);
    await clock.run(1);
    expect(sent).toEqual([`two a request in dtls:${ID}`]);
    bus.handlers.delete('two');
    expect(await one.isElsewhere(ID)).toBe(false);
  });
});
