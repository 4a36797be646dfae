import { Cluster } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RedisConnection } from '../../redis/connection.ts';
import { RedisDeviceStore } from '../../redis/device-store.ts';
import { history, type RedisHistory } from '../../redis/history.ts';
import { historyKeys } from '../../redis/history-keys.ts';
import { RedisRegistrationStore } from '../../redis/registration-store.ts';
import { bucketOf } from '../../server/ports/bucket.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import type { HistoryChunk, HistoryReading } from '../../server/ports/history.ts';
import { aRegistration } from '../contract/engine.ts';
import { allBefore } from '../contract/history.ts';
import { type Connect, describeOnRedis } from './engines.ts';

const second = 1_000_000;
const minute = 60 * second;
const quarter = 15 * minute;
const hour = 60 * minute;
const day = 24 * hour;
/** µs since the epoch, the beginning of a day. */
const epoch = 20_000 * day;
const series = { endpoint: 'a', path: '/42770/0/2' };

function aChunk(position: number, times: readonly number[], endpoint = 'a'): HistoryChunk {
  const readings = times.map((takenAt) => ({ takenAt, receivedAt: epoch, value: (takenAt / second) % 97 }));
  return { endpoint, path: series.path, position, readings };
}

/** A pack of ten readings each ten seconds. */
function packs(count: number, from = epoch, endpoint = 'a'): HistoryChunk[] {
  return Array.from({ length: count }, (_, pack) =>
    aChunk(
      pack + 1,
      Array.from({ length: 10 }, (_, index) => from + (pack * 10 + index) * second),
      endpoint,
    ),
  );
}

function readingsOf(chunks: readonly HistoryChunk[]): readonly HistoryReading[] {
  return chunks.flatMap(({ readings }) => readings).sort((a, b) => a.takenAt - b.takenAt);
}

/** What is in Redis of a device's bucket. */
class Inside {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async keys(): Promise<readonly string[]> {
    const { prefix } = this.#redis.keys;
    return (await Promise.all(this.#nodes.map((node) => node.keys(`${prefix}:*`)))).flat();
  }

  /** Bytes that Redis may take; 0: no limit. */
  async limit(bytes: string): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.config('SET', 'maxmemory', bytes)));
  }

  get #nodes() {
    const { client } = this.#redis;
    return client instanceof Cluster ? client.nodes('master') : [client];
  }

  /** Bytes that are counted, and those that there are, of each kind. */
  async bytes(endpoint: string) {
    const { client, keys } = this.#redis;
    const { sizes } = historyKeys(keys, bucketOf(endpoint));
    const counted = { readings: 0, rollUps: 0 };
    for (const [field, bytes] of Object.entries(await client.hgetall(sizes))) {
      counted[field.toLowerCase().startsWith('r') ? 'readings' : 'rollUps'] += Number(bytes);
    }
    const there = { readings: 0, rollUps: 0 };
    for (const key of await this.keys()) {
      const kind = /:readings:\d+$/.test(key)
        ? 'readings'
        : /:roll-ups:\d+$/.test(key)
          ? 'rollUps'
          : undefined;
      if (kind === undefined) continue;
      const members = await client.zrangeBuffer(key, '0', '-1');
      there[kind] += members.reduce((sum, { length }) => sum + length + 90, 0);
    }
    return { counted, there };
  }

  async members(endpoint: string, id = '1'): Promise<number> {
    const { client, keys } = this.#redis;
    return client.zcard(historyKeys(keys, bucketOf(endpoint)).readings(id));
  }
}

function suites(name: string, _open: unknown, connect: Connect): void {
  describe(`History's members, ${name}`, () => {
    const opened: RedisConnection[] = [];
    let one: RedisHistory;
    let other: RedisHistory;
    let inside: Inside;
    beforeEach(async () => {
      const first = await connect();
      const second = await connect(first.keys.prefix);
      opened.push(first, second);
      one = history(first);
      other = history(second);
      inside = new Inside(first);
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((redis) => redis.close()));
    });

    test('a quarter that was rolled up is one member, with every reading as it was', async () => {
      const chunks = packs(180);
      await one.append(chunks);
      expect(await inside.members('a')).toBe(180);
      await one.rollUp(epoch + day);
      expect(await inside.members('a')).toBe(2);
      const all = readingsOf(chunks);
      expect(await one.query({ ...series, limit: 10_000 })).toEqual(all);
      expect(await one.query({ ...series, limit: 7 })).toEqual(all.slice(-7));
      const range = { from: epoch + 5 * minute, to: epoch + 25 * minute };
      const within = all.filter(({ takenAt }) => takenAt >= range.from && takenAt < range.to);
      expect(await one.query({ ...series, ...range, limit: 10_000 })).toEqual(within);
    });

    test.each(['newest', 'oldest'] as const)(
      'pages from the %s that were begun before members were put together go on after it',
      async (order) => {
        const chunks = packs(180);
        // Two at the same time, in different packs: the cursor falls between them.
        chunks.push(aChunk(1000, [epoch + 17 * minute, epoch + 17 * minute + 1, epoch + 30 * second]));
        await one.append(chunks);
        const pages: (readonly HistoryReading[])[] = [];
        let cursor: string | undefined;
        do {
          const page = await other.page({ ...series, limit: 101, order, ...(cursor && { cursor }) });
          pages.push(page.items);
          cursor = page.next;
          if (pages.length === 2) await one.rollUp(epoch + day);
        } while (cursor !== undefined);
        if (order === 'newest') pages.reverse();
        expect(pages.flat()).toEqual(readingsOf(chunks));
      },
    );

    test('answers are whole while another node puts members together and removes some', async () => {
      const chunks = packs(2000);
      await one.append(chunks);
      const kept = JSON.stringify(readingsOf(chunks).filter(({ takenAt }) => takenAt >= epoch + 2 * hour));
      let isDone = false;
      const changes = (async () => {
        for (let step = 1; step <= 10; step++) {
          await one.rollUp(epoch + step * 2 * quarter);
          await one.trim({ ...allBefore(epoch + step * 12 * minute), rollUpsBefore: epoch });
        }
      })().finally(() => {
        isDone = true;
      });
      while (!isDone) {
        const found = await other.query({ ...series, from: epoch + 2 * hour, limit: 100_000 });
        expect(JSON.stringify(found) === kept).toBe(true);
      }
      await changes;
    });

    test('two nodes that append the same leave each reading there once', async () => {
      const chunks = packs(60);
      const rounds = [0, 20, 40].map((from) => chunks.slice(from, from + 20));
      const append = async (node: RedisHistory): Promise<void> => {
        for (const round of rounds) await node.append(round);
      };
      await Promise.all([append(one), append(other)]);
      expect(await one.query({ ...series, limit: 10_000 })).toEqual(readingsOf(chunks));
      await Promise.all([one.rollUp(epoch + day), other.rollUp(epoch + day)]);
      const found = await other.series({ ...series, from: epoch, to: epoch + quarter, points: 1 });
      expect(found.items).toMatchObject([{ count: 600 }]);
    });

    test('a node that does not know yet that another has removed readings adds late ones to their roll-ups', async () => {
      await one.append(packs(90));
      await other.trim({ ...allBefore(epoch + hour), rollUpsBefore: epoch });
      await one.append([aChunk(500, [epoch + second / 2])]);
      const found = await other.series({ ...series, from: epoch, to: epoch + quarter, points: 1 });
      expect(found.items).toMatchObject([{ count: 901 }]);
    });

    test('a node that does not know yet that a series is gone begins it anew', async () => {
      await one.append(packs(10));
      await other.trim(allBefore(epoch + day));
      expect(await one.paths('a')).toEqual([]);
      const later = aChunk(500, [epoch + 2 * day]);
      await one.append([later]);
      expect(await other.query({ ...series, limit: 10 })).toEqual(later.readings);
    });

    test('a node keeps series apart whose ids are given again by a Redis that came back with less', async () => {
      const of = (path: string, position: number): HistoryChunk => ({ ...aChunk(position, [epoch]), path });
      await one.append([of('/1/0/1', 1)]);
      await one.append([of('/1/0/2', 2)]);
      const { client } = opened[0] as RedisConnection;
      for (const key of await inside.keys()) await client.unlink(key);
      // The id that the first one had is now the second one's.
      await other.append([of('/1/0/2', 3)]);
      await one.append([of('/1/0/1', 4), of('/1/0/2', 5)]);
      for (const [path, count] of [
        ['/1/0/1', 1],
        ['/1/0/2', 2],
      ] as const) {
        expect(await one.query({ endpoint: 'a', path, limit: 10 })).toHaveLength(count);
      }
    });

    test('records that are larger than what is read at a time, and many that end at the same time', async () => {
      const large = (position: number): HistoryChunk => ({
        ...series,
        position,
        readings: [{ takenAt: epoch, receivedAt: epoch, value: `${position}`.repeat(300_000) }],
      });
      const chunks = [1, 2, 3].map(large);
      for (let position = 4; position < 100; position++) chunks.push(aChunk(position, [epoch]));
      await one.append(chunks);
      for (const order of ['newest', 'oldest'] as const) {
        const { items } = await one.page({ ...series, limit: 1000, order });
        expect(items.map(({ value }) => String(value).charAt(0))).toEqual(
          chunks.map(({ readings }) => String(readings[0]?.value).charAt(0)),
        );
      }
    });

    test('the bytes that are counted are those that there are', async () => {
      const chunks = [
        ...packs(400),
        ...packs(400, epoch + 3 * day).map((chunk) => ({ ...chunk, position: chunk.position + 400 })),
      ];
      const level = async (): Promise<void> => {
        const { counted, there } = await inside.bytes('a');
        expect(counted).toEqual(there);
      };
      await one.append(chunks);
      await level();
      await one.rollUp(epoch + hour);
      await level();
      await one.append([aChunk(900, [epoch + 1, epoch + hour + 1]), aChunk(901, [epoch + 2])]);
      await one.rollUp(epoch + 9 * day);
      await level();
      await one.trim({ ...allBefore(epoch + 40 * minute), rollUpsBefore: epoch });
      await one.append([aChunk(902, [epoch + 3])]);
      await level();
      await one.trim(allBefore(epoch + day));
      await level();
      await one.trim(allBefore(epoch + 9 * day));
      expect(await inside.bytes('a')).toEqual({
        counted: { readings: 0, rollUps: 0 },
        there: { readings: 0, rollUps: 0 },
      });
      // Numbers of series and of rounds; nothing of the series.
      const left = (await inside.keys()).map((key) => key.replace(/^.*:/, ''));
      expect(left.sort()).toEqual(['history-ids', 'history-taken']);
    });

    test('a full Redis takes no readings, and is read, rolled up and trimmed all the same', async () => {
      const chunks = packs(200);
      await one.append(chunks);
      await inside.limit('1');
      try {
        await expect(one.append([aChunk(1000, [epoch])])).rejects.toThrow(StoreUnavailableError);
        expect(await one.query({ ...series, limit: 10_000 })).toEqual(readingsOf(chunks));
        await one.rollUp(epoch + day);
        await one.trim({ ...allBefore(epoch + 20 * minute), rollUpsBefore: epoch });
        const { items } = await other.series({ ...series, from: epoch, to: epoch + hour, points: 4 });
        expect(items.map(({ count }) => count)).toEqual([900, 900, 200]);
      } finally {
        await inside.limit('0');
      }
      await one.append([aChunk(1000, [epoch + 21 * minute + 1])]);
      expect(await one.query({ ...series, limit: 10_000 })).toHaveLength(801);
    });

    test('of a removed device nothing is left, and what a node knew of its series is of no use to it', async () => {
      const redis = opened[0] as RedisConnection;
      const registrations = new RedisRegistrationStore(redis);
      const devices = new RedisDeviceStore({ redis, purge: (bucket) => other.purge(bucket) });
      const registration = aRegistration('a');
      await one.append([...packs(3000), ...packs(10, epoch, 'b')]);
      await one.rollUp(epoch + hour);
      await registrations.register(registration);
      await registrations.deregister(registration.id);
      expect(await devices.remove('a')).toBe(true);
      const ofHistory = historyKeys(redis.keys, bucketOf('a'));
      const kept = [ofHistory.ids, ofHistory.taken];
      const left = (await inside.keys()).filter((key) => /history|readings|roll-ups|due/.test(key));
      const bucket = ofHistory.meta.replace('history-meta', '');
      expect(left.filter((key) => key.startsWith(bucket)).sort()).toEqual(kept.sort());
      expect(await redis.client.hkeys(ofHistory.taken)).toEqual(['round']);
      await one.append([aChunk(5000, [epoch])]);
      expect(await one.query({ ...series, limit: 10 })).toHaveLength(1);
      expect(await one.query({ ...series, endpoint: 'b', limit: 1000 })).toHaveLength(100);
    });

    test('hours of long ago are counted by the day, and a bound by size holds all the same', async () => {
      const chunks = Array.from({ length: 40 * 24 }, (_, index) =>
        aChunk(index + 1, [epoch + index * hour, epoch + index * hour + 1]),
      );
      await one.append(chunks);
      await one.trim({ ...allBefore(0), maxBytes: 10_000_000 });
      const { sizes } = historyKeys((opened[0] as RedisConnection).keys, bucketOf('a'));
      const fields = await (opened[0] as RedisConnection).client.hkeys(sizes);
      expect(fields.filter((field) => field.startsWith('R'))).toHaveLength(33);
      expect(fields.filter((field) => field.startsWith('r')).length).toBeLessThanOrEqual(169);
      const { counted, there } = await inside.bytes('a');
      expect(counted).toEqual(there);
      await one.trim({ ...allBefore(0), maxBytes: Math.ceil(there.readings / 4) });
      const left = await one.query({ ...series, limit: 10_000 });
      expect(left.at(-1)).toEqual(chunks.at(-1)?.readings.at(-1));
      expect(left.length).toBeGreaterThan(400);
      expect(left.length).toBeLessThanOrEqual(480);
    });
  });
}

describeOnRedis(suites, () => ({}));
