import type { BootstrapSession, BootstrapState, BootstrapStore } from '../server/ports/bootstrap-store.ts';
import { bucketOf, bucketOfRegistration } from '../server/ports/bucket.ts';
import { decodeCursor, encodeCursor, foreignCursor } from '../server/ports/cursor.ts';
import { allBuckets } from './buckets.ts';
import type { RedisConnection } from './connection.ts';
import { compareNewest, newestFirst, type Placed } from './newest-first.ts';
import { loadScript } from './script.ts';

const begin = loadScript('bootstrap-begin');
const record = loadScript('bootstrap-record');
const lookFor = loadScript('bootstrap-list');

const cursorKinds = { assignments: 'bootstrap assignments', sessions: 'bootstrap sessions' };

/** A session that was found, with its place among all. */
interface FoundSession extends Placed {
  readonly session: BootstrapSession;
}

/** Profiles in a slot of their own; assignments and sessions in the buckets of their devices. */
export function bootstrapStore(redis: RedisConnection): BootstrapStore {
  const { keys } = redis;
  const profilesKey = keys.shared('bootstrap', 'bootstrap-profiles');
  const assignmentsKey = (bucket: number): string => keys.bucket(bucket, 'bootstrap-assignments');
  const sessionsKey = (bucket: number): string => keys.bucket(bucket, 'bootstrap-sessions');
  const orderKey = (bucket: number): string => keys.bucket(bucket, 'bootstrap-sessions:order');
  const devicesKey = (bucket: number): string => keys.bucket(bucket, 'bootstrap-sessions:devices');

  const look = async (bucket: number, from: string, count: number) => {
    const rows = (await redis.run(
      lookFor,
      [sessionsKey(bucket), orderKey(bucket)],
      [from, count],
    )) as string[];
    const items: FoundSession[] = [];
    for (let i = 0; i < rows.length; i += 3) {
      const [id = '', at, text = ''] = rows.slice(i, i + 3);
      items.push({ id, at: Number(at), session: decodeSession(id, text) });
    }
    const last = items.at(-1);
    return { items, ...(items.length === count && last !== undefined ? { next: last.at } : {}) };
  };

  return {
    profiles: async () => {
      const found = await redis.call((client) => client.hgetall(profilesKey));
      return Object.entries(found)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, text]) => JSON.parse(text));
    },
    putProfile: async (profile) => {
      await redis.call((client) => client.hset(profilesKey, profile.id, JSON.stringify(profile)));
    },
    removeProfile: async (id) => (await redis.call((client) => client.hdel(profilesKey, id))) === 1,
    assignment: async (endpoint) => {
      const key = assignmentsKey(bucketOf(endpoint));
      return (await redis.call((client) => client.hget(key, endpoint))) ?? undefined;
    },
    assign: async (endpoint, profile) => {
      const key = assignmentsKey(bucketOf(endpoint));
      await redis.call((client) =>
        profile === undefined ? client.hdel(key, endpoint) : client.hset(key, endpoint, profile),
      );
    },
    assignments: async ({ profile, limit, cursor }) => {
      const [first, after] = cursor === undefined ? [0, ''] : assignmentPlace(cursor);
      const lengths = await Promise.all(
        allBuckets.map((bucket) => redis.call((client) => client.hlen(assignmentsKey(bucket)))),
      );
      const found: { readonly bucket: number; readonly endpoint: string; readonly profile: string }[] = [];
      for (const bucket of allBuckets.slice(first)) {
        if (found.length > limit) break;
        if (lengths[bucket] === 0) continue;
        const members = await redis.call((client) => client.hgetall(assignmentsKey(bucket)));
        found.push(
          ...Object.entries(members)
            .filter(([endpoint]) => bucket > first || endpoint > after)
            .filter(([, each]) => profile === undefined || each === profile)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([endpoint, each]) => ({ bucket, endpoint, profile: each })),
        );
      }
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map(({ endpoint, profile: each }) => ({ endpoint, profile: each })),
        ...(found.length > limit && last !== undefined
          ? { next: encodeCursor(cursorKinds.assignments, [last.bucket, last.endpoint]) }
          : {}),
      };
    },
    begin: async (session, { ofDevice, ofBucket }) => {
      const { endpoint } = session;
      const bucket = bucketOf(endpoint);
      const [id, former] = (await redis.run(
        begin,
        [sessionsKey(bucket), orderKey(bucket), devicesKey(bucket)],
        [session.id, endpoint, ...encodeSession(session), ofDevice, ofBucket],
      )) as readonly [string?, string?];
      return id === undefined || former === undefined ? undefined : decodeSession(id, former);
    },
    record: async (session) => {
      const key = sessionsKey(bucketOf(session.endpoint));
      return (await redis.run(record, [key], [session.id, ...encodeSession(session)])) === 1;
    },
    session: async (id) => {
      const bucket = bucketOfRegistration(id);
      if (bucket === undefined) return undefined;
      const text = await redis.call((client) => client.hget(sessionsKey(bucket), id));
      return text === null ? undefined : decodeSession(id, text);
    },
    sessions: async ({ endpoint, states, limit, cursor }) => {
      const after = cursor === undefined ? undefined : sessionPlace(cursor);
      const buckets = endpoint === undefined ? allBuckets : [bucketOf(endpoint)];
      const count =
        buckets.length === 1 ? Math.max(limit + 1, 100) : Math.max(4, Math.ceil((limit + 1) / 64));
      const found = newestFirst(buckets, after?.at ?? Number.MAX_SAFE_INTEGER, (bucket, from, again) =>
        look(bucket, again ? `(${from}` : `${from}`, count),
      );
      const page: FoundSession[] = [];
      for await (const item of found) {
        if (after !== undefined && compareNewest(item, after) <= 0) continue;
        if (endpoint !== undefined && item.session.endpoint !== endpoint) continue;
        if (states?.includes(item.session.state) === false) continue;
        page.push(item);
        if (page.length > limit) break;
      }
      const items = page.slice(0, limit);
      const last = items.at(-1);
      return {
        items: items.map(({ session }) => session),
        ...(page.length > limit && last !== undefined
          ? { next: encodeCursor(cursorKinds.sessions, [last.at, last.id]) }
          : {}),
      };
    },
  };
}

/** State, time of the last change, and the rest as JSON, which has no line breaks. */
function encodeSession({ state, updatedAt, ...rest }: BootstrapSession): readonly [string, number, string] {
  return [state, updatedAt, JSON.stringify(rest)];
}

/** From a record's lines, as `scripts/bootstrap-begin.lua` has them. */
function decodeSession(id: string, text: string): BootstrapSession {
  const [state = '', updatedAt, rest = '{}'] = text.split('\n');
  return { ...JSON.parse(rest), id, state: state as BootstrapState, updatedAt: Number(updatedAt) };
}

function assignmentPlace(cursor: string): readonly [bucket: number, after: string] {
  const [bucket, after] = decodeCursor(cursorKinds.assignments, cursor, 'parts');
  if (typeof bucket !== 'number' || !Number.isInteger(bucket) || bucket < 0 || typeof after !== 'string') {
    throw foreignCursor();
  }
  return [bucket, after];
}

function sessionPlace(cursor: string): Placed {
  const [at, id] = decodeCursor(cursorKinds.sessions, cursor, 'parts');
  if (typeof at !== 'number' || typeof id !== 'string') throw foreignCursor();
  return { at, id };
}
