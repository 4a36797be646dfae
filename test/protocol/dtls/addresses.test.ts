import { describe, expect, test } from 'vitest';
import { DtlsWorld, SERVER } from '../../support/dtls/dtls-world.ts';

const DEVICE = '10.0.0.1:40000';
const FIRST = '198.51.100.1:40000';
const SECOND = '198.51.100.1:50000';
const VICTIM = '203.0.113.7:7';

async function setUp(returnRoutability = true) {
  const world = new DtlsWorld();
  world.link.masquerade(DEVICE, FIRST);
  const server = world.server();
  const client = world.client(DEVICE, { returnRoutability });
  expect(await world.ask(client, 'hello')).toBe(true);
  await world.clock.run(1_000);
  const peer = server.established[0]?.peer ?? '';
  const toServer = () => world.link.log.filter(({ to }) => to === SERVER).map(({ data }) => data);
  const sentTo = (address: string) =>
    world.link.log.filter(({ from, to }) => from === SERVER && to === address).map(({ data }) => data);
  return { world, server, client, peer, toServer, sentTo };
}

describe('a peer whose address changes', () => {
  test('stays the same peer, and is answered where it is now', async () => {
    const { world, server, client, peer } = await setUp();
    world.link.masquerade(DEVICE, SECOND);
    expect(await world.ask(client, 'moved')).toBe(true);
    expect(server.received.map((one) => one.peer)).toEqual([peer, peer]);
    expect(server.moves).toMatchObject([{ from: FIRST, session: { address: SECOND } }]);
    expect(server.port.transportAddress(peer)).toBe(SECOND);
    expect(client.established).toHaveLength(1);
  });

  test('every ten seconds loses nothing', async () => {
    const { world, server, client } = await setUp();
    for (let i = 0; i < 100; i++) {
      world.link.masquerade(DEVICE, `198.51.100.1:${50_000 + i}`);
      expect(await world.ask(client, `reading ${i}`)).toBe(true);
      await world.clock.run(10_000);
    }
    expect(server.received).toHaveLength(101);
    expect(server.port.statistics).toMatchObject({ moved: 100, handshakesDone: 1, unsent: 0 });
    expect(world.clock.pending).toBe(0);
  });

  test('is asked whether it is there, and until it answers gets no more than three times what it has sent', async () => {
    const { world, server, client, peer, sentTo } = await setUp();
    server.echo = false;
    world.link.recording = true;
    world.link.filter = (_data, from) => from !== SERVER && from !== SECOND;
    world.link.masquerade(DEVICE, SECOND);
    world.say(client, 'moved');
    await world.clock.run(15);
    // From now on nothing comes from there: the sender was somebody else.
    world.link.filter = (_data, from) => from !== SERVER;
    for (let i = 0; i < 50; i++) server.port.send(Buffer.alloc(50), peer);
    await world.clock.run(60_000);
    const received = world.link.log.filter(({ from }) => from === SECOND)[0]?.data.length as number;
    const sent = sentTo(SECOND).reduce((sum, { length }) => sum + length, 0);
    expect(sent).toBeGreaterThan(received);
    expect(sent).toBeLessThanOrEqual(3 * received);
    expect(server.port.statistics.unsent).toBeGreaterThan(40);
    world.link.filter = undefined;
    // It was there after all, says so when it is asked again, and gets what is for it.
    world.say(client, 'here');
    await world.clock.run(1_000);
    client.received.length = 0;
    for (let i = 0; i < 50; i++) server.port.send(Buffer.alloc(50), peer);
    await world.clock.run(1_000);
    expect(client.received).toHaveLength(50);
  });

  test('is believed when it answers from there, where it cannot be asked', async () => {
    const { world, server, client, peer, sentTo } = await setUp(false);
    server.echo = false;
    world.link.recording = true;
    world.link.masquerade(DEVICE, SECOND);
    world.say(client, 'moved');
    await world.clock.run(1_000);
    const flood = () => {
      for (let i = 0; i < 50; i++) server.port.send(Buffer.alloc(50), peer);
    };
    flood();
    await world.clock.run(1_000);
    expect(client.received.length).toBeLessThan(4);
    expect(sentTo(SECOND).length).toBeGreaterThan(0);
    world.say(client, 'an answer');
    await world.clock.run(1_000);
    client.received.length = 0;
    flood();
    await world.clock.run(1_000);
    expect(client.received).toHaveLength(50);
  });

  test('moves by the newest record only: one that was held back moves nothing', async () => {
    const { world, server, client, peer, toServer } = await setUp();
    world.link.recording = true;
    world.link.filter = () => true;
    world.say(client, 'old');
    world.link.filter = undefined;
    const [held] = toServer();
    expect(await world.ask(client, 'new')).toBe(true);
    world.link.carry(held as Uint8Array, VICTIM, SERVER);
    await world.clock.run(1_000);
    expect(server.received.map(({ text }) => text)).toContain('old');
    expect(server.moves).toEqual([]);
    expect(server.port.transportAddress(peer)).toBe(FIRST);
  });

  test('is not moved by what was received before, or is forged', async () => {
    const { world, server, client, peer, toServer } = await setUp();
    world.link.recording = true;
    await world.ask(client, 'one');
    const [record] = toServer() as [Uint8Array];
    world.link.carry(record, VICTIM, SERVER);
    for (let at = 0; at < record.length; at++) {
      const forged = record.slice();
      forged[at] = (forged[at] as number) ^ 0x40;
      world.link.carry(forged, VICTIM, SERVER);
    }
    await world.clock.run(5_000);
    expect(server.received.map(({ text }) => text)).toEqual(['hello', 'one']);
    expect(server.moves).toEqual([]);
    expect(server.port.transportAddress(peer)).toBe(FIRST);
    expect(world.link.log.filter(({ to }) => to === VICTIM)).toEqual([]);
  });

  test('whose record somebody sends on from elsewhere first comes back with its next one', async () => {
    const { world, server, client, peer, toServer, sentTo } = await setUp();
    world.link.recording = true;
    world.link.filter = (_data, from) => from === FIRST;
    world.say(client, 'captured');
    const [record] = toServer() as [Uint8Array];
    world.link.filter = undefined;
    world.link.carry(record, VICTIM, SERVER);
    await world.clock.run(100);
    expect(server.port.transportAddress(peer)).toBe(VICTIM);
    expect(sentTo(VICTIM).reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(
      3 * record.length,
    );
    expect(await world.ask(client, 'here I am')).toBe(true);
    expect(server.port.transportAddress(peer)).toBe(FIRST);
  });
});

describe('several records that somebody has captured', () => {
  test('and sends on in one datagram are counted once each', async () => {
    const { world, server, client, peer, toServer, sentTo } = await setUp();
    server.echo = false;
    world.link.recording = true;
    world.link.filter = (_data, from) => from === FIRST;
    for (let i = 0; i < 10; i++) world.say(client, `captured ${i}`);
    const all = Buffer.concat(toServer());
    world.link.filter = undefined;
    world.link.carry(all, VICTIM, SERVER);
    await world.clock.run(100);
    expect(server.port.transportAddress(peer)).toBe(VICTIM);
    for (let i = 0; i < 500; i++) server.port.send(Buffer.alloc(50), peer);
    await world.clock.run(60_000);
    const sent = sentTo(VICTIM).reduce((sum, { length }) => sum + length, 0);
    expect(sent).toBeGreaterThan(2 * all.length);
    expect(sent).toBeLessThanOrEqual(3 * all.length);
  });
});

describe('an address where nobody answers', () => {
  test('is given up, and what is for the peer goes where it was before', async () => {
    const { world, server, client, peer, toServer } = await setUp();
    world.link.recording = true;
    world.link.filter = (_data, from) => from === FIRST;
    world.say(client, 'captured');
    const [record] = toServer() as [Uint8Array];
    world.link.filter = undefined;
    world.link.carry(record, VICTIM, SERVER);
    await world.clock.run(100);
    expect(server.port.transportAddress(peer)).toBe(VICTIM);
    // The device says nothing meanwhile.
    await world.clock.run(20_000);
    expect(server.port.transportAddress(peer)).toBe(FIRST);
    expect(server.moves.map(({ from }) => from)).toEqual([FIRST, VICTIM]);
    client.received.length = 0;
    for (let i = 0; i < 50; i++) server.port.send(Buffer.alloc(50), peer);
    await world.clock.run(1_000);
    expect(client.received).toHaveLength(50);
    expect(world.clock.pending).toBe(0);
  });
});

describe('a record of a session that another node has', () => {
  test('is given to it, and answered from there', async () => {
    const world = new DtlsWorld();
    world.link.masquerade(DEVICE, FIRST);
    const forwarded: string[] = [];
    const owner = world.server({ slot: 1 });
    const client = world.client(DEVICE);
    expect(await world.ask(client, 'hello')).toBe(true);
    const other = world.server(
      {
        slot: 2,
        foreign: {
          forward: (id, datagram, source) => {
            forwarded.push(Buffer.from(id).toString('hex'));
            return Promise.resolve(owner.port.takeForeign(datagram, source));
          },
        },
      },
      'other',
    );
    // The address is shared: what the device sends to it now comes to the other node.
    world.link.masquerade(DEVICE, SECOND);
    world.link.filter = (data, from, to) => {
      if (to !== SERVER || from !== SECOND) return false;
      world.link.carry(data, DEVICE, 'other');
      return true;
    };
    expect(await world.ask(client, 'moved')).toBe(true);
    expect(forwarded).toEqual([owner.established[0]?.peer.slice(5)]);
    expect(owner.received.map(({ text }) => text)).toEqual(['hello', 'moved']);
    expect(owner.moves).toMatchObject([{ from: FIRST, session: { address: SECOND } }]);
    expect(other.port.statistics.forwarded).toBeGreaterThan(0);
    expect(other.port.sessions).toBe(0);
    expect(other.port.takeForeign(Uint8Array.of(1, 2, 3), SECOND)).toBe(false);
  });
});
