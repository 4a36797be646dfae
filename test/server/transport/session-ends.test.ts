import { expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { SessionEnds } from '../../../server/transport/session-ends.ts';
import { aDtlsSession } from '../../contract/session-store.ts';

test('sessions of a credential that is good no more end here, at the other nodes, and in the store', async () => {
  const stores = await openEmbeddedStores({ path: ':memory:' });
  try {
    const { sessions } = stores;
    const holder = { account: 'server', identity: { kind: 'psk', name: 'id' } } as const;
    await sessions.create(aDtlsSession(1, holder));
    await sessions.create(aDtlsSession(2, { ...holder, account: 'bootstrap' }));
    const ended: string[] = [];
    const portOf = (node: string) => ({
      endSessions: (where: (peer: { readonly kind: 'psk' | 'rpk'; readonly name: string }) => boolean) => {
        for (const kind of ['psk', 'rpk'] as const) {
          for (const name of ['id', 'other'])
            if (where({ kind, name })) ended.push(`${node} ${kind} ${name}`);
        }
        return 0;
      },
    });
    let handlers: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {};
    const other = new SessionEnds({
      store: sessions,
      rpc: { tellAll: async () => undefined, serve: (_service, served) => (handlers = served) },
    });
    const ends = new SessionEnds({
      store: sessions,
      rpc: {
        tellAll: async (_service, method, args) => void handlers[method]?.(args),
        serve: () => undefined,
      },
    });
    ends.attach('server', portOf('here'));
    ends.attach('bootstrap', portOf('here, bootstrap'));
    other.attach('server', portOf('there'));
    await ends.end(holder);
    // Before and after it goes from the store: a take-over may be under way.
    expect(ended).toEqual(['here psk id', 'there psk id', 'here psk id', 'there psk id']);
    expect(await sessions.of(holder)).toEqual([]);
    expect(await sessions.of({ ...holder, account: 'bootstrap' })).toHaveLength(1);
  } finally {
    await stores.close();
  }
});
