import { expect, test } from 'vitest';
import { KeyCache } from '../../../../protocol/dtls/records/key-cache.ts';
import { Session } from '../../../../protocol/dtls/server/session.ts';
import { SessionTable } from '../../../../protocol/dtls/server/session-table.ts';

const cache = new KeyCache(1);

function aSession(...id: readonly number[]): Session {
  return Session.from(
    {
      id: Uint8Array.from(id),
      peer: { kind: 'psk', name: id.join('.') },
      address: `192.0.2.1:${1000 + (id[3] ?? 0)}`,
      suite: 0xc0a8,
      keys: { client: new Uint8Array(20), server: new Uint8Array(20) },
      peerConnectionId: new Uint8Array(0),
      returnRoutability: false,
      establishedAt: 0,
      fence: 0,
      nextSequence: 0,
      reservedTo: 0,
    },
    cache,
  );
}

test('sessions are found by their ids, those that differ in their first bytes alone too, whichever of them goes', () => {
  const ids = [1, 2, 3].map((different) => [0, 0, 0, different, 255, 7, 8, 9]);
  const other = aSession(0, 0, 0, 1, 255, 7, 8, 10);
  for (let first = 0; first < ids.length; first++) {
    const table = new SessionTable();
    const sessions = ids.map((id) => aSession(...id));
    for (const session of [...sessions, other]) table.add(session);
    const order = [...sessions.slice(first), ...sessions.slice(0, first)];
    for (let gone = 0; gone <= order.length; gone++) {
      for (const [at, session] of order.entries()) {
        // What is looked for is a view of a record.
        const id = Uint8Array.of(9, ...session.id, 9).subarray(1, 9);
        expect(table.byId(id)).toBe(at < gone ? undefined : session);
      }
      expect(table.byId(other.id)).toBe(other);
      const next = order[gone];
      if (next !== undefined) table.remove(next);
    }
    expect(table.size).toBe(1);
  }
});
