import { describe, expect, test } from 'vitest';
import { DtlsWorld, KEY, SERVER } from '../../support/dtls/dtls-world.ts';

describe('a handshake with a pre-shared key', () => {
  test('gives both sides a session by which they speak', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client('198.51.100.1:40000');
    expect(await world.ask(client, 'hello')).toBe(true);
    const [one] = server.received;
    expect(one).toMatchObject({
      text: 'hello',
      identity: { kind: 'psk', name: 'one', endpoint: 'ep-one' },
    });
    expect(one?.peer).toMatch(/^dtls:00[0-9a-f]{14}$/);
    expect(client.received).toMatchObject([{ text: 'hello!', peer: SERVER }]);
    expect(server.established).toMatchObject([
      { address: '198.51.100.1:40000', resumed: false, connectionId: true },
    ]);
    expect(server.port.transportAddress(one?.peer ?? '')).toBe('198.51.100.1:40000');
    expect(server.port).toMatchObject({ sessions: 1, handshakes: 0 });
    expect(server.failures).toEqual([]);
    expect(world.clock.pending).toBe(0);
  });

  test('works without connection ids, whichever side does without', async () => {
    for (const which of ['client', 'server']) {
      const world = new DtlsWorld();
      const server = world.server({ connectionIds: which !== 'server' });
      const client = world.client('198.51.100.1:40000', which === 'client' ? { connectionId: null } : {});
      expect(await world.ask(client, 'hello')).toBe(true);
      expect(server.established).toMatchObject([{ connectionId: false }]);
    }
  });

  test('works with connection ids in both directions', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client('198.51.100.1:40000', { connectionId: Uint8Array.of(1, 2, 3) });
    world.link.recording = true;
    expect(await world.ask(client, 'hello')).toBe(true);
    expect(server.established).toMatchObject([{ connectionId: true }]);
    const toClient = world.link.log.filter(({ from }) => from === SERVER).at(-1);
    expect([...(toClient?.data.subarray(0, 1) ?? [])]).toEqual([25]);
    expect([...(toClient?.data.subarray(11, 14) ?? [])]).toEqual([1, 2, 3]);
  });

  test('with a wrong key or an unknown identity fails, and the client cannot tell which', async () => {
    const seen: string[][] = [];
    for (const credentials of [{ key: KEY.map((byte) => byte ^ 1) }, { identity: 'nobody' }]) {
      const world = new DtlsWorld();
      const server = world.server();
      const client = world.client('198.51.100.1:40000', credentials);
      expect(await world.ask(client, 'hello', 100_000)).toBe(false);
      expect(server.established).toEqual([]);
      expect(server.failures).toMatchObject([
        'identity' in credentials
          ? { reason: 'unknown_identity', identity: 'nobody' }
          : { reason: 'wrong_key', identity: 'one' },
      ]);
      expect(server.port).toMatchObject({ sessions: 0, handshakes: 0 });
      seen.push(client.failures);
    }
    expect(seen[0]).toEqual(['alert: the server has sent decrypt_error']);
    expect(seen[1]).toEqual(seen[0]);
  });
});
