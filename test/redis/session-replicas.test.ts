import { afterEach, describe, expect, test } from 'vitest';
import { parseRedisAddress } from '../../redis/address.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { sessionStore } from '../../redis/sessions.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import { aDtlsSession } from '../contract/session-store.ts';
import { startSentinel } from '../support/redis.ts';

const BLOCK = 65_536;

describe.skipIf(!isInstalled('redis-server') || !isInstalled('redis-sentinel'))(
  'DTLS sessions where Redis has replicas',
  () => {
    const closing: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close();
    });
    const open = async () => {
      const servers = await startSentinel();
      closing.push(() => servers.close());
      const address = parseRedisAddress(servers.url);
      const redis = await RedisConnection.open({ address, prefix: 'sy', guard: true });
      closing.push(() => redis.close());
      return { servers, sessions: sessionStore(redis) };
    };

    test('no fail-over brings a mark back, or a change of hands', async () => {
      const { servers, sessions } = await open();
      const session = aDtlsSession(1);
      await sessions.create(session);
      for (let block = 2; block <= 20; block++) {
        expect(await sessions.reserve(session.id, 1, block * BLOCK, session)).toBe(true);
      }
      const by = { ...session, node: 'two', numbers: BLOCK };
      expect(await sessions.take(session.id, 1, by)).toMatchObject({ writeFrom: 20 * BLOCK });
      await servers.master.kill();
      const taken = await expect
        .poll(() => sessions.take(session.id, 2, by).catch(() => undefined), {
          timeout: 60_000,
          interval: 200,
        })
        .toMatchObject({ fence: 3, writeFrom: 21 * BLOCK })
        .then(() => sessions.read(session.id));
      expect(taken).toMatchObject({ fence: 3, node: 'two' });
      expect(await sessions.reserve(session.id, 1, 30 * BLOCK, session)).toBe(false);
    });

    test('what no replica has does not count', async () => {
      const { servers, sessions } = await open();
      const session = aDtlsSession(1);
      await sessions.create(session);
      expect(await sessions.reserve(session.id, 1, 2 * BLOCK, session)).toBe(true);
      servers.replica.pause();
      try {
        await expect(sessions.reserve(session.id, 1, 3 * BLOCK, session)).rejects.toThrow(
          StoreUnavailableError,
        );
      } finally {
        servers.replica.resume();
      }
    });
  },
);
