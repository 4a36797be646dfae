import { describe, expect, test } from 'vitest';
import { ContentType } from '../../../protocol/dtls/messages/constants.ts';
import { DtlsWorld, KEY, SERVER } from '../../support/dtls/dtls-world.ts';

const DEVICE = '198.51.100.1:40000';
const PLAIN = '192.0.2.9:5683';

describe('a client port', () => {
  test('leaves what goes to other servers in the clear, and takes nothing in the clear from a secured one', async () => {
    const world = new DtlsWorld();
    const plain = world.link.port(PLAIN);
    const heard: string[] = [];
    plain.onDatagram((data, peer) => {
      heard.push(Buffer.from(data).toString());
      plain.send(Buffer.from('plain answer'), peer);
    });
    const server = world.server();
    const client = world.client(DEVICE);
    client.port.send(Buffer.from('in the clear'), PLAIN);
    expect(await world.ask(client, 'secret')).toBe(true);
    expect(heard).toEqual(['in the clear']);
    expect(client.received).toContainEqual({ text: 'plain answer', peer: PLAIN, identity: undefined });
    world.link.carry(Buffer.from('forged'), SERVER, DEVICE);
    await world.clock.run(100);
    expect(client.received.map(({ text }) => text)).not.toContain('forged');
    expect(server.received.map(({ text }) => text)).toEqual(['secret']);
  });

  test('sends what has waited for the handshake in order, the newest where there is too much', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(DEVICE, { maxQueued: 3 });
    for (const text of ['a', 'b', 'c', 'd']) world.say(client, text);
    await world.clock.run(1_000);
    expect(server.received.map(({ text }) => text)).toEqual(['b', 'c', 'd']);
  });

  test('says that nobody answers, and tries again with the next datagram', async () => {
    const world = new DtlsWorld();
    const client = world.client(DEVICE, { handshakeTime: 20_000 });
    world.say(client, 'hello');
    await world.clock.run(60_000);
    expect(client.failures).toEqual(['timeout: the server does not answer']);
    expect(world.clock.pending).toBe(0);
    const server = world.server();
    expect(await world.ask(client, 'and now?')).toBe(true);
    expect(server.received.map(({ text }) => text)).toEqual(['and now?']);
  });

  test('finds out that its server has forgotten the session, and has another one beside it', async () => {
    const world = new DtlsWorld();
    const first = world.server();
    const client = world.client(DEVICE);
    expect(await world.ask(client, 'hello')).toBe(true);
    await first.port.suspend();
    const second = world.server();
    // As CoAP sends a confirmable message again.
    for (const wait of [2_000, 4_000, 8_000, 16_000]) {
      world.say(client, 'anybody?');
      await world.clock.run(wait);
    }
    expect(client.established).toHaveLength(1);
    world.say(client, 'anybody?');
    await world.clock.run(1_000);
    expect(client.established).toHaveLength(2);
    // What was the last straw has come through the new one.
    expect(second.received.map(({ text }) => text)).toEqual(['anybody?']);
    expect(await world.ask(client, 'there you are')).toBe(true);
  });

  test('goes on as before where silence meant nothing', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    server.echo = false;
    const client = world.client(DEVICE);
    for (let i = 0; i < 100; i++) {
      world.say(client, `reading ${i}`);
      await world.clock.run(10_000);
    }
    expect(new Set(server.received.map(({ text }) => text)).size).toBe(100);
    expect(client.failures).toEqual([]);
    // Trials are rare, and resume the session.
    const { length } = client.established;
    expect(length).toBeGreaterThan(1);
    expect(length).toBeLessThan(8);
    expect(client.established.slice(1).every(({ resumed }) => resumed)).toBe(true);
  });

  test('begins anew where its server was restarted in the middle of a handshake', async () => {
    const world = new DtlsWorld();
    const first = world.server();
    const client = world.client(DEVICE);
    // All of it arrives but the end.
    world.link.filter = (data, from) => from === SERVER && data[0] === ContentType.CHANGE_CIPHER_SPEC;
    world.say(client, 'hello');
    await world.clock.run(1_000);
    expect(first.port.sessions).toBe(1);
    await first.port.suspend();
    world.link.filter = undefined;
    const second = world.server();
    expect(await world.clock.run(60_000, () => second.received.length > 0)).toBe(true);
    expect(client.failures).toEqual([]);
  });

  test('takes its session along when it is restarted', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const before = world.client(DEVICE);
    await world.ask(before, 'hello');
    const states = before.port.suspend();
    expect(states).toHaveLength(1);
    world.say(before, 'from the grave');
    await world.clock.run(100);
    expect(server.received).toHaveLength(1);
    const after = world.client(DEVICE);
    const [state] = states;
    if (state === undefined) throw new Error('no state');
    expect(after.port.restore({ ...state, peer: PLAIN })).toBe(false);
    expect(after.port.restore(state)).toBe(true);
    expect(await world.ask(after, 'as if nothing had been')).toBe(true);
    expect(server.established).toHaveLength(1);
  });

  test('ends its session with a word when it is released', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(DEVICE);
    await world.ask(client, 'hello');
    client.port.release(SERVER);
    await world.clock.run(100);
    expect(server.closed).toMatchObject([{ reason: 'peer' }]);
    expect(client.port.established(SERVER)).toBe(false);
  });

  test('gives up on an alert that anybody could have sent only when nothing else comes', async () => {
    const world = new DtlsWorld();
    world.server();
    const client = world.client(DEVICE);
    const forged = Uint8Array.of(21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40);
    world.link.carry(forged, SERVER, DEVICE);
    world.say(client, 'hello');
    await world.clock.run(25);
    world.link.carry(forged, SERVER, DEVICE);
    expect(await world.ask(client, 'hello')).toBe(true);
    expect(client.failures).toEqual([]);
  });

  test('has no suite in common with a server that speaks others, and says so', async () => {
    const world = new DtlsWorld();
    const server = world.server({ suites: [0xc0a8] });
    const client = world.client(DEVICE, { suites: [0xa8], key: KEY });
    expect(await world.ask(client, 'hello')).toBe(false);
    expect(client.failures).toEqual(['alert: the server has sent handshake_failure']);
    expect(server.failures).toMatchObject([{ reason: 'no_common_suite' }]);
  });
});
