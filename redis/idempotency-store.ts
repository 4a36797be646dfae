import { BusyError } from '../protocol/errors.ts';
import type { IdempotencyStore, KeptAnswer, KeyState } from '../server/ports/idempotency-store.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

/** How long a key is kept, ms. */
const lifetime = 86_400_000;
/** Old keys that one call removes at most. */
const keysPerCall = 100;

const begin = loadScript('key-begin');
const takeOver = loadScript('key-take-over');
const finish = loadScript('key-finish');

/** Keys of requests in one slot, for there is one bound for all of them. */
export function idempotencyStore(redis: RedisConnection): IdempotencyStore {
  const records = redis.keys.shared('idempotency', 'keys');
  const times = redis.keys.shared('idempotency', 'times');
  return {
    begin: async ({ key, fingerprint, holder, at, limit }) => {
      const texts = [JSON.stringify(fingerprint), JSON.stringify(holder)];
      const args = [key, ...texts, at, lifetime, keysPerCall, limit];
      const reply = (await redis.run(begin, [records, times], args)) as string;
      if (reply === 'full') {
        throw new BusyError(`${limit} Idempotency-Keys of the last day are kept, and no more are taken`);
      }
      return reply === 'begun' ? { state: 'begun' } : keyStateOf(reply);
    },
    takeOver: async (key, from, to) =>
      (await redis.run(takeOver, [records], [key, JSON.stringify(from), JSON.stringify(to)])) === 1,
    finish: async (key, holder, { status, headers, body }) => {
      const answer = [status, JSON.stringify(headers), body === undefined ? '' : JSON.stringify(body)];
      await redis.run(finish, [records, times], [key, JSON.stringify(holder), ...answer]);
    },
    release: async (key, holder) => {
      await redis.run(finish, [records, times], [key, JSON.stringify(holder)]);
    },
  };
}

/** From a record's lines, as `scripts/key-begin.lua` has them. */
function keyStateOf(record: string): KeyState {
  const [fingerprint = '', since, holder = '', status, headers = '', body = ''] = record.split('\n');
  const before = { fingerprint: JSON.parse(fingerprint) as string };
  if (status === undefined) {
    return { state: 'open', ...before, holder: JSON.parse(holder) as string, since: Number(since) };
  }
  const answer: KeptAnswer = {
    status: Number(status),
    headers: JSON.parse(headers) as KeptAnswer['headers'],
    ...(body !== '' && { body: JSON.parse(body) as string }),
  };
  return { state: 'answered', ...before, answer };
}
