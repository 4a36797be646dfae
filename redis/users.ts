import {
  type ApiToken,
  changedUser,
  mayDoEverything,
  type Session,
  type User,
  type UserStore,
} from '../server/ports/user-store.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

const setUser = loadScript('user-set');
const removeUser = loadScript('user-remove');
const addSession = loadScript('login-session-add');
const renewSession = loadScript('login-session-renew');
const removeSession = loadScript('login-session-remove');
const addToken = loadScript('token-add');
const useToken = loadScript('token-use');
const removeToken = loadScript('token-remove');
const beginAttempt = loadScript('login-begin');
const attemptSucceeded = loadScript('login-succeeded');

/** Failed log-ins that one call forgets at most. */
const forgottenPerCall = 100;
/** Sessions and tokens that one prune removes at most. */
const prunedPerCall = 1_000;
/** How often a change is made anew because another one came first. */
const tries = 10;

/** People in one slot. */
export function userStore(redis: RedisConnection): UserStore {
  const key = (name: string): string => redis.keys.shared('people', name);
  const users = key('users');
  const administrators = key('administrators');
  const sessions = key('sessions');
  const sessionEnds = key('session-ends');
  const tokens = key('tokens');
  const tokenEnds = key('token-ends');
  const attempts = [key('attempts'), key('attempt-times')];
  const sessionsOf = (user: string): string => key(`sessions-of:${user}`);
  const tokensOf = (user: string): string => key(`tokens-of:${user}`);

  const read = async <T>(hash: string, field: string): Promise<T | undefined> => {
    const text = await redis.call((client) => client.hget(hash, field));
    return text === null ? undefined : JSON.parse(text);
  };
  const readSome = async <T>(hash: string, fields: readonly string[]): Promise<readonly T[]> => {
    if (fields.length === 0) return [];
    const texts = await redis.call((client) => client.hmget(hash, ...fields));
    return texts.filter((text) => text !== null).map((text) => JSON.parse(text));
  };
  const readAll = async <T>(hash: string): Promise<readonly T[]> =>
    (await redis.call((client) => client.hvals(hash))).map((text) => JSON.parse(text));
  const set = (name: string, before: string, user: User, limit: number): Promise<unknown> =>
    redis.run(
      setUser,
      [users, administrators],
      [name, before, JSON.stringify(user), mayDoEverything(user) ? 1 : 0, limit],
    );

  return {
    users: async () => [...(await readAll<User>(users))].sort((a, b) => (a.name < b.name ? -1 : 1)),
    user: (name) => read<User>(users, name),
    addUser: async (user, { limit, first }) => {
      const added = await set(user.name, '', user, first === true ? 1 : limit);
      return added === 'done' ? 'added' : (added as 'taken' | 'full');
    },
    changeUser: async (name, change) => {
      for (let left = tries; left > 0; left--) {
        const before = await redis.call((client) => client.hget(users, name));
        if (before === null) return 'unknown';
        const after = changedUser(JSON.parse(before), change);
        const reply = await set(name, before, after, 0);
        if (reply === 'done') return 'changed';
        if (reply === 'last') return 'last_administrator';
      }
      throw new Error(`the user '${name}' was changed by others ${tries} times in a row`);
    },
    removeUser: async (name) =>
      (await redis.run(
        removeUser,
        [
          ...[users, administrators, sessions, sessionEnds, sessionsOf(name)],
          tokens,
          tokenEnds,
          tokensOf(name),
        ],
        [name],
      )) as 'removed' | 'unknown' | 'last_administrator',

    addSession: async (session, keep) => {
      const { id, user, createdAt, endsAt } = session;
      await redis.run(
        addSession,
        [sessions, sessionEnds, sessionsOf(user)],
        [id, JSON.stringify(session), endsAt, createdAt, keep],
      );
    },
    session: (id) => read<Session>(sessions, id),
    sessions: async (now, user) => {
      const found =
        user === undefined
          ? await readAll<Session>(sessions)
          : await readSome<Session>(
              sessions,
              await redis.call((client) => client.zrevrange(sessionsOf(user), 0, -1)),
            );
      return found.filter(({ endsAt }) => endsAt > now).sort((a, b) => b.createdAt - a.createdAt);
    },
    renewSession: async (id, times) => {
      const session = await read<Session>(sessions, id);
      if (session === undefined) return false;
      const renewed = JSON.stringify({ ...session, ...times });
      return (await redis.run(renewSession, [sessions, sessionEnds], [id, renewed, times.endsAt])) === 1;
    },
    removeSession: async (id) => {
      const session = await read<Session>(sessions, id);
      if (session === undefined) return false;
      const of = [sessions, sessionEnds, sessionsOf(session.user)];
      return (await redis.run(removeSession, of, [id, ''])) === 1;
    },
    removeSessions: async (user, except = '') =>
      (await redis.run(removeSession, [sessions, sessionEnds, sessionsOf(user)], ['', except])) as number,

    addToken: async (token, limit) => {
      const { id, user = '', expiresAt = '' } = token;
      return (await redis.run(
        addToken,
        [tokens, tokenEnds, users, tokensOf(user)],
        [id, JSON.stringify(token), expiresAt, user, limit],
      )) as 'added' | 'full' | 'unknown';
    },
    token: (id) => read<ApiToken>(tokens, id),
    tokens: async () => [...(await readAll<ApiToken>(tokens))].sort((a, b) => b.createdAt - a.createdAt),
    useToken: async (id, usedAt) => {
      const token = await read<ApiToken>(tokens, id);
      if (token === undefined) return false;
      return (await redis.run(useToken, [tokens], [id, JSON.stringify({ ...token, usedAt })])) === 1;
    },
    removeToken: async (id) => {
      const token = await read<ApiToken>(tokens, id);
      if (token === undefined) return false;
      return (await redis.run(removeToken, [tokens, tokenEnds, tokensOf(token.user ?? '')], [id])) === 1;
    },

    beginAttempt: async (keys, { at, memory, limit }) =>
      (await redis.run(beginAttempt, attempts, [
        ...[at, memory, forgottenPerCall, limit],
        ...keys.flatMap((one) => [one.key, one.free, one.pause, one.longestPause]),
      ])) as number,
    attemptSucceeded: async (forget, takeBack) => {
      await redis.run(attemptSucceeded, attempts, [forget, takeBack]);
    },

    prune: async (now, expiredBefore) => {
      const [ended, expired] = await Promise.all([
        redis.call((client) => client.zrangebyscore(sessionEnds, '-inf', now, 'LIMIT', 0, prunedPerCall)),
        redis.call((client) =>
          client.zrangebyscore(tokenEnds, '-inf', expiredBefore, 'LIMIT', 0, prunedPerCall),
        ),
      ]);
      const [oldSessions, oldTokens] = await Promise.all([
        readSome<Session>(sessions, ended),
        readSome<ApiToken>(tokens, expired),
      ]);
      await Promise.all([
        ...oldSessions.map(({ id, user }) =>
          redis.run(removeSession, [sessions, sessionEnds, sessionsOf(user)], [id, '']),
        ),
        ...oldTokens.map(({ id, user = '' }) =>
          redis.run(removeToken, [tokens, tokenEnds, tokensOf(user)], [id]),
        ),
      ]);
    },
  };
}
