import { describe, expect, test } from 'vitest';
import { credentialStore } from '../../redis/credentials.ts';
import { RedisDeviceStore } from '../../redis/device-store.ts';
import { RedisRegistrationStore } from '../../redis/registration-store.ts';
import { bucketOf } from '../../server/ports/bucket.ts';
import { aKey, describeCredentialStore, plain } from '../contract/credential-store.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(
  (name, open, connect) => {
    describeCredentialStore(name, open);

    describe(`What a node that was killed leaves of credentials, ${name}`, () => {
      const identity = { kind: 'psk', name: 'id' } as const;
      const field = 'psk id';

      test('an identity whose credential was not written is free', async () => {
        const redis = await connect();
        try {
          const store = credentialStore(redis);
          const claims = redis.keys.bucket(bucketOf(field), 'credential-claims');
          await redis.client.hset(claims, field, 'random a');
          expect(await store.find('server', identity)).toBeUndefined();
          expect(await store.remove('server', identity)).toBe(false);
          expect(await store.put(aKey('b', 'id'))).toEqual({ stored: true, replaced: false });
          expect(await store.find('server', identity)).toMatchObject({ endpoint: 'b' });
        } finally {
          await redis.close();
        }
      });

      test('a credential whose identity another device has got by then is none', async () => {
        const redis = await connect();
        try {
          const store = credentialStore(redis);
          await store.put(aKey('b', 'id'));
          const late = JSON.stringify({ [field]: JSON.stringify(['random', 'AAAA', 1]) });
          await redis.client.hset(redis.keys.bucket(bucketOf('a'), 'credentials'), 'a', late);
          expect(await store.get('a')).toEqual([]);
          expect((await store.list({ limit: 10 })).items.map(({ endpoint }) => endpoint)).toEqual(['b']);
          expect(plain(await store.get('b'))).toEqual(plain([aKey('b', 'id')]));
        } finally {
          await redis.close();
        }
      });

      test('an identity that was not given back with its credential is free', async () => {
        const redis = await connect();
        try {
          const store = credentialStore(redis);
          await store.put(aKey('a', 'id'));
          await redis.client.hdel(redis.keys.bucket(bucketOf('a'), 'credentials'), 'a');
          expect(await store.put(aKey('b', 'id'))).toEqual({ stored: true, replaced: false });
          expect(await store.put(aKey('a', 'id'))).toEqual({ stored: false, endpoint: 'b' });
        } finally {
          await redis.close();
        }
      });

      test('a credential of a program before accounts is one of an LwM2M server', async () => {
        const redis = await connect();
        try {
          const store = credentialStore(redis);
          const claims = redis.keys.bucket(bucketOf(field), 'credential-claims');
          await redis.client.hset(claims, field, 'random a');
          const record = JSON.stringify({ [field]: JSON.stringify(['random', 'AAAA', 17]) });
          await redis.client.hset(redis.keys.bucket(bucketOf('a'), 'credentials'), 'a', record);
          const [found] = await store.get('a');
          expect(found).toMatchObject({
            account: 'server',
            state: 'active',
            createdAt: 17,
            changedAt: 17,
            identity,
          });
          expect(await store.change('server', identity, { state: 'revoked' })).toMatchObject({
            state: 'revoked',
          });
          expect(await store.find('server', identity)).toMatchObject({ state: 'revoked', createdAt: 17 });
          expect(await store.remove('server', identity)).toBe(true);
          expect(await store.find('server', identity)).toBeUndefined();
        } finally {
          await redis.close();
        }
      });
    });
  },
  (redis) => ({
    credentials: credentialStore(redis),
    registrations: new RedisRegistrationStore(redis),
    devices: new RedisDeviceStore({ redis }),
  }),
);
