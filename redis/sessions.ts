import { createHash } from 'node:crypto';
import { bucketOf } from '../server/ports/bucket.ts';
import {
  holderText,
  type Keeping,
  MOST_SESSIONS_OF_IDENTITY,
  type NewSession,
  type SessionHolder,
  type SessionPlace,
  type SessionStore,
  type StoredSession,
} from '../server/ports/session-store.ts';
import type { RedisConnection } from './connection.ts';
import { ReplicatedWrites } from './replicated-writes.ts';
import { loadScript } from './script.ts';

const newline = 0x0a;

const create = loadScript('session-create');
const reserve = loadScript('session-reserve', 'session', 'replicas');
const save = loadScript('session-save', 'session');
const take = loadScript('session-take', 'session', 'replicas');
const remove = loadScript('session-remove', 'session');
const list = loadScript('session-list');

/**
 * A session is a key that runs out by itself, in a bucket by its id; the ids of an identity are in a bucket by that.
 * First the id is entered there, then the session; an id without its session means nothing.
 */
export function sessionStore(redis: RedisConnection): SessionStore {
  const { keys } = redis;
  const replicated = new ReplicatedWrites(redis);
  const sessionKey = (id: string): string => keys.bucket(bucketOf(id), `session:${id}`);
  const checkKey = (id: string): string => keys.bucket(bucketOf(id), 'check');
  const listKey = (holder: SessionHolder): string => {
    const name = createHash('sha256').update(holderText(holder)).digest('base64url').slice(0, 22);
    return keys.bucket(bucketOf(name), `sessions-of:${name}`);
  };
  const read = async (id: string): Promise<StoredSession | undefined> => {
    const record = await redis.call((client) => client.getBuffer(sessionKey(id)));
    return record === null ? undefined : decodeSession(id, record);
  };
  const removeOne = async (id: string, fence?: number): Promise<SessionHolder | undefined> => {
    const holder = (await redis.run(remove, [sessionKey(id)], [fence ?? ''])) as string | null;
    return holder === null ? undefined : decodeHolder(holder);
  };
  const enlist = async (holder: SessionHolder, id: string, { at, keepFor }: Keeping): Promise<void> => {
    const args = [id, at, keepFor, MOST_SESSIONS_OF_IDENTITY];
    const excess = (await redis.run(list, [listKey(holder)], args)) as readonly string[];
    await Promise.all(excess.map((old) => removeOne(old)));
  };
  const delist = (holder: SessionHolder, id: string): Promise<number> =>
    redis.call((client) => client.zrem(listKey(holder), id));

  return {
    create: async (session) => {
      await enlist(session, session.id, session);
      const args = [encodeSession(session), session.keepFor];
      return (await redis.run(create, [sessionKey(session.id)], args)) === 1;
    },
    reserve: async (id, fence, upTo, keeping) => {
      const [, holder] = await replicated.run(reserve, sessionKey(id), checkKey(id), [
        fence,
        upTo,
        keeping.keepFor,
      ]);
      if (holder === undefined) return false;
      await enlist(decodeHolder(holder as string), id, keeping);
      return true;
    },
    save: async (id, fence, { state, window, ...keeping }) => {
      const args = [fence, Buffer.from(state), Buffer.from(window).toString('base64'), keeping.keepFor];
      const holder = (await redis.run(save, [sessionKey(id)], args)) as string | null;
      if (holder === null) return false;
      await enlist(decodeHolder(holder), id, keeping);
      return true;
    },
    take: async (id, fence, { node, numbers, ...keeping }) => {
      // What lies there does not change while the fence is the same.
      const found = await read(id);
      if (found?.fence !== fence) return undefined;
      const args = [fence, node, numbers, keeping.keepFor];
      const [, before, window] = await replicated.run(take, sessionKey(id), checkKey(id), args);
      if (before === undefined) return undefined;
      const { account, identity, state } = found;
      await enlist(found, id, keeping);
      const writeFrom = Number(before);
      return {
        id,
        account,
        identity,
        fence: fence + 1,
        writeFrom,
        reserved: writeFrom + numbers,
        state,
        window: window === '' ? undefined : Buffer.from(window as string, 'base64'),
      };
    },
    read,
    of: async (holder) => {
      const ids = await redis.call((client) => client.zrange(listKey(holder), '0', '-1'));
      const found = await Promise.all(ids.map(read));
      return found.flatMap((session) => (session === undefined ? [] : [placeOf(session)]));
    },
    remove: async (id, fence) => {
      const holder = await removeOne(id, fence);
      if (holder === undefined) return false;
      await delist(holder, id);
      return true;
    },
    // They go by themselves.
    trim: async () => 0,
  };
}

function placeOf({ id, node, fence }: StoredSession): SessionPlace {
  return { id, node, fence };
}

function encodeSession(session: NewSession): Buffer {
  const { account, identity, node, fence, reserved, state } = session;
  const holder = JSON.stringify([account, identity.kind, identity.name]);
  return Buffer.concat([Buffer.from(`${fence} ${reserved} ${node}\n${holder}\n\n`), state]);
}

/** As `scripts/shared/session.lua` tells. */
function decodeSession(id: string, record: Buffer): StoredSession {
  const first = record.indexOf(newline);
  const second = record.indexOf(newline, first + 1);
  const third = record.indexOf(newline, second + 1);
  const [fence, , node = ''] = record.toString('utf8', 0, first).split(' ');
  return {
    id,
    node,
    fence: Number(fence),
    ...decodeHolder(record.toString('utf8', first + 1, second)),
    state: record.subarray(third + 1),
    hasWindow: third > second + 1,
  };
}

function decodeHolder(text: string): SessionHolder {
  const [account, kind, name] = JSON.parse(text) as [
    SessionHolder['account'],
    SessionHolder['identity']['kind'],
    string,
  ];
  return { account, identity: { kind, name } };
}
