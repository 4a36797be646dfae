import { describe, expect, test } from 'vitest';
import { ContentType, HandshakeType } from '../../../protocol/dtls/messages/constants.ts';
import { KeyCache } from '../../../protocol/dtls/records/key-cache.ts';
import { SecuredEpoch } from '../../../protocol/dtls/records/secured-epoch.ts';
import { DtlsWorld, KEY, SERVER } from '../../support/dtls/dtls-world.ts';

const DEVICE = '198.51.100.1:40000';

/** Whether the datagram begins with a ClientHello that brings a cookie. */
function isHelloWithCookie(data: Uint8Array): boolean {
  const isHello = data[0] === ContentType.HANDSHAKE && data[13] === HandshakeType.CLIENT_HELLO;
  return isHello && (data[13 + 12 + 2 + 32 + 1 + (data[13 + 12 + 34] ?? 0)] ?? 0) > 0;
}

describe('another handshake from the address of a session', () => {
  for (const connectionId of [new Uint8Array(0), null]) {
    const with_ = connectionId === null ? 'without connection ids' : 'with connection ids';

    test(`replaces it when it is through, ${with_}`, async () => {
      const world = new DtlsWorld();
      const server = world.server();
      const first = world.client(DEVICE, { connectionId });
      expect(await world.ask(first, 'hello')).toBe(true);
      // The device has restarted, and has the same address.
      const second = world.client(DEVICE, { connectionId });
      expect(await world.ask(second, 'again')).toBe(true);
      expect(server.closed).toMatchObject([
        { reason: 'replaced', session: { peer: server.established[0]?.peer } },
      ]);
      expect(server.port.sessions).toBe(1);
      expect(server.received[1]?.peer).toBe(server.established[1]?.peer);
    });

    test(`that is not gone through with changes nothing, ${with_}`, async () => {
      const world = new DtlsWorld();
      const server = world.server();
      const client = world.client(DEVICE, { connectionId });
      expect(await world.ask(client, 'hello')).toBe(true);
      // Somebody who can receive at the device's address, but has no key, goes as far as it gets.
      const attacker = world.link.port('203.0.113.9:9');
      attacker.close();
      const forger = world.client('203.0.113.9:9', { connectionId, key: KEY.map((byte) => byte ^ 1) });
      world.link.filter = (data, from, to) => {
        if (from === '203.0.113.9:9') {
          world.link.filter = undefined;
          world.link.carry(data, DEVICE, to);
          world.link.filter = filter;
          return true;
        }
        return false;
      };
      const { filter } = world.link;
      for (let i = 0; i < 3; i++) {
        world.say(forger, 'me');
        await world.clock.run(500);
        expect(await world.ask(client, `still here ${i}`)).toBe(true);
      }
      await world.clock.run(200_000);
      expect(await world.ask(client, 'to the end')).toBe(true);
      expect(server.established).toHaveLength(1);
      expect(server.closed).toEqual([]);
      expect(server.port).toMatchObject({ sessions: 1, handshakes: 0 });
    });
  }

  test('begins nothing without the cookie, and gets back less than it sent', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(DEVICE);
    world.link.recording = true;
    expect(await world.ask(client, 'hello')).toBe(true);
    const hello = world.link.log[0]?.data as Uint8Array;
    const sent = world.link.log.length;
    const before = { ...server.port.statistics };
    for (let i = 0; i < 100; i++) world.link.carry(hello, `203.0.113.9:${i + 1}`, SERVER);
    await world.clock.run(5_000);
    expect(server.port).toMatchObject({ sessions: 1, handshakes: 0 });
    expect(server.port.statistics.handshakesStarted).toBe(before.handshakesStarted);
    const answers = world.link.log.slice(sent).filter(({ from }) => from === SERVER);
    expect(answers).toHaveLength(100);
    for (const { data } of answers) expect(data.length).toBeLessThan(hello.length);
    expect(world.clock.pending).toBe(0);
  });

  test('with a cookie that was made for another address begins nothing', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(DEVICE);
    world.link.recording = true;
    expect(await world.ask(client, 'hello')).toBe(true);
    const hello = world.link.log.find(({ data }) => isHelloWithCookie(data))?.data as Uint8Array;
    world.link.carry(hello, '203.0.113.9:9', SERVER);
    await world.clock.run(5_000);
    expect(server.port.statistics).toMatchObject({ handshakesStarted: 1, cookiesSent: 2 });
  });

  test('a cookie is good for a minute or two', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(DEVICE);
    world.link.recording = true;
    world.say(client, 'hello');
    await world.clock.run(15);
    world.link.filter = (data) => isHelloWithCookie(data);
    await world.clock.run(100);
    const hello = world.link.log.find(({ data }) => isHelloWithCookie(data))?.data as Uint8Array;
    world.link.filter = (_data, from) => from === SERVER;
    await client.port.close();
    await world.clock.run(55_000);
    world.link.carry(hello, DEVICE, SERVER);
    await world.clock.run(100);
    expect(server.port.statistics.handshakesStarted).toBe(1);
    await world.clock.run(300_000);
    expect(server.failures).toMatchObject([{ reason: 'timeout' }]);
    world.link.carry(hello, DEVICE, SERVER);
    await world.clock.run(100);
    expect(server.port.statistics.handshakesStarted).toBe(1);
  });

  test('is not begun where the address may not', async () => {
    const world = new DtlsWorld();
    const server = world.server({ admit: (address) => address !== DEVICE });
    expect(await world.ask(world.client(DEVICE), 'hello')).toBe(false);
    expect(await world.ask(world.client('198.51.100.2:40000'), 'hello')).toBe(true);
    expect(server.port.statistics.handshakesStarted).toBe(1);
  });

  test('drives the oldest out where there are too many', async () => {
    const world = new DtlsWorld();
    const server = world.server({ limits: { handshakes: 10 } });
    // They get the cookie, and nothing after it.
    world.link.filter = (data, from, to) =>
      from === SERVER && to !== DEVICE && data[13] !== HandshakeType.HELLO_VERIFY_REQUEST;
    for (let i = 2; i < 30; i++) {
      world.say(world.client(`198.51.100.${i}:40000`), 'hello');
      await world.clock.run(100);
      expect(server.port.handshakes).toBeLessThanOrEqual(10);
    }
    expect(server.port.handshakes).toBe(10);
    expect(await world.ask(world.client(DEVICE), 'hello')).toBe(true);
  });
});

describe('a session that is resumed', () => {
  test('asks for no key', async () => {
    const world = new DtlsWorld();
    let lookups = 0;
    const server = world.server({
      credentials: {
        psk: (identity) => {
          lookups++;
          return world.psk(identity);
        },
      },
    });
    const client = world.client(DEVICE);
    await world.ask(client, 'hello');
    server.port.closeSession(server.established[0]?.peer ?? '');
    await world.clock.run(100);
    expect(client.closed).toBe(1);
    expect(await world.ask(client, 'again')).toBe(true);
    expect(lookups).toBe(1);
    expect(client.established).toMatchObject([{ resumed: false }, { resumed: true }]);
    expect(server.established[1]).toMatchObject({
      resumed: true,
      identity: { name: 'one', endpoint: 'ep-one' },
    });
    expect(server.port.statistics).toMatchObject({ handshakesDone: 2, handshakesResumed: 1 });
  });

  test('is not, once a fatal alert has ended it', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(DEVICE);
    await world.ask(client, 'hello');
    const [state] = client.port.suspend();
    if (state === undefined) throw new Error('no session');
    const epoch = new SecuredEpoch(
      {
        suite: state.suite,
        keys: state.keys,
        role: 'client',
        ownConnectionId: undefined,
        peerConnectionId: state.serverConnectionId,
      },
      new KeyCache(1),
    );
    epoch.resume(state.nextSequence, state.window);
    world.link.carry(epoch.seal(ContentType.ALERT, Uint8Array.of(2, 80)), DEVICE, SERVER);
    await world.clock.run(100);
    expect(server.closed).toMatchObject([{ reason: 'peer' }]);
    const again = world.client(DEVICE);
    const { nextSequence } = epoch;
    again.port.restore({
      ...state,
      keys: { client: new Uint8Array(20), server: new Uint8Array(20) },
      nextSequence,
    });
    // Its session is none, which it finds out by silence; what it offers to resume is none either.
    for (let i = 0; i < 5; i++) {
      world.say(again, `anybody ${i}`);
      await world.clock.run(10_000);
    }
    expect(again.established).toMatchObject([{ resumed: false }]);
  });

  test('is not, once its credential is revoked', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(DEVICE);
    await world.ask(client, 'hello');
    expect(server.port.endSessions(({ name }) => name === 'another')).toBe(0);
    expect(server.port.endSessions(({ name }) => name === 'one')).toBe(1);
    world.keys.delete('one');
    await world.clock.run(100);
    expect(await world.ask(client, 'again')).toBe(false);
    expect(server.failures).toMatchObject([{ reason: 'unknown_identity' }]);
    expect(server.port.sessions).toBe(0);
  });

  test('is not after its time, nor where there is no room for it, nor if the server never offers it', async () => {
    for (const limits of [{ resumableTime: 1_000 }, { resumable: 1 }, { resumable: 0 }]) {
      const world = new DtlsWorld();
      world.keys.set('two', KEY);
      const server = world.server({ limits });
      const client = world.client(DEVICE);
      await world.ask(client, 'hello');
      await world.ask(world.client('198.51.100.2:40000', { identity: 'two' }), 'hello');
      await world.clock.run(2_000);
      server.port.closeSession(server.established[0]?.peer ?? '');
      await world.clock.run(100);
      expect(await world.ask(client, 'again')).toBe(true);
      expect(client.established).toMatchObject([{ resumed: false }, { resumed: false }]);
    }
  });
});
