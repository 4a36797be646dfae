import { describe, expect, test } from 'vitest';
import { sessionStore } from '../../redis/sessions.ts';
import { aDtlsSession, describeSessionStore } from '../contract/session-store.ts';
import { until } from '../support/until.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(
  (name, open, connect) => {
    describeSessionStore(name, open);

    describe(`Sessions in keys, ${name}`, () => {
      test('a session that nothing is written of is gone after its time, and so is the list of its identity', async () => {
        const redis = await connect();
        try {
          const store = sessionStore(redis);
          const session = { ...aDtlsSession(1), keepFor: 50 };
          await store.create(session);
          await until('it is gone', async () => (await store.read(session.id)) === undefined);
          expect(await store.of(session)).toEqual([]);
          const keys = async (): Promise<number> => {
            const nodes = 'nodes' in redis.client ? redis.client.nodes('master') : [redis.client];
            const found = await Promise.all(nodes.map((node) => node.keys(`${redis.keys.prefix}:*`)));
            return found.flat().length;
          };
          await until('nothing is left', async () => (await keys()) === 0);
        } finally {
          await redis.close();
        }
      });

      test('a reservation keeps it for longer', async () => {
        const redis = await connect();
        try {
          const store = sessionStore(redis);
          const session = { ...aDtlsSession(1), keepFor: 60_000 };
          await store.create(session);
          expect(await store.reserve(session.id, 1, 1, { at: session.at, keepFor: 600_000 })).toBe(true);
          expect(await store.save(session.id, 1, { ...session, window: new Uint8Array(1) })).toBe(true);
          expect(await store.of(session)).toHaveLength(1);
        } finally {
          await redis.close();
        }
      });
    });
  },
  (redis) => ({ sessions: sessionStore(redis) }),
);
