import { describe, expect, test } from 'vitest';
import type { PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import { cipherSuites } from '../../../protocol/dtls/crypto/cipher-suites.ts';
import { encodeAlert } from '../../../protocol/dtls/messages/alert.ts';
import { ContentType, HandshakeType } from '../../../protocol/dtls/messages/constants.ts';
import { encodeHandshakeMessage } from '../../../protocol/dtls/messages/handshake-fragment.ts';
import { plainRecord, readRecord } from '../../../protocol/dtls/records/record.ts';
import { DtlsWorld, KEY, SERVER, type TestServer } from '../../support/dtls/dtls-world.ts';
import { MemoryKeeper } from '../../support/dtls/memory-keeper.ts';
import { ScriptedClient } from '../../support/dtls/scripted-client.ts';
import { messageTypeOf, recordsOf, sentTo, sentToServer, tamper } from '../../support/dtls/wire.ts';

/**
 * The attacks on DTLS that are known, a test each. What is tried: by whoever can send datagrams with any source
 * address, by whoever hears what passes, and by whoever can hold it up and change it.
 */
const CLIENT = '198.51.100.1:40000';
const OTHER = '198.51.100.2:40000';
const ATTACKER = '203.0.113.66:6666';

/** A session in which something was said. */
async function established() {
  const world = new DtlsWorld();
  world.link.recording = true;
  const server = world.server();
  const client = world.client(CLIENT);
  expect(await world.ask(client, 'hello')).toBe(true);
  return { world, server, client };
}

/** Has the server receive that, as if it had come from there. */
async function inject(world: DtlsWorld, datagram: Uint8Array, from: PeerAddress): Promise<void> {
  world.link.carry(datagram, from, SERVER);
  await world.clock.run(1_000);
}

const texts = ({ received }: TestServer) => received.map(({ text }) => text);

describe('replay', () => {
  test('of records: each is taken once, from wherever it comes', async () => {
    const { world, server, client } = await established();
    for (const text of ['a', 'b', 'c']) expect(await world.ask(client, text)).toBe(true);
    const all = sentToServer(world);
    for (const from of [CLIENT, ATTACKER]) {
      for (const datagram of all) await inject(world, datagram, from);
    }
    expect(texts(server)).toEqual(['hello', 'a', 'b', 'c']);
    expect(server.port.statistics.replayed).toBeGreaterThan(0);
    expect(server.moves).toEqual([]);
    expect(await world.ask(client, 'still there')).toBe(true);
  });

  test('of records older than the window', async () => {
    const { world, server, client } = await established();
    for (let n = 0; n < 200; n++) world.say(client, `${n}`);
    await world.clock.run(1_000);
    const count = server.received.length;
    for (const datagram of sentToServer(world)) await inject(world, datagram, CLIENT);
    expect(server.received).toHaveLength(count);
  });

  test('of a whole handshake: no session comes of it, and the one that is there stays', async () => {
    const { world, server, client } = await established();
    const recorded = sentToServer(world);
    for (const from of [CLIENT, OTHER, ATTACKER]) {
      for (const datagram of recorded) await inject(world, datagram, from);
      await world.clock.run(300_000);
    }
    expect(server.established).toHaveLength(1);
    expect(server.closed).toEqual([]);
    expect(server.port).toMatchObject({ sessions: 1, handshakes: 0 });
    expect(await world.ask(client, 'still there')).toBe(true);
  });

  test('of the server’s records to the client', async () => {
    const { world, client } = await established();
    for (const datagram of sentTo(world, CLIENT)) world.link.carry(datagram, SERVER, CLIENT);
    await world.clock.run(10_000);
    expect(client.received.map(({ text }) => text)).toEqual(['hello!']);
    expect(await world.ask(client, 'still there')).toBe(true);
  });

  test('of another device’s cookie: it is the address’s and the hello’s', async () => {
    const { world, server } = await established();
    const hello = sentToServer(world).filter(
      (datagram) => messageTypeOf(datagram) === HandshakeType.CLIENT_HELLO,
    )[1] as Uint8Array;
    await inject(world, hello, ATTACKER);
    expect(server.port.handshakes).toBe(0);
    await world.clock.run(200_000);
    // Nor is it one for ever.
    await inject(world, hello, CLIENT);
    expect(server.port.handshakes).toBe(0);
    const changed = Uint8Array.from(hello);
    changed[30] = (changed[30] as number) ^ 1;
    await inject(world, changed, CLIENT);
    expect(server.port.handshakes).toBe(0);
  });
});

describe('record splicing', () => {
  async function two() {
    const world = new DtlsWorld();
    world.keys.set('two', KEY);
    world.link.recording = true;
    const server = world.server();
    const [one, other] = [world.client(CLIENT), world.client(OTHER, { identity: 'two' })];
    expect(await world.ask(one, 'one')).toBe(true);
    expect(await world.ask(other, 'two')).toBe(true);
    const of = (address: PeerAddress) =>
      Uint8Array.from(world.link.log.filter(({ from }) => from === address).at(-1)?.data as Uint8Array);
    return { world, server, one: of(CLIENT), other: of(OTHER) };
  }

  test('of one session’s record under another’s connection id is not taken', async () => {
    const { world, server, one, other } = await two();
    const spliced = Uint8Array.from(one);
    spliced.set(other.subarray(11, 19), 11);
    // A number that the other session has not had yet.
    spliced[10] = 99;
    for (const from of [CLIENT, OTHER, ATTACKER]) await inject(world, spliced, from);
    expect(texts(server)).toEqual(['one', 'two']);
    expect(server.port.statistics.forged).toBe(3);
    expect(server.moves).toEqual([]);
  });

  test('of halves of two records is not taken', async () => {
    const { world, server, one, other } = await two();
    for (let at = 19; at < one.length; at++) {
      const spliced = Buffer.concat([one.subarray(0, at), other.subarray(at)]);
      spliced[10] = 99;
      await inject(world, spliced, CLIENT);
    }
    expect(texts(server)).toEqual(['one', 'two']);
  });

  test('with any one bit of a record changed is not taken, and the session goes on', async () => {
    const { world, server, client } = await established();
    world.link.filter = (_data, from) => from === CLIENT;
    world.say(client, 'held up');
    const held = sentToServer(world).at(-1) as Uint8Array;
    world.link.filter = undefined;
    for (let bit = 0; bit < held.length * 8; bit++) {
      const forged = Uint8Array.from(held);
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
      await inject(world, forged, ATTACKER);
    }
    expect(texts(server)).toEqual(['hello']);
    expect(server.moves).toEqual([]);
    expect(server.port).toMatchObject({ sessions: 1 });
    await inject(world, held, CLIENT);
    expect(texts(server)).toEqual(['hello', 'held up']);
  });

  test('behind an honest record does not taint it, nor does the honest one vouch for it', async () => {
    const { world, server, client } = await established();
    const forged = plainRecord(ContentType.APPLICATION_DATA, 9, Buffer.from('forged'));
    tamper(world, (datagram, from) => (from === CLIENT ? Buffer.concat([datagram, forged]) : undefined));
    expect(await world.ask(client, 'honest')).toBe(true);
    expect(texts(server)).toEqual(['hello', 'honest']);
  });
});

describe('a truncated MAC', () => {
  test.each(cipherSuites.filter(({ keyExchange }) => keyExchange !== 'ecdhe_ecdsa'))(
    'is none, with $name',
    async ({ id }) => {
      const world = new DtlsWorld();
      world.link.recording = true;
      const server = world.server();
      const client = world.client(CLIENT, { suites: [id] });
      expect(await world.ask(client, 'hello')).toBe(true);
      world.link.filter = (_data, from) => from === CLIENT;
      world.say(client, 'held up');
      const held = sentToServer(world).at(-1) as Uint8Array;
      world.link.filter = undefined;
      const { fragment } = readRecord(held, 0, 8) as { fragment: Uint8Array };
      for (let length = 0; length < fragment.length; length++) {
        const cut = Uint8Array.from(held.subarray(0, held.length - fragment.length + length));
        cut[19] = length >> 8;
        cut[20] = length;
        await inject(world, cut, CLIENT);
      }
      expect(texts(server)).toEqual(['hello']);
      await inject(world, held, CLIENT);
      expect(texts(server)).toEqual(['hello', 'held up']);
    },
  );
});

describe('the reuse of an epoch', () => {
  test('0 after the handshake: data and alerts in the clear are nobody’s', async () => {
    const { world, server, client } = await established();
    for (const [type, content] of [
      [ContentType.APPLICATION_DATA, Buffer.from('in the clear')],
      [ContentType.ALERT, encodeAlert({ level: 1, description: 0 })],
      [ContentType.ALERT, encodeAlert({ level: 2, description: 40 })],
      [ContentType.CHANGE_CIPHER_SPEC, Uint8Array.of(1)],
      [ContentType.HANDSHAKE, encodeHandshakeMessage(HandshakeType.HELLO_REQUEST, 0, new Uint8Array(0))],
      [ContentType.HANDSHAKE, encodeHandshakeMessage(HandshakeType.FINISHED, 7, new Uint8Array(12))],
    ] as const) {
      const record = plainRecord(type, 1_000, content);
      await inject(world, record, CLIENT);
      world.link.carry(record, SERVER, CLIENT);
      await world.clock.run(1_000);
    }
    expect(texts(server)).toEqual(['hello']);
    expect(client.received).toHaveLength(1);
    expect(server.closed).toEqual([]);
    expect(client.closed).toBe(0);
    expect(await world.ask(client, 'still there')).toBe(true);
    expect(client.established).toHaveLength(1);
  });

  test('others than the one that is spoken', async () => {
    const { world, server } = await established();
    const last = sentToServer(world).at(-1) as Uint8Array;
    for (const epoch of [0, 2, 3, 255, 65_535]) {
      const record = Uint8Array.from(last);
      record[3] = epoch >> 8;
      record[4] = epoch;
      record[10] = 77;
      await inject(world, record, CLIENT);
    }
    expect(texts(server)).toEqual(['hello']);
  });

  test('of a session that a newer one has replaced: its records are no longer taken', async () => {
    const { world, server, client } = await established();
    world.link.filter = (_data, from) => from === CLIENT;
    world.say(client, 'from before');
    const before = sentToServer(world).at(-1) as Uint8Array;
    world.link.filter = undefined;
    const restarted = world.client(CLIENT);
    expect(await world.ask(restarted, 'again')).toBe(true);
    await inject(world, before, CLIENT);
    expect(texts(server)).toEqual(['hello', 'again']);
  });
});

describe('amplification', () => {
  test('before the cookie nobody gets more than it sent, and nothing is kept', async () => {
    const world = new DtlsWorld();
    world.link.recording = true;
    const server = world.server();
    const hello = new ScriptedClient(world, CLIENT);
    hello.sayHello();
    await world.clock.run(100);
    const sent = sentToServer(world)[0] as Uint8Array;
    for (let n = 0; n < 2_000; n++) {
      world.link.carry(sent, `192.0.2.${n % 250}:${1_000 + n}`, SERVER);
      // And what is cut short, which may get nothing at all.
      world.link.carry(sent.subarray(0, n % sent.length), `192.0.2.${n % 250}:${1_000 + n}`, SERVER);
    }
    await world.clock.run(1_000);
    const out = world.link.log.filter(({ from }) => from === SERVER);
    expect(out.length).toBeGreaterThan(2_000);
    for (const { data } of out) expect(data.length).toBeLessThanOrEqual(sent.length);
    expect(server.port).toMatchObject({ sessions: 0, handshakes: 0 });
    expect(world.clock.pending).toBe(0);
  });

  test('to an address that a record was sent on from: three times what came from there, until it answers', async () => {
    const { world, server, client } = await established();
    const peer = server.received[0]?.peer as string;
    // Somebody holds the newest record up, and sends it on from a victim's address.
    const victim = '203.0.113.1:53';
    tamper(world, (datagram, from) => {
      if (from !== CLIENT || datagram[0] !== ContentType.TLS12_CID) return undefined;
      world.link.filter = undefined;
      world.link.carry(datagram, victim, SERVER);
      return new Uint8Array(0);
    });
    server.echo = false;
    world.say(client, 'news');
    await world.clock.run(100);
    expect(server.moves).toHaveLength(1);
    for (let n = 0; n < 100; n++) server.port.send(new Uint8Array(200), peer);
    await world.clock.run(60_000);
    const received = world.link.log.find(({ from }) => from === victim)?.data.length ?? 0;
    const out = sentTo(world, victim).reduce((sum, { length }) => sum + length, 0);
    expect(received).toBeGreaterThan(0);
    expect(out).toBeGreaterThan(0);
    expect(out).toBeLessThanOrEqual(3 * received);
    // The client speaks, and has its session back.
    server.echo = true;
    expect(await world.ask(client, 'I am here')).toBe(true);
    expect(server.port.transportAddress(peer)).toBe(CLIENT);
  });

  test('by handshakes that nobody goes on with: flights end', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = new ScriptedClient(world, CLIENT);
    await client.greet();
    const sent = client.datagrams.length;
    await world.clock.run(600_000);
    expect(client.datagrams.length - sent).toBeLessThan(12);
    expect(server.port.handshakes).toBe(0);
    expect(world.clock.pending).toBe(0);
  });
});

describe('two owners of one session', () => {
  test('never write with one sequence number, and the former one is shut out', async () => {
    const world = new DtlsWorld();
    world.link.recording = true;
    const keeper = new MemoryKeeper();
    const former = world.server({ keeper, slot: 1 });
    const client = world.client(CLIENT);
    expect(await world.ask(client, 'hello')).toBe(true);
    const peer = former.received[0]?.peer as string;
    // It is believed to be dead, was saved by somebody, and is taken over; but it lives, and goes on.
    const saved = [...keeper.states.values()].map((state) => ({
      ...state,
      window: { highest: 50, seen: new Uint8Array(8).fill(0xff) },
    }));
    keeper.save(saved);
    const latter = world.server({ keeper, slot: 2 });
    for (let n = 0; n < 60; n++) world.say(client, `${n}`);
    await world.clock.run(1_000);
    expect(latter.port.statistics.takenOver).toBe(1);
    const sequences = new Set<string>();
    let written = 0;
    world.link.recording = false;
    world.link.filter = (datagram, from) => {
      if (from !== SERVER) return false;
      for (const { sequenceBytes } of recordsOf(datagram)) {
        sequences.add(Buffer.from(sequenceBytes).toString('hex'));
        written++;
      }
      return true;
    };
    for (let round = 0; round < 140; round++) {
      for (let n = 0; n < 1_000; n++) {
        for (const { port } of [former, latter]) port.send(Uint8Array.of(1), peer);
      }
      await world.clock.run(1);
    }
    expect(written).toBeGreaterThan(150_000);
    expect(sequences.size).toBe(written);
    expect(former.closed).toMatchObject([{ reason: 'fenced' }]);
    expect(latter.closed).toEqual([]);
  }, 60_000);
});
