import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseRedisAddress } from '../../redis/address.ts';
import { RedisConnection, type ScriptArgument } from '../../redis/connection.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const echo = { name: 'echo', source: '#!lua\nreturn { KEYS, ARGV }' };
const append = { name: 'append', source: "#!lua\nreturn redis.call('append', KEYS[1], ARGV[1])" };
const fail = { name: 'fail', source: "#!lua\nreturn redis.error_reply('NO this is wrong')" };

describe.skipIf(!isInstalled('redis-server'))('scripts on a single Redis', { timeout: 60_000 }, () => {
  let server: RedisServer;
  let redis: RedisConnection;

  beforeEach(async () => {
    server = await startRedis();
    redis = await RedisConnection.open({ address: parseRedisAddress(server.url), prefix: 'sy' });
  });
  afterEach(async () => {
    await redis.close();
    await server.close();
  });

  const echoed = (keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> =>
    redis.run(echo, keys, args);

  test('get what they were given, whatever it is', async () => {
    const args = ['', 'ü€\u{1f600}', 'half \ud800', '\r\n$5\r\n*', -1.5, 'x'.repeat(3_000_000)];
    expect(await echoed(['k-ü', ''], args)).toEqual([
      ['k-ü', ''],
      ['', 'ü€\u{1f600}', 'half \ufffd', '\r\n$5\r\n*', '-1.5', 'x'.repeat(3_000_000)],
    ]);
    const bytes = Buffer.from([0, 13, 10, 255, 128]);
    expect(await redis.runBuffer(echo, [], [bytes])).toEqual([[], [bytes]]);
  });

  test('run in the order of their calls, among other commands of the connection', async () => {
    const others: Promise<unknown>[] = [];
    for (let i = 0; i < 500; i++) {
      others.push(redis.run(append, ['order'], [`${i},`]));
      if (i % 7 === 0) others.push(redis.call((client) => client.set(`other ${i}`, i)));
      if (i % 31 === 0) others.push(redis.call((client) => client.multi().incr('a').incr('b').exec()));
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(others);
    const expected = Array.from({ length: 500 }, (_, i) => `${i},`).join('');
    expect(await redis.call((client) => client.get('order'))).toBe(expected);
  });

  test('that fail do so alone', async () => {
    const outcomes = await Promise.allSettled([
      echoed([], ['1']),
      redis.run(fail, [], []),
      echoed([], ['2']),
      redis.run(fail, [], []),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    expect(await echoed([], ['3'])).toEqual([[], ['3']]);
  });

  test('with what cannot be written are refused, and leave nothing on the wire', async () => {
    const impossible = [null] as unknown as ScriptArgument[];
    const outcomes = await Promise.allSettled([
      echoed([], ['1']),
      echoed(['key'], impossible),
      echoed([], ['2']),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'fulfilled', value: [[], ['1']] },
      { status: 'rejected' },
      { status: 'fulfilled', value: [[], ['2']] },
    ]);
    expect(await echoed([], ['3'])).toEqual([[], ['3']]);
  });

  test('that Redis has forgotten are given anew', async () => {
    await echoed([], ['1']);
    await server.cli('script', 'flush');
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => echoed([], [i])));
    expect(answers).toEqual(Array.from({ length: 50 }, (_, i) => [[], [String(i)]]));
  });

  test('are refused when Redis is silent, or dies, with much under way, and go on where it is back', async () => {
    for (const away of ['silent', 'killed']) {
      server.pause();
      // More than the sockets hold: the write is pending when the connection is given up.
      const large = Array.from({ length: 4 }, (_, i) => echoed([], [`${i}`.repeat(10_000_000)]));
      const outcomes = Promise.allSettled(large);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const later = Promise.allSettled(Array.from({ length: 100 }, (_, i) => echoed([], [`later ${i}`])));
      if (away === 'killed') {
        server.resume();
        await server.kill();
        await server.start();
      }
      for (const { status, ...rest } of await outcomes) {
        if (status === 'rejected') expect(rest).toMatchObject({ reason: expect.any(StoreUnavailableError) });
      }
      server.resume();
      for (const [i, outcome] of (await later).entries()) {
        if (outcome.status === 'fulfilled') expect(outcome.value).toEqual([[], [`later ${i}`]]);
        else expect(outcome.reason).toBeInstanceOf(StoreUnavailableError);
      }
      await until('it answers again', () =>
        echoed([], ['there']).then(
          (answer) => JSON.stringify(answer) === '[[],["there"]]',
          () => false,
        ),
      );
      const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => echoed([], [i])));
      expect(answers).toEqual(Array.from({ length: 200 }, (_, i) => [[], [String(i)]]));
    }
  });

  test('that were called are answered before the connection is closed; later ones are refused', async () => {
    const asked = Array.from({ length: 20 }, (_, i) => echoed([], [i]));
    await redis.close();
    expect(await Promise.all(asked)).toHaveLength(20);
    await expect(echoed([], ['late'])).rejects.toThrow(StoreUnavailableError);
  });
});
