import { describe, expect, test } from 'vitest';
import type { ApiToken, AttemptKey, Session, User } from '../../server/ports/user-store.ts';
import { type OpenStores, start, useStores } from './engine.ts';

function aUser(name: string, change: Partial<User> = {}): User {
  return {
    name,
    role: 'administrator',
    password: '$argon2id$v=19$m=64,t=1,p=1$c2FsdA$dGFn',
    mustChange: false,
    enabled: true,
    createdAt: start,
    updatedAt: start,
    passwordChangedAt: start,
    ...change,
  };
}

function aSession(id: string, change: Partial<Session> = {}): Session {
  return {
    id,
    user: 'anna',
    createdAt: start,
    seenAt: start,
    endsAt: start + 1000,
    lastsUntil: start + 5000,
    source: '192.0.2.7',
    ...change,
  };
}

function aToken(id: string, change: Partial<ApiToken> = {}): ApiToken {
  return {
    id,
    name: `Token ${id}`,
    user: 'anna',
    role: 'operator',
    scopes: ['read'],
    createdAt: start,
    ...change,
  };
}

const limit = { limit: 10 };

export function describeUserStore(name: string, open: OpenStores): void {
  describe(`UserStore, ${name}`, () => {
    const stores = useStores(open);

    test('users are found by name, and listed by it', async () => {
      const { users } = stores();
      expect(await users.users()).toEqual([]);
      expect(await users.addUser(aUser('berta', { role: 'viewer', tenant: 'north' }), limit)).toBe('added');
      expect(await users.addUser(aUser('anna'), limit)).toBe('added');
      expect(await users.addUser(aUser('anna', { role: 'viewer' }), limit)).toBe('taken');
      expect(await users.users()).toEqual([
        aUser('anna'),
        aUser('berta', { role: 'viewer', tenant: 'north' }),
      ]);
      expect(await users.user('anna')).toEqual(aUser('anna'));
      expect(await users.user('carla')).toBeUndefined();
    });

    test('there are no more users than the limit', async () => {
      const { users } = stores();
      await users.addUser(aUser('anna'), { limit: 1 });
      expect(await users.addUser(aUser('berta'), { limit: 1 })).toBe('full');
    });

    test('of several that would be the first user, one is', async () => {
      const { users } = stores();
      const first = { limit: 1, first: true };
      const added = await Promise.all([
        users.addUser(aUser('anna'), first),
        users.addUser(aUser('berta'), first),
        users.addUser(aUser('anna'), first),
      ]);
      expect(added.filter((one) => one === 'added')).toHaveLength(1);
      expect(await users.users()).toHaveLength(1);
    });

    test('a change leaves what it does not name, and takes a tenant away where it says so', async () => {
      const { users } = stores();
      await users.addUser(aUser('anna'), limit);
      await users.addUser(aUser('berta', { role: 'viewer', tenant: 'north' }), limit);
      expect(await users.changeUser('berta', { role: 'operator', updatedAt: start + 1 })).toBe('changed');
      const changed = { role: 'operator', updatedAt: start + 1 } as const;
      expect(await users.user('berta')).toEqual(aUser('berta', { ...changed, tenant: 'north' }));
      expect(await users.changeUser('berta', { tenant: null })).toBe('changed');
      expect(await users.user('berta')).toEqual(aUser('berta', changed));
      expect(await users.changeUser('carla', { role: 'viewer' })).toBe('unknown');
    });

    test('changes at the same time are all made', async () => {
      const { users } = stores();
      await users.addUser(aUser('anna'), limit);
      await Promise.all([
        users.changeUser('anna', { lastLoginAt: start + 5 }),
        users.changeUser('anna', { mustChange: true }),
        users.changeUser('anna', { updatedAt: start + 6 }),
      ]);
      expect(await users.user('anna')).toEqual(
        aUser('anna', { lastLoginAt: start + 5, mustChange: true, updatedAt: start + 6 }),
      );
    });

    test.each([
      ['becoming an operator', { role: 'operator' }],
      ['being disabled', { enabled: false }],
      ['getting a tenant', { tenant: 'north' }],
    ] as const)('the last administrator stays one: %s', async (_how, change) => {
      const { users } = stores();
      await users.addUser(aUser('anna'), limit);
      await users.addUser(aUser('berta', { role: 'operator' }), limit);
      await users.addUser(aUser('carla', { tenant: 'north' }), limit);
      await users.addUser(aUser('dora', { enabled: false }), limit);
      expect(await users.changeUser('anna', change)).toBe('last_administrator');
      expect(await users.removeUser('anna')).toBe('last_administrator');
      expect(await users.user('anna')).toEqual(aUser('anna'));
      expect(await users.changeUser('berta', { role: 'administrator' })).toBe('changed');
      expect(await users.changeUser('anna', change)).toBe('changed');
      expect(await users.removeUser('berta')).toBe('last_administrator');
      expect(await users.removeUser('anna')).toBe('removed');
    });

    test('of two administrators who are removed at once, one stays', async () => {
      const { users } = stores();
      await users.addUser(aUser('anna'), limit);
      await users.addUser(aUser('berta'), limit);
      const removed = await Promise.all([users.removeUser('anna'), users.removeUser('berta')]);
      expect([...removed].sort()).toEqual(['last_administrator', 'removed']);
    });

    test('a user goes with his sessions and tokens, and with nobody else’s', async () => {
      const { users } = stores();
      await users.addUser(aUser('anna'), limit);
      await users.addUser(aUser('berta'), limit);
      await users.addSession(aSession('s1'), 5);
      await users.addSession(aSession('s2', { user: 'berta' }), 5);
      await users.addToken(aToken('t1'), 5);
      await users.addToken(aToken('t2', { user: 'berta' }), 5);
      expect(await users.removeUser('anna')).toBe('removed');
      expect(await users.removeUser('anna')).toBe('unknown');
      expect((await users.sessions(start)).map(({ id }) => id)).toEqual(['s2']);
      expect((await users.tokens()).map(({ id }) => id)).toEqual(['t2']);
      expect(await users.session('s1')).toBeUndefined();
      expect(await users.token('t1')).toBeUndefined();
    });

    test('sessions are listed newest first, without those that have ended', async () => {
      const { users } = stores();
      const provided = { role: 'viewer', tenant: 'north' } as const;
      const third = aSession('s3', { user: 'berta', createdAt: start + 2, provided, agent: 'curl/8' });
      await users.addSession(aSession('s1'), 5);
      await users.addSession(aSession('s2', { createdAt: start + 1, endsAt: start + 10 }), 5);
      await users.addSession(third, 5);
      expect((await users.sessions(start + 9)).map(({ id }) => id)).toEqual(['s3', 's2', 's1']);
      expect((await users.sessions(start + 10)).map(({ id }) => id)).toEqual(['s3', 's1']);
      expect((await users.sessions(start, 'anna')).map(({ id }) => id)).toEqual(['s2', 's1']);
      expect(await users.session('s3')).toEqual(third);
    });

    test('of one user’s sessions the newest stay', async () => {
      const { users } = stores();
      await users.addSession(aSession('other', { user: 'berta' }), 2);
      for (let count = 0; count < 4; count++) {
        await users.addSession(aSession(`s${count}`, { createdAt: start + count }), 2);
      }
      expect((await users.sessions(start)).map(({ id }) => id)).toEqual(['s3', 's2', 'other']);
    });

    test('a session is renewed while it is there', async () => {
      const { users } = stores();
      await users.addSession(aSession('s1'), 5);
      const times = { seenAt: start + 500, endsAt: start + 1500 };
      expect(await users.renewSession('s1', times)).toBe(true);
      expect(await users.session('s1')).toEqual(aSession('s1', times));
      expect(await users.removeSession('s1')).toBe(true);
      expect(await users.removeSession('s1')).toBe(false);
      expect(await users.renewSession('s1', times)).toBe(false);
      expect(await users.sessions(start)).toEqual([]);
    });

    test('all sessions of a user end but the one that is named', async () => {
      const { users } = stores();
      for (const id of ['s1', 's2', 's3']) await users.addSession(aSession(id), 5);
      await users.addSession(aSession('s4', { user: 'berta' }), 5);
      expect(await users.removeSessions('anna', 's2')).toBe(2);
      expect((await users.sessions(start)).map(({ id }) => id).sort()).toEqual(['s2', 's4']);
      expect(await users.removeSessions('anna')).toBe(1);
      expect(await users.removeSessions('anna')).toBe(0);
    });

    test('tokens are listed newest first; one of nobody needs no user', async () => {
      const { users } = stores();
      await users.addUser(aUser('anna'), limit);
      const { user: _nobody, ...free } = aToken('t2', {
        createdAt: start + 1,
        expiresAt: start + 9,
        tenant: 'north',
      });
      expect(await users.addToken(aToken('t1'), 5)).toBe('added');
      expect(await users.addToken(free, 5)).toBe('added');
      expect(await users.addToken(aToken('t3', { user: 'carla' }), 5)).toBe('unknown');
      expect(await users.tokens()).toEqual([free, aToken('t1')]);
      expect(await users.token('t2')).toEqual(free);
      expect(await users.addToken(aToken('t4'), 2)).toBe('full');
    });

    test('a token is used while it is there', async () => {
      const { users } = stores();
      await users.addUser(aUser('anna'), limit);
      await users.addToken(aToken('t1'), 5);
      expect(await users.useToken('t1', start + 7)).toBe(true);
      expect(await users.token('t1')).toEqual(aToken('t1', { usedAt: start + 7 }));
      expect(await users.removeToken('t1')).toBe(true);
      expect(await users.removeToken('t1')).toBe(false);
      expect(await users.useToken('t1', start + 8)).toBe(false);
      expect(await users.tokens()).toEqual([]);
    });

    test('what has ended is removed for good', async () => {
      const { users } = stores();
      await users.addUser(aUser('anna'), limit);
      await users.addSession(aSession('s1', { endsAt: start + 10 }), 5);
      await users.addSession(aSession('s2', { endsAt: start + 11 }), 5);
      await users.addToken(aToken('t1', { expiresAt: start + 4 }), 5);
      await users.addToken(aToken('t2', { expiresAt: start + 6 }), 5);
      await users.addToken(aToken('t3'), 5);
      await users.prune(start + 10, start + 5);
      expect(await users.session('s1')).toBeUndefined();
      expect(await users.session('s2')).toBeDefined();
      expect((await users.tokens()).map(({ id }) => id).sort()).toEqual(['t2', 't3']);
    });

    describe('failed log-ins', () => {
      const user: AttemptKey = { key: 'user anna', free: 2, pause: 1000, longestPause: 4000 };
      const source: AttemptKey = { key: 'source 192.0.2.7', free: 4, pause: 100, longestPause: 100_000 };
      const options = { memory: 60_000, limit: 100 };
      const tryIt = (at: number, keys = [user, source]) =>
        stores().users.beginAttempt(keys, { at, ...options });

      test('some are free; each one after them is followed by a pause twice as long', async () => {
        expect(await tryIt(start)).toBe(0);
        expect(await tryIt(start)).toBe(0);
        expect(await tryIt(start)).toBe(0);
        expect(await tryIt(start)).toBe(1000);
        expect(await tryIt(start + 400)).toBe(600);
        expect(await tryIt(start + 1000)).toBe(0);
        expect(await tryIt(start + 1000)).toBe(2000);
        expect(await tryIt(start + 3000)).toBe(0);
        expect(await tryIt(start + 3000)).toBe(4000);
        expect(await tryIt(start + 7000)).toBe(0);
        expect(await tryIt(start + 7000)).toBe(4000);
      });

      test('guesses at the same time count one by one', async () => {
        const waits = await Promise.all(Array.from({ length: 10 }, () => tryIt(start)));
        expect(waits.filter((wait) => wait === 0)).toHaveLength(3);
      });

      test('one address tries many names no longer than one name', async () => {
        for (let count = 0; count < 5; count++) {
          expect(await tryIt(start, [{ ...user, key: `user u${count}` }, source])).toBe(0);
        }
        expect(await tryIt(start, [{ ...user, key: 'user u9' }, source])).toBe(100);
        expect(
          await tryIt(start, [
            { ...user, key: 'user u9' },
            { ...source, key: 'source other' },
          ]),
        ).toBe(0);
      });

      test('success forgets what the name did wrong, and of the address its own attempt alone', async () => {
        const { users } = stores();
        for (let count = 0; count < 3; count++) await tryIt(start);
        await tryIt(start + 1000);
        await users.attemptSucceeded(user.key, source.key);
        expect(await tryIt(start + 1001)).toBe(0);
        expect(await tryIt(start + 1001)).toBe(0);
        // Three failed before, and these two: the next one is over the four that are free.
        expect(await tryIt(start + 1001, [{ ...user, key: 'user berta' }, source])).toBe(100);
      });

      test('what was long ago is forgotten, and of very many the oldest are', async () => {
        for (let count = 0; count < 3; count++) await tryIt(start);
        expect(await tryIt(start + 60_000, [user])).toBe(0);
        expect(await tryIt(start + 60_000, [user])).toBe(0);
        const { users } = stores();
        const few = { memory: 60_000, limit: 1 };
        const strict = (key: string): AttemptKey => ({ key, free: 0, pause: 9000, longestPause: 9000 });
        await users.beginAttempt([strict('a')], { at: start + 70_000, ...few });
        await users.beginAttempt([strict('b')], { at: start + 70_001, ...few });
        expect(await users.beginAttempt([strict('b')], { at: start + 70_002, ...few })).toBe(8999);
        expect(await users.beginAttempt([strict('a')], { at: start + 70_003, ...few })).toBe(0);
      });
    });
  });
}
