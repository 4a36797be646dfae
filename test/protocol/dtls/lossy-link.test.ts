import { describe, expect, test } from 'vitest';
import type { ClientCredentials } from '../../../protocol/dtls/types.ts';
import type { LinkQuality } from '../../support/coap/lossy-link.ts';
import { Authority } from '../../support/dtls/authorities.ts';
import { DtlsWorld, SERVER } from '../../support/dtls/dtls-world.ts';

const BAD: LinkQuality = { loss: 0.2, duplicate: 0.1, reorder: 0.2, delay: 30, jitter: 2_000, seed: 11 };
const CLIENTS = 1_000;

function address(index: number): string {
  return `198.51.${100 + (index >> 8)}.${index & 255}:40000`;
}

describe('a link that loses a fifth, doubles and reorders', () => {
  test.for([
    { name: 'connection ids', client: {}, pmtu: 1_232 },
    { name: 'no connection ids', client: { connectionId: null }, pmtu: 1_232 },
    { name: 'a path of 256 bytes', client: {}, pmtu: 256 },
  ])('lets 1000 handshakes through: $name', async ({ client: options, pmtu }) => {
    const world = new DtlsWorld(BAD);
    let longest = 0;
    world.link.filter = (data) => {
      longest = Math.max(longest, data.length);
      return false;
    };
    const server = world.server({ pmtu });
    server.echo = false;
    const clients = Array.from({ length: CLIENTS }, (_, index) => {
      const identity = `modem-${index}`;
      const key = Buffer.from(`key of ${identity}`);
      world.keys.set(identity, key);
      return world.client(address(index), { identity, key, pmtu, handshakeTime: 600_000, ...options });
    });
    for (const client of clients) world.say(client, 'hello');
    const done = () => clients.every(({ port }) => port.established(SERVER));
    expect(await world.clock.run(600_000, done)).toBe(true);
    expect(clients.flatMap(({ failures }) => failures)).toEqual([]);
    expect(longest).toBeLessThanOrEqual(pmtu);
    // Both sides agree: what is said now is understood, if it arrives.
    world.link.quality = {};
    await world.clock.run(30_000);
    server.received.length = 0;
    for (const client of clients) world.say(client, 'again');
    await world.clock.run(5_000);
    expect(server.received).toHaveLength(CLIENTS);
    expect(new Set(server.received.map(({ identity }) => identity?.name)).size).toBe(CLIENTS);
    expect(server.port).toMatchObject({ sessions: CLIENTS, handshakes: 0 });
    expect(world.clock.pending).toBe(0);
  });

  test.for(['rpk', 'x509'] as const)(
    'lets 100 handshakes through with a path of 256 bytes: %s',
    async (kind) => {
      const world = new DtlsWorld(BAD);
      const authority = new Authority();
      const own = authority.identity('lwm2m.example', { dnsNames: ['lwm2m.example'] });
      const devices = Array.from({ length: 100 }, (_, index) => authority.identity(`modem-${index}`));
      const publicKeys = devices.map(({ publicKey }) => publicKey);
      let longest = 0;
      world.link.filter = (data) => {
        longest = Math.max(longest, data.length);
        return false;
      };
      const server = world.server({
        pmtu: 256,
        credentials: authority.credentials(own, publicKeys, () => world.clock.wallTime()),
      });
      const clients = devices.map((device, index) => {
        const credentials: ClientCredentials =
          kind === 'rpk'
            ? { kind, own: device, serverPublicKey: own.publicKey }
            : { kind, own: device, trusted: [authority.certificate], serverName: 'lwm2m.example' };
        return world.client(address(index), { pmtu: 256, handshakeTime: 600_000, credentials });
      });
      for (const client of clients) world.say(client, 'hello');
      const done = () => clients.every(({ port }) => port.established(SERVER));
      expect(await world.clock.run(600_000, done)).toBe(true);
      expect(longest).toBeLessThanOrEqual(256);
      expect(clients.flatMap(({ failures }) => failures)).toEqual([]);
      expect(new Set(server.established.map(({ identity }) => identity.name)).size).toBe(100);
    },
  );

  test('resumes 200 sessions', async () => {
    const world = new DtlsWorld(BAD);
    const server = world.server();
    const clients = Array.from({ length: 200 }, (_, index) => {
      const identity = `modem-${index}`;
      world.keys.set(identity, Buffer.from(`key of ${identity}`));
      return world.client(address(index), {
        identity,
        key: Buffer.from(`key of ${identity}`),
        handshakeTime: 600_000,
      });
    });
    for (const client of clients) world.say(client, 'hello');
    await world.clock.run(600_000, () => clients.every(({ port }) => port.established(SERVER)));
    world.link.quality = {};
    await world.clock.run(30_000);
    // close_notify ends a session, and lets it be resumed.
    for (const { session } of server.established.map((session) => ({ session }))) {
      server.port.closeSession(session.peer);
    }
    await world.clock.run(5_000);
    expect(clients.filter(({ closed }) => closed === 1)).toHaveLength(200);
    world.link.quality = BAD;
    for (const client of clients) world.say(client, 'again');
    const done = () => clients.every(({ established }) => established.at(-1)?.resumed === true);
    expect(await world.clock.run(600_000, done)).toBe(true);
    world.link.quality = {};
    await world.clock.run(30_000);
    for (const client of clients) expect(await world.ask(client, 'well?')).toBe(true);
    expect(server.port.sessions).toBe(200);
  });
});
