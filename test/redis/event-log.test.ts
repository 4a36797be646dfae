import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseRedisAddress } from '../../redis/address.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { RedisEventLog } from '../../redis/event-log.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import type { StoredEvent } from '../../server/ports/event-log.ts';
import { describeEventLog } from '../contract/event-log.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(describeEventLog, (redis) => ({ events: new RedisEventLog(redis) }));

describe.skipIf(!isInstalled('redis-server'))('the event log on a Redis of its own', () => {
  let server: RedisServer;
  let redis: RedisConnection;
  let events: RedisEventLog;

  beforeEach(async () => {
    server = await startRedis({ durable: true });
    redis = await RedisConnection.open({ address: parseRedisAddress(server.url), prefix: 'sy', guard: true });
    events = new RedisEventLog(redis);
  });
  afterEach(async () => {
    await redis.close();
    await server.close();
  });

  /** Devices `d0` to `d6`, types `t0` to `t2`, one in ten is trouble; `rare` once in a thousand. */
  function anEvent(index: number): Omit<StoredEvent, 'id'> {
    return {
      type: index % 1_000 === 500 ? 'rare' : `t${index % 3}`,
      endpoint: index % 1_000 === 600 ? 'seldom' : `d${index % 7}`,
      at: index,
      data: { index },
      ...(index % 10 === 0 && { trouble: true }),
    };
  }

  /** As a log of 4 000 events would be read by somebody who looks at each of them. */
  async function fill(): Promise<readonly StoredEvent[]> {
    const all: StoredEvent[] = [];
    for (let first = 0; first < 4_000; first += 500) {
      const given = Array.from({ length: 500 }, (_, index) => anEvent(first + index));
      const ids = await events.append(given);
      all.push(...given.map((event, index) => ({ ...event, id: ids[index] as number })));
    }
    await events.trim(3_500);
    return all.slice(500);
  }

  test('what is frequent and what is rare, near and far, is found as by a look at each event', async () => {
    const all = await fill();
    const places = [
      undefined,
      ...[3_999, 3_400, 1_700, 1_001, 505].map((index) => all[index - 500]?.id as number),
    ];
    const queries = [
      {},
      { endpoint: 'd3' },
      { endpoint: 'seldom' },
      { endpoint: 'nobody' },
      { types: ['t1'] },
      { types: ['rare'] },
      { types: ['rare', 't2'] },
      { trouble: true },
      { trouble: true, endpoint: 'd3' },
      { trouble: true, types: ['t1'] },
      { endpoint: 'd3', types: ['t1', 'rare'] },
    ] as const;
    for (const query of queries) {
      const { endpoint, types, trouble } = query as {
        endpoint?: string;
        types?: readonly string[];
        trouble?: true;
      };
      const matching = all.filter(
        (event) =>
          (endpoint === undefined || event.endpoint === endpoint) &&
          (types === undefined || types.includes(event.type)) &&
          (trouble === undefined || event.trouble === true),
      );
      for (const before of places) {
        for (const limit of [1, 20, 2_500]) {
          const expected = matching.filter(({ id }) => before === undefined || id < before).reverse();
          const found = await events.latest({ ...query, ...(before !== undefined && { before }), limit });
          expect(found, JSON.stringify({ query, before, limit })).toEqual(expected.slice(0, limit));
        }
      }
    }
    for (const endpoint of ['d3', 'seldom', 'nobody']) {
      const matching = all.filter((event) => event.endpoint === endpoint);
      for (const after of [0, ...places.slice(1)] as number[]) {
        for (const limit of [1, 20, 2_500]) {
          const expected = matching.filter(({ id }) => id > after).slice(0, limit);
          expect(await events.read({ after, endpoint, limit }), `${endpoint} ${after} ${limit}`).toEqual(
            expected,
          );
        }
      }
    }
  });

  test('a device with many events far behind the place is read from the first of them', async () => {
    await events.append(
      Array.from({ length: 600 }, (_, index) => ({ ...anEvent(index), endpoint: 'other' })),
    );
    const ids: number[] = [];
    for (let i = 0; i < 3; i++) {
      ids.push(
        ...(await events.append(
          Array.from({ length: 900 }, (_, index) => ({ ...anEvent(index), endpoint: 'busy' })),
        )),
      );
    }
    const found = await events.read({ after: 0, endpoint: 'busy', limit: 10 });
    expect(found.map(({ id }) => id)).toEqual(ids.slice(0, 10));
  });

  test('what is remembered of devices goes with their events', async () => {
    await fill();
    await events.trim(3);
    expect(await redis.call((client) => client.hlen('sy:{events}:newest'))).toBeLessThanOrEqual(7);
    await events.trim(0);
    expect(await redis.call((client) => client.exists('sy:{events}:newest'))).toBe(0);
    expect(await events.latest({ endpoint: 'd1', limit: 5 })).toEqual([]);
  });

  test('a batch that was stored without an answer, and is given again, is stored once', async () => {
    const batch = [anEvent(1), anEvent(2)];
    await events.append([anEvent(0)]);
    // It answers nothing, and carries out what it was given when it goes on.
    server.pause();
    const refused = events.append(batch);
    await expect(refused).rejects.toThrow(StoreUnavailableError);
    server.resume();
    const ids = await until('the store answers again', () =>
      events.append(batch).catch((error: unknown) => {
        if (error instanceof StoreUnavailableError) return undefined;
        throw error;
      }),
    );
    expect((await events.read({ after: 0, limit: 10 })).map(({ id }) => id)).toEqual([1, ...ids]);
    await events.append(batch);
    expect(await events.read({ after: 0, limit: 10 })).toHaveLength(5);
  });

  test('ids that were lost with a Redis are not given to others', async () => {
    const [before] = await events.append([anEvent(0)]);
    await server.kill();
    await server.start();
    await expect
      .poll(
        () =>
          events.append([anEvent(1)]).then(
            ([id]) => id,
            () => undefined,
          ),
        { timeout: 10_000 },
      )
      .toBeGreaterThan((before as number) + 1_000);
  });
});
