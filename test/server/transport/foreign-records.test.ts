import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import { ContentType, DtlsVersion } from '../../../protocol/dtls/messages/constants.ts';
import { DtlsWorld, SERVER, type TestClient } from '../../support/dtls/dtls-world.ts';
import { TransportNodes } from '../../support/dtls/transport-nodes.ts';

const TWO = '192.0.2.2:5684';
const DEVICE = '198.51.100.1:40000';
const MOVED = '198.51.100.9:40000';
const ATTACKER = '203.0.113.66:6666';
const KEY_OF_ATTACKER = new Uint8Array(16).fill(9);

/** A record with a connection id that nobody has given out. */
function madeUp(): Uint8Array {
  const record = Buffer.concat([Buffer.alloc(13 + 8), randomBytes(24)]);
  record[0] = ContentType.TLS12_CID;
  record.writeUInt16BE(DtlsVersion.DTLS_1_2, 1);
  record[4] = 1;
  record.set(randomBytes(8), 11);
  record.writeUInt16BE(24, 19);
  return record;
}

describe('records whose session is not in this process', () => {
  let world: DtlsWorld;
  let nodes: TransportNodes;
  let looks: number;

  beforeEach(async () => {
    world = new DtlsWorld();
    world.link.recording = true;
    nodes = await TransportNodes.open(world);
    looks = 0;
    const { read } = nodes.sessions;
    nodes.sessions.read = (id) => {
      looks++;
      return read(id);
    };
  });
  afterEach(() => nodes.stores.close());

  /** The last record with a connection id that was sent to that address. */
  const lastTo = (address: PeerAddress): Uint8Array => {
    const sent = world.link.log.filter(({ to, data }) => to === address && data[0] === ContentType.TLS12_CID);
    return sent.at(-1)?.data as Uint8Array;
  };
  /** From now on what a client sends to SERVER goes to TWO, from another address where one is given. */
  const reroute = (client: PeerAddress, from = client): void => {
    world.link.filter = (data, sender, to) => {
      if (sender === client && to === SERVER) world.link.carry(data, from, TWO);
      else if (to === from && sender !== SERVER) world.link.carry(data, SERVER, client);
      else return false;
      return true;
    };
  };
  async function deviceAtOne(): Promise<TestClient> {
    const client = world.client(DEVICE);
    expect(await world.ask(client, 'hello')).toBe(true);
    await nodes.settle(200);
    return client;
  }
  /** In less than a second more ids than are looked up in one. */
  async function flood(): Promise<void> {
    for (let time = 0; time < 24; time++) {
      for (let i = 0; i < 200; i++) world.link.carry(madeUp(), ATTACKER, TWO);
      await nodes.settle(20);
    }
  }

  test('with ids that are made up use up no more looks than the store bears', async () => {
    nodes.node('two', TWO, 2);
    await flood();
    expect(looks).toBeGreaterThan(1_000);
    expect(looks).toBeLessThanOrEqual(2_000);
  });

  test('with ids that are made up cost a node without others no more', async () => {
    nodes.single('two', TWO);
    await flood();
    expect(looks).toBeGreaterThan(1_000);
    expect(looks).toBeLessThanOrEqual(2_000);
  });

  test('with ids that are made up have nobody take over the session of a node that lives', async () => {
    const one = nodes.node('one', SERVER, 1);
    const two = nodes.node('two', TWO, 2);
    const client = await deviceAtOne();
    await flood();
    reroute(DEVICE, MOVED);
    world.say(client, 'lost');
    await nodes.settle(100);
    expect(two.closed).toEqual([]);
    // The store has time again.
    await nodes.settle(1_000);
    world.say(client, 'moved');
    await nodes.settle(200);
    expect(one.received).toContain('moved');
    expect([...one.closed, ...two.closed]).toEqual([]);
  });

  test('behind a record of another session are given to their own node, and take nobody’s session away', async () => {
    const one = nodes.node('one', SERVER, 1);
    const two = nodes.node('two', TWO, 2);
    await deviceAtOne();
    const overheard = lastTo(SERVER);
    world.keys.set('attacker', KEY_OF_ATTACKER);
    reroute(ATTACKER);
    const attacker = world.client(ATTACKER, { identity: 'attacker', key: KEY_OF_ATTACKER });
    expect(await world.ask(attacker, 'mine')).toBe(true);
    await nodes.settle(200);
    const both = Buffer.concat([lastTo(TWO), overheard]);
    world.link.filter = undefined;
    for (const address of [SERVER, TWO]) {
      world.link.carry(both, ATTACKER, address);
      await nodes.settle(500);
    }
    expect(nodes.calls).toContain('two>one take');
    expect([...one.closed, ...two.closed]).toEqual([]);
    expect(one.secured?.dtls.statistics.replayed).toBeGreaterThan(0);
  });

  test('of a session that is just being taken over wait for that at the node that takes it', async () => {
    const one = nodes.node('one', SERVER, 1);
    const client = await deviceAtOne();
    await one.port.close();
    const two = nodes.node('two', TWO, 2);
    const three = nodes.node('three', '192.0.2.3:5684', 3);
    // The store has it written down who takes the session, and the one who does does not know yet.
    const { take } = nodes.sessions;
    let answer = (): void => undefined;
    nodes.sessions.take = async (...args) => {
      const taken = await take(...args);
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return taken;
    };
    reroute(DEVICE);
    world.say(client, 'to two');
    await nodes.settle(100);
    world.link.carry(lastTo(TWO), ATTACKER, '192.0.2.3:5684');
    await nodes.settle(100);
    answer();
    await nodes.settle(200);
    expect(nodes.calls).toContain('three>two take');
    expect(two.received).toEqual(['to two']);
    expect([...two.closed, ...three.closed]).toEqual([]);
  });
});
