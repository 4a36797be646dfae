import { describe, expect, test } from 'vitest';
import { pskPremasterSecret } from '../../../protocol/dtls/crypto/key-schedule.ts';
import { ContentType, DtlsVersion, HandshakeType } from '../../../protocol/dtls/messages/constants.ts';
import { encodePskClientKeyExchange } from '../../../protocol/dtls/messages/key-exchange-messages.ts';
import { networkOf } from '../../../protocol/dtls/server/network.ts';
import { DtlsWorld, SERVER } from '../../support/dtls/dtls-world.ts';
import { ScriptedClient } from '../../support/dtls/scripted-client.ts';

/** What a peer that hears the answers to it, and has no key, can use up at a server. */
const ATTACKER = '203.0.113.66:6666';

describe('the numbers of handshake messages', () => {
  for (const last of [65_535, 65_534, 65_533, 65_532, 1_024]) {
    test(`come to their end in no handshake that a hello with ${last} begins`, async () => {
      const world = new DtlsWorld();
      const server = world.server();
      const client = new ScriptedClient(world, ATTACKER);
      client.sayHello();
      await world.clock.run(100);
      client.messageSeq = last;
      client.sayHello();
      await world.clock.run(100);
      client.messageSeq = Math.min(client.messageSeq, 65_535);
      client.say(HandshakeType.CLIENT_KEY_EXCHANGE, encodePskClientKeyExchange(Buffer.from('one')));
      await world.clock.run(1_000);
      expect(server.port.statistics).toMatchObject({ cookiesSent: 1, handshakesStarted: 0 });
      expect(server.port.handshakes).toBe(0);
    });
  }
});

describe('handshakes that are begun and left', () => {
  /** Somebody who begins one from each of that many ports, and says nothing more. */
  async function beginAt(world: DtlsWorld, ports: number): Promise<void> {
    for (let port = 1; port <= ports; port++) await new ScriptedClient(world, `203.0.113.66:${port}`).greet();
  }

  test('by one host are a part of those that there may be, and drive out only its own', async () => {
    const world = new DtlsWorld();
    const server = world.server({ limits: { handshakes: 16 } });
    const device = new ScriptedClient(world, '198.51.100.1:40000');
    await device.greet();
    await beginAt(world, 40);
    expect(server.port.handshakes).toBe(1 + 4);
    // The device is slow, and comes in.
    device.say(HandshakeType.CLIENT_KEY_EXCHANGE, encodePskClientKeyExchange(Buffer.from('one')));
    device.secure(pskPremasterSecret(world.keys.get('one') as Uint8Array));
    device.finish();
    await world.clock.run(1_000);
    expect(server.established).toHaveLength(1);
  });

  test('are nobody’s when they have ended', async () => {
    const world = new DtlsWorld();
    const server = world.server({ limits: { handshakes: 16 } });
    await beginAt(world, 4);
    await world.clock.run(300_000);
    expect(server.port.handshakes).toBe(0);
    await beginAt(world, 4);
    expect(server.port.handshakes).toBe(4);
  });

  test('are of one network where a host may choose among its addresses', () => {
    expect(networkOf('192.0.2.1:5684')).toBe('192.0.2.1');
    expect(networkOf('[2001:DB8::1]:1')).toBe('2001:db8:0:0');
    expect(networkOf('[2001:db8:0:0:a:b:c:d]:2')).toBe('2001:db8:0:0');
    expect(networkOf('[::1]:3')).toBe('0:0:0:0');
    expect(networkOf('[fe80::1%eth0]:3')).toBe('fe80:0:0:0');
  });
});

describe('a handshake', () => {
  async function upToTheKeys(options = {}) {
    const world = new DtlsWorld();
    const server = world.server(options);
    const client = new ScriptedClient(world, ATTACKER);
    await client.greet();
    client.say(HandshakeType.CLIENT_KEY_EXCHANGE, encodePskClientKeyExchange(Buffer.from('one')));
    return { world, server, client };
  }

  test('has no guesses at the key at will: after a few the right one is not taken either', async () => {
    const { world, server, client } = await upToTheKeys();
    await world.clock.run(100);
    const { messageSeq } = client;
    for (let guess = 0; guess < 50; guess++) {
      client.messageSeq = messageSeq;
      client.secure(pskPremasterSecret(new Uint8Array(16).fill(guess)));
      client.saySecured(ContentType.HANDSHAKE, new Uint8Array(24));
      await world.clock.run(10);
    }
    client.messageSeq = messageSeq;
    client.secure(pskPremasterSecret(world.keys.get('one') as Uint8Array));
    client.finish();
    await world.clock.run(1_000);
    expect(server.established).toEqual([]);
    expect(server.failures).toMatchObject([{ reason: 'wrong_key', identity: 'one' }]);
    expect(server.port.handshakes).toBe(0);
    expect(server.port.statistics.forged).toBeLessThanOrEqual(4);
  });

  test('takes the right key after a record that somebody else has made', async () => {
    const { world, server, client } = await upToTheKeys();
    await world.clock.run(100);
    client.secure(pskPremasterSecret(new Uint8Array(16)));
    client.saySecured(ContentType.HANDSHAKE, new Uint8Array(24));
    client.secure(pskPremasterSecret(world.keys.get('one') as Uint8Array));
    client.finish();
    await world.clock.run(1_000);
    expect(server.established).toHaveLength(1);
  });

  test('that waits for a key keeps no long records, and of short ones a few', async () => {
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const world = new DtlsWorld();
    const psk = (identity: Uint8Array) => asked.then(() => world.psk(identity));
    const server = world.server({ credentials: { psk } });
    const client = new ScriptedClient(world, ATTACKER);
    await client.greet();
    client.say(HandshakeType.CLIENT_KEY_EXCHANGE, encodePskClientKeyExchange(Buffer.from('one')));
    const record = Buffer.alloc(13 + 16_384);
    record[0] = ContentType.APPLICATION_DATA;
    record.writeUInt16BE(DtlsVersion.DTLS_1_2, 1);
    record[4] = 1;
    record.writeUInt16BE(16_384, 11);
    for (let time = 0; time < 20; time++) world.link.carry(record, ATTACKER, SERVER);
    client.secure(pskPremasterSecret(world.keys.get('one') as Uint8Array));
    client.finish();
    await world.clock.run(100);
    expect(server.port.statistics.dropped).toBe(20);
    answer();
    await world.clock.run(100);
    expect(server.established).toHaveLength(1);
  });

  test('ends well where the client’s connection id is longer than the path is wide', async () => {
    const world = new DtlsWorld();
    const server = world.server({ pmtu: 256 });
    const client = world.client(ATTACKER, { connectionId: new Uint8Array(255).fill(1) });
    expect(await world.ask(client, 'hello')).toBe(true);
    server.port.closeSession(server.established[0]?.peer ?? '');
    await world.clock.run(1_000);
    expect(await world.ask(client, 'again')).toBe(true);
    expect(server.established).toMatchObject([{ resumed: false }, { resumed: true }]);
    expect(server.errors).toEqual([]);
  });

  test('is not answered again as often as somebody sends its hello again', async () => {
    const world = new DtlsWorld();
    world.link.recording = true;
    const server = world.server();
    const client = new ScriptedClient(world, ATTACKER);
    await client.greet();
    const hello = world.link.log.filter(({ to }) => to === SERVER).at(-1)?.data as Uint8Array;
    for (let time = 0; time < 1_000; time++) {
      world.link.carry(hello, ATTACKER, SERVER);
      await world.clock.run(1);
    }
    // In a second: one by its own timer, and four for the asking.
    expect(server.port.statistics.retransmissions).toBeGreaterThan(1);
    expect(server.port.statistics.retransmissions).toBeLessThanOrEqual(5);
  });
});
