import { describe, expect, test } from 'vitest';
import { AlertDescription, AlertLevel, encodeAlert } from '../../../protocol/dtls/messages/alert.ts';
import { ContentType, HandshakeType } from '../../../protocol/dtls/messages/constants.ts';
import { encodeHandshakeMessage } from '../../../protocol/dtls/messages/handshake-fragment.ts';
import { KeyCache } from '../../../protocol/dtls/records/key-cache.ts';
import { plainRecord } from '../../../protocol/dtls/records/record.ts';
import { SecuredEpoch } from '../../../protocol/dtls/records/secured-epoch.ts';
import { seededBytes } from '../../support/coap/lossy-link.ts';
import { DtlsWorld, SERVER } from '../../support/dtls/dtls-world.ts';

const DEVICE = '198.51.100.1:40000';

/** A session whose client's keys are in the test's hands. */
async function captured() {
  const world = new DtlsWorld();
  const server = world.server();
  const client = world.client(DEVICE);
  expect(await world.ask(client, 'hello')).toBe(true);
  const [state] = client.port.suspend();
  if (state === undefined) throw new Error('no session');
  const epoch = new SecuredEpoch(
    {
      suite: state.suite,
      keys: state.keys,
      role: 'client',
      ownConnectionId: state.ownConnectionId,
      peerConnectionId: state.serverConnectionId,
    },
    new KeyCache(1),
  );
  epoch.resume(state.nextSequence, state.window);
  world.link.recording = true;
  const send = async (type: number, content: Uint8Array) => {
    const before = world.link.log.length;
    world.link.carry(epoch.seal(type, content), DEVICE, SERVER);
    await world.clock.run(100);
    return world.link.log.slice(before).filter(({ from }) => from === SERVER).length;
  };
  return { world, server, send, peer: server.established[0]?.peer ?? '' };
}

describe('what comes in a session', () => {
  test('a wish for another handshake is refused, and ends nothing', async () => {
    const { server, send } = await captured();
    const hello = encodeHandshakeMessage(HandshakeType.CLIENT_HELLO, 0, new Uint8Array(50));
    expect(await send(ContentType.HANDSHAKE, hello)).toBe(1);
    expect(server.port.sessions).toBe(1);
    expect(server.port.statistics.handshakesStarted).toBe(1);
  });

  test('a warning ends nothing, a fatal alert does, in silence', async () => {
    const { server, send } = await captured();
    const warning = encodeAlert({ level: AlertLevel.WARNING, description: AlertDescription.USER_CANCELED });
    expect(await send(ContentType.ALERT, warning)).toBe(0);
    expect(server.port.sessions).toBe(1);
    const fatal = encodeAlert({ level: AlertLevel.FATAL, description: AlertDescription.INTERNAL_ERROR });
    expect(await send(ContentType.ALERT, fatal)).toBe(0);
    expect(server.closed).toMatchObject([{ reason: 'peer' }]);
    expect(await send(ContentType.APPLICATION_DATA, Buffer.from('more'))).toBe(0);
    expect(server.received).toHaveLength(1);
  });

  test('close_notify is answered', async () => {
    const { server, send } = await captured();
    const close = encodeAlert({ level: AlertLevel.WARNING, description: AlertDescription.CLOSE_NOTIFY });
    expect(await send(ContentType.ALERT, close)).toBe(1);
    expect(server.port.sessions).toBe(0);
  });

  test('what makes no sense is dropped', async () => {
    const { server, send } = await captured();
    expect(await send(ContentType.ALERT, Uint8Array.of(1, 2, 3))).toBe(0);
    expect(await send(ContentType.HANDSHAKE, Uint8Array.of(1, 2, 3))).toBe(0);
    expect(await send(ContentType.RETURN_ROUTABILITY_CHECK, Uint8Array.of(1, 2, 3))).toBe(0);
    expect(await send(ContentType.CHANGE_CIPHER_SPEC, Uint8Array.of(1))).toBe(0);
    expect(await send(99, Uint8Array.of(1))).toBe(0);
    expect(await send(ContentType.APPLICATION_DATA, new Uint8Array(0))).toBe(0);
    expect(server.received).toHaveLength(1);
    expect(server.port.sessions).toBe(1);
  });

  test('a path challenge is answered', async () => {
    const { send } = await captured();
    expect(await send(ContentType.RETURN_ROUTABILITY_CHECK, Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8))).toBe(
      1,
    );
    // A response that answers nothing, a message of a type that will be invented.
    expect(await send(ContentType.RETURN_ROUTABILITY_CHECK, Uint8Array.of(1, 1, 2, 3, 4, 5, 6, 7, 8))).toBe(
      0,
    );
    expect(await send(ContentType.RETURN_ROUTABILITY_CHECK, Uint8Array.of(9, 1, 2, 3, 4, 5, 6, 7, 8))).toBe(
      0,
    );
  });

  test('alerts that anybody could have sent end nothing', async () => {
    const { world, server, send } = await captured();
    for (const alert of [
      { level: AlertLevel.FATAL, description: AlertDescription.HANDSHAKE_FAILURE },
      { level: AlertLevel.WARNING, description: AlertDescription.CLOSE_NOTIFY },
    ]) {
      world.link.carry(plainRecord(ContentType.ALERT, 7, encodeAlert(alert)), DEVICE, SERVER);
    }
    expect(await send(ContentType.APPLICATION_DATA, Buffer.from('still here'))).toBe(1);
    expect(server.received.map(({ text }) => text)).toEqual(['hello', 'still here']);
  });
});

describe('a server port', () => {
  test('says goodbye to all when it is closed, and sends nothing afterwards', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(DEVICE);
    await world.ask(client, 'hello');
    const peer = server.established[0]?.peer ?? '';
    await server.port.close();
    await world.clock.run(100);
    expect(client.closed).toBe(1);
    expect(server.closed).toMatchObject([{ reason: 'local' }]);
    world.link.recording = true;
    server.port.send(Buffer.from('too late'), peer);
    await server.port.close();
    expect(world.link.log).toEqual([]);
  });

  test('sends nothing after it was suspended, not even a goodbye', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(DEVICE);
    await world.ask(client, 'hello');
    world.link.recording = true;
    expect(await server.port.suspend()).toHaveLength(1);
    await server.port.close();
    world.say(client, 'anybody?');
    await world.clock.run(10_000);
    expect(world.link.log.filter(({ from }) => from === SERVER)).toEqual([]);
    expect(server.closed).toEqual([]);
  });

  test('tells who sends what the peer cannot take', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(DEVICE);
    await world.ask(client, 'hello');
    const errors: string[] = [];
    server.port.onError((error) => errors.push(error.message));
    server.port.send(new Uint8Array(16_385), server.established[0]?.peer ?? '');
    server.port.send(new Uint8Array(1), 'dtls:0123456789abcdef');
    expect(errors).toEqual(['16385 bytes, and the peer takes 16384 at once']);
    expect(server.port.statistics.unsent).toBe(2);
  });

  test('ends the session that was not heard for longest where there are too many', async () => {
    const world = new DtlsWorld();
    const names = ['a', 'b', 'c'];
    for (const name of names) world.keys.set(name, Buffer.from(`the key of ${name}....`));
    const server = world.server({ limits: { sessions: 2 } });
    const clients = names.map((identity, at) =>
      world.client(`198.51.100.${at}:40000`, { identity, key: Buffer.from(`the key of ${identity}....`) }),
    );
    const [a, b, c] = clients as [(typeof clients)[0], (typeof clients)[0], (typeof clients)[0]];
    await world.ask(a, 'hello');
    await world.ask(b, 'hello');
    await world.ask(a, 'me again');
    await world.ask(c, 'hello');
    await world.clock.run(100);
    expect(server.closed).toMatchObject([{ reason: 'evicted', session: { identity: { name: 'b' } } }]);
    expect(b.closed).toBe(1);
    expect(server.port.sessions).toBe(2);
  });

  test('refuses options that cannot be', () => {
    const world = new DtlsWorld();
    expect(() => world.server({ pmtu: 255 })).toThrow('too narrow');
    expect(() => world.server({ slot: 256 })).toThrow('no slot');
    expect(() => world.server({ suites: [1] })).toThrow('0x1');
    expect(() => world.client(DEVICE, { pmtu: 100 })).toThrow('too narrow');
  });

  test.each([
    ['before', 32],
    ['after', 16],
  ])(
    'tells of a fault of its own %s its hello, which ends that handshake and nothing else',
    async (_, length) => {
      const world = new DtlsWorld();
      const random = seededBytes(7);
      let faulty = false;
      const server = world.server({
        limits: { resumable: 0 },
        random: (bytes) => {
          if (faulty && bytes === length) throw new Error('no randomness');
          return random(bytes);
        },
      });
      faulty = true;
      const client = world.client(DEVICE, { handshakeTime: 10_000 });
      expect(await world.ask(client, 'hello', 500)).toBe(false);
      expect(server.errors).toEqual([new Error('no randomness')]);
      expect(server.port.handshakes).toBe(0);
      faulty = false;
      await world.clock.run(20_000);
      expect(await world.ask(client, 'and now', 20_000)).toBe(true);
    },
  );

  test('answers a store of credentials that fails with silence, and the client tries again', async () => {
    const world = new DtlsWorld();
    let down = true;
    const server = world.server({
      credentials: {
        psk: (identity) => (down ? Promise.reject(new Error('down')) : world.psk(identity)),
      },
    });
    const client = world.client(DEVICE, { handshakeTime: 10_000 });
    expect(await world.ask(client, 'hello', 20_000)).toBe(false);
    expect(server.failures).toMatchObject([{ reason: 'unavailable' }]);
    down = false;
    expect(await world.ask(client, 'and now', 20_000)).toBe(true);
  });
});
